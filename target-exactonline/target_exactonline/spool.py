"""The records of this run, on disk and in order, until each has ended. Private to the process and gone with it.

What is in here was not acknowledged by a STATE, so a killed run loses nothing with it: the tap sends it again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from exactonline_client.odata import Row

from target_exactonline.sources import Source

CHUNK = 500
DELETIONS_STREAM = "deleted_accounts"
_COLUMNS = "number, division, code, stream, wanted, first_seen, attempts, source_division, source_id"
_INSERT = f"INSERT {{}} INTO wanted ({_COLUMNS}) VALUES ({', '.join('?' * 9)})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a division should hold under a code."""

    number: int
    """Place in the order in which records came in."""
    division: int
    code: str
    stream: str
    values: Row
    first_seen: str = ""
    """When it was first put aside, for one that was parked by an earlier run."""
    attempts: int = 0
    source: Source | None = None
    """The account at the source that it comes from, if that is known."""

    @property
    def is_deletion(self) -> bool:
        """Whether it is wanted no more: its source was deleted."""
        return self.stream == DELETIONS_STREAM

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"Account {self.code} in division {self.division}"


class Spool:
    """An ordered set of wanted rows with one place per division and code: the newest wins."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        # An empty name is SQLite's temporary database: on disk when large, and removed when the process ends.
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute(
            "CREATE TABLE wanted (division INTEGER, code TEXT, number INTEGER, stream TEXT, wanted TEXT, "
            "first_seen TEXT, attempts INTEGER, source_division INTEGER, source_id TEXT, "
            "PRIMARY KEY (division, code)) WITHOUT ROWID"
        )
        self._database.execute("CREATE INDEX of_source ON wanted (source_id, source_division)")
        self._database.execute("CREATE INDEX in_order ON wanted (division, number)")

    def put(self, records: Iterable[Wanted]) -> list[tuple[int, str]]:
        """Add records; answers division and code of those that were there already and are overtaken."""
        overtaken = []
        with self._mutex:
            self._database.execute("BEGIN")
            for one in records:
                key = (one.division, one.code)
                if self._database.execute("DELETE FROM wanted WHERE division = ? AND code = ?", key).rowcount:
                    overtaken.append(key)
                self._database.execute(_INSERT.format(""), _row(one))
            self._database.execute("COMMIT")
        return overtaken

    def put_unless_there(self, one: Wanted) -> bool:
        """Add a record unless its place is taken; answers whether it was added."""
        with self._mutex:
            added = self._database.execute(_INSERT.format("OR IGNORE"), _row(one)).rowcount
        return bool(added)

    def source_of(self, division: int, code: str) -> Source | Literal["unknown"] | None:
        """Which source account wants this place, or None if nobody does."""
        query = "SELECT source_division, source_id FROM wanted WHERE division = ? AND code = ?"
        with self._mutex:
            row = self._database.execute(query, (division, code)).fetchone()
        if row is None:
            return None
        return Source(*row) if row[1] else "unknown"

    def copies_of(self, source: Source) -> list[tuple[int, str]]:
        """Division and code of what a source account wants."""
        query = "SELECT division, code FROM wanted WHERE source_id = ? AND source_division = ?"
        with self._mutex:
            return self._database.execute(query, (source.account_id, source.division)).fetchall()

    def divisions(self, *, but_for: str = "") -> list[int]:
        """Divisions that have records, but for those of this stream."""
        query = "SELECT DISTINCT division FROM wanted WHERE stream <> ?"
        with self._mutex:
            return [division for (division,) in self._database.execute(query, (but_for,))]

    def chunks(self, division: int) -> Iterator[list[Wanted]]:
        """The records of a division in order, some hundred at a time; those taken meanwhile are not seen again."""
        after = -(2**62)
        while True:
            with self._mutex:
                rows = self._database.execute(
                    f"SELECT {_COLUMNS} FROM wanted WHERE division = ? AND number > ? ORDER BY number LIMIT ?",  # noqa: S608
                    (division, after, CHUNK),
                ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [_wanted(*row) for row in rows]

    def take(self, division: int, codes: Sequence[str]) -> None:
        """Remove records that have ended."""
        with self._mutex:
            self._database.executemany(
                "DELETE FROM wanted WHERE division = ? AND code = ?", [(division, code) for code in codes]
            )

    def first_number(self) -> int | None:
        """Place of the earliest record that has not ended, or None if all have."""
        with self._mutex:
            (number,) = self._database.execute("SELECT min(number) FROM wanted").fetchone()
        return None if number is None else int(number)

    def close(self) -> None:
        """Forget everything."""
        self._database.close()


def _row(one: Wanted) -> tuple[Any, ...]:
    source = one.source or (None, None)
    values = json.dumps(one.values)
    return (one.number, one.division, one.code, one.stream, values, one.first_seen, one.attempts, *source)


def _wanted(
    number: int,
    division: int,
    code: str,
    stream: str,
    values: str,
    first_seen: str,
    attempts: int,
    source_division: int | None,
    source_id: str | None,
) -> Wanted:
    source = None if source_division is None or source_id is None else Source(source_division, source_id)
    return Wanted(number, division, code, stream, json.loads(values), first_seen, attempts, source)
