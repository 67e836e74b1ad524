"""Reading, creating and changing rows in a sandbox over HTTP, each by the division that it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.client import ExactClient
from exactonline_client.entities import ACCOUNTS, DELETIONS
from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    NotFoundError,
    RecordRefusedError,
    TryLaterError,
    UnexpectedReplyError,
)
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from sandbox_driver import SOURCE, Sandbox, customer, small_world

NORTH, SOUTH = 201, 202
ENDPOINT, SYNC = "crm/Accounts", "sync/CRM/Accounts"
SELECT = ("ID", "Code", "Name", "City", "EstablishedDate")
BULK = (*SELECT, "Timestamp")


@pytest.fixture
def slept() -> list[float]:
    """Seconds of each wait, none of which is sat out."""
    return []


@pytest.fixture
def client(sandbox: Sandbox, tmp_path: Path, slept: list[float]) -> Iterator[ExactClient]:
    settings = Settings.from_config(sandbox.config(store_url=f"sqlite:///{tmp_path / 'store.db'}"))
    with (
        Store.open(settings.store_url) as store,
        ExactClient(settings, store, program="test", sleep=slept.append) as made,
    ):
        yield made


def calls(sandbox: Sandbox, endpoint: str = ENDPOINT) -> list[tuple[str, int]]:
    return [(call["method"], call["status"]) for call in sandbox.journal(endpoint=endpoint)]


def create(client: ExactClient, **values: Any) -> dict[str, Any]:
    return client.run(client.create(ACCOUNTS, NORTH, {"Code": "7", "Name": "Klant 7", **values}, SELECT))


# Reading


def test_who_is_logged_in(client: ExactClient) -> None:
    me = client.run(client.me())

    assert (me.name, me.current_division) == ("Anna de Boer", SOURCE)


def test_an_account_is_found_by_its_code(client: ExactClient) -> None:
    row = client.run(client.find(ACCOUNTS, SOURCE, "2", SELECT))

    assert row is not None
    assert (row["Code"], row["Name"], row["City"]) == ("2", "Klant 2 B.V.", "Utrecht")


def test_a_code_that_no_account_has_finds_none(client: ExactClient) -> None:
    assert client.run(client.find(ACCOUNTS, NORTH, "2", SELECT)) is None


@pytest.mark.parametrize("page", [1, 2, 3, 7])
def test_pages_hold_every_row_once(client: ExactClient, sandbox: Sandbox, page: int) -> None:
    sandbox.reset(small_world(7, limits={"page_sizes": {"sync": page}}))

    rows = [row for rows in client.pages(ACCOUNTS, SOURCE, select=BULK, after=0) for row in rows]

    assert [row["Code"] for row in rows] == [str(number) for number in range(1, 8)]


def test_only_rows_after_a_row_version_are_read(client: ExactClient, sandbox: Sandbox) -> None:
    (before,) = client.pages(ACCOUNTS, SOURCE, select=BULK, after=0)
    sandbox.edit(SOURCE, "2", City="Delft")

    (rows,) = client.pages(ACCOUNTS, SOURCE, select=BULK, after=before[-1]["Timestamp"])

    assert [(row["Code"], row["City"]) for row in rows] == [("2", "Delft")]


@pytest.mark.parametrize("results", [True, False], ids=["results", "bare list"])
def test_a_list_is_read_in_both_of_exact_s_envelopes(client: ExactClient, sandbox: Sandbox, results: bool) -> None:
    rows = [{"ID": "x", "Code": " " * 16 + "42", "Name": "Klant", "Timestamp": "5"}]
    body = json.dumps({"d": {"results": rows} if results else rows})
    sandbox.fault("status", status=200, body=body, endpoint="sync/CRM/Accounts")

    (read,) = client.pages(ACCOUNTS, NORTH, select=BULK, after=0)

    assert [(row["Code"], row["Timestamp"]) for row in read] == [("42", 5)]


def test_deletions_are_those_of_accounts(client: ExactClient, sandbox: Sandbox) -> None:
    gone = sandbox.account(SOURCE, "2")["ID"]
    sandbox.remove(SOURCE, "2")

    (rows,) = client.pages(DELETIONS, SOURCE, select=("EntityKey", "EntityType", "Timestamp"), after=0)

    assert [row["EntityKey"] for row in rows] == [gone]


@pytest.mark.parametrize(("divisions", "requests"), [(60, 1), (61, 2), (150, 3)])
def test_divisions_are_listed_beyond_sixty(
    client: ExactClient, sandbox: Sandbox, divisions: int, requests: int
) -> None:
    sandbox.reset(small_world(0, targets=range(201, 200 + divisions)))

    rows = client.run(client.division_rows(SOURCE))

    assert [row["Code"] for row in rows] == [SOURCE, *range(201, 200 + divisions)]
    assert len(calls(sandbox, "system/Divisions")) == requests


def test_divisions_are_listed_through_the_first_candidate_that_answers(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.change_division(NORTH, status=2)

    rows = client.run(client.division_rows(999, NORTH, SOUTH))

    assert len(rows) == 4
    assert [status for _, status in calls(sandbox, "system/Divisions")] == [403, 403, 200]


def test_a_link_to_another_host_does_not_take_the_token_there(client: ExactClient, sandbox: Sandbox) -> None:
    path = f"/api/v1/{NORTH}/sync/CRM/Accounts?$select=ID,Code,Timestamp&$filter=Timestamp%20gt%200L"
    body = json.dumps({"d": {"results": [], "__next": f"https://elsewhere.example{path}"}})
    sandbox.fault("status", status=200, body=body, endpoint="sync/CRM/Accounts")

    pages = list(client.pages(ACCOUNTS, NORTH, select=("ID", "Code", "Timestamp"), after=0))

    assert pages == [[], []]
    assert len(calls(sandbox, "sync/CRM/Accounts")) == 2


@pytest.mark.parametrize("kind", ["503", "fault_500", "reset_before", "truncated_body", "html_body"])
def test_a_read_is_repeated_until_it_comes_whole(
    client: ExactClient, sandbox: Sandbox, slept: list[float], kind: str
) -> None:
    sandbox.fault(kind, method="GET", endpoint=ENDPOINT, times=2)

    row = client.run(client.find(ACCOUNTS, SOURCE, "2", SELECT))

    assert row is not None
    assert len(slept) == 2


def test_a_read_that_never_comes_is_given_up(client: ExactClient, sandbox: Sandbox, slept: list[float]) -> None:
    sandbox.fault("503", method="GET", endpoint=ENDPOINT, times=99)

    with pytest.raises(UnexpectedReplyError, match="after 6 tries"):
        client.run(client.find(ACCOUNTS, SOURCE, "2", SELECT))

    assert calls(sandbox) == [("GET", 503)] * 6


def page_of(*rows: dict[str, Any]) -> str:
    return json.dumps({"d": {"results": rows}})


def test_an_account_that_comes_without_its_code_has_none(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("status", endpoint=SYNC, status=200, body=page_of({"ID": "AB", "Timestamp": "7"}))

    (rows,) = client.pages(ACCOUNTS, NORTH, select=BULK)

    assert rows == [{"ID": "ab", "Timestamp": 7, "Code": None}]


@pytest.mark.parametrize(
    "row", [{"ID": "ab", "Timestamp": None}, {"ID": "ab"}, {"ID": None, "Timestamp": "7"}], ids=str
)
def test_a_row_without_its_key_or_version_makes_a_page_that_did_not_come_whole(
    client: ExactClient, sandbox: Sandbox, row: dict[str, Any]
) -> None:
    sandbox.seed(NORTH, [customer(1)])
    sandbox.fault("status", endpoint=SYNC, status=200, body=page_of(row))

    (rows,) = client.pages(ACCOUNTS, NORTH, select=BULK)

    assert [row["Code"] for row in rows] == ["1"]


def test_pages_that_go_round_are_not_read_for_ever(client: ExactClient, sandbox: Sandbox) -> None:
    for here, there in (("", "a"), ("a", "b"), ("b", "a")):
        link = f"http://elsewhere.example/api/v1/{NORTH}/{SYNC}?$skiptoken={there}"
        body = json.dumps({"d": {"results": [], "__next": link}})
        sandbox.fault("status", endpoint=SYNC, contains=f"$skiptoken={here}" if here else None, status=200, body=body)

    with pytest.raises(UnexpectedReplyError, match="the next page was read before"):
        list(client.pages(ACCOUNTS, NORTH, select=BULK))


@pytest.mark.parametrize(("keys", "division"), [({}, 999), ({"status": 2}, NORTH), ({"blocking_status": 1}, NORTH)])
def test_a_division_that_refuses_is_named(
    client: ExactClient, sandbox: Sandbox, keys: dict[str, Any], division: int
) -> None:
    sandbox.change_division(NORTH, **keys)

    with pytest.raises(DivisionRefusedError, match=f"Exact refuses division {division}"):
        client.run(client.find(ACCOUNTS, division, "2", SELECT))


def test_a_day_that_is_spent_says_when_it_goes_on(client: ExactClient, sandbox: Sandbox, slept: list[float]) -> None:
    sandbox.limits(enabled=True)
    sandbox.fault("429_day", endpoint=ENDPOINT)

    with pytest.raises(TryLaterError) as told:
        client.run(client.find(ACCOUNTS, SOURCE, "2", SELECT))

    now = datetime.now(timezone.utc)
    assert now < told.value.until <= now + timedelta(days=1, seconds=5)
    assert slept == []


# Creating


def test_a_created_row_comes_back_as_exact_keeps_it(client: ExactClient, sandbox: Sandbox) -> None:
    row = create(client, City="Gent", EstablishedDate="2019-07-01T00:00:00+02:00")

    kept = sandbox.account(NORTH, "7")
    assert (row["ID"], row["Code"], row["City"]) == (kept["ID"], "7", "Gent")
    assert row["EstablishedDate"] == "2019-07-01T00:00:00+02:00"
    assert sandbox.codes(SOUTH) == []


def test_a_create_whose_answer_was_lost_is_looked_up_before_anything_else(
    client: ExactClient, sandbox: Sandbox
) -> None:
    sandbox.fault("lost_answer", method="POST", endpoint=ENDPOINT)

    row = create(client)

    assert row["ID"] == sandbox.account(NORTH, "7")["ID"]
    assert [method for method, _ in calls(sandbox)] == ["POST", "GET"]


def test_a_create_that_never_arrived_is_looked_up_and_sent_again(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("fault_500", method="POST", endpoint=ENDPOINT)

    row = create(client)

    assert row["ID"] == sandbox.account(NORTH, "7")["ID"]
    assert calls(sandbox) == [("POST", 500), ("GET", 200), ("POST", 201)]


def test_a_create_that_keeps_failing_is_given_up_after_a_last_look(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("fault_500", method="POST", endpoint=ENDPOINT, times=99)

    with pytest.raises(UnexpectedReplyError, match="POST crm/Accounts in division 201"):
        create(client)

    assert calls(sandbox)[-1] == ("GET", 200)
    assert sandbox.codes(NORTH) == []


@pytest.mark.parametrize("language", ["NL", "EN"])
def test_a_code_that_is_taken_is_told_apart(client: ExactClient, sandbox: Sandbox, language: str) -> None:
    sandbox.reset(small_world(user={"language": language}, accounts={NORTH: [customer(7)]}))

    with pytest.raises(AlreadyExistsError) as told:
        create(client)

    assert (told.value.division, told.value.key) == (NORTH, "7")
    assert calls(sandbox) == [("POST", 500)]


@pytest.mark.parametrize(("language", "said"), [("NL", "Ongeldig: Land"), ("EN", "Invalid: Country")])
def test_a_row_that_exact_refuses_is_told_in_its_words(
    client: ExactClient, sandbox: Sandbox, language: str, said: str
) -> None:
    sandbox.reset(small_world(user={"language": language}))

    with pytest.raises(RecordRefusedError, match=f"Exact refused account 7 in division 201 .*{said}"):
        create(client, Country="ZZ")

    assert sandbox.codes(NORTH) == []
    assert calls(sandbox) == [("POST", 500)]


# Changing


def test_an_update_changes_only_what_it_names(client: ExactClient, sandbox: Sandbox) -> None:
    before = sandbox.account(SOURCE, "2")

    at = client.run(client.update(ACCOUNTS, SOURCE, before["ID"], {"City": "Delft"}, label="2"))

    after = sandbox.account(SOURCE, "2")
    changed = {name for name in after if after[name] != before[name]}
    assert changed - {"Modified", "Timestamp", "Modifier", "ModifierFullName"} == {"City"}
    assert abs(at - datetime.now(timezone.utc)) < timedelta(seconds=5)
    assert sandbox.journal(method="PUT")[0]["body"] == {"City": "Delft"}


def test_a_field_is_emptied_by_null(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = sandbox.account(SOURCE, "2")["ID"]

    client.run(client.update(ACCOUNTS, SOURCE, account_id, {"Phone": None}, label="2"))

    assert sandbox.account(SOURCE, "2")["Phone"] is None


def test_an_update_of_a_row_that_is_gone_says_so(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = sandbox.account(SOURCE, "2")["ID"]
    sandbox.remove(SOURCE, "2")

    with pytest.raises(NotFoundError, match="Exact has no account 2 in division 100"):
        client.run(client.update(ACCOUNTS, SOURCE, account_id, {"City": "Delft"}, label="2"))


def test_an_update_of_another_division_s_row_is_not_found(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = sandbox.account(SOURCE, "2")["ID"]

    with pytest.raises(NotFoundError):
        client.run(client.update(ACCOUNTS, NORTH, account_id, {"City": "Delft"}, label="2"))

    assert sandbox.account(SOURCE, "2")["City"] == "Utrecht"


def test_an_update_that_exact_refuses_changes_nothing(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = sandbox.account(SOURCE, "2")["ID"]

    with pytest.raises(RecordRefusedError, match="Exact refused account 2 in division 100"):
        client.run(client.update(ACCOUNTS, SOURCE, account_id, {"Email": "none", "City": "Delft"}, label="2"))

    assert sandbox.account(SOURCE, "2")["City"] == "Utrecht"


def test_an_update_whose_answer_was_lost_is_sent_again(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = sandbox.account(SOURCE, "2")["ID"]
    sandbox.fault("lost_answer", method="PUT")

    client.run(client.update(ACCOUNTS, SOURCE, account_id, {"City": "Delft"}, label="2"))

    assert [method for method, _ in calls(sandbox)] == ["PUT", "PUT"]
    assert sandbox.account(SOURCE, "2")["City"] == "Delft"
