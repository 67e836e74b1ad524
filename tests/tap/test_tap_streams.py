"""What the tap delivers: streams in order, values in their final form, and only what is asked for."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran

NORTH = 201
RICH = {
    "Name": "Café Ærø",
    "EstablishedDate": "2019-07-01T00:00:00",
    "Latitude": 52.0907,
    "IsSupplier": True,
    "VATNumber": "NL806233412B01",
}


@pytest.fixture
def rich(project: Project) -> Project:
    """The source holds one account with every kind of value."""
    project.sandbox.reset(small_world(accounts={SOURCE: [customer(42, **RICH)]}))
    return project


def kinds(ran: Ran) -> list[tuple[str, str]]:
    return [(message["type"], message.get("stream", "")) for message in ran.messages]


def selected(project: Project, endpoint: str) -> set[str]:
    """The names in the last `$select` sent to an endpoint."""
    call = project.sandbox.journal(endpoint=endpoint)[-1]
    return set(parse_qs(urlsplit(call["target"]).query)["$select"][0].split(","))


def test_divisions_come_before_the_accounts_and_deletions_last(project: Project) -> None:
    ran = project.read()

    assert ran.status == 0
    assert [stream for kind, stream in kinds(ran) if kind == "SCHEMA"] == ["divisions", "accounts", "deleted_accounts"]
    streams = [stream for kind, stream in kinds(ran) if kind == "RECORD"]
    assert streams == ["divisions"] * 4 + ["accounts"] * 3
    assert kinds(ran)[-1] == ("STATE", "")


LISTS = (
    "payment_conditions",
    "vat_codes",
    "gl_accounts",
    "account_classifications",
    "account_classification_names",
    "price_lists",
    "shipping_methods",
    "lead_sources",
    "lead_purposes",
    "cost_centers",
    "cost_units",
)


def test_every_stream_has_its_key_and_its_replication_key(project: Project) -> None:
    streams = {stream["stream"]: stream for stream in json.loads(project.read("--discover").output)["streams"]}

    keys = {name: (stream["key_properties"], stream.get("replication_key")) for name, stream in streams.items()}
    assert keys == {
        "divisions": (["Code"], None),
        "accounts": (["ID"], "Timestamp"),
        "deleted_accounts": (["ID"], "Timestamp"),
        "contacts": (["ID"], "Timestamp"),
        "addresses": (["ID"], "Timestamp"),
        "bank_accounts": (["ID"], "Modified"),
        "currencies": (["Division", "Code"], None),
        "users": (["Division", "UserID"], None),
        **{name: (["Division", "ID"], None) for name in LISTS},
    }
    assert streams["accounts"]["schema"]["properties"]["Timestamp"]["type"] == ["integer", "null"]


def test_discovery_asks_exact_nothing(project: Project) -> None:
    ran = project.read("--discover")

    assert ran.status == 0
    assert project.sandbox.journal() == []


def test_values_come_trimmed_with_offset_and_as_numbers(rich: Project) -> None:
    (account,) = rich.read().records("accounts")

    assert (account["Code"], account["Country"], account["Name"]) == ("42", "NL", "Café Ærø")
    assert account["EstablishedDate"] == "2019-07-01T00:00:00+02:00"
    assert (account["Latitude"], account["IsSupplier"]) == (52.0907, True)
    assert isinstance(account["Timestamp"], int)
    assert account["Division"] == SOURCE


@pytest.mark.parametrize("timestamp_as", ["string", "number"])
def test_a_row_version_is_a_number_however_exact_writes_it(project: Project, timestamp_as: str) -> None:
    project.sandbox.limits(timestamp_as=timestamp_as)

    ran = project.read()

    timestamps = [account["Timestamp"] for account in ran.records("accounts")]
    assert all(isinstance(timestamp, int) for timestamp in timestamps)
    assert bookmark(ran) == max(timestamps)


def test_records_hold_no_property_that_the_schema_lacks(rich: Project) -> None:
    ran = rich.read()

    for name in ("divisions", "accounts"):
        (schema,) = [
            message for message in ran.messages if (message["type"], message.get("stream")) == ("SCHEMA", name)
        ]
        for record in ran.records(name):
            assert record.keys() <= schema["schema"]["properties"].keys()


def test_exact_is_asked_for_the_selected_properties_only(rich: Project) -> None:
    path = rich.catalog({"Email", "Phone", "Remarks"})

    (account,) = rich.read("--catalog", str(path)).records("accounts")

    assert {"Email", "Phone", "Remarks"} & account.keys() == set()
    assert {"Email", "Phone", "Remarks"} & selected(rich, "sync/CRM/Accounts") == set()
    assert "City" in selected(rich, "sync/CRM/Accounts")


def test_keys_code_and_division_come_even_when_deselected(rich: Project) -> None:
    names = {"ID", "Timestamp", "Code", "Division"}

    (account,) = rich.read("--catalog", str(rich.catalog(names))).records("accounts")

    assert names <= account.keys()


def test_that_an_account_was_anonymised_is_said_unasked(project: Project) -> None:
    project.sandbox.edit(SOURCE, "1", IsAnonymised=1)

    records = project.read().records("accounts")

    assert {record["Code"]: record["IsAnonymised"] for record in records} == {"1": 1, "2": 0, "3": 0}


def test_schemas_say_which_companies_their_records_come_from(project: Project) -> None:
    ran = project.read(divisions=[NORTH, SOURCE])

    sources = {message["stream"]: message.get("source") for message in ran.messages if message["type"] == "SCHEMA"}
    read = {"divisions": [NORTH, SOURCE]}
    assert sources == {"divisions": None, "accounts": read, "deleted_accounts": read}


def test_personal_and_bulky_properties_come_on_request_only(rich: Project) -> None:
    (account,) = rich.read().records("accounts")

    assert {"BSN", "Logo", "LogoFileName"} & account.keys() == set()
    assert {"BSN", "Logo", "LogoFileName"} & selected(rich, "sync/CRM/Accounts") == set()


@pytest.mark.parametrize(("accounts", "page", "pages"), [(0, 2, 1), (2, 2, 1), (3, 2, 2), (7, 2, 4)])
def test_every_page_is_read_to_the_last(project: Project, accounts: int, page: int, pages: int) -> None:
    project.sandbox.reset(small_world(accounts, limits={"page_sizes": {"sync": page}}))

    ran = project.read()

    assert [account["Code"] for account in ran.records("accounts")] == [str(n) for n in range(1, accounts + 1)]
    assert len(project.sandbox.journal(endpoint="sync/CRM/Accounts")) == pages


def test_all_divisions_come_though_exact_lists_sixty_at_a_time(project: Project) -> None:
    project.sandbox.reset(small_world(0, targets=range(201, 331)))

    ran = project.read()

    assert [division["Code"] for division in ran.records("divisions")] == [SOURCE, *range(201, 331)]
    assert len(project.sandbox.journal(endpoint="system/Divisions")) == 3


def test_archived_divisions_come_with_their_status(project: Project) -> None:
    project.sandbox.change_division(NORTH, status=2)

    divisions = {division["Code"]: division["Status"] for division in project.read().records("divisions")}

    assert divisions == {SOURCE: 1, NORTH: 2, 202: 1, 203: 1}


def test_several_source_divisions_are_read_each_in_its_turn(project: Project) -> None:
    project.sandbox.seed(NORTH, [customer(50)])

    ran = project.read(divisions=[NORTH, SOURCE, NORTH])

    found = [(account["Division"], account["Code"]) for account in ran.records("accounts")]
    assert found == [(NORTH, "50"), (SOURCE, "1"), (SOURCE, "2"), (SOURCE, "3")]


def test_deletions_come_with_the_key_of_what_was_deleted(project: Project) -> None:
    gone = project.sandbox.account(SOURCE, "2")["ID"]
    project.sandbox.remove(SOURCE, "2")

    ran = project.read()

    (deletion,) = ran.records("deleted_accounts")
    assert (deletion["EntityKey"], deletion["EntityType"], deletion["Division"]) == (gone, 2, SOURCE)
    assert [account["Code"] for account in ran.records("accounts")] == ["1", "3"]


def test_the_test_option_delivers_a_record_of_each_stream_and_succeeds(project: Project) -> None:
    ran = project.read("--test")

    assert ran.status == 0
    assert len(ran.records("divisions")) == len(ran.records("accounts")) == 1


def test_the_tap_writes_nothing(project: Project) -> None:
    before = project.sandbox.accounts(SOURCE)

    project.read()

    assert project.writes() == []
    assert project.sandbox.accounts(SOURCE) == before


def bookmark(ran: Ran, stream: str = "accounts", division: int = SOURCE) -> Any:
    """Where a stream stands in a division, or None."""
    partitions = (ran.state or {}).get("bookmarks", {}).get(stream, {}).get("partitions", [])
    found = [one for one in partitions if one["context"] == {"Division": division}]
    return found[0].get("replication_key_value") if found else None
