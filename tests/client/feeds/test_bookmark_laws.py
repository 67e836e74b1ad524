"""Laws of the bookmark: every row is handed over once, whenever it was committed, and the overlap stays small."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from exactonline_client.feeds.bookmark import ANCHORS, LATE_COMMITS, Bookmark, Kept, Pass
from hypothesis import given
from hypothesis import strategies as st

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTES = st.integers(0, 600)
LASTING = st.integers(0, int(LATE_COMMITS / timedelta(minutes=1)) - 1)


def row(key: int, version: int, minute: float | None = None) -> dict[str, Any]:
    written_at = None if minute is None else (START + timedelta(minutes=minute)).isoformat()
    return {"ID": f"row-{key}", "Timestamp": version, "Modified": written_at}


class Feed:
    """A consumer of rows that shows what is kept of them."""

    def __init__(self) -> None:
        self.bookmark: Bookmark | None = None
        self.kept: dict[str, Kept] = {}
        self.readings = 0

    def read(self, rows: list[dict[str, Any]], minute: int) -> list[str]:
        """Return the keys of the new rows."""
        self.readings += 1
        began = START + timedelta(minutes=minute)
        one = Pass("ID", "Modified", self.bookmark, self.kept, f"reading {self.readings}", began)
        out = one.take([row for row in rows if row["Timestamp"] > one.after])
        assert one.found_its_place(set())
        after = one.bookmark(began, fields=frozenset())
        self.kept = {**self.kept, **one.sent} if self.bookmark else one.to_keep(after.floor)
        above = {key: kept for key, kept in self.kept.items() if kept.version > after.floor}
        below = sorted(self.kept.items(), key=lambda item: item[1].version)[: len(self.kept) - len(above)]
        self.kept = above | dict(below[-ANCHORS:])
        self.bookmark = Bookmark.of_json(json.loads(json.dumps(after.as_json())))
        assert self.bookmark == after
        return [row["ID"] for row in out]


@pytest.mark.parametrize("dated", [True, False])
@given(writes=st.lists(st.tuples(MINUTES, LASTING), max_size=40), intervals=st.lists(st.integers(1, 200), max_size=12))
def test_every_row_is_handed_over_once_however_late_it_was_committed(
    dated: bool, writes: list[tuple[int, int]], intervals: list[int]
) -> None:
    in_order = sorted(writes)  # by when they were written, which gives them their row version
    feed, minute, told = Feed(), 0, []

    for interval in (*intervals, 2000):
        minute += interval
        told += feed.read(
            [
                row(n, n + 1, written if dated else None)
                for n, (written, lasts) in enumerate(in_order)
                if written + lasts < minute
            ],
            minute,
        )

    assert sorted(told) == sorted(f"row-{n}" for n in range(len(in_order)))


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=6))
def test_what_was_written_hours_ago_is_not_read_again(sizes: list[int]) -> None:
    feed, rows = Feed(), list[dict[str, Any]]()

    for number, size in enumerate(sizes):
        rows += [row(len(rows) + n, len(rows) + n + 1, number * 180) for n in range(size)]
        feed.read(rows, number * 180 + 150)

    assert feed.bookmark is not None
    assert feed.bookmark.floor == len(rows)
    assert feed.bookmark.readings == {}
    assert len(feed.kept) <= ANCHORS


def test_a_date_may_be_an_hour_off_at_the_end_of_summer_time() -> None:
    feed = Feed()

    feed.read([row(1, 10, 0), row(2, 11, 95)], 200)  # the second may have been written at 155

    assert feed.bookmark is not None
    assert feed.bookmark.floor == 10


def test_rows_that_exact_moved_a_moment_ago_are_all_recent_whatever_their_date() -> None:
    began = START + timedelta(days=9)
    one = Pass("ID", "Modified", None, {}, "first", began)
    one.take([row(1, 2, 0), row(2, 3, 0)])

    after = one.bookmark(began, fields=frozenset(), moved_at=began - timedelta(minutes=5))

    assert after.floor == 0


def test_a_row_that_changed_again_is_not_missed_where_it_was() -> None:
    feed = Feed()
    feed.read([row(1, 10), row(2, 11)], 0)

    assert feed.read([row(2, 11), row(1, 12)], 1) == ["row-1"]


@pytest.mark.parametrize(
    "again",
    [
        pytest.param([row(1, 9, 0)], id="lower"),
        pytest.param([row(1, 10, 0)], id="gone"),
        pytest.param([row(1, 10, 0), row(2, 11, 5)], id="the same version given twice"),
    ],
)
def test_a_feed_that_went_back_is_noticed(again: list[dict[str, Any]]) -> None:
    feed = Feed()
    feed.read([row(1, 10, 0), row(2, 11, 1)], 2)
    one = Pass("ID", "Modified", feed.bookmark, feed.kept, "second", START + timedelta(minutes=3))

    one.take(again)

    assert not one.found_its_place(set())


def test_a_row_that_comes_twice_in_one_reading_counts_as_its_last_version() -> None:
    one = Pass("ID", "Modified", None, {}, "first", START)

    first, second = one.take([row(1, 12), row(2, 3)]), one.take([row(1, 10), row(2, 13)])

    assert [(row["ID"], row["Timestamp"]) for row in (*first, *second)] == [("row-2", 3), ("row-1", 12), ("row-2", 13)]
