"""How far a feed of a company has been read, and what one pass over it makes of that. Pure.

A row version is given when a row is written and shows when its transaction is committed, so a row can show up below a
version that was read already. Each reading therefore begins at the `floor`, below which everything was written more
than an hour before the last one began. Which rows above it have been handed over is kept in the store, under the
reading that did it; the bookmark names the readings that count, and so stays small.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from exactonline_client.odata import ROW_VERSION, Row

LATE_COMMITS = timedelta(hours=1)
"""How long a transaction may take before its rows are missed. A guess, and a generous one."""
CLOCK_DOUBT = timedelta(hours=1)
"""How far a date of Exact may be off: at the end of summer time it says the same hour twice."""
ANCHORS = 10
"""Rows below the floor that are kept as well, so that a reading surely finds its place."""
LOG_KEPT = timedelta(days=55)
"""Exact keeps deletions for two months (its reference says); after this long the log cannot tell them all any more."""

NO_BOOKMARK = "there is no bookmark"
WENT_BACK = "rows that were read before are neither there nor in the deletion log, as after a restored backup"
TOO_OLD = "the last reading lies further back than Exact's deletion log"
MOVED = "Exact moved it to another database"
NO_LOG = "its deletion log was not read along with its rows"
LOST = "the store does not know of the last reading, so what waited in it may be lost"


class Kept(NamedTuple):
    """A row that was handed over, as the store keeps it."""

    version: int
    reading: str
    """The reading that handed it over."""
    written_at: str | None
    """When it was written, by Exact's own date."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where the next reading of one feed begins. All instants are on Exact's clock."""

    timestamp: int
    """The highest row version read; 0 without any."""
    floor: int
    """Everything up to this version was committed when it was read, so the next reading asks for what lies above."""
    readings: Mapping[str, tuple[datetime, int]] = field(default_factory=dict)
    """Readings that handed over rows above the floor: by when each had ended, and the highest row version then."""
    fields: frozenset[str] = frozenset()
    read_at: datetime | None = None
    """When the last reading began; None if all that is known is `timestamp`."""
    moved_at: datetime | None = None
    """When Exact last moved the company, as far as was known then."""
    series: str = ""
    """Names the run of readings since the last one in full; empty for a bookmark of the first edition."""
    covers: int = 0
    """Of a deletion log: the floor of the rows that were read along with it."""

    def as_json(self) -> dict[str, Any]:
        """Return the bookmark in texts and whole numbers, since a float stops some Singer targets."""
        return {
            "timestamp": self.timestamp,
            "floor": self.floor,
            "readings": {name: [at.isoformat(), newest] for name, (at, newest) in self.readings.items()},
            "fields": sorted(self.fields),
            "at": _text(self.read_at),
            "moved": _text(self.moved_at),
            "series": self.series,
            "covers": self.covers,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Bookmark:
        """Return the bookmark that `as_json` wrote. One whose `timestamp` was set back by hand is obeyed."""
        timestamp = int(kept["timestamp"])
        return cls(
            timestamp,
            min(int(kept["floor"]), timestamp),
            {name: (datetime.fromisoformat(at), int(newest)) for name, (at, newest) in kept["readings"].items()},
            frozenset(kept["fields"]),
            _instant(kept.get("at")),
            _instant(kept.get("moved")),
            str(kept["series"]),
            int(kept["covers"]),
        )

    @classmethod
    def of_row_version(
        cls,
        timestamp: int,
        *,
        after: int | None = None,
        fields: Collection[str] = (),
        read_at: datetime | None = None,
        moved_at: datetime | None = None,
    ) -> Bookmark:
        """Return a bookmark of the first edition: all up to this row version was read, and `after` asked for next."""
        floor = min(timestamp - 1 if after is None else after, timestamp - 1)
        return cls(timestamp, max(0, floor), {}, frozenset(fields), read_at, moved_at)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the last reading of a company ended."""

    rows: Bookmark | None = None
    log: Bookmark | None = None
    """Of its deletion log."""

    def as_json(self) -> dict[str, Any]:
        """Return the position for a column of JSON."""
        return {"rows": self.rows and self.rows.as_json(), "log": self.log and self.log.as_json()}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Position:
        """Return the position that `as_json` wrote."""
        rows, log = (kept.get(name) and Bookmark.of_json(kept[name]) for name in ("rows", "log"))
        return cls(rows or None, log or None)


def why_in_full(
    position: Position,
    *,
    fields: frozenset[str],
    log_fields: frozenset[str] | None,
    moved_at: datetime | None,
    began_at: datetime,
    stored_at: datetime | None,
) -> str | None:
    """Return why a company has to be read from its start, or None.

    Args:
        position: Where the last reading ended.
        fields: The properties that are selected now.
        log_fields: Those of the deletion log; None if deletions are not wanted.
        moved_at: When Exact last moved the company.
        began_at: When this reading began.
        stored_at: When the last reading of this series began that the store knows of.
    """
    rows, log = position.rows, position.log
    if rows is None:
        return NO_BOOKMARK
    if has_moved(rows, moved_at):
        return MOVED
    new = fields - rows.fields if rows.read_at else frozenset()
    if log_fields is not None:
        if (log.series if log else "") != rows.series:
            return NO_LOG
        if log and log.read_at and began_at - log.read_at > LOG_KEPT:
            return TOO_OLD
        new |= log_fields - log.fields if log and log.read_at else frozenset()
    if new:
        return f"more is selected than it was read with: {', '.join(sorted(new))}"
    if rows.read_at is not None and (stored_at is None or stored_at < rows.read_at):
        return LOST
    return None


def has_moved(bookmark: Bookmark, moved_at: datetime | None) -> bool:
    """Return whether Exact moved the company after the bookmark was made, as far as it says with what it was read."""
    if moved_at is None or bookmark.read_at is None:
        return False
    return moved_at != bookmark.moved_at


class Pass:
    """One pass over a feed, from a bookmark or from its start.

    Args:
        key: The property that names a row.
        written: The property that says when a row was written.
        bookmark: None to read from the start.
        kept: What the store keeps of the bookmark's series: rows above the floor, and some before.
        reading: Name of this reading.
        began_at: When it began.
    """

    def __init__(
        self,
        key: str,
        written: str,
        bookmark: Bookmark | None,
        kept: Mapping[str, Kept],
        reading: str,
        began_at: datetime,
    ) -> None:
        self._key, self._written = key, written
        self._bookmark = bookmark
        self._kept = kept
        self._reading = reading
        self._began_at = began_at
        self.seen: dict[str, Kept] = {}
        """Every row of this pass."""
        self.sent: dict[str, Kept] = {}
        """Those of them that were new."""
        self.newest = bookmark.timestamp if bookmark else 0
        """The highest row version so far."""
        self.begins_series = bookmark is None or not bookmark.series
        self.series = reading if bookmark is None or not bookmark.series else bookmark.series

    @property
    def after(self) -> int:
        """Rows above this version are asked for."""
        if self._bookmark is None:
            return 0
        return max(0, min([self._bookmark.floor, *(one.version - 1 for one in self._kept.values())]))

    def take(self, rows: Sequence[Row]) -> list[Row]:
        """Return those that have not been handed over yet, by row version."""
        new = []
        for row in sorted(rows, key=lambda row: int(row[ROW_VERSION])):
            key, version = row[self._key], int(row[ROW_VERSION])
            if key in self.seen and self.seen[key].version >= version:  # pages may show a row twice
                continue
            self.newest = max(self.newest, version)
            self.seen[key] = Kept(version, self._reading, row.get(self._written))
            if self._is_new(key, version):
                self.sent[key] = self.seen[key]
                new.append(row)
        return new

    def _is_new(self, key: str, version: int) -> bool:
        bookmark, kept = self._bookmark, self._kept.get(key)
        if bookmark is None or version > bookmark.timestamp:
            return True
        if version <= bookmark.floor:
            return False
        if not bookmark.series:
            return version != bookmark.timestamp
        if kept is None or kept.version < version:
            return True
        return kept.version == version and kept.reading not in bookmark.readings  # a lower one went back

    def missing(self, written_after: datetime | None = None) -> set[str]:
        """Return what was handed over and is neither as it was nor further up: deleted, if all is well.

        A row version that comes with another date was given a second time, after it was taken back.

        Args:
            written_after: Leave out what was written before, which the deletion log forgets.
        """
        return {
            key
            for key, one in self._kept.items()
            if not self._is_there(key, one) and (written_after is None or _is_after(one.written_at, written_after))
        }

    def _is_there(self, key: str, kept: Kept) -> bool:
        seen = self.seen.get(key)
        if seen is None or seen.version != kept.version:
            return seen is not None and seen.version > kept.version
        return _wall_time(seen.written_at) == _wall_time(kept.written_at)

    def found_its_place(self, deleted: Collection[str]) -> bool:
        """Return whether all that was handed over was seen again or deleted.

        A bookmark of the first edition does not say which rows it knows, but the newest one should come again.
        """
        before = self._bookmark
        if before is not None and before.timestamp and not before.series:
            return bool(self.seen or deleted)
        return self.missing() <= set(deleted)

    def bookmark(
        self,
        ended_at: datetime,
        *,
        fields: frozenset[str],
        moved_at: datetime | None = None,
        covers: int = 0,
    ) -> Bookmark:
        """Return where the next reading begins."""
        before = self._bookmark
        readings = dict(before.readings) if before else {}
        if self.sent or self.begins_series:
            readings[self._reading] = (ended_at, self.newest)
        old = [newest for at, newest in readings.values() if at <= self._began_at - LATE_COMMITS]
        floor = max([before.floor if before else 0, self._settled(moved_at), *old])
        return Bookmark(
            timestamp=self.newest,
            floor=floor,
            readings={name: one for name, one in readings.items() if one[1] > floor},
            fields=fields,
            read_at=self._began_at,
            moved_at=moved_at,
            series=self.series,
            covers=covers,
        )

    def _settled(self, moved_at: datetime | None) -> int:
        """The highest row version below all that were given within the last hour or may have been.

        Row versions rise in the order of writing, and rows say when that was. Whether Exact also moves row versions
        without saying so is not known; that it does where it moves a company is a guess.
        """
        since = self._began_at - LATE_COMMITS - CLOCK_DOUBT
        if moved_at is not None and moved_at > since:
            return 0
        recent = min((one.version for one in self.seen.values() if _is_after(one.written_at, since)), default=None)
        return max((one.version for one in self.seen.values() if recent is None or one.version < recent), default=0)

    def to_keep(self, floor: int) -> dict[str, Kept]:
        """Return the rows of this pass that the next one looks for: those above the floor, and some before."""
        above = {key: one for key, one in self.seen.items() if one.version > floor}
        below = sorted((one for one in self.seen.items() if one[1].version <= floor), key=lambda one: one[1].version)
        return above | dict(below[-ANCHORS:])


def _is_after(written_at: str | None, instant: datetime) -> bool:
    return written_at is None or datetime.fromisoformat(written_at) > instant


def _wall_time(written_at: str | None) -> datetime | None:
    """What Exact's clock on the wall showed, whatever zone we took it to be in."""
    return datetime.fromisoformat(written_at).replace(tzinfo=None) if written_at else None


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
