"""Records that must not get through: each refused with what a person needs to mend it, all others written."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from sandbox_driver import SOURCE
from singer_driver import Project, addressed

NORTH, SOUTH = 201, 202
GOOD = [{"Code": "1", "Name": "Klant 1"}, {"Code": "7", "Name": "Klant 7"}]
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an empty name": ({"Code": "2", "Name": " "}, "Name is empty"),
    "no code": ({"Code": None, "Name": "Klant"}, "Code is empty"),
    "letters in the code": ({"Code": "12A", "Name": "Klant"}, "Code is '12A'"),
    "too long a code": ({"Code": "1" * 19, "Name": "Klant"}, "Code is '1111111111111111111'"),
    "an e-mail address that is none": (
        {"Code": "2", "Name": "Klant", "Email": "jan@@bakker"},
        "Email is 'jan@@bakker'",
    ),
    "a country that is none": ({"Code": "2", "Name": "Klant", "Country": "ZZ"}, "Country is 'ZZ'"),
    "a status that is none": ({"Code": "2", "Name": "Klant", "Status": "X"}, "Status is 'X'"),
    "text for a yes or no": ({"Code": "2", "Name": "Klant", "IsSupplier": "maybe"}, "IsSupplier is 'maybe'"),
    "text for a number": ({"Code": "2", "Name": "Klant", "Latitude": "north"}, "Latitude is 'north'"),
    "text for a date": ({"Code": "2", "Name": "Klant", "EstablishedDate": "soon"}, "EstablishedDate is 'soon'"),
    "a list for text": ({"Code": "2", "Name": ["Klant"]}, "Name is "),
}
EXACT_ALONE = {"Code": "5", "Name": "Klant 5", "Country": "DE", "State": "XX"}
LINE = re.compile(r"records → (?:division (\d+)|no division): (.*) \((\d+) received, (\d+) calls\)")


def to(division: int | None, *records: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**record, "Division": division} for record in records]


def counted(log: str) -> dict[int | None, tuple[dict[str, int], int]]:
    """What the log says of each division: how many ended how, and how many came in."""
    found = {}
    for division, counts, received, _ in LINE.findall(log):
        ended = {name: int(number) for number, name in (count.split() for count in counts.split(", "))}
        found[int(division) if division else None] = (ended, int(received))
    return found


@pytest.mark.parametrize(("record", "problem"), WRONG.values(), ids=WRONG)
def test_a_record_that_cannot_be_right_is_refused_unsent_and_the_others_are_written(
    project: Project, record: dict[str, Any], problem: str
) -> None:
    ran = project.load(addressed(to(NORTH, GOOD[0], record, GOOD[1]), {"at": 1}))

    (refusal,) = [line for line in project.outcomes if line["outcome"] == "refused"]
    assert (refusal["division"], refusal["code"]) == (NORTH, str(record["Code"] or ""))
    assert problem in refusal["reason"]
    assert f"in division {NORTH}" in refusal["reason"]
    assert "correct it in the source and run again" in refusal["reason"]
    assert (ran.status, ran.state) == (0, {"at": 1})
    assert [call["body"]["Code"].strip() for call in project.writes()] == ["1", "7"]


def test_a_new_account_without_a_name_property_is_refused_and_says_what_to_do(project: Project) -> None:
    project.load(addressed(to(NORTH, {"Code": "2", "City": "Gent"})))

    line = project.outcome_of("2", NORTH)
    assert line["outcome"] == "refused"
    assert "Account 2 in division 201" in line["reason"]
    assert "Name is empty" in line["reason"]
    assert "run again" in line["reason"]
    assert project.writes() == []


def test_what_only_exact_refuses_is_told_in_its_words_and_the_others_are_written(project: Project) -> None:
    ran = project.load(addressed(to(NORTH, GOOD[0], EXACT_ALONE, GOOD[1]), {"at": 1}))

    line = project.outcome_of("5", NORTH)
    assert line["outcome"] == "refused"
    assert line["reason"] == (
        "Exact refused account 5 in division 201 (HTTP 500): Ongeldig: Provincie. "
        "Not written; correct it in the source and run again."
    )
    assert project.sandbox.codes(NORTH) == ["1", "7"]
    assert (ran.status, ran.state) == (0, {"at": 1})


@pytest.mark.parametrize("division", [None, "north", 0, -5])
def test_a_record_for_no_division_is_refused_and_counted_apart(project: Project, division: Any) -> None:
    ran = project.load(addressed([*to(division, GOOD[0]), *to(NORTH, GOOD[1])]))

    (refusal,) = [line for line in project.outcomes if line["outcome"] == "refused"]
    assert "Division is" in refusal["reason"]
    assert ran.status == 0
    assert project.sandbox.codes(NORTH) == ["7"]


def test_counts_add_up_in_the_log_and_in_the_lines(project: Project) -> None:
    project.sandbox.seed(NORTH, [{"Code": "1", "Name": "Klant 1"}, {"Code": "8", "Name": "Klant 8", "City": "Delft"}])
    wrong = [
        {**record, "Code": f"2{place}"} if record["Code"] == "2" else record
        for place, (record, _) in enumerate(WRONG.values())
    ]
    other = {"Code": "8", "Name": "Klant 8", "City": "Gent"}
    records = to(NORTH, *GOOD, other, EXACT_ALONE, *wrong) + to(SOUTH, *GOOD, GOOD[0], *wrong[:3]) + to(None, GOOD[0])

    ran = project.load(addressed(records))

    told = counted(ran.log)
    assert {division: received for division, (_, received) in told.items()} == {NORTH: 15, SOUTH: 6, None: 1}
    assert all(sum(ended.values()) == received for ended, received in told.values())
    for division, (ended, _) in told.items():
        lines = Counter(line["outcome"] for line in project.outcomes if line["division"] == division)
        assert lines == Counter({name: number for name, number in ended.items() if number})
    assert told[NORTH][0] == {"created": 1, "updated": 1, "unchanged": 1, "refused": 12, "parked": 0}
    assert ran.log.splitlines()[-1].endswith("calls.")
    assert "(22 received)" in ran.log.splitlines()[-1]


def test_as_many_refusals_as_allowed_do_not_fail_the_run(project: Project) -> None:
    ran = project.load(addressed(to(NORTH, {"Code": "x"}, {"Code": "y"}, GOOD[0]), {"at": 1}), max_errors=2)

    assert (ran.status, ran.state) == (0, {"at": 1})
    assert project.sandbox.codes(NORTH) == ["1"]


def test_one_refusal_more_than_allowed_stops_the_run_before_the_first_write(project: Project) -> None:
    ran = project.load(addressed(to(NORTH, {"Code": "x"}, {"Code": "y"}, GOOD[0]), {"at": 1}), max_errors=1)

    assert (ran.status, ran.output) == (1, "")
    assert project.writes() == []
    assert "Stopped: more than 1 records were refused (max_errors)." in ran.log.splitlines()[-1]
    assert "max_errors" in (project.report / "report.html").read_text(encoding="utf-8")
    assert [line["outcome"] for line in project.outcomes] == ["refused", "refused", "skipped"]


def test_one_refusal_by_exact_more_than_allowed_stops_the_run_and_keeps_what_was_written(project: Project) -> None:
    wrong = [{**EXACT_ALONE, "Code": str(code)} for code in (2, 3)]
    given = addressed(to(NORTH, GOOD[0], *wrong, GOOD[1]), {"at": 1})

    ran = project.load(given, max_errors=1)

    assert (ran.status, ran.output) == (1, "")
    assert project.sandbox.codes(NORTH) == ["1"]
    again = project.load(given, max_errors=2)
    assert (again.status, again.state) == (0, {"at": 1})
    assert project.sandbox.codes(NORTH) == ["1", "7"]


def test_a_collision_names_both_parties_and_leaves_the_one_that_is_there(project: Project) -> None:
    there = {"Code": "3", "Name": "Bakkerij Zuid", "ChamberOfCommerce": "34110987"}
    project.sandbox.seed(NORTH, [there])
    here = {"Code": "3", "Name": "Scheepswerf Noord", "ChamberOfCommerce": "22031977"}

    project.load(addressed(to(NORTH, here)))

    reason = project.outcome_of("3", NORTH)["reason"]
    for word in ("Account 3 in division 201", "Bakkerij Zuid", "34110987", "Scheepswerf Noord", "22031977"):
        assert word in reason
    assert "on_collision" in reason
    assert project.writes() == []


def test_on_collision_overwrite_makes_it_the_source_s_party(project: Project) -> None:
    project.sandbox.seed(NORTH, [{"Code": "3", "Name": "Bakkerij Zuid", "ChamberOfCommerce": "34110987"}])
    here = {"Code": "3", "Name": "Scheepswerf Noord", "ChamberOfCommerce": "22031977"}

    project.load(addressed(to(NORTH, here)), on_collision="overwrite")

    assert project.outcome_of("3", NORTH)["changes"] == {
        "Name": ["Bakkerij Zuid", "Scheepswerf Noord"],
        "ChamberOfCommerce": ["34110987", "22031977"],
    }
    assert project.sandbox.account(NORTH, "3")["Name"] == "Scheepswerf Noord"


def test_a_customer_does_not_overwrite_a_supplier_under_the_same_code(project: Project) -> None:
    project.sandbox.seed(NORTH, [{"Code": "1", "Name": "Leverancier", "IsSupplier": True, "Status": "A"}])

    project.copy(fan_out={"target_divisions": [NORTH]})

    assert "only a supplier" in project.outcome_of("1", NORTH)["reason"]
    assert project.sandbox.account(NORTH, "1")["Name"] == "Leverancier"
    assert project.sandbox.account(SOURCE, "1")["Name"] == "Klant 1 B.V."
