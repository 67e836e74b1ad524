"""What happens to a bookmark in years: late commits, moves, backups, rests. Each ends complete."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from delivered import DAY, LASTING, QUIET, calls, codes, gone, reading
from exactonline_client.feeds.bookmark import ANCHORS
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project


@pytest.fixture(autouse=True)
def _start(project: Project) -> None:
    project.sandbox.reset(small_world(limits=LASTING))


def kept_rows(project: Project) -> int:
    """Accounts that the store keeps for the next reading to find its place by."""
    with closing(sqlite3.connect(project.folder / "store.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM feed_rows WHERE feed = 'account'").fetchone()
    return int(count)


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

    assert len(reading(ran)["readings"]) <= 2  # this hour's and the one before
    assert kept_rows(project) <= 2 + ANCHORS


def test_a_quiet_run_costs_three_calls_and_delivers_nothing(project: Project) -> None:
    first = project.read()
    calls(project)

    second = project.read(state=first.state)

    assert (calls(project), codes(second), gone(second)) == (QUIET, [], [])


def test_after_a_first_reading_of_old_rows_a_quiet_run_is_quiet_at_once(project: Project) -> None:
    project.sandbox.reset(small_world(1200, limits=LASTING, now="2026-01-05T10:00:00Z"))
    project.sandbox.advance(3 * 3600)
    first = project.read()
    calls(project)

    second = project.read(state=first.state)

    assert (calls(project), codes(second)) == (QUIET, [])
    assert kept_rows(project) == ANCHORS


def test_rows_of_the_last_hour_are_read_again_and_the_state_stays_small(project: Project) -> None:
    project.sandbox.reset(small_world(1200, limits=LASTING, now="2026-01-05T10:00:00Z"))
    first = project.read()
    calls(project)

    second = project.read(state=first.state)
    cost = calls(project)
    project.sandbox.advance(3 * 3600)
    third = project.read(state=second.state)
    calls(project)
    fourth = project.read(state=third.state)

    assert (cost, codes(second), codes(third)) == (QUIET + 1, [], [])
    assert (calls(project), codes(fourth)) == (QUIET, [])
    assert kept_rows(project) == ANCHORS
    assert len(json.dumps(reading(first))) - len(json.dumps(reading(first)["fields"])) < 400


def test_a_row_committed_late_below_a_thousand_others_is_delivered(project: Project) -> None:
    project.sandbox.begin(SOURCE, "1", City="Ede")
    project.sandbox.seed(SOURCE, [customer(number) for number in range(10, 1010)])
    first = project.read()
    project.sandbox.commit(SOURCE)

    second = project.read(state=first.state)

    assert codes(second) == ["1"]


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


def test_what_was_deleted_before_the_log_began_is_found_by_reading_in_full(project: Project) -> None:
    project.sandbox.reset(small_world(600, limits=LASTING, now="2026-01-05T10:00:00Z"))
    first = project.read()
    lost = project.sandbox.account(SOURCE, "2")["ID"]
    project.sandbox.remove(SOURCE, "2")
    project.sandbox.advance(90 * DAY)
    calls(project)

    second = project.read(state=first.state)
    third = project.read(state=second.state)

    assert "read in full: the last reading lies further back than Exact's deletion log" in second.log
    assert (len(codes(second)), gone(second)) == (599, [lost])
    assert (codes(third), gone(third), calls(project)) == ([], [], QUIET + QUIET)


def test_a_newest_row_that_was_deleted_before_the_log_began_is_found_too(project: Project) -> None:
    project.sandbox.reset(small_world(limits=LASTING, now="2026-01-05T10:00:00Z"))
    first = project.read()
    lost = project.sandbox.account(SOURCE, "3")["ID"]
    project.sandbox.remove(SOURCE, "3")
    project.sandbox.advance(90 * DAY)

    second = project.read(state=first.state)

    assert "read in full: the last reading lies further back than Exact's deletion log" in second.log
    assert gone(second) == [lost]


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
