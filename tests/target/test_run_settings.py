"""What the settings of the target allow it to write."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, addressed, singer

NORTH, SOUTH = 201, 202


def for_north(*records: dict[str, Any], state: dict[str, Any] | None = None) -> str:
    return addressed([{"Division": NORTH, **record} for record in records], state)


def counts(project: Project) -> dict[str, int]:
    return dict(Counter(line["outcome"] for line in project.outcomes))


@pytest.fixture
def one_there(project: Project) -> Project:
    """Company 201 holds account 1 in another city."""
    project.sandbox.seed(NORTH, [{"Code": "1", "Name": "Klant 1", "City": "Delft"}])
    return project


WANTED = for_north({"Code": "1", "Name": "Klant 1", "City": "Gent"}, {"Code": "2", "Name": "Klant 2"}, state={"at": 1})


@pytest.mark.parametrize(
    ("load_method", "expected", "methods"),
    [
        ("upsert", {"updated": 1, "created": 1}, ["PUT", "POST"]),
        ("append-only", {"skipped": 1, "created": 1}, ["POST"]),
        ("update-only", {"updated": 1, "skipped": 1}, ["PUT"]),
    ],
)
def test_the_load_method_says_what_may_be_written(
    one_there: Project, load_method: str, expected: dict[str, int], methods: list[str]
) -> None:
    ran = one_there.load(WANTED, load_method=load_method)

    assert counts(one_there) == expected
    assert [call["method"] for call in one_there.writes()] == methods
    assert (ran.status, ran.state) == (0, {"at": 1})


@pytest.mark.parametrize("load_method", ["append-only", "update-only"])
def test_a_skipped_record_says_why(one_there: Project, load_method: str) -> None:
    one_there.load(WANTED, load_method=load_method)

    (skipped,) = [line for line in one_there.outcomes if line["outcome"] == "skipped"]
    assert f"load_method is {load_method}" in skipped["reason"]


def test_a_dry_run_plans_everything_and_writes_nothing(one_there: Project) -> None:
    before = one_there.sandbox.accounts(NORTH)

    ran = one_there.load(WANTED + for_north({"Code": "x"}), dry_run=True)

    assert (ran.status, ran.output) == (0, "")
    assert one_there.writes() == []
    assert one_there.sandbox.accounts(NORTH) == before
    assert counts(one_there) == {"updated": 1, "created": 1, "refused": 1}
    assert [line["dry_run"] for line in one_there.outcomes] == [True] * 3
    assert one_there.outcome_of("1", NORTH)["changes"] == {"City": ["Delft", "Gent"]}
    assert "Planned, nothing written" in ran.log.splitlines()[-1]


def test_a_run_after_a_dry_run_writes_what_was_planned(one_there: Project) -> None:
    one_there.load(WANTED, dry_run=True)
    planned = [(line["code"], line["outcome"], line["changes"]) for line in one_there.outcomes]

    one_there.load(WANTED)

    done = [(line["code"], line["outcome"], line["changes"]) for line in one_there.outcomes]
    assert sorted(done) == sorted(planned)
    assert all("dry_run" not in line for line in one_there.outcomes)


@pytest.mark.parametrize(("nulls", "city"), [("follow", "Delft"), ("clear", None), ("keep", "Delft")])
def test_an_empty_field_that_we_never_wrote(one_there: Project, nulls: str, city: str | None) -> None:
    one_there.load(for_north({"Code": "1", "Name": "Klant 1", "City": None}), nulls=nulls)

    assert one_there.sandbox.account(NORTH, "1")["City"] == city
    assert len(one_there.writes()) == (1 if city is None else 0)


@pytest.mark.parametrize(("nulls", "city"), [("follow", None), ("clear", None), ("keep", "Gent")])
def test_an_empty_field_that_we_wrote_before(one_there: Project, nulls: str, city: str | None) -> None:
    one_there.load(for_north({"Code": "1", "Name": "Klant 1", "City": "Gent"}))

    one_there.load(for_north({"Code": "1", "Name": "Klant 1", "City": None}), nulls=nulls)

    assert one_there.sandbox.account(NORTH, "1")["City"] == city


def test_a_property_that_a_record_lacks_is_left_alone_even_when_nulls_clear(one_there: Project) -> None:
    one_there.load(for_north({"Code": "1", "Name": "Klant 1"}), nulls="clear")

    assert one_there.sandbox.account(NORTH, "1")["City"] == "Delft"
    assert one_there.writes() == []


def test_a_company_keeps_its_own_parties_as_they_are(project: Project) -> None:
    own = [customer(900, Name="Eigen klant"), customer(901, Name="Eigen leverancier", IsSupplier=True)]
    project.sandbox.seed(NORTH, own)
    before = [project.sandbox.account(NORTH, code) for code in ("900", "901")]

    project.copy()

    assert [project.sandbox.account(NORTH, code) for code in ("900", "901")] == before
    assert project.sandbox.codes(NORTH) == ["1", "2", "3", "900", "901"]


def test_the_source_is_never_written_to(project: Project) -> None:
    before = project.sandbox.accounts(SOURCE)

    project.copy()

    assert project.writes(SOURCE) == []
    assert project.sandbox.accounts(SOURCE) == before


def test_a_copy_that_someone_edited_is_put_right_when_the_source_sends_it_again(project: Project) -> None:
    state = project.copy().state
    project.sandbox.advance(60)
    project.sandbox.edit(NORTH, "2", City="Breda", Phone="1")
    untouched = project.copy(state=state)
    assert project.sandbox.account(NORTH, "2")["City"] == "Breda"

    project.sandbox.edit(SOURCE, "2", Website="https://klant2.example")
    project.copy(state=untouched.state)

    assert project.outcome_of("2", NORTH)["changes"] == {
        "City": ["Breda", "Utrecht"],
        "Phone": ["1", "030-1234567"],
        "Website": [None, "https://klant2.example"],
    }
    assert project.sandbox.account(NORTH, "2")["City"] == "Utrecht"


def test_a_copy_that_someone_deleted_is_created_anew_when_the_source_sends_it_again(project: Project) -> None:
    state = project.copy().state
    project.sandbox.remove(NORTH, "2")
    project.sandbox.edit(SOURCE, "2", City="Breda")

    project.copy(state=state)

    assert project.outcome_of("2", NORTH)["outcome"] == "created"
    assert project.outcome_of("2", SOUTH)["outcome"] == "updated"
    assert project.sandbox.account(NORTH, "2")["City"] == "Breda"


def test_a_deletion_at_the_source_leaves_the_copies(project: Project) -> None:
    state = project.copy().state
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.forget_calls()

    ran = project.copy(state=state)

    assert project.writes() == []
    assert project.sandbox.codes(NORTH) == ["1", "2", "3"]
    assert "1 accounts were deleted at the source; their copies stay." in ran.log


def test_the_newest_of_two_records_for_one_account_wins(project: Project) -> None:
    project.load(for_north({"Code": "1", "Name": "Oud"}, {"Code": "1", "Name": "Nieuw"}))

    assert counts(project) == {"skipped": 1, "created": 1}
    assert [call["body"]["Name"] for call in project.writes()] == ["Nieuw"]


def test_fan_out_inside_the_target_keeps_to_its_divisions_fields_constants_and_limit(project: Project) -> None:
    fan_out = {
        "target_divisions": [NORTH, SOUTH],
        "fields": ["Name", "City", "Language"],
        "overrides": {str(SOUTH): {"Language": "FR"}},
        "limit": 2,
    }

    ran = project.copy(fan_out=fan_out)

    assert sorted((line["division"], line["code"]) for line in project.outcomes) == [
        (NORTH, "1"),
        (NORTH, "2"),
        (SOUTH, "1"),
        (SOUTH, "2"),
    ]
    assert {tuple(sorted(call["body"])) for call in project.writes()} == {("City", "Code", "Language", "Name")}
    assert project.sandbox.account(SOUTH, "1")["Language"] == "FR"
    assert "accounts" not in (ran.state or {}).get("bookmarks", {})


def test_meltano_s_test_stream_proves_the_login_and_writes_nothing(project: Project) -> None:
    given = singer("meltano_test_stream", ["id"], [{"id": "1", "name": "x", "created_at": "2026-01-01"}], {"at": 1})

    ran = project.load(given)

    assert ran.status == 0
    assert "Anna de Boer, 4 divisions in reach" in ran.log
    assert project.writes() == []
    assert not any(word in (ran.log + ran.output).lower() for word in ("error", "exception"))


def test_meltano_s_test_stream_fails_when_the_login_does(project: Project) -> None:
    given = singer("meltano_test_stream", ["id"], [{"id": "1"}], {"at": 1})

    ran = project.load(given, client_secret="wrong")

    assert (ran.status, ran.output) == (1, "")


ORDERS = [{"ID": "1", "Name": "Jansen"}]


def test_a_stream_that_holds_no_accounts_is_skipped_and_counted(project: Project) -> None:
    both = singer("orders", ["ID"], ORDERS) + singer("customers", ["Code"], [{"Code": "7", "Name": "A"}], {"at": 1})

    ran = project.load(both, fan_out={"target_divisions": [NORTH]})

    assert (ran.status, ran.state) == (0, {"at": 1})
    assert counts(project) == {"skipped": 1, "created": 1}
    assert [line["kind"] for line in project.outcomes if line["outcome"] == "skipped"] == ["not_accounts"]


def test_a_run_whose_every_stream_is_skipped_fails_and_passes_no_state(project: Project) -> None:
    states = singer("orders", ["ID"], ORDERS, {"at": 1}) + singer("lines", ["ID"], ORDERS, {"at": 2})

    ran = project.load(states, fan_out={"target_divisions": [NORTH]})

    assert (ran.status, ran.state) == (1, None)
    assert "No stream holds accounts: lines, orders passed over" in ran.log
    assert project.writes() == []


def test_a_state_before_the_first_stream_of_accounts_is_passed_on_with_it(project: Project) -> None:
    orders, accounts = singer("orders", ["ID"], ORDERS, {"at": 1}), singer("customers", ["Code"], [])

    assert project.load(orders + accounts, fan_out={"target_divisions": [NORTH]}).state == {"at": 1}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (
            ("items", {"Code": "1", "Name": "Fiets"}),
            ("customers", {"Code": "1", "Name": "A"}),
            "items and customers all",
        ),
        (("accounts", {"Code": "1", "Name": "A"}), ("items", {"Code": "1", "Name": "Fiets"}), "accounts and items all"),
        (("customers", {"code": "1", "name": "A"}), ("orders", {"ID": "1"}), "'code' for Code, 'name' for Name"),
        (("customers", {"\ufeffCode": "1", "Name": "A"}), ("orders", {"ID": "1"}), "for Code: Exact's properties"),
        (
            ("customers", {"Code": "1", "Address_Line1": "A"}),
            ("orders", {"ID": "1"}),
            "'Address_Line1' for AddressLine1",
        ),
    ],
)
def test_what_is_not_clear_stops_the_run_before_the_first_write(
    project: Project, first: tuple[str, dict[str, str]], second: tuple[str, dict[str, str]], words: str
) -> None:
    streams = [singer(name, [], [record], {"at": name}) for name, record in (first, second)]

    ran = project.load("".join(streams), fan_out={"target_divisions": [NORTH]})

    assert (ran.status, ran.state) == (1, None)
    assert words in ran.log
    assert project.sandbox.codes(NORTH) == []


def test_a_stream_that_is_named_is_taken_and_the_others_are_skipped(project: Project) -> None:
    items, customers = ({"Code": "1", "Name": "Fiets"}, {"Code": "2", "Name": "A"})
    both = singer("items", ["Code"], [items]) + singer("customers", ["Code"], [customers])

    ran = project.load(both, fan_out={"target_divisions": [NORTH], "streams": ["customers"]})

    assert ran.status == 0
    assert project.sandbox.codes(NORTH) == ["2"]


def test_a_csv_like_source_of_text_alone_will_do(project: Project) -> None:
    project.load(for_north({"Code": " 10 ", "Name": " Klant 10 ", "IsSupplier": "ja", "Latitude": "52.09"}))

    account = project.sandbox.account(NORTH, "10")
    assert (account["Name"], account["IsSupplier"], account["Latitude"]) == ("Klant 10", True, 52.09)


def test_a_company_of_another_user_s_choice_is_excluded_by_its_code(project: Project) -> None:
    project.copy(fan_out={"exclude_divisions": [SOUTH]})

    assert project.sandbox.codes(SOUTH) == []
    assert project.sandbox.codes(NORTH) == ["1", "2", "3"]


def test_two_sources_fan_out_to_every_company_but_their_own(project: Project) -> None:
    project.sandbox.reset(small_world(2, targets=(NORTH, SOUTH), accounts={NORTH: [customer(50)]}))

    read = project.read(divisions=[SOURCE, NORTH])
    project.load(read.output, fan_out={})

    assert project.sandbox.codes(SOURCE) == ["1", "2", "50"]
    assert project.sandbox.codes(NORTH) == ["1", "2", "50"]
    assert project.sandbox.codes(SOUTH) == ["1", "2", "50"]


def test_columns_that_are_no_property_are_named_in_log_and_report(project: Project) -> None:
    rows = [{"Code": "1", "Name": "A", "Zip": "3511 AB", "_sdc_batched_at": "2026-11-01"}]

    ran = project.load(singer("customers", ["Code"], rows), fan_out={"target_divisions": [NORTH]})

    line = "customers: passed over, being no property of an account: Zip (the nearest property: Postcode)."
    assert line in ran.log
    assert line in (project.report / "report.html").read_text(encoding="utf-8")
