"""Memory, identity and time: cases that people had (part B), with the mapping step before the target and without."""

from __future__ import annotations

import json
import time

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, addressed, singer
from singer_group import NORTH, SOUTH, WEST, Group, all_of, store_command


@pytest.fixture(params=["fan_out", "mapping step"])
def group(request: pytest.FixtureRequest, project: Project) -> Group:
    return Group(project, request.param)


def test_what_waits_for_a_company_that_left_the_settings_is_written_nowhere(group: Group) -> None:
    """B1."""
    group.sandbox.reset(small_world(6))
    group.run(all_of(NORTH, WEST), max_creates=5)
    assert set(group.kinds(WEST).values()) == {"safety_limit"}

    group.run(all_of(NORTH))

    assert group.sandbox.codes(WEST) == []
    assert len(group.sandbox.codes(NORTH)) == 6
    assert {line["division"] for line in group.waiting("parked")} == set()


def test_a_company_that_left_and_returns_gets_what_waited_for_it(group: Group) -> None:
    """B1, the other way."""
    group.sandbox.reset(small_world(6))
    group.run(all_of(NORTH, WEST), max_creates=5)
    group.run(all_of(NORTH))

    group.run(all_of(NORTH, WEST))

    assert len(group.sandbox.codes(WEST)) == 6


@pytest.mark.parametrize("since", ["a company", "a field", "an override", "a company by name"])
def test_what_the_settings_name_anew_is_filled_from_what_is_remembered(group: Group, since: str) -> None:
    """B2."""
    first, then = {
        "a company": (all_of(NORTH), all_of(NORTH, SOUTH)),
        "a field": ({**all_of(NORTH), "fields": ["Name"]}, {**all_of(NORTH), "fields": ["Name", "City"]}),
        "an override": (all_of(NORTH), {**all_of(NORTH), "overrides": {"201": {"Language": "FR"}}}),
        "a company by name": ({"target_names": ["*201"]}, {"target_names": ["*201", "company 202"]}),
    }[since]
    group.run(first)

    group.run(then)

    north, south = (group.sandbox.accounts(division) for division in (NORTH, SOUTH))
    assert {one["Code"] for one in (south if "company" in since else north)} == {"1", "2", "3"}
    assert {one["City"] for one in (*north, *south)} == {"Utrecht"}
    assert {one["Language"] for one in north} == {"FR"} or since != "an override"
    group.sandbox.forget_calls()
    group.run(then)
    assert group.project.writes() == []


def test_what_is_excluded_by_country_gets_nothing(group: Group) -> None:
    """B2, by what is known of a company."""
    group.sandbox.reset(small_world(2, divisions={SOUTH: {"country": "BE"}}))

    group.run({"countries": ["BE"]})

    assert [len(group.sandbox.codes(division)) for division in (NORTH, SOUTH, WEST)] == [0, 2, 0]


def test_a_run_takes_of_what_waits_only_what_belongs_to_its_own_companies(group: Group) -> None:
    """B3: two pipelines on one store, each with companies of its own."""
    group.sandbox.reset(small_world(6))
    group.run(all_of(NORTH), max_creates=5)
    group.first_reading()
    group.run(all_of(SOUTH, WEST), max_creates=5)
    assert {line["division"] for line in group.waiting("parked")} == {NORTH, SOUTH, WEST}

    group.run(all_of(SOUTH, WEST))

    assert [len(group.sandbox.codes(division)) for division in (NORTH, SOUTH, WEST)] == [0, 6, 6]
    assert {line["division"] for line in group.waiting("parked")} == {NORTH}
    group.run(all_of(NORTH))
    assert len(group.sandbox.codes(NORTH)) == 6


def test_two_source_accounts_with_one_code_never_end_in_one_row(group: Group) -> None:
    """B5."""
    two = {SOURCE: [customer(5)], NORTH: [customer(5, Name="Garage Zuid", City="Delft", Email="a@zuid.example")]}
    group.sandbox.reset(small_world(accounts=two))

    for name in ("Klant 5 B.V.", "Klant 5 BV", "Klant 5"):
        group.sandbox.edit(SOURCE, "5", Name=name)
        group.sandbox.edit(NORTH, "5", Phone=f"015-{len(name)}")
        group.run(all_of(SOUTH), read={"divisions": [SOURCE, NORTH]})

    (row,) = group.sandbox.accounts(SOUTH)
    assert row["Name"] in ("Klant 5", "Garage Zuid")
    assert [line["kind"] for line in group.waiting("refused")] == ["collision"]
    assert len({call["status"] for call in group.project.writes(SOUTH)} & {201}) == 1


@pytest.mark.parametrize("rule", ["refuse", "ignore", "block"])
def test_a_code_that_changes_at_the_source_follows_the_setting(group: Group, rule: str) -> None:
    """B6."""
    group.run(all_of(NORTH))
    group.sandbox.edit(SOURCE, "2", Code="22", City="Delft")

    group.run(all_of(NORTH), on_code_change=rule)

    cities = {one["Code"]: (one["City"], one["Blocked"]) for one in group.sandbox.accounts(NORTH)}
    others = {"1": ("Utrecht", False), "3": ("Utrecht", False)}
    assert (
        cities
        == {
            "refuse": {**others, "2": ("Utrecht", False)},
            "ignore": {**others, "2": ("Delft", False)},
            "block": {**others, "2": ("Utrecht", True), "22": ("Delft", False)},
        }[rule]
    )
    if rule == "refuse":
        assert group.kinds(NORTH) == {"22": "code_changed"}


def test_two_codes_that_change_hands_turn_no_party_into_another(group: Group) -> None:
    """B6, both at once."""
    group.run(all_of(NORTH))
    before = group.sandbox.accounts(NORTH)
    for old, new in (("1", "x"), ("2", "1"), ("x", "2")):
        group.sandbox.edit(SOURCE, old, Code=new)

    group.run(all_of(NORTH), on_code_change="ignore")
    group.run(all_of(NORTH), on_code_change="refuse")

    assert [(one["Code"], one["Name"]) for one in group.sandbox.accounts(NORTH)] == [
        (one["Code"], one["Name"]) for one in before
    ]


def test_the_first_contact_looks_at_more_than_what_travels(group: Group) -> None:
    """B7."""
    there = customer(1, Name="Slagerij Noord", Email="s@noord.example", Phone="015-1", Postcode="2611 AA")
    group.sandbox.reset(small_world(1, accounts={NORTH: [there | {"AddressLine1": "Markt 1", "City": "Delft"}]}))

    group.run({**all_of(NORTH), "fields": ["Email"]})

    assert group.sandbox.account(NORTH, "1")["Email"] == "s@noord.example"
    assert group.kinds(NORTH) == {"1": "collision"}


def test_a_code_that_is_changed_by_hand_in_a_target_keeps_the_row_one(group: Group) -> None:
    """B8."""
    group.sandbox.reset(small_world(5))
    group.run(all_of(NORTH))
    group.sandbox.edit(NORTH, "5", Code="6")
    group.sandbox.seed(SOURCE, [customer(6)])
    group.sandbox.edit(SOURCE, "5", City="Delft")

    group.run(all_of(NORTH))

    row = group.sandbox.account(NORTH, "6")
    assert (row["Name"], row["City"]) == ("Klant 5 B.V.", "Delft")
    assert group.kinds(NORTH)["6"] == "collision"


def test_a_change_in_a_target_that_commits_late_is_seen(group: Group) -> None:
    """B9."""
    group.run(all_of(NORTH))
    group.sandbox.begin(NORTH, "1", City="Delft")
    group.sandbox.edit(NORTH, "2", Phone="1")
    group.sandbox.edit(SOURCE, "3", City="Ede")
    group.run(all_of(NORTH))
    group.sandbox.commit(NORTH)

    group.run(all_of(NORTH), reconcile=True)

    assert group.sandbox.account(NORTH, "1")["City"] == "Utrecht"


def test_two_streams_for_one_account_complete_each_other(project: Project) -> None:
    """B10."""
    cities = singer("cities", ["Division", "Code"], [{"Division": NORTH, "Code": "1", "Name": "A", "City": "Delft"}])
    mails = singer("mails", ["Division", "Code"], [{"Division": NORTH, "Code": "1", "Email": "a@example.com"}])

    project.load(cities + mails)

    row = project.sandbox.account(NORTH, "1")
    assert (row["Name"], row["City"], row["Email"]) == ("A", "Delft", "a@example.com")


def test_two_streams_that_are_fanned_out_complete_each_other(project: Project) -> None:
    """B10, by settings."""
    cities = singer("cities", ["Code"], [{"Code": "1", "Name": "A", "City": "Delft"}])
    mails = singer("mails", ["Code"], [{"Code": "1", "Email": "a@example.com"}])

    project.load(cities + mails, fan_out={**all_of(NORTH, SOUTH), "streams": ["cities", "mails"]})

    for division in (NORTH, SOUTH):
        row = project.sandbox.account(division, "1")
        assert (row["Name"], row["City"], row["Email"]) == ("A", "Delft", "a@example.com")


def test_a_slower_run_does_not_put_back_what_a_faster_one_wrote(project: Project) -> None:
    """B11."""
    sandbox = project.sandbox
    older, newer = ([{"Division": SOUTH, "Code": "1", "Name": "A", "City": city}] for city in ("Delft", "Gent"))
    sandbox.fault("slow", division=NORTH, endpoint="sync/CRM/Accounts", seconds=4)
    slow = project.target.start(project.target_config(parallel_divisions=1))
    assert slow.stdin is not None
    slow.stdin.write(addressed([{"Division": NORTH, "Code": "1", "Name": "A"}, *older]))
    slow.stdin.close()
    while not sandbox.journal(division=NORTH, endpoint="sync/CRM/Accounts"):
        time.sleep(0.05)

    project.load(addressed(newer))
    assert slow.wait(timeout=60) == 0

    assert sandbox.account(SOUTH, "1")["City"] == "Gent"
    assert sandbox.codes(NORTH) == ["1"]
    sandbox.forget_calls()
    project.load(addressed([]))
    assert project.writes() == []


def test_what_waits_for_a_customer_that_is_gone_is_not_written(group: Group) -> None:
    """B12."""
    group.run(all_of(NORTH), max_creates=2)
    assert set(group.kinds(NORTH).values()) == {"safety_limit"}
    group.sandbox.remove(SOURCE, "1")
    group.sandbox.remove(SOURCE, "3")

    group.run(all_of(NORTH), max_creates=2)

    assert group.sandbox.codes(NORTH) == ["2"]
    assert group.waiting("parked") == []


def test_everything_that_was_not_written_stays_listed_with_its_kind(group: Group) -> None:
    """B13."""
    there = customer(1, Name="Slagerij Noord", Email="s@noord.example", Phone="015-1", Postcode="2611 AA")
    wrong = [customer(2, Email="x" * 120), customer(3)]
    group.sandbox.reset(small_world(accounts={SOURCE: [customer(1), *wrong], NORTH: [there | {"AddressLine1": "M 1"}]}))
    group.sandbox.fault("error", text="Ongeldig: Land", division=NORTH, method="POST", every=1)

    group.run(all_of(NORTH))

    kinds = {line["code"]: line["kind"] for line in group.waiting("refused")}
    assert kinds == {"1": "collision", "2": "rejected", "3": "rejected"}
    assert kinds == group.kinds(NORTH)
    group.run(all_of(NORTH))
    assert {line["code"]: line["kind"] for line in group.waiting("refused")} == kinds


def test_a_record_that_names_no_company_or_code_stays_in_the_history(project: Project) -> None:
    """B13, of records that could go nowhere."""
    project.load(addressed([{"Division": NORTH, "Name": "No code"}, {"Code": "7", "Name": "No company"}]))

    lines = [json.loads(line) for line in store_command(project, "history", "--json").splitlines()]
    assert {(line["code"], line["outcome"], line["kind"]) for line in lines} == {
        ("", "refused", "invalid"),
        ("7", "refused", "invalid"),
    }


@pytest.mark.parametrize(
    ("rule", "phones"),
    [("source", ("2", "2", "3")), ("initial", ("1", "9", "3")), ("target", ("2", "9", "3"))],
)
def test_a_field_belongs_to_whom_its_rule_says(group: Group, rule: str, phones: tuple[str, str, str]) -> None:
    """Of the source; of the target as soon as it is filled; or of the target once somebody there changes it."""
    group.sandbox.reset(small_world(accounts={SOURCE: [customer(number, Phone="1") for number in (1, 2)]}))
    settings = {**all_of(NORTH), "field_rules": {"Phone": rule}}
    group.run(settings)
    group.sandbox.edit(NORTH, "2", Phone="9")
    group.sandbox.seed(SOURCE, [customer(3, Phone="3")])
    for code in ("1", "2"):
        group.sandbox.edit(SOURCE, code, Phone="2")

    group.run(settings)

    assert tuple(group.sandbox.account(NORTH, code)["Phone"] for code in ("1", "2", "3")) == phones
    group.sandbox.forget_calls()
    group.run(settings)
    assert group.project.writes() == []
