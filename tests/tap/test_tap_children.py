"""Contacts, addresses and bank accounts: with the code of their account, what changed since, and what was deleted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from child_world import CHILDREN
from delivered import DAY, LASTING, QUIET, calls, without_properties
from sandbox_driver import SOURCE, small_world
from singer_driver import Project, Ran

NORTH = 201
STREAMS = {"contacts": "Contacts", "addresses": "Addresses", "bank_accounts": "BankAccounts"}
MORNING = "2026-03-02T08:00:00Z"
PERSONAL = {
    "BirthDate",
    "BirthPlace",
    "IdentificationDate",
    "IdentificationDocument",
    "IdentificationUser",
    "Nationality",
    "SocialSecurityNumber",
}


@pytest.fixture(autouse=True)
def _start(project: Project) -> None:
    project.sandbox.reset(small_world(children={SOURCE: CHILDREN}, limits=LASTING, now=MORNING))


@pytest.fixture
def every_stream(project: Project) -> str:
    """A catalog with accounts and all that belongs to them."""
    return project.selection("divisions", "accounts", "deleted_accounts", *STREAMS)


def selected(project: Project, endpoint: str) -> set[str]:
    """The names in the last `$select` sent to an endpoint."""
    call = project.sandbox.journal(endpoint=endpoint)[-1]
    return set(parse_qs(urlsplit(call["target"]).query)["$select"][0].split(","))


def shown(ran: Ran, stream: str, *names: str) -> list[tuple[Any, ...]]:
    """These properties of the records that hold more than a deletion, sorted."""
    return sorted(tuple(row[name] for name in names) for row in ran.records(stream) if not row.get("_sdc_deleted_at"))


def deleted(ran: Ran, stream: str) -> list[dict[str, Any]]:
    return [row for row in ran.records(stream) if row.get("_sdc_deleted_at")]


def state_of(ran: Ran, stream: str) -> dict[str, Any]:
    (partition,) = (ran.state or {})["bookmarks"][stream]["partitions"]
    return dict(partition)


def test_they_are_off_unless_selected(project: Project) -> None:
    ran = project.read()

    assert [ran.records(stream) for stream in STREAMS] == [[], [], []]
    assert not any(call["endpoint"].endswith(tuple(STREAMS.values())) for call in project.sandbox.journal())


def test_they_come_after_accounts_in_the_order_in_which_they_are_written(project: Project, every_stream: str) -> None:
    ran = project.read("--catalog", every_stream)

    assert ran.status == 0, ran.log
    schemas = [message["stream"] for message in ran.messages if message["type"] == "SCHEMA"]
    assert schemas == ["divisions", "accounts", "deleted_accounts", *STREAMS]


def test_each_carries_the_code_of_its_account(project: Project, every_stream: str) -> None:
    ran = project.read("--catalog", every_stream)

    assert shown(ran, "contacts", "AccountCode", "LastName") == [("1", "Smit"), ("1", "Wit"), ("2", "Mol")]
    assert shown(ran, "addresses", "AccountCode", "Type") == [("1", 4), ("2", 3)]
    assert shown(ran, "bank_accounts", "AccountCode", "BankAccount") == [
        ("1", "NL91ABNA0417164300"),
        ("3", "NL20INGB0001234567"),
    ]
    assert {row["Division"] for stream in STREAMS for row in ran.records(stream)} == {SOURCE}


def test_records_hold_no_property_that_the_schema_lacks(project: Project, every_stream: str) -> None:
    ran = project.read("--catalog", every_stream)

    schemas = {message["stream"]: message["schema"] for message in ran.messages if message["type"] == "SCHEMA"}
    for stream in STREAMS:
        for record in ran.records(stream):
            assert record.keys() <= schemas[stream]["properties"].keys()
    assert "not found in catalog schema" not in ran.log


def test_a_first_reading_takes_a_call_each(project: Project, every_stream: str) -> None:
    project.read("--catalog", every_stream)

    count = {name: sum(call["endpoint"].endswith(name) for call in project.sandbox.journal()) for name in CHILDREN}
    assert count == {"Contacts": 1, "Addresses": 1, "BankAccounts": 1}


def test_a_run_after_which_nothing_changed_delivers_none_at_two_calls_a_feed(
    project: Project, every_stream: str
) -> None:
    first = project.read("--catalog", every_stream)
    calls(project)

    second = project.read("--catalog", every_stream, state=first.state)

    assert [second.records(stream) for stream in STREAMS] == [[], [], []]
    assert calls(project) == QUIET + 4


def test_the_visit_address_which_the_account_carries_and_that_of_a_warehouse_are_left_out(
    project: Project, every_stream: str
) -> None:
    warehouse = {"Type": 4, "Warehouse": "11111111-2222-3333-4444-555555555555", "AddressLine1": "Loods 2"}
    project.sandbox.fill_children(SOURCE, "Addresses", [warehouse])

    ran = project.read("--catalog", every_stream)

    assert shown(ran, "addresses", "AddressLine1") == [("Kade 1",), ("Postbus 7",)]
    assert len(project.sandbox.children(SOURCE, "Addresses")) == 6


@pytest.mark.parametrize("stream", ["contacts", "addresses"])
def test_the_next_run_delivers_what_changed_and_what_was_deleted(
    project: Project, every_stream: str, stream: str
) -> None:
    first = project.read("--catalog", every_stream)
    changed, gone, *_ = first.records(stream)
    project.sandbox.edit_child(SOURCE, STREAMS[stream], changed["ID"], Notes="Nieuw")
    project.sandbox.remove_child(SOURCE, STREAMS[stream], gone["ID"])

    second = project.read("--catalog", every_stream, state=first.state)
    third = project.read("--catalog", every_stream, state=second.state)

    assert shown(second, stream, "ID", "Notes") == [(changed["ID"], "Nieuw")]
    (deletion,) = deleted(second, stream)
    at = deletion.pop("_sdc_deleted_at")
    assert at.startswith("2026-03-02T09:00")  # Exact's clock is that of Amsterdam
    assert deletion == {"ID": gone["ID"], "Division": SOURCE, "AccountCode": gone["AccountCode"]}
    assert third.records(stream) == []


@pytest.mark.parametrize("stream", ["contacts", "addresses"])
def test_a_lost_state_means_a_reading_in_full_that_tells_what_is_gone(
    project: Project, every_stream: str, stream: str
) -> None:
    first = project.read("--catalog", every_stream)
    gone = first.records(stream)[0]
    project.sandbox.remove_child(SOURCE, STREAMS[stream], gone["ID"])
    project.sandbox.advance(90 * DAY)  # longer than the log remembers

    second = project.read("--catalog", every_stream)

    assert f"Division 100 is read in full for {stream}: there is no bookmark." in second.log
    assert [(row["ID"], row["AccountCode"]) for row in deleted(second, stream)] == [(gone["ID"], gone["AccountCode"])]
    assert len(shown(second, stream, "ID")) == len(first.records(stream)) - 1


def test_what_never_went_out_is_not_reported_as_deleted(project: Project, every_stream: str) -> None:
    first = project.read("--catalog", every_stream)
    (row,) = project.sandbox.fill_children(SOURCE, "Addresses", [{"Account": "1", "Type": 2, "AddressLine1": "Laan 3"}])
    project.sandbox.remove_child(SOURCE, "Addresses", row["ID"])

    second = project.read("--catalog", every_stream, state=first.state)

    assert second.records("addresses") == []


@pytest.mark.parametrize("visit_address", ["one_row", "two_rows"])
@pytest.mark.parametrize("deleted_with_account", ["logged", "silent"])
def test_what_goes_with_its_account_is_reported_whatever_the_log_says(
    project: Project, every_stream: str, deleted_with_account: str, visit_address: str
) -> None:
    project.sandbox.limits(deleted_with_account=deleted_with_account, visit_address=visit_address)
    first = project.read("--catalog", every_stream)
    project.sandbox.remove(SOURCE, "1")

    second = project.read("--catalog", every_stream, state=first.state)

    for stream in ("contacts", "addresses"):
        gone = {row["ID"] for row in first.records(stream) if row["AccountCode"] == "1"}
        assert {row["ID"] for row in deleted(second, stream) if "AccountCode" in row} == gone
        assert {row["AccountCode"] for row in second.records(stream) if "AccountCode" in row} <= {"1", "2"}


def test_an_address_that_became_the_visit_address_is_deleted_for_whoever_has_it(
    project: Project, every_stream: str
) -> None:
    (row,) = project.sandbox.fill_children(SOURCE, "Addresses", [{"Account": "1", "Type": 1, "AddressLine1": "Laan 3"}])
    first = project.read("--catalog", every_stream)
    project.sandbox.edit_child(SOURCE, "Addresses", row["ID"], Main=True)

    second = project.read("--catalog", every_stream, state=first.state)

    assert row["ID"] in [one["ID"] for one in first.records("addresses")]
    assert [one["ID"] for one in deleted(second, "addresses")] == [row["ID"]]


def test_codes_of_accounts_that_were_not_read_are_asked_for_together(project: Project) -> None:
    path = project.selection(*STREAMS)

    ran = project.read("--catalog", path)

    assert shown(ran, "addresses", "AccountCode", "Type") == [("1", 4), ("2", 3)]
    assert shown(ran, "bank_accounts", "AccountCode") == [("1",), ("3",)]
    assert len(project.sandbox.journal(endpoint="bulk/CRM/Accounts")) == 2  # a contact has it itself


def test_one_whose_account_is_not_shown_goes_without_its_code_and_that_is_told(project: Project) -> None:
    path = project.selection("addresses")
    project.sandbox.fault(
        "status", status=200, body=json.dumps({"d": {"results": []}}), endpoint="bulk/CRM/Accounts", method="GET"
    )

    ran = project.read("--catalog", path)

    assert ["AccountCode" in row for row in ran.records("addresses")] == [False, False]
    assert "Division 100: some addresses name an account that is not shown" in ran.log


def test_who_a_person_is_is_read_only_when_selected_by_name(project: Project, every_stream: str) -> None:
    (anna,) = (row for row in project.sandbox.children(SOURCE, "Contacts") if row["LastName"] == "Wit")
    project.sandbox.edit_child(SOURCE, "Contacts", anna["ID"], BirthDate="1980-05-01T00:00:00", Nationality="NL")

    first = project.read("--catalog", every_stream)
    names = selected(project, "sync/CRM/Contacts")
    second = project.read("--catalog", project.selection("contacts", also=["BirthDate"]))

    assert not PERSONAL & (names | {name for row in first.records("contacts") for name in row})
    assert "Picture" not in names
    assert selected(project, "sync/CRM/Contacts") & PERSONAL == {"BirthDate"}
    assert ("Wit", "1980-05-01T00:00:00+02:00") in shown(second, "contacts", "LastName", "BirthDate")


def test_what_tells_where_a_row_belongs_comes_even_when_deselected(project: Project, every_stream: str) -> None:
    names = {"ID", "Account", "AccountCode", "Division", "Type", "Main", "_sdc_deleted_at"}
    path = without_properties(Path(every_stream), names)

    ran = project.read("--catalog", str(path))

    assert all(names <= row.keys() for row in ran.records("addresses"))


def test_bank_accounts_are_read_once_a_day_and_the_deleted_ones_told(project: Project, every_stream: str) -> None:
    first = project.read("--catalog", every_stream)
    gone, kept = first.records("bank_accounts")
    project.sandbox.remove_child(SOURCE, "BankAccounts", gone["ID"])

    same_day = project.read("--catalog", every_stream, state=first.state)
    project.sandbox.advance(DAY)
    next_day = project.read("--catalog", every_stream, state=same_day.state)

    assert same_day.records("bank_accounts") == []
    assert state_of(same_day, "bank_accounts") == state_of(first, "bank_accounts")
    assert [row["ID"] for row in next_day.records("bank_accounts")] == [kept["ID"], gone["ID"]]
    (deletion,) = deleted(next_day, "bank_accounts")
    assert deletion.keys() == {"ID", "Division", "AccountCode", "_sdc_deleted_at"}
    assert deletion["AccountCode"] == gone["AccountCode"]


def test_a_deleted_bank_account_is_told_until_a_bookmark_shows_that_it_arrived(
    project: Project, every_stream: str
) -> None:
    first = project.read("--catalog", every_stream)
    gone = first.records("bank_accounts")[0]["ID"]
    project.sandbox.remove_child(SOURCE, "BankAccounts", gone)
    project.sandbox.advance(DAY)
    project.read("--catalog", every_stream, state=first.state)  # nobody acknowledged it
    again = project.read("--catalog", every_stream, state=first.state)
    state, told = again.state, []
    for _ in range(3):
        project.sandbox.advance(DAY)
        ran = project.read("--catalog", every_stream, state=state)
        told.append(len(deleted(ran, "bank_accounts")))
        state = ran.state

    assert [row["ID"] for row in deleted(again, "bank_accounts")] == [gone]
    assert told[1:] == [0, 0]


def test_the_date_of_a_reading_of_bank_accounts_that_is_set_back_by_hand_is_obeyed(
    project: Project, every_stream: str
) -> None:
    state = project.read("--catalog", every_stream).state
    assert state is not None
    (partition,) = state["bookmarks"]["bank_accounts"]["partitions"]
    assert partition["replication_key_value"].startswith("2026-03-02T08:00")
    partition["replication_key_value"] = "2026-03-01T08:00:00+00:00"

    assert len(project.read("--catalog", every_stream, state=state).records("bank_accounts")) == 2


@pytest.mark.parametrize("stream", STREAMS)
def test_a_missing_right_takes_nothing_for_deleted_and_keeps_the_bookmark(
    project: Project, every_stream: str, stream: str
) -> None:
    first = project.read("--catalog", every_stream)
    project.sandbox.change_division(SOURCE, rights={f"read_{STREAMS[stream]}": False})
    project.sandbox.advance(DAY)

    second = project.read("--catalog", every_stream, state=first.state)
    project.sandbox.change_division(SOURCE, rights={})
    third = project.read("--catalog", every_stream, state=second.state)

    assert second.status == 0, second.log
    assert "a missing right looks like that" in second.log
    assert (second.records(stream), deleted(third, stream)) == ([], [])
    assert state_of(second, stream) == state_of(first, stream)


def test_each_source_division_has_bookmarks_of_its_own(project: Project, every_stream: str) -> None:
    project.sandbox.seed(NORTH, [{"Code": "50", "Name": "Noord"}])
    project.sandbox.fill_children(NORTH, "Contacts", [{"Account": "50", "LastName": "Vos"}])

    ran = project.read("--catalog", every_stream, divisions=[SOURCE, NORTH])

    assert (NORTH, "50", "Vos") in shown(ran, "contacts", "Division", "AccountCode", "LastName")
    partitions = (ran.state or {})["bookmarks"]["contacts"]["partitions"]
    assert [one["context"] for one in partitions] == [{"Division": SOURCE}, {"Division": NORTH}]
