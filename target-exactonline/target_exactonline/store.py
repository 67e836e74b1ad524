"""What the target remembers between runs, for one site: see `tables`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from exactonline_client.odata import Row
from sqlalchemy import delete, select
from sqlalchemy.engine import Connection

from target_exactonline.links import Links, link_row, source_in
from target_exactonline.outcomes import Result
from target_exactonline.plan import LastWritten, Present
from target_exactonline.sited import chunks, instant, packed
from target_exactonline.sources import Source
from target_exactonline.tables import history, intents, links, parked, refreshes, replica


@dataclass(frozen=True, slots=True)
class ReadPosition:
    """How far a division has been read."""

    timestamp: int
    deleted_timestamp: int
    fields: frozenset[str]
    read_at: datetime


State = Literal["parked", "refused"]


@dataclass(frozen=True, slots=True)
class PutAside:
    """A change that did not get to Exact: it waits for a limit, or Exact refused it."""

    division: int
    code: str
    state: State
    stream: str
    wanted: Row
    reason: str
    first_seen: str = ""
    last_tried: str = ""
    attempts: int = 0
    source: Source | None = None
    """The account at the source that it comes from, if that is known."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one change at Exact, to be remembered in one piece."""

    division: int
    code: str
    present: Present
    link: LastWritten


@dataclass(slots=True)
class Settlement:
    """What a run has to remember of records that ended, kept all at once or not at all."""

    written: list[Written] = field(default_factory=list)
    linked: list[tuple[int, str, LastWritten]] = field(default_factory=list)
    """Division, code and link of rows that need no write and are known as ours from now on."""
    ended: list[tuple[int, str]] = field(default_factory=list)
    """Division and code: nothing of it is put aside any more."""
    deleted: list[tuple[int, str]] = field(default_factory=list)
    """Division and code: the division holds it no more."""
    put_aside: list[PutAside] = field(default_factory=list)
    events: list[Result] = field(default_factory=list)
    """For the history."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remember."""
        return not (self.written or self.linked or self.ended or self.deleted or self.put_aside or self.events)


class TargetStore(Links):
    """The target's tables, for the sites of a run."""

    # The replica of each division

    def position(self, division: int) -> ReadPosition | None:
        """How far this division has been read, or None if never."""
        with self._store.read() as connection:
            row = connection.execute(select(refreshes).where(self._in(refreshes, division))).one_or_none()
        if row is None:
            return None
        fields = frozenset(json.loads(row.fields))
        return ReadPosition(row.timestamp, row.deleted_timestamp, fields, datetime.fromisoformat(row.read_at))

    def keep_rows(self, division: int, rows: Iterable[Row]) -> None:
        """Take rows, as a sync page brought them, into the replica."""
        values = [
            {
                "code": row["Code"],
                "account_id": row["ID"],
                "timestamp": row.get("Timestamp") or 0,
                "modified_at": row.get("Modified"),
                "present": packed({name: value for name, value in row.items() if name not in _COLUMNS}),
            }
            for row in rows
            if row.get("Code")
        ]
        with self._store.write() as connection:
            self._upsert(connection, replica, [(division, row) for row in values])

    def end_refresh(self, division: int, position: ReadPosition, gone: Sequence[str], seen: set[str] | None) -> None:
        """Close a refresh: forget rows that were deleted and, after a full read, all that it did not see."""
        with self._store.write() as connection:
            for ids in chunks(gone):
                connection.execute(delete(replica).where(self._in(replica, division), replica.c.account_id.in_(ids)))
            if seen is not None:
                unseen = [code for code in self._codes(connection, division) if code not in seen]
                for codes in chunks(unseen):
                    connection.execute(delete(replica).where(self._in(replica, division), replica.c.code.in_(codes)))
            values = {
                "timestamp": position.timestamp,
                "deleted_timestamp": position.deleted_timestamp,
                "fields": json.dumps(sorted(position.fields)),
                "read_at": position.read_at.isoformat(),
            }
            connection.execute(delete(refreshes).where(self._in(refreshes, division)))
            connection.execute(refreshes.insert(), {"site": self._site(division), "division": division, **values})

    def codes(self, division: int) -> set[str]:
        """All codes that the division holds, as far as is known."""
        with self._store.read() as connection:
            return set(self._codes(connection, division))

    def present(self, division: int, codes: Sequence[str]) -> dict[str, Present]:
        """What the division holds under these codes."""
        found: dict[str, Present] = {}
        with self._store.read() as connection:
            for some in chunks(codes):
                query = select(replica).where(self._in(replica, division), replica.c.code.in_(some))
                for row in connection.execute(query):
                    found[row.code] = Present(row.account_id, json.loads(row.present), instant(row.modified_at))
        return found

    def keep_present(self, division: int, code: str, present: Present | None) -> None:
        """Correct one row of the replica; None takes it out."""
        with self._store.write() as connection:
            if present is None:
                connection.execute(delete(replica).where(self._in(replica, division), replica.c.code == code))
            else:
                self._upsert(connection, replica, [(division, _replica_row(code, present))])

    # What we wrote

    def settle(self, settlement: Settlement, at: datetime, run: int) -> None:
        """Remember what became of records in this run: one transaction, a few statements, however many divisions."""
        written = settlement.written
        linked = [(one.division, one.code, one.link) for one in written] + settlement.linked
        with self._store.write() as connection:
            self._upsert(connection, replica, [(one.division, _replica_row(one.code, one.present)) for one in written])
            self._upsert(connection, links, [(division, link_row(code, link)) for division, code, link in linked])
            for table in (parked, intents):
                self._delete_by_code(connection, table, settlement.ended)
            for table in (replica, links):
                self._delete_by_code(connection, table, settlement.deleted)
            self._upsert(connection, parked, [(one.division, _aside_row(one, at)) for one in settlement.put_aside])
            if settlement.events:
                rows = [
                    {**one.as_row(), "site": self._site(one.division or 0), "run": run} for one in settlement.events
                ]
                connection.execute(history.insert(), rows)

    # What could not go yet, and what Exact refused

    def put_aside_before(
        self, state: State | None = None, division: int | None = None, codes: Sequence[str] | None = None
    ) -> list[PutAside]:
        """Changes of earlier runs, oldest first; only those in this state, division, or under these codes."""
        query = select(parked).where(parked.c.site.in_(self._sites))
        if state is not None:
            query = query.where(parked.c.state == state)
        if division is not None:
            query = query.where(parked.c.division == division)
        query = query.order_by(parked.c.first_seen, parked.c.division, parked.c.code)
        with self._store.read() as connection:
            if codes is None:
                rows = connection.execute(query).all()
            else:
                rows = [
                    row for some in chunks(codes) for row in connection.execute(query.where(parked.c.code.in_(some)))
                ]
        return [_put_aside(row) for row in rows]

    def forget(self, state: State | None = None, division: int | None = None, code: str | None = None) -> int:
        """Drop changes that were put aside; answers how many."""
        mine: list[Any] = [parked.c.site.in_(self._sites)]
        mine += [parked.c.state == state] if state is not None else []
        mine += [parked.c.division == division] if division is not None else []
        mine += [parked.c.code == code] if code is not None else []
        with self._store.write() as connection:
            return connection.execute(delete(parked).where(*mine)).rowcount

    def try_again(self, division: int, code: str) -> int:
        """Let the next run try a refused change again although nothing of it changed; answers how many that are."""
        mine = parked.c.site.in_(self._sites) & (parked.c.division == division) & (parked.c.code == code)
        with self._store.write() as connection:
            refused = connection.execute(
                parked.update().where(mine, parked.c.state == "refused").values(state="parked")
            )
        return refused.rowcount

    def history(
        self,
        division: int | None = None,
        code: str | None = None,
        limit: int = 100,
        offset: int = 0,
        run: int | None = None,
    ) -> list[dict[str, Any]]:
        """What was created, updated and refused, newest first, as lines of outcomes.jsonl, each with its run."""
        query = select(history).where(history.c.site.in_(self._sites))
        if run is not None:
            query = query.where(history.c.run == run)
        if division is not None:
            query = query.where(history.c.division == division)
        if code is not None:
            query = query.where(history.c.code == code)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(history.c.number.desc()).limit(limit).offset(offset)).all()
        return [
            {
                "division": row.division,
                "code": row.code,
                "outcome": row.outcome,
                "changes": json.loads(row.changes),
                "reason": row.reason,
                "at": row.at,
                "run": row.run,
            }
            for row in rows
        ]

    # Beneath

    def _codes(self, connection: Connection, division: int) -> list[str]:
        return list(connection.execute(select(replica.c.code).where(self._in(replica, division))).scalars())


_COLUMNS = {"ID", "Code", "Timestamp", "Modified"}


def _replica_row(code: str, present: Present) -> dict[str, Any]:
    return {
        "code": code,
        "account_id": present.account_id,
        "timestamp": 0,
        "modified_at": present.modified_at.isoformat() if present.modified_at else None,
        "present": packed(present.values),
    }


def _put_aside(row: Any) -> PutAside:
    return PutAside(
        row.division,
        row.code,
        row.state,
        row.stream,
        json.loads(row.wanted),
        row.reason,
        row.first_seen,
        row.last_tried,
        row.attempts,
        source_in(row),
    )


def _aside_row(one: PutAside, at: datetime) -> dict[str, Any]:
    return {
        "code": one.code,
        "state": one.state,
        "stream": one.stream,
        "wanted": packed(one.wanted),
        "reason": one.reason,
        "first_seen": one.first_seen or at.isoformat(),
        "last_tried": at.isoformat(),
        "attempts": one.attempts + 1,
        "source_division": one.source.division if one.source else None,
        "source_id": one.source.account_id if one.source else None,
    }
