"""What happens to a bookmark in years: late commits, moves, backups, rests, lost stores. Each ends complete."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran
from tap_exactonline.bookmarks import ANCHORS

QUIET = 3
"""Calls of a run after which nothing changed: divisions, accounts, deletions."""
DAY = 86_400


LASTING = {"token_seconds": 500 * DAY}
"""A token that outlives what is simulated; how tokens are renewed is another matter."""


@pytest.fixture(autouse=True)
def _start(project: Project) -> None:
    project.sandbox.reset(small_world(limits=LASTING))


def codes(ran: Ran) -> list[str]:
    return sorted(account["Code"] for account in ran.records("accounts"))


def gone(ran: Ran) -> list[str]:
    return [row["EntityKey"] for row in ran.records("deleted_accounts")]


def calls(project: Project) -> int:
    """Calls since the last time this was asked."""
    count = project.sandbox.calls()
    project.sandbox.forget_calls()
    return count


def reading(ran: Ran, stream: str = "accounts") -> dict[str, Any]:
    """What the bookmark of the source keeps beside the row version."""
    (partition,) = (ran.state or {})["bookmarks"][stream]["partitions"]
    return dict(partition["reading"])


def plain(ran: Ran) -> dict[str, Any]:
    """The state as it was when bookmarks were row versions and no more."""
    state: dict[str, Any] = json.loads(json.dumps(ran.state))
    for stream in ("accounts", "deleted_accounts"):
        for partition in state["bookmarks"][stream]["partitions"]:
            del partition["reading"]
    return state


def test_a_row_that_was_committed_late_is_delivered_once(project: Project) -> None:
    project.sandbox.begin(SOURCE, "1", City="Ede")
    project.sandbox.edit(SOURCE, "2", City="Delft")
    first = project.read()
    project.sandbox.commit(SOURCE)

    second = project.read(state=first.state)
    third = project.read(state=second.state)

    assert (codes(second), codes(third)) == (["1"], [])
    assert second.records("accounts")[0]["City"] == "Ede"


def test_an_overlap_of_an_hour_grows_no_larger_than_what_changed_in_it(project: Project) -> None:
    ran = project.read()
    for number in range(5, 25):
        project.sandbox.advance(2 * 3600)
        project.sandbox.seed(SOURCE, [customer(number)])
        ran = project.read(state=ran.state)

    assert len(reading(ran)["marks"]) == 2  # this hour's and the one before
    assert len(reading(ran)["delivered"]) == 1 + ANCHORS


def test_a_quiet_run_costs_three_calls_and_delivers_nothing(project: Project) -> None:
    first = project.read()
    calls(project)

    second = project.read(state=first.state)

    assert (calls(project), codes(second), gone(second)) == (QUIET, [], [])


def test_a_large_division_remembers_half_a_page(project: Project) -> None:
    project.sandbox.reset(small_world(1200, limits=LASTING))
    first = project.read()
    calls(project)

    second = project.read(state=first.state)

    assert (calls(project), codes(second)) == (QUIET, [])
    assert len(reading(second)["delivered"]) == 500


def test_a_bookmark_holds_no_float_which_would_stop_some_targets(project: Project) -> None:
    state = json.dumps(project.read().state)

    assert json.loads(state, parse_float=lambda text: pytest.fail(f"{text} is a float"))


def test_a_division_that_exact_moved_is_read_in_full_and_what_is_gone_is_told(project: Project) -> None:
    first = project.read()
    lost = project.sandbox.account(SOURCE, "2")["ID"]
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.move(SOURCE)

    second = project.read(state=first.state)
    third = project.read(state=second.state)

    assert "Division 100 is read in full: Exact moved it to another database." in second.log
    assert (codes(second), gone(second)) == (["1", "3"], [lost])
    assert (codes(third), gone(third)) == ([], [])


def test_a_restored_backup_is_noticed_and_read_in_full(project: Project) -> None:
    project.sandbox.back_up(SOURCE)
    project.sandbox.edit(SOURCE, "1", City="Ede")
    project.sandbox.seed(SOURCE, [customer(9)])
    new = project.sandbox.account(SOURCE, "9")["ID"]
    first = project.read()
    project.sandbox.restore(SOURCE)

    second = project.read(state=first.state)
    third = project.read(state=second.state)

    assert "as after a restored backup" in second.log
    assert (codes(second), gone(second)) == (["1", "2", "3"], [new])
    assert (codes(third), gone(third)) == ([], [])


def test_a_restored_backup_is_noticed_though_work_went_on_beyond_the_bookmark(project: Project) -> None:
    project.sandbox.back_up(SOURCE)
    project.sandbox.edit(SOURCE, "1", City="Ede")
    first = project.read()
    project.sandbox.restore(SOURCE)
    for city in ("Delft", "Gouda", "Leiden"):
        project.sandbox.edit(SOURCE, "3", City=city)

    second = project.read(state=first.state)

    assert codes(second)[:3] == ["1", "2", "3"]


def test_the_deletion_of_the_newest_row_is_no_restored_backup(project: Project) -> None:
    first = project.read()
    project.sandbox.remove(SOURCE, "3")
    calls(project)

    second = project.read(state=first.state)

    assert (calls(project), codes(second), len(gone(second))) == (QUIET, [], 1)
    assert codes(project.read(state=second.state)) == []


def test_what_was_deleted_before_the_log_began_is_found_by_comparing(project: Project) -> None:
    project.sandbox.reset(small_world(600, limits=LASTING, now="2026-01-05T10:00:00Z"))
    first = project.read()
    lost = project.sandbox.account(SOURCE, "2")["ID"]
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.advance(90 * DAY)
    calls(project)

    second = project.read(state=first.state)
    third = project.read(state=second.state)

    assert "compared with those known: the last reading lies further back than Exact's deletion log" in second.log
    assert (codes(second), gone(second), gone(third)) == ([], [lost], [])
    assert calls(project) == QUIET + 1 + QUIET


def test_a_newest_row_that_was_deleted_before_the_log_began_is_found_too(project: Project) -> None:
    project.sandbox.reset(small_world(limits=LASTING, now="2026-01-05T10:00:00Z"))
    first = project.read()
    lost = project.sandbox.account(SOURCE, "3")["ID"]
    project.sandbox.remove(SOURCE, "3")
    project.sandbox.advance(90 * DAY)

    second = project.read(state=first.state)

    assert "read in full: the last reading lies further back than Exact's deletion log" in second.log
    assert gone(second) == [lost]


def test_a_property_that_is_selected_later_means_a_reading_in_full(project: Project) -> None:
    first = project.read("--catalog", str(project.catalog({"City"})))

    second = project.read(state=first.state)
    third = project.read("--catalog", str(project.catalog({"City"})), state=second.state)

    assert "more is selected than it was read with: City" in second.log
    assert (codes(second), codes(third)) == (["1", "2", "3"], [])


def test_a_lost_store_means_a_reading_in_full(project: Project) -> None:
    first = project.read()
    forget_all_but_the_login(project.folder / "store.db")

    second = project.read(state=first.state)

    assert "the store does not know of the last reading" in second.log
    assert codes(second) == ["1", "2", "3"]


def forget_all_but_the_login(store: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as database:
        for table in ("known_accounts", "readings", "budgets"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608


def test_a_lost_state_means_a_reading_in_full_that_tells_what_is_gone(project: Project) -> None:
    project.read()
    project.sandbox.remove(SOURCE, "2")

    second = project.read()

    assert "Division 100 is read in full: there is no bookmark." in second.log
    assert (codes(second), len(gone(second))) == (["1", "3"], 1)


def test_a_missing_right_is_not_taken_for_a_division_without_accounts(project: Project) -> None:
    first = project.read()
    project.sandbox.change_division(SOURCE, rights={"read_accounts": False})
    blind = project.read(state=first.state)
    project.sandbox.change_division(SOURCE, rights={})
    project.sandbox.edit(SOURCE, "2", City="Ede")

    after = project.read(state=blind.state)

    assert "nothing is taken for deleted" in blind.log
    assert (codes(blind), gone(blind)) == ([], [])
    assert (codes(after), gone(after)) == (["2"], [])


def test_a_plain_row_version_still_is_a_bookmark(project: Project) -> None:
    old = plain(project.read())
    project.sandbox.edit(SOURCE, "2", City="Ede")

    second = project.read(state=old)

    assert codes(second) == ["2"]
    assert codes(project.read(state=second.state)) == []


def test_after_a_plain_row_version_a_quiet_run_is_quiet_and_a_restored_backup_noticed(project: Project) -> None:
    project.sandbox.back_up(SOURCE)
    project.sandbox.edit(SOURCE, "2", City="Ede")
    old = plain(project.read())

    quiet = project.read(state=old)
    project.sandbox.restore(SOURCE)
    restored = project.read(state=old)

    assert (codes(quiet), codes(restored)) == ([], ["1", "2", "3"])


def test_a_bookmark_that_was_set_back_by_hand_is_obeyed(project: Project) -> None:
    state = project.read().state
    assert state is not None
    for partition in state["bookmarks"]["accounts"]["partitions"]:
        partition["replication_key_value"] -= 2

    assert codes(project.read(state=state)) == ["2", "3"]


def test_an_interval_of_months_is_bridged_without_reading_all_rows(project: Project) -> None:
    first = project.read()
    project.sandbox.advance(timedelta(days=30).total_seconds())
    project.sandbox.edit(SOURCE, "2", City="Ede")
    calls(project)

    assert codes(project.read(state=first.state)) == ["2"]
    assert calls(project) == QUIET


def test_a_deletion_is_not_told_of_an_account_that_is_back(project: Project) -> None:
    first = project.read()
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.advance(60)
    project.sandbox.seed(SOURCE, [customer(2)])
    project.sandbox.advance(60)

    second = project.read(state=first.state)
    after_a_lost_state = project.read()

    assert (codes(second), gone(second)) == (["2"], [])
    assert gone(after_a_lost_state) == []


def test_a_deletion_right_after_the_reading_is_told_by_the_next_one(project: Project) -> None:
    first = project.read()
    project.sandbox.advance(5)
    project.sandbox.remove(SOURCE, "2")

    assert len(gone(project.read(state=first.state))) == 1


def test_what_was_deleted_came_back_and_vanished_with_a_backup_is_gone(project: Project) -> None:
    first = project.read()
    project.sandbox.remove(SOURCE, "2")
    second = project.read(state=first.state)
    project.sandbox.advance(60)
    project.sandbox.back_up(SOURCE)
    project.sandbox.seed(SOURCE, [customer(2)])
    third = project.read(state=second.state)
    project.sandbox.restore(SOURCE)

    fourth = project.read(state=third.state)

    assert (codes(third), len(gone(fourth))) == (["2"], 1)
