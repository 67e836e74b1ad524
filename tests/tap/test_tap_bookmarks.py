"""Where the tap starts again, and when it does not move."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran

NORTH = 201


def bookmarks(ran: Ran, stream: str = "accounts") -> dict[int, Any]:
    """Division → the row version that a stream has been read to."""
    partitions = (ran.state or {}).get("bookmarks", {}).get(stream, {}).get("partitions", [])
    return {one["context"]["Division"]: one.get("replication_key_value") for one in partitions}


def codes(ran: Ran) -> list[str]:
    return [account["Code"] for account in ran.records("accounts")]


def page(rows: list[dict[str, Any]]) -> str:
    return json.dumps({"d": {"results": rows}})


def row(number: int, timestamp: int) -> dict[str, Any]:
    return {
        "ID": f"00000000-0000-4000-8000-{number:012}",
        "Code": f"{number:>18}",
        "Division": SOURCE,
        "Name": f"Klant {number}",
        "Timestamp": str(timestamp),
    }


def test_each_division_has_a_bookmark_of_its_own_as_a_number(project: Project) -> None:
    project.sandbox.seed(NORTH, [customer(50)])

    ran = project.read(divisions=[SOURCE, NORTH])

    newest = {division: project.sandbox.accounts(division)[-1]["Timestamp"] for division in (SOURCE, NORTH)}
    assert bookmarks(ran) == {division: int(timestamp) for division, timestamp in newest.items()}
    assert all(isinstance(value, int) for value in bookmarks(ran).values())


def test_the_next_run_delivers_only_what_changed(project: Project) -> None:
    first = project.read()
    project.sandbox.edit(SOURCE, "2", City="Delft")
    project.sandbox.seed(SOURCE, [customer(9)])

    second = project.read(state=first.state)

    assert codes(second) == ["2", "9"]
    assert bookmarks(second)[SOURCE] > bookmarks(first)[SOURCE]


def test_a_run_after_which_nothing_changed_delivers_none_and_keeps_the_bookmark(project: Project) -> None:
    first = project.read()

    second = project.read(state=first.state)

    assert codes(second) == []
    assert bookmarks(second) == bookmarks(first)


def test_deletions_are_delivered_once(project: Project) -> None:
    project.sandbox.remove(SOURCE, "2")
    first = project.read()
    project.sandbox.remove(SOURCE, "3")

    second = project.read(state=first.state)

    assert len(first.records("deleted_accounts")) == len(second.records("deleted_accounts")) == 1
    assert bookmarks(second, "deleted_accounts")[SOURCE] > bookmarks(first, "deleted_accounts")[SOURCE]


def test_a_division_that_is_added_later_is_read_from_its_start(project: Project) -> None:
    project.sandbox.seed(NORTH, [customer(50)])
    first = project.read()

    second = project.read(state=first.state, divisions=[SOURCE, NORTH])

    assert codes(second) == ["50"]
    assert set(bookmarks(second)) == {SOURCE, NORTH}


def test_rows_out_of_order_move_the_bookmark_to_the_highest(project: Project) -> None:
    rows = [row(1, 30), row(2, 10), row(3, 20)]
    project.sandbox.fault("status", status=200, body=page(rows), endpoint="sync/CRM/Accounts", method="GET")

    ran = project.read()

    assert ran.status == 0, ran.log
    assert sorted(codes(ran)) == ["1", "2", "3"]
    assert bookmarks(ran) == {SOURCE: 30}


def test_rows_out_of_order_over_two_pages_are_all_delivered(project: Project) -> None:
    link = f"{project.sandbox.url}/api/v1/{SOURCE}/sync/CRM/Accounts?$select=ID&$skiptoken=x"
    first = json.dumps({"d": {"results": [row(1, 30), row(2, 25)], "__next": link}})
    fault = {"status": 200, "endpoint": "sync/CRM/Accounts", "method": "GET"}
    project.sandbox.fault("status", body=first, **fault)
    project.sandbox.fault("status", body=page([row(3, 10), row(4, 20)]), nth=2, **fault)

    ran = project.read()

    assert ran.status == 0, ran.log
    assert sorted(codes(ran)) == ["1", "2", "3", "4"]
    assert bookmarks(ran) == {SOURCE: 30}


def test_a_row_that_comes_twice_does_no_harm(project: Project) -> None:
    rows = [row(1, 10), row(1, 10), row(2, 20)]
    project.sandbox.fault("status", status=200, body=page(rows), endpoint="sync/CRM/Accounts", method="GET")

    ran = project.read()

    assert ran.status == 0
    assert set(codes(ran)) == {"1", "2"}
    assert bookmarks(ran) == {SOURCE: 20}


def test_a_page_that_leads_to_itself_ends_the_run_with_one_clear_line(project: Project) -> None:
    link = f"{project.sandbox.url}/api/v1/{SOURCE}/sync/CRM/Accounts?$select=ID&$skiptoken=x"
    body = json.dumps({"d": {"results": [row(1, 10)], "__next": link}})
    project.sandbox.fault("status", status=200, body=body, endpoint="sync/CRM/Accounts", method="GET", times=9)

    ran = project.read()

    assert ran.status == 1
    assert "the next page was read before" in ran.errors[0]
    assert bookmarks(ran).get(SOURCE) is None


@pytest.mark.parametrize("kind", ["status", "error_block"])
def test_a_division_that_fails_half_way_leaves_its_bookmark_where_it_was(project: Project, kind: str) -> None:
    project.sandbox.reset(small_world(6, limits={"page_sizes": {"sync": 2}}))
    fault = {"status": 400, "body": ""} if kind == "status" else {}
    project.sandbox.fault(kind, endpoint="sync/CRM/Accounts", nth=2, **fault)

    ran = project.read()

    assert ran.status == 1
    assert len(ran.errors) == 1
    assert "Traceback" not in ran.log
    assert codes(ran) == ["1", "2"]
    assert bookmarks(ran).get(SOURCE) is None


def test_a_fault_that_passes_is_not_noticed(project: Project) -> None:
    project.sandbox.fault("503", endpoint="sync/CRM/Accounts")

    ran = project.read()

    assert (ran.status, codes(ran)) == (0, ["1", "2", "3"])


def test_the_state_of_a_first_run_holds_for_a_division_without_accounts(project: Project) -> None:
    first = project.read(divisions=[NORTH])
    project.sandbox.seed(NORTH, [customer(50)])

    second = project.read(divisions=[NORTH], state=first.state)

    assert codes(first) == []
    assert codes(second) == ["50"]
