"""Contacts, addresses and bank accounts: kept equal under their accounts, never doubled, and never another party's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from child_target import STREAMS, Family
from sandbox_driver import SOURCE, small_world
from singer_children import held, lines, told
from singer_group import NORTH, SOUTH, all_of
from target_driver import InProcessTarget


def people(*names: str, account: str = "1", **fields: Any) -> list[dict[str, Any]]:
    return [{"Account": account, "FirstName": name, "LastName": "Pot", **fields} for name in names]


IBAN, OTHER_IBAN = "NL91ABNA0417164300", "NL20INGB0001234567"


@pytest.fixture
def family(target: InProcessTarget) -> Family:
    """Three accounts with two contacts, a delivery address and a bank account each."""
    rows = {
        "Contacts": [row for code in "123" for row in people("Jan", "Piet", account=code)],
        "Addresses": [
            {"Account": code, "Type": 4, "Main": True, "AddressLine1": f"Haven {code}", "City": "Breda"}
            for code in "123"
        ],
        "BankAccounts": [
            {"Account": code, "BankAccount": IBAN, "BankAccountHolderName": f"Klant {code}", "Main": True}
            for code in "123"
        ],
    }
    target.sandbox.reset(small_world(3, children={SOURCE: rows}))
    return Family(target)


def test_every_company_holds_what_the_source_holds_and_again_nothing_is_written(family: Family) -> None:
    family.sync()

    assert all(family.is_equal(division) for division in (NORTH, SOUTH))
    assert family.writes() == 2 * (3 + 6 + 3 + 3)

    family.sandbox.forget_calls()
    assert family.sync().counts() == {"unchanged": 2 * 15}
    assert family.writes() == 0


def test_a_quiet_run_makes_no_call(family: Family) -> None:
    family.sync()
    family.sandbox.forget_calls()

    family.sync(told={})

    assert family.sandbox.calls() == 0


def test_a_change_is_one_update_with_the_changed_field_alone(family: Family) -> None:
    family.sync()
    changed = {"Contacts": {"Phone": "010"}, "Addresses": {"City": "Zeist"}, "BankAccounts": {"Description": "main"}}
    for entity, fields in changed.items():
        row = family.sandbox.children(SOURCE, entity, "2")[0]
        family.sandbox.edit_child(SOURCE, entity, row["ID"], **fields)

    ran = family.sync()

    updates = [line for line in ran.outcomes if line["outcome"] == "updated"]
    assert {(line["entity"], *line["changes"]) for line in updates} == {
        ("contacts", "Phone"),
        ("addresses", "City"),
        ("bank_accounts", "Description"),
    }
    assert family.is_equal(NORTH)
    assert family.is_equal(SOUTH)


def test_what_belongs_to_an_account_that_is_not_there_waits_for_it(family: Family) -> None:
    everything = told(family.sandbox, STREAMS)
    without = {**everything, "accounts": everything["accounts"][:2]}

    ran = family.sync(told=without)

    waiting = [line for line in ran.outcomes if line["outcome"] == "parked"]
    assert {(line["code"], line["kind"]) for line in waiting} == {("3", "parent")}
    assert {line["entity"] for line in waiting} == set(STREAMS)

    family.sandbox.forget_calls()
    family.sync(told={})
    assert family.sandbox.calls() == 0, "that an account is not there costs nothing"

    family.sync(told={"accounts": everything["accounts"]})
    assert family.is_equal(NORTH)
    assert family.is_equal(SOUTH)


def test_a_dry_run_shows_what_the_run_does(family: Family) -> None:
    shown = family.sync(dry_run=True)
    assert family.writes() == 0

    done = family.sync()

    keys = ("entity", "division", "code", "outcome")
    assert sorted([line[key] for key in keys] for line in shown.outcomes) == sorted(
        [line[key] for key in keys] for line in done.outcomes
    )


def test_first_contact_takes_the_row_that_is_there(family: Family) -> None:
    family.sync(told={"accounts": told(family.sandbox, ())["accounts"]})
    family.sandbox.fill_children(NORTH, "Contacts", people("JAN", "Piet", Phone="7"))
    family.sandbox.fill_children(NORTH, "Addresses", [{"Account": "1", "Type": 4, "Main": True, "AddressLine1": "Old"}])
    family.sandbox.fill_children(NORTH, "BankAccounts", [{"Account": "1", "BankAccount": "NL91 ABNA 0417 1643 00"}])

    ran = family.sync()

    found = {(line["entity"], line["matched_on"]) for line in ran.outcomes if "matched_on" in line}
    assert found == {
        ("contacts", "FirstName+MiddleName+LastName"),
        ("addresses", "Type"),
        ("bank_accounts", "BankAccount"),
    }
    assert [len(family.sandbox.children(NORTH, entity, "1")) for entity in ("Contacts", "BankAccounts")] == [2, 1]


def test_two_rows_that_it_could_be_are_left_to_a_person(family: Family) -> None:
    family.sync(told={"accounts": told(family.sandbox, ())["accounts"]})
    family.sandbox.fill_children(NORTH, "Contacts", [*people("Jan", Phone="1"), *people("Jan", Phone="2")])

    ran = family.sync()

    (refused,) = [line for line in ran.outcomes if line["outcome"] == "refused"]
    assert (refused["entity"], refused["code"], refused["kind"]) == ("contacts", "1", "ambiguous")
    assert len(family.sandbox.children(NORTH, "Contacts", "1")) == 3


@pytest.mark.parametrize("entity", ["Contacts", "Addresses", "BankAccounts"])
def test_an_answer_that_was_lost_doubles_nothing(family: Family, entity: str) -> None:
    family.sandbox.fault("lost_answer", method="POST", endpoint=f"crm/{entity}", every=2, times=4)

    family.sync()

    assert family.is_equal(NORTH)
    assert family.is_equal(SOUTH)


def test_people_of_one_name_are_two_where_the_source_has_two(family: Family) -> None:
    family.sandbox.fill_children(SOURCE, "Contacts", people("Jan", account="2"))
    family.sandbox.fault("lost_answer", method="POST", endpoint="crm/Contacts", every=2, times=4)

    family.sync()

    assert family.is_equal(NORTH)


def test_a_company_that_hides_its_contacts_gets_none_twice(family: Family) -> None:
    family.sandbox.change_division(NORTH, rights={"read_Contacts": False})

    for _ in range(2):
        family.sync()
    assert len(family.sandbox.children(NORTH, "Contacts")) == 1, "the first one did not show"

    family.sandbox.change_division(NORTH, rights={"read_Contacts": True})
    family.sync()

    assert family.is_equal(NORTH)


def test_another_number_is_another_bank_account_and_the_old_one_is_blocked(family: Family) -> None:
    family.sync()
    (row,) = family.sandbox.children(SOURCE, "BankAccounts", "1")
    family.sandbox.fill_children(SOURCE, "BankAccounts", [{"ID": row["ID"], "BankAccount": OTHER_IBAN}])

    ran = family.sync()

    rows = {one["BankAccount"]: one for one in family.sandbox.children(NORTH, "BankAccounts", "1")}
    assert {number: (one["Blocked"], one["Main"]) for number, one in rows.items()} == {
        IBAN: (True, False),
        OTHER_IBAN: (False, True),
    }
    assert ran.count("created", NORTH) == 1
    assert family.sync().counts() == {"unchanged": 2 * 15}


def test_a_bank_account_waits_for_approval_unless_the_settings_say_otherwise(family: Family) -> None:
    ran = family.sync(bank_accounts_unapproved=False)

    waiting = [line for line in ran.outcomes if line["kind"] == "approval"]
    assert {line["entity"] for line in waiting} == {"bank_accounts"}
    assert {one for line in waiting for one in line["changes"]} >= {"BankAccount", "BankAccountHolderName"}
    assert held(family.sandbox, NORTH, "bank_accounts") == []


@pytest.mark.parametrize("wanted", ["block", "delete"])
def test_what_was_deleted_at_the_source_goes_as_the_settings_say(family: Family, wanted: str) -> None:
    family.sync()
    gone = {}
    for stream, entity in (("contacts", "Contacts"), ("addresses", "Addresses"), ("bank_accounts", "BankAccounts")):
        row = max(
            family.sandbox.children(SOURCE, entity, "1"), key=lambda one: (one.get("Type", 0), one.get("FirstName"))
        )
        family.sandbox.remove_child(SOURCE, entity, row["ID"])
        gone[stream] = [{"ID": row["ID"], "Division": SOURCE, "_sdc_deleted_at": "2026-11-01T00:00:00Z"}]

    family.sync(told=gone, on_source_deletion=wanted)

    contacts = family.sandbox.children(NORTH, "Contacts", "1")
    (bank,) = family.sandbox.children(NORTH, "BankAccounts", "1")
    assert bank["Blocked"] is True, "a mandate may hang on it"
    if wanted == "block":
        assert [one["FirstName"] for one in contacts if one.get("EndDate")] == ["Piet"]
    else:
        assert [one["FirstName"] for one in contacts] == ["Jan"]
        assert not [one for one in family.sandbox.children(NORTH, "Addresses", "1") if one["Type"] == 4]


def test_what_belonged_to_a_deleted_account_goes_with_it(family: Family) -> None:
    family.sync()
    (account,) = [one for one in family.sandbox.accounts(SOURCE) if one["Code"].strip() == "1"]
    family.sandbox.remove(SOURCE, "1")

    deleted = [{"ID": account["ID"], "EntityKey": account["ID"], "Division": SOURCE, "EntityType": 2}]
    family.sync(told={"deleted_accounts": deleted}, on_source_deletion="block")

    assert all(one.get("EndDate") for one in family.sandbox.children(NORTH, "Contacts", "1"))
    assert all(one["Blocked"] for one in family.sandbox.children(NORTH, "BankAccounts", "1"))


def test_one_that_moved_to_another_account_is_told_and_not_moved(family: Family) -> None:
    family.sync()
    everything = told(family.sandbox, ["contacts"])
    moved = {**everything["contacts"][0], "AccountCode": "3"}

    ran = family.sync(told={"contacts": [moved]})

    assert {line["kind"] for line in ran.outcomes} == {"code_changed"}


@pytest.mark.parametrize("told_of", ["logged", "silent"])
def test_an_account_that_was_deleted_here_comes_again_with_all_that_belongs_to_it(family: Family, told_of: str) -> None:
    family.sync()
    family.sandbox.limits(deleted_with_account=told_of)
    family.sandbox.remove(NORTH, "1")

    for _ in range(2):
        ran = family.sync()

    assert family.is_equal(NORTH)
    assert ran.counts() == {"unchanged": 2 * 15}


def test_an_anonymised_contact_is_neither_copied_nor_changed(family: Family) -> None:
    family.sync()
    before = held(family.sandbox, NORTH, "contacts")
    row = family.sandbox.children(SOURCE, "Contacts", "1")[0]
    family.sandbox.edit_child(SOURCE, "Contacts", row["ID"], IsAnonymised=1, FirstName="X", LastName="X", Email=None)

    ran = family.sync()

    assert held(family.sandbox, NORTH, "contacts") == before
    (told_of,) = [line for line in ran.outcomes if line["division"] == NORTH and line["outcome"] == "skipped"]
    assert "anonymised" in told_of["reason"]


def test_the_visit_address_is_its_accounts(family: Family) -> None:
    family.sandbox.fill_children(SOURCE, "Addresses", [{"Account": "1", "Type": 1, "Main": True, "City": "Elders"}])

    family.sync()

    assert all(call["endpoint"] != "crm/Addresses" or '"Type": 1' not in json.dumps(call) for call in family.calls())
    assert family.is_equal(NORTH)


def test_records_may_say_themselves_where_they_go(family: Family) -> None:
    contact = {"Division": NORTH, "AccountCode": "1", "SourceKey": "crm-7", "FirstName": "Jan", "LastName": "Pot"}
    account = {"Division": NORTH, "Code": "1", "Name": "Klant 1"}
    given = lines({"accounts": [account]}, ["Division", "Code"])
    given += lines({"contacts": [contact]}, ["Division", "AccountCode", "SourceKey"])

    for phone in (None, "010"):
        family.target.load_lines(given.replace('"LastName": "Pot"', f'"LastName": "Pot", "Phone": {json.dumps(phone)}'))

    (row,) = family.sandbox.children(NORTH, "Contacts", "1")
    assert (row["FirstName"], row["LastName"], row["Phone"]) == ("Jan", "Pot", "010")


@pytest.mark.parametrize(
    ("stream", "record", "why"),
    [
        ("contacts", {"SourceKey": "", "LastName": "Pot"}, "SourceKey is empty"),
        ("contacts", {"SourceKey": "1", "FirstName": ""}, "FirstName and LastName are empty"),
        ("contacts", {"SourceKey": "1", "AccountCode": "", "LastName": "Pot"}, "AccountCode is empty"),
        ("bank_accounts", {"SourceKey": "1", "BankAccount": "NL92ABNA0417164300"}, "check digits"),
        ("bank_accounts", {"SourceKey": "1", "BankAccount": ""}, "BankAccount is empty"),
        ("addresses", {"SourceKey": "1", "City": "Breda"}, "Type is empty"),
        ("addresses", {"SourceKey": "1", "Type": 1, "Main": True}, "visit address"),
    ],
)
def test_a_record_that_is_wrong_is_refused_before_any_call(
    family: Family, stream: str, record: dict[str, Any], why: str
) -> None:
    family.target.load_lines(lines({"accounts": [{"Division": NORTH, "Code": "1", "Name": "A"}]}, ["Division", "Code"]))
    whole = {"Division": NORTH, "AccountCode": "1", **record}

    ran = family.target.load_lines(lines({stream: [whole]}, ["Division", "AccountCode", "SourceKey"]))

    (line,) = ran.outcomes
    assert (line["outcome"], line["kind"]) == ("refused", "invalid")
    assert why in line["reason"]


def test_the_forecast_counts_what_belongs_to_the_accounts(family: Family) -> None:
    family.sandbox.limits(enabled=True)

    ran = family.sync(requests_per_day_contract=30)

    told_first = [line for line in ran.log.splitlines() if "3 creates" in line and "up to 12 more" in line]
    assert len(told_first) == 2
    assert "contract limit, done on" in told_first[-1]


def test_the_main_contact_is_the_sources_where_the_settings_name_it(family: Family) -> None:
    fields = {"accounts": ["*", "MainContact"]}
    wanted = {"fan_out": {**all_of(NORTH), "fields": fields}}
    family.sync(told={"accounts": told(family.sandbox, ())["accounts"]}, **wanted)
    family.sandbox.fill_children(NORTH, "Contacts", people("Gast", account="2"))

    family.sync(**wanted)

    assert [main_of(family, SOURCE, code) for code in "123"] == [main_of(family, NORTH, code) for code in "123"]
    family.sandbox.forget_calls()
    assert family.sync(**wanted).count("updated") == 0

    account = next(one for one in family.sandbox.accounts(SOURCE) if one["Code"].strip() == "3")
    other = next(one for one in family.sandbox.children(SOURCE, "Contacts", "3") if one["ID"] != account["MainContact"])
    family.sandbox.edit(SOURCE, "3", MainContact=other["ID"])
    changed = [one for one in told(family.sandbox, ())["accounts"] if one["Code"] == "3"]

    ran = family.sync(told={"accounts": changed}, **wanted)

    assert [line["changes"] for line in ran.outcomes if line["outcome"] == "updated"] == [
        {"IsMainContact": [False, True]}
    ]
    assert main_of(family, NORTH, "3") == other["FirstName"]
    assert family.sync(**wanted).count("updated") == 0


def main_of(family: Family, division: int, code: str) -> str | None:
    """First name of the main contact of an account."""
    (account,) = [one for one in family.sandbox.accounts(division) if one["Code"].strip() == code]
    rows = {one["ID"]: one for one in family.sandbox.children(division, "Contacts", code)}
    return rows[account["MainContact"]]["FirstName"] if account["MainContact"] else None
