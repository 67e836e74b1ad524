"""The source records of this run, on disk and in order, until the run plans. Private to the process.

What is in here was not acknowledged by a STATE, so a killed run loses nothing with it: the tap sends it again.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exactonline_client.entities import Entity

from target_exactonline.planning.merge import merged
from target_exactonline.planning.model import SourceKey, SourceRecord
from target_exactonline.store.rows import RECORDS_AT_A_TIME, packed, pages, unpacked

_COLUMNS = "number, target, division, key, code, content, problems, is_deleted, stream, merged"

_PUT = f"INSERT OR REPLACE INTO incoming ({_COLUMNS}) VALUES ({', '.join('?' * 10)})"  # noqa: S608
_FIND = f"SELECT {_COLUMNS} FROM incoming WHERE target = ? AND division = ? AND key = ?"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Incoming:
    """A source record that came in."""

    number: int
    """Place in the order in which records came in."""
    target: int
    """Code of the company that it was addressed to; 0 if settings fan it out."""
    record: SourceRecord
    merged: int = 0
    """Records of the same source record that came in before and became part of it."""


class Spool:
    """An ordered set of records, one per source record: two of one are merged field by field, the newer first."""

    def __init__(self, entity: Entity) -> None:
        self._entity = entity
        # An empty name is SQLite's temporary database: on disk when large, and removed when the process ends.
        self._mutex = threading.RLock()
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute(
            "CREATE TABLE incoming (number INTEGER PRIMARY KEY, target INTEGER, division INTEGER, key TEXT, "
            "code TEXT, content TEXT, problems TEXT, is_deleted INTEGER, stream TEXT, "
            "merged INTEGER, UNIQUE (target, division, key))"
        )
        self._database.execute(
            "CREATE TABLE seen (stream TEXT, target INTEGER, division INTEGER, key TEXT, version INTEGER, "
            "PRIMARY KEY (stream, target, division, key)) WITHOUT ROWID"
        )
        self._activated: dict[str, int] = {}

    def put(self, records: Sequence[Incoming]) -> list[Incoming]:
        """Add records; return those that were merged into an earlier one of the same source record."""
        merged_ones = []
        self._database.execute("BEGIN")
        for one in records:
            where = (one.target, one.record.key.division, one.record.key.id)
            if (row := self._database.execute(_FIND, where).fetchone()) is not None:
                before = _incoming(*row)
                merged_ones.append(one)
                one = replace(before, merged=before.merged + 1, record=merged(self._entity, one.record, before.record))  # noqa: PLW2901
            self._database.execute(_PUT, _row(one))
        self._database.execute("COMMIT")
        return merged_ones

    def pages(self) -> Iterator[list[Incoming]]:
        """Yield the records in order, a hundred at a time."""
        after = 0
        query = f"SELECT {_COLUMNS} FROM incoming WHERE number > ? ORDER BY number LIMIT {RECORDS_AT_A_TIME}"  # noqa: S608
        while True:
            with self._mutex:
                rows = self._database.execute(query, (after,)).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [_incoming(*row) for row in rows]

    def get(self, numbers: Sequence[int]) -> dict[int, Incoming]:
        """Return the records with these numbers."""
        found: dict[int, Incoming] = {}
        for page in pages(numbers):
            query = f"SELECT {_COLUMNS} FROM incoming WHERE number IN ({', '.join('?' * len(page))})"  # noqa: S608
            with self._mutex:
                rows = self._database.execute(query, list(page)).fetchall()
            found |= {row[0]: _incoming(*row) for row in rows}
        return found

    def drop(self, numbers: Sequence[int]) -> None:
        """Forget some records."""
        self._database.executemany("DELETE FROM incoming WHERE number = ?", [(number,) for number in numbers])

    # Streams that are read in full

    def see(self, stream: str, version: int, target: int, key: SourceKey) -> None:
        """Note that a record came with this version of its stream."""
        self._database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?)", (stream, target, *key, version))

    def activate(self, stream: str, version: int) -> None:
        """Note that all of a stream has come, if anything has with this version."""
        query = "SELECT 1 FROM seen WHERE stream = ? AND version = ? LIMIT 1"
        if self._database.execute(query, (stream, version)).fetchone():
            self._activated[stream] = version

    def activated(self) -> dict[str, set[tuple[int, int]]]:
        """Return the streams of which all has come, and the pairs of target and source company that anything was of."""
        query = "SELECT DISTINCT target, division FROM seen WHERE stream = ? AND version = ?"
        return {one: set(self._database.execute(query, (one, version))) for one, version in self._activated.items()}

    def has_come(self, stream: str, target: int, key: SourceKey) -> bool:
        """Return whether a record came with the version of its stream that was activated."""
        query = "SELECT 1 FROM seen WHERE stream = ? AND target = ? AND division = ? AND key = ? AND version = ?"
        return self._database.execute(query, (stream, target, *key, self._activated[stream])).fetchone() is not None

    # All of them

    def count(self, target: int) -> int:
        """Return how many records came in for one company, and for all."""
        query = "SELECT count(*) FROM incoming WHERE target IN (0, ?) AND NOT is_deleted"
        with self._mutex:
            return int(self._database.execute(query, (target,)).fetchone()[0])

    def places(self) -> list[tuple[int, int]]:
        """Return where records come from and go to: source company and addressed company, each pair once."""
        return self._database.execute("SELECT DISTINCT division, target FROM incoming ORDER BY 1, 2").fetchall()

    def clear(self) -> None:
        """Forget all records, which were planned."""
        self._database.execute("DELETE FROM incoming")

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def _row(one: Incoming) -> tuple[Any, ...]:
    record = one.record
    problems = packed(record.problems) if record.problems else None
    values = packed(record.values)
    return (
        one.number, one.target, *record.key, record.code, values, problems, record.is_deleted, record.stream, one.merged
    )  # fmt: skip


def _incoming(
    number: int,
    target: int,
    division: int,
    key: str,
    code: str,
    values: str,
    problems: str | None,
    is_deleted: int,
    stream: str,
    merged: int,
) -> Incoming:
    record = SourceRecord(
        SourceKey(division, key), code, unpacked(values), tuple(unpacked(problems)), bool(is_deleted), 0, stream
    )
    return Incoming(number, target, record, merged)
