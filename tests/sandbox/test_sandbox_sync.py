"""Dossier 5.4: changes by row version, deletions, row versions by time."""

import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, small_world

SYNC = "100/sync/CRM/Accounts"


def versions(exact: Exact) -> list[int]:
    return [int(row["Timestamp"]) for row in exact.rows(SYNC, select="Timestamp")]


@pytest.mark.parametrize("suffix", ["", "L"])
def test_changes_after_a_row_version_come_in_its_order(sandbox: Sandbox, exact: Exact, suffix: str) -> None:
    last = versions(exact)[-1]
    sandbox.edit(100, "2", City="Ede")
    sandbox.edit(100, "1", City="Ede")

    rows = exact.rows(SYNC, filter=f"Timestamp gt {last}{suffix}", select="Timestamp,Code")

    assert [row["Code"].strip() for row in rows] == ["2", "1"]
    assert [int(row["Timestamp"]) for row in rows] == [last + 1, last + 2]


@pytest.mark.parametrize("query", ["?$skiptoken=1L", "?$skiptoken=", "", "?$filter=Timestamp%20gt%200L", "?$top=1000"])
def test_every_way_to_begin_gives_all(exact: Exact, query: str) -> None:
    d = exact.http.get(f"/api/v1/{SYNC}{query}").json()["d"]

    assert len(d if isinstance(d, list) else d["results"]) == 3


def test_sync_pages_hold_a_thousand(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(1001))
    exact = Exact(sandbox)

    first = exact.get(SYNC, select="Code,Timestamp", filter="Timestamp gt 1L").json()["d"]
    second = exact.http.get(first["__next"]).json()["d"]

    assert (len(first["results"]), len(second["results"])) == (1000, 1)
    assert "$filter=" in first["__next"]
    assert "__next" not in second


def test_page_sizes_are_a_limit_of_the_world(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(page_sizes={"sync": 2})

    d = exact.get(SYNC, select="Timestamp").json()["d"]

    assert len(d["results"]) == 2
    assert d["__next"].endswith(f"$skiptoken={d['results'][-1]['Timestamp']}L")


def test_sync_filters_on_timestamp_only(exact: Exact) -> None:
    answer = exact.get(SYNC, filter="Name eq 'x'")

    assert answer.status_code == 400
    assert message(answer) == "Filtering on these fields is not supported: Name"


def test_a_deletion_shows_in_deleted_and_nowhere_else(sandbox: Sandbox, exact: Exact) -> None:
    key, last = exact.key(100, "2"), versions(exact)[-1]

    answer = exact.delete(100, key)

    (gone,) = exact.rows("100/sync/Deleted", filter=f"Timestamp gt {last}L and EntityType eq 2")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (gone["EntityKey"], gone["EntityType"], gone["Division"]) == (key, 2, 100)
    assert int(gone["Timestamp"]) == last + 1
    assert sandbox.codes(100) == ["1", "3"]
    assert exact.get(f"100/crm/Accounts(guid'{key}')").status_code == 404


def test_deletions_and_changes_share_one_counter(sandbox: Sandbox, exact: Exact) -> None:
    last = versions(exact)[-1]
    sandbox.remove(100, "1")

    assert sandbox.edit(100, "2", City="Ede")["Timestamp"] == last + 2


def test_deleted_filters_on_entity_type(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.remove(100, "1")

    assert exact.rows("100/sync/Deleted", filter="EntityType eq 5") == []
    assert len(exact.rows("100/sync/Deleted", filter="Timestamp gt 1")) == 1
    assert exact.get("100/sync/Deleted", filter="EntityKey eq null").status_code == 400


def test_deletions_are_forgotten_after_two_months(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(now="2026-01-10T12:00:00Z", limits={"token_seconds": 10_000_000}))
    exact = Exact(sandbox)
    sandbox.remove(100, "1")
    sandbox.set_clock("2026-03-10T11:00:00Z")

    remembered = exact.rows("100/sync/Deleted")
    sandbox.set_clock("2026-03-10T13:00:00Z")

    assert len(remembered) == 1
    assert exact.rows("100/sync/Deleted") == []


def test_a_time_gives_a_row_version_to_begin_at(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(now="2029-12-31T12:00:00Z"))
    sandbox.advance(86_400)
    edited = sandbox.edit(100, "2", City="Ede")
    exact = Exact(sandbox)

    answer = exact.http.get(
        "/api/v1/100/read/sync/Sync/SyncTimestamp",
        params={"modified": "datetime'2030-01-01'", "endPoint": "'Accounts'"},
    )

    (row,) = answer.json()["d"]["results"]
    assert row["TimeStampAsBigInt"] == str(edited["Timestamp"])
