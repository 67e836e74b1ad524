"""Laws of the bookmark: every row goes out once, whenever it was committed, and the overlap stays small."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tap_exactonline.bookmarks import LATE_COMMITS, MOST_REMEMBERED, Bookmark, Reading, as_state, bookmark_of

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
MINUTES = st.integers(0, 600)
FIELDS = frozenset({"Name"})


def row(key: int, version: int) -> dict[str, Any]:
    return {"ID": f"00000000-0000-4000-8000-{key:012}", "Timestamp": version}


def read(bookmark: Bookmark | None, rows: list[dict[str, Any]], at: datetime) -> tuple[list[Any], Bookmark]:
    """The rows that go out, and the bookmark as it comes back from a state."""
    reading = Reading(bookmark, at)
    out = reading.new([one for one in rows if one["Timestamp"] > reading.after])
    assert not reading.missing()
    after = reading.bookmark(at, fields=FIELDS, moved_at=None)
    kept = bookmark_of(json.loads(json.dumps(as_state(after))))
    assert kept == after
    return out, after


@given(
    st.lists(st.tuples(MINUTES, st.integers(0, int(LATE_COMMITS / timedelta(minutes=1)) - 1)), max_size=40),
    st.lists(st.integers(1, 200), max_size=12),
)
def test_every_row_goes_out_once_however_late_it_was_committed(
    writes: list[tuple[int, int]], intervals: list[int]
) -> None:
    in_order = sorted(writes)  # by when they were written, which gives them their row version
    bookmark, minute, told = None, 0, []

    for interval in (*intervals, 2000):
        minute += interval
        seen = [row(n, n + 1) for n, (written, lasts) in enumerate(in_order) if written + lasts < minute]
        out, bookmark = read(bookmark, seen, START + timedelta(minutes=minute))
        told += [one["ID"] for one in out]

    assert sorted(told) == [row(n, 0)["ID"] for n in range(len(in_order))]


@given(st.lists(st.integers(0, 2000), max_size=8))
def test_the_overlap_never_holds_more_than_half_a_page(sizes: list[int]) -> None:
    bookmark, version = None, 0

    for number, size in enumerate(sizes):
        rows = [row(version + n, version + n + 1) for n in range(size)]
        before = [] if bookmark is None else [row(key - 1, key) for key in range(max(1, bookmark.after), version + 1)]
        _, bookmark = read(bookmark, [*before, *rows], START + timedelta(minutes=number))
        version += size
        assert len(bookmark.delivered) <= MOST_REMEMBERED


def test_a_row_that_changed_again_is_not_missed_where_it_was() -> None:
    _, bookmark = read(None, [row(1, 10), row(2, 11)], START)

    out, _ = read(bookmark, [row(2, 11), row(1, 12)], START)

    assert [one["Timestamp"] for one in out] == [12]


def test_a_row_that_went_back_or_vanished_is_missing() -> None:
    _, bookmark = read(None, [row(1, 10), row(2, 11)], START)
    reading = Reading(bookmark, START)

    reading.new([row(1, 9)])

    assert len(reading.missing()) == 2
