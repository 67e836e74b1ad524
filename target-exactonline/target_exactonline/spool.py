"""The records of this run, on disk and in order, until each has ended. Private to the process and gone with it.

What is in here was not acknowledged by a STATE, so a killed run loses nothing with it: the tap sends it again.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from exactonline_client.odata import Row

CHUNK = 500


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


class Spool:
    """An ordered set of wanted rows with one place per division and code: the newest wins."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        # An empty name is SQLite's temporary database: on disk when large, and removed when the process ends.
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute(
            "CREATE TABLE wanted (division INTEGER, code TEXT, number INTEGER, stream TEXT, wanted TEXT, "
            "first_seen TEXT, attempts INTEGER, PRIMARY KEY (division, code)) WITHOUT ROWID"
        )
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
                self._database.execute(
                    "INSERT INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (*key, one.number, one.stream, json.dumps(one.values), one.first_seen, one.attempts),
                )
            self._database.execute("COMMIT")
        return overtaken

    def put_unless_there(self, one: Wanted) -> bool:
        """Add a record unless its place is taken; answers whether it was added."""
        with self._mutex:
            added = self._database.execute(
                "INSERT OR IGNORE INTO wanted VALUES (?, ?, ?, ?, ?, ?, ?)",
                (one.division, one.code, one.number, one.stream, json.dumps(one.values), one.first_seen, one.attempts),
            ).rowcount
        return bool(added)

    def divisions(self) -> list[int]:
        """Divisions that have records."""
        with self._mutex:
            return [division for (division,) in self._database.execute("SELECT DISTINCT division FROM wanted")]

    def chunks(self, division: int) -> Iterator[list[Wanted]]:
        """The records of a division in order, some hundred at a time; those taken meanwhile are not seen again."""
        after = -(2**62)
        while True:
            with self._mutex:
                rows = self._database.execute(
                    "SELECT number, division, code, stream, wanted, first_seen, attempts FROM wanted"
                    " WHERE division = ? AND number > ? ORDER BY number LIMIT ?",
                    (division, after, CHUNK),
                ).fetchall()
            if not rows:
                return
            after = rows[-1][0]
            yield [
                Wanted(number, division, code, stream, json.loads(values), first_seen, attempts)
                for number, division, code, stream, values, first_seen, attempts in rows
            ]

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
