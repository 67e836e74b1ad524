"""What the tap makes of the states and stores that it is given: old ones, lost ones, others', none."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from delivered import LASTING, codes, gone
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran


@pytest.fixture(autouse=True)
def _start(project: Project) -> None:
    project.sandbox.reset(small_world(limits=LASTING))


def test_a_bookmark_holds_no_float_which_would_stop_some_targets(project: Project) -> None:
    state = json.dumps(project.read().state)

    assert json.loads(state, parse_float=lambda text: pytest.fail(f"{text} is a float"))


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
        for table in ("known_rows", "feed_rows", "feed_series", "budgets"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608


def test_a_lost_state_means_a_reading_in_full_that_tells_what_is_gone(project: Project) -> None:
    project.read()
    project.sandbox.remove(SOURCE, "2")

    second = project.read()

    assert "Division 100 is read in full: there is no bookmark." in second.log
    assert (codes(second), len(gone(second))) == (["1", "3"], 1)


def plain(ran: Ran) -> dict[str, Any]:
    """The state as it was when bookmarks were row versions and no more."""
    state: dict[str, Any] = json.loads(json.dumps(ran.state))
    for stream in ("accounts", "deleted_accounts"):
        for partition in state["bookmarks"][stream]["partitions"]:
            del partition["reading"]
    return state


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


def first_edition(ran: Ran, after: int) -> dict[str, Any]:
    """The state as the first edition kept it, with a digest of each row of the overlap."""
    state: dict[str, Any] = json.loads(json.dumps(ran.state))
    for partitions in (state["bookmarks"][stream]["partitions"] for stream in ("accounts", "deleted_accounts")):
        for partition in partitions:
            kept = partition["reading"]
            partition["reading"] = {name: kept[name] for name in ("at", "moved", "fields", "series")} | {
                "after": after,
                "marks": {kept["at"]: partition["replication_key_value"]},
                "delivered": {"f00c2b77a3c1": partition["replication_key_value"]},
            }
    return state


def test_a_bookmark_of_the_first_edition_is_gone_on_from(project: Project) -> None:
    first = project.read()
    old = first_edition(first, after=first.records("accounts")[0]["Timestamp"])
    project.sandbox.remove(SOURCE, "1")
    project.sandbox.seed(SOURCE, [customer(9)])

    second = project.read(state=old)

    assert "read in full" not in second.log
    assert (codes(second), len(gone(second))) == (["2", "9"], 1)  # 2 lies in its overlap
    third = project.read(state=second.state)
    assert (codes(third), gone(third)) == ([], [])


def test_a_bookmark_of_the_first_edition_in_a_lost_store_means_a_reading_in_full(project: Project) -> None:
    old = first_edition(project.read(), after=0)
    forget_all_but_the_login(project.folder / "store.db")

    second = project.read(state=old)

    assert "the store does not know of the last reading" in second.log
    assert codes(second) == ["1", "2", "3"]


def test_a_bookmark_that_was_set_back_by_hand_is_obeyed(project: Project) -> None:
    state = project.read().state
    assert state is not None
    for partition in state["bookmarks"]["accounts"]["partitions"]:
        partition["replication_key_value"] -= 2

    assert codes(project.read(state=state)) == ["2", "3"]


def test_what_nobody_acknowledged_is_delivered_again(project: Project) -> None:
    first = project.read()
    project.sandbox.edit(SOURCE, "1", City="Ede")
    project.sandbox.remove(SOURCE, "2")
    project.read(state=first.state)

    again = project.read(state=first.state)

    assert (codes(again), len(gone(again))) == (["1"], 1)
    after = project.read(state=again.state)
    assert (codes(after), gone(after)) == ([], [])


def test_two_pipelines_on_one_store_each_get_all(project: Project) -> None:
    ours, theirs = project.read(), project.read()
    project.sandbox.edit(SOURCE, "1", City="Ede")
    project.sandbox.remove(SOURCE, "2")

    for _ in range(2):
        after = project.read(state=ours.state), project.read(state=theirs.state)
        assert [(codes(ran), len(gone(ran))) for ran in after] == [(["1"], 1)] * 2
    quiet = [project.read(state=ran.state) for ran in after]
    assert [(codes(ran), gone(ran)) for ran in quiet] == [([], [])] * 2


def without_stream(project: Project, stream: str) -> Path:
    """A catalog with one stream deselected."""
    found = json.loads(project.read("--discover").output)
    (one,) = (one for one in found["streams"] if one["tap_stream_id"] == stream)
    for entry in one["metadata"]:
        if not entry["breadcrumb"]:
            entry["metadata"]["selected"] = False
    path = project.folder / "catalog.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


def test_deletions_alone_are_what_the_log_says(project: Project) -> None:
    path = without_stream(project, "accounts")
    project.sandbox.remove(SOURCE, "2")

    first = project.read("--catalog", str(path))
    project.sandbox.remove(SOURCE, "3")
    second = project.read("--catalog", str(path), state=first.state)

    assert (len(gone(first)), len(gone(second)), codes(second)) == (1, 1, [])


def test_accounts_alone_notice_a_restored_backup_and_take_no_deletion_for_one(project: Project) -> None:
    path = str(without_stream(project, "deleted_accounts"))
    first = project.read("--catalog", path)
    project.sandbox.remove(SOURCE, "3")
    second = project.read("--catalog", path, state=first.state)
    project.sandbox.back_up(SOURCE)
    project.sandbox.edit(SOURCE, "1", City="Ede")
    third = project.read("--catalog", path, state=second.state)
    project.sandbox.restore(SOURCE)

    fourth = project.read("--catalog", path, state=third.state)

    assert (codes(second), codes(third), codes(fourth)) == ([], ["1"], ["1", "2"])
    assert ("restored backup" in second.log, "restored backup" in fourth.log) == (False, True)
