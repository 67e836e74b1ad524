"""How far a stream of a division has been read, and what a reading makes of that. Pure.

A row version is given when a row is written and shows when the transaction is committed, so one can show up below a
version that was read already. Each reading therefore begins a little below the newest version, and the bookmark
remembers which rows of that overlap went out, so that they do not go out again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Any

from exactonline_client.odata import Row

LATE_COMMITS = timedelta(hours=1)
"""How long a transaction may take before its rows are missed. A guess, and a generous one."""
MOST_REMEMBERED = 500
"""Rows of the overlap; half a page, so that reading them again costs no call of its own."""
ANCHORS = 10
"""Rows below the overlap that are remembered as well, so that the next reading surely finds its place."""
LOG_KEPT = timedelta(days=55)
"""Exact keeps deletions for two months; after this long the log cannot tell them all any more."""
UNKNOWN = ""
"""Stands for the newest row in a bookmark from before rows were remembered."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where the next reading begins. All instants are on Exact's clock."""

    timestamp: int
    """The highest row version read; 0 without any."""
    after: int
    """The next reading asks for what lies above."""
    delivered: Mapping[str, int] = field(default_factory=dict)
    """Rows above `after` that went out: the beginning of a digest of the key → row version."""
    marks: Mapping[datetime, int] = field(default_factory=dict)
    """By when readings had ended → the highest row version then; oldest first."""
    fields: frozenset[str] = frozenset()
    read_at: datetime | None = None
    """When the last reading began; None if all that is known is `timestamp`."""
    moved_at: datetime | None = None
    """When Exact last moved the division, as far as was known then."""
    series: str = ""
    """Names the run of row versions that `timestamp` belongs to: it changes with each reading in full."""

    def of_series(self, series: str) -> Bookmark:
        """The same in another series."""
        return replace(self, series=series)


def bookmark_of(state: Mapping[str, Any]) -> Bookmark | None:
    """The bookmark in a partition of the state; one of plain row version will do, and one set by hand is obeyed."""
    value, kept = state.get("replication_key_value"), state.get("reading")
    if not isinstance(kept, Mapping):
        if not value:
            return None
        timestamp = int(value)
        return Bookmark(timestamp, timestamp - 1, {UNKNOWN: timestamp})
    timestamp = int(value or 0)
    return Bookmark(
        timestamp,
        min(int(kept["after"]), timestamp),
        {key: int(version) for key, version in kept["delivered"].items() if int(version) <= timestamp},
        {datetime.fromisoformat(at): int(version) for at, version in kept["marks"].items()},
        frozenset(kept["fields"]),
        datetime.fromisoformat(kept["at"]),
        datetime.fromisoformat(kept["moved"]) if kept.get("moved") else None,
        str(kept["series"]),
    )


def as_state(bookmark: Bookmark) -> dict[str, Any]:
    """What a partition of the state keeps of a bookmark: texts and whole numbers, since a float stops some targets."""
    return {
        "replication_key": "Timestamp",
        "replication_key_value": bookmark.timestamp,
        "reading": {
            "at": bookmark.read_at.isoformat() if bookmark.read_at else None,
            "series": bookmark.series,
            "moved": bookmark.moved_at.isoformat() if bookmark.moved_at else None,
            "after": bookmark.after,
            "marks": {at.isoformat(): version for at, version in bookmark.marks.items()},
            "delivered": dict(bookmark.delivered),
            "fields": sorted(bookmark.fields),
        },
    }


def why_in_full(
    bookmark: Bookmark, *, fields: frozenset[str], moved_at: datetime | None, stored_at: datetime | None
) -> str | None:
    """Why a division has to be read from its start although there is a bookmark, or None.

    Args:
        bookmark: Of the last reading.
        fields: What is selected now.
        moved_at: When Exact last moved the division.
        stored_at: The last reading that the store knows of.
    """
    if bookmark.read_at is None:  # it does not say what it was read with
        return None
    if moved_at is not None and (bookmark.moved_at is None or moved_at > bookmark.moved_at):
        return "Exact moved it to another database"
    if new := fields - bookmark.fields:
        return f"more is selected than it was read with: {', '.join(sorted(new))}"
    if stored_at is None or stored_at < bookmark.read_at:
        return "the store does not know of the last reading, so what waited in it may be lost"
    return None


def digest(key: str) -> str:
    """A short name for a key: keys made one after the other differ in a few digits only, at either end."""
    return hashlib.blake2b(key.encode(), digest_size=6).hexdigest()


class Reading:
    """One pass over the rows of a division, from a bookmark or from the start.

    Args:
        bookmark: None to read from the start.
        started_at: On Exact's clock.
        sent: What went out in the same run already.
    """

    def __init__(self, bookmark: Bookmark | None, started_at: datetime, sent: Mapping[str, int] | None = None) -> None:
        self._bookmark = bookmark
        self._delivered = sent or (bookmark.delivered if bookmark else {})
        self.started_at = started_at
        self._read: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        """Of a reading from a bookmark: what was new."""
        self.newest = bookmark.timestamp if bookmark else 0
        """The highest row version so far."""
        self.rows = 0

    @property
    def after(self) -> int:
        """Rows above this version are asked for."""
        return self._bookmark.after if self._bookmark else 0

    def new(self, rows: Sequence[Row]) -> list[Row]:
        """Those that have not gone out yet, by row version."""
        found = [row for row in rows if self._is_new(row)]
        if len(self._read) > 4 * MOST_REMEMBERED and self._bookmark is None:
            self._read = dict(nlargest(MOST_REMEMBERED, self._read.items(), key=lambda one: one[1]))
        return sorted(found, key=lambda row: int(row["Timestamp"]))

    def _is_new(self, row: Row) -> bool:
        key, version = digest(row["ID"]), int(row["Timestamp"])
        self.rows += 1
        self.newest = max(self.newest, version)
        self._read[key] = max(version, self._read.get(key, 0))
        is_new = version not in (self._delivered.get(key), self._delivered.get(UNKNOWN))
        if is_new and self._bookmark is not None:
            self.sent[key] = version
        return is_new

    def missing(self) -> set[str]:
        """Rows that went out before and are neither where they were nor further up: deleted, if all is well."""
        if self._bookmark is None:
            return set()
        if UNKNOWN in self._bookmark.delivered:
            return set() if self._read else {UNKNOWN}
        return {key for key, version in self._bookmark.delivered.items() if self._read.get(key, 0) < version}

    def bookmark(self, ended_at: datetime, *, fields: frozenset[str], moved_at: datetime | None) -> Bookmark:
        """Where the next reading begins after this one."""
        before = self._bookmark
        marks = dict(before.marks) if before else {}
        if self.newest > max(marks.values(), default=-1):
            marks[ended_at] = self.newest
        settled = [at for at in marks if at <= self.started_at - LATE_COMMITS]
        floor = max(marks[settled[-1]] if settled else 0, self.after)  # below that, not all rows are remembered
        after, delivered = self._overlap(floor)
        return Bookmark(
            timestamp=self.newest,
            after=after,
            delivered=delivered,
            marks={at: version for at, version in marks.items() if not settled or at >= settled[-1]},
            fields=fields,
            read_at=self.started_at,
            moved_at=moved_at,
            series=before.series if before else self.started_at.isoformat(),
        )

    def _overlap(self, floor: int) -> tuple[int, dict[str, int]]:
        """Where the overlap begins, and its rows with some before, by which the next reading finds its place."""
        gone, before = self.missing(), self._bookmark.delivered if self._bookmark else {}
        kept = {key: version for key, version in before.items() if key not in gone and key != UNKNOWN} | self._read
        rows = nlargest(MOST_REMEMBERED, kept.items(), key=lambda one: one[1])
        above = [row for row in rows if row[1] > floor]
        rows = rows[: len(above) + ANCHORS]
        if not rows:
            return floor, {}
        first = rows[-1][1] - 1
        return first if len(rows) == MOST_REMEMBERED else min(floor, first), dict(reversed(rows))
