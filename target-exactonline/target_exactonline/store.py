"""What the target remembers between runs, for one site: see `tables`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

from exactonline_client.odata import Row
from exactonline_client.store import Store
from sqlalchemy import Table, and_, bindparam, delete, select
from sqlalchemy.engine import Connection

from target_exactonline.outcomes import Result
from target_exactonline.plan import LastWritten, Present
from target_exactonline.tables import history, intents, links, parked, refreshes, replica

CODES_AT_A_TIME = 500


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
    put_aside: list[PutAside] = field(default_factory=list)
    events: list[Result] = field(default_factory=list)
    """For the history."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to remember."""
        return not (self.written or self.linked or self.ended or self.put_aside or self.events)


class TargetStore:
    """The target's tables, for the sites of a run."""

    def __init__(self, store: Store, *sites: str) -> None:
        self._store = store
        self._sites = sites
        self._site_of: dict[int, str] = {}

    def place(self, division: int, site: str) -> None:
        """Say at which site a division is, where there are several."""
        self._site_of[division] = site

    def _site(self, division: int) -> str:
        return self._site_of.get(division, self._sites[0])

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
                "present": _packed({name: value for name, value in row.items() if name not in _COLUMNS}),
            }
            for row in rows
            if row.get("Code")
        ]
        with self._store.write() as connection:
            self._upsert(connection, replica, [(division, row) for row in values])

    def end_refresh(self, division: int, position: ReadPosition, gone: Sequence[str], seen: set[str] | None) -> None:
        """Close a refresh: forget rows that were deleted and, after a full read, all that it did not see."""
        with self._store.write() as connection:
            for ids in _chunks(gone):
                connection.execute(delete(replica).where(self._in(replica, division), replica.c.account_id.in_(ids)))
            if seen is not None:
                unseen = [code for code in self._codes(connection, division) if code not in seen]
                for codes in _chunks(unseen):
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
            for some in _chunks(codes):
                query = select(replica).where(self._in(replica, division), replica.c.code.in_(some))
                for row in connection.execute(query):
                    found[row.code] = Present(row.account_id, json.loads(row.present), _instant(row.modified_at))
        return found

    def keep_present(self, division: int, code: str, present: Present | None) -> None:
        """Correct one row of the replica; None takes it out."""
        with self._store.write() as connection:
            if present is None:
                connection.execute(delete(replica).where(self._in(replica, division), replica.c.code == code))
            else:
                self._upsert(connection, replica, [(division, _replica_row(code, present))])

    # What we wrote

    def links(self, division: int, codes: Sequence[str]) -> dict[str, LastWritten]:
        """What we wrote under these codes before."""
        found: dict[str, LastWritten] = {}
        with self._store.read() as connection:
            for some in _chunks(codes):
                for row in connection.execute(select(links).where(self._in(links, division), links.c.code.in_(some))):
                    found[row.code] = LastWritten(row.account_id, json.loads(row.written), _instant(row.written_at))
        return found

    def settle(self, settlement: Settlement, at: datetime, run: int) -> None:
        """Remember what became of records in this run: one transaction, a few statements, however many divisions."""
        written = settlement.written
        linked = [(one.division, one.code, one.link) for one in written] + settlement.linked
        with self._store.write() as connection:
            self._upsert(connection, replica, [(one.division, _replica_row(one.code, one.present)) for one in written])
            self._upsert(connection, links, [(division, _link_row(code, link)) for division, code, link in linked])
            if settlement.ended:
                keys = [self._key(division, code) for division, code in settlement.ended]
                for table in (parked, intents):
                    connection.execute(_delete_by_key(table), keys)
            self._upsert(connection, parked, [(one.division, _aside_row(one, at)) for one in settlement.put_aside])
            if settlement.events:
                rows = [
                    {**one.as_row(), "site": self._site(one.division or 0), "run": run} for one in settlement.events
                ]
                connection.execute(history.insert(), rows)

    def intend(self, division: int, values: Mapping[str, Row]) -> None:
        """Remember, before it is sent, what is about to be written under each code.

        If the run is killed before it can note what became of that, the next one knows its own writing again.
        """
        rows = [(division, {"code": code, "intended": _packed(row)}) for code, row in values.items()]
        with self._store.write() as connection:
            self._upsert(connection, intents, rows)

    def intended(self, division: int, codes: Sequence[str]) -> dict[str, Row]:
        """What was about to be written under these codes, by a run that did not come to note the outcome."""
        found: dict[str, Row] = {}
        with self._store.read() as connection:
            for some in _chunks(codes):
                query = select(intents).where(self._in(intents, division), intents.c.code.in_(some))
                found.update((row.code, json.loads(row.intended)) for row in connection.execute(query))
        return found

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
                    row for some in _chunks(codes) for row in connection.execute(query.where(parked.c.code.in_(some)))
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

    def _in(self, table: Table, division: int) -> Any:
        return and_(table.c.site == self._site(division), table.c.division == division)

    def _codes(self, connection: Connection, division: int) -> list[str]:
        return list(connection.execute(select(replica.c.code).where(self._in(replica, division))).scalars())

    def _key(self, division: int, code: str) -> dict[str, Any]:
        return {"of_site": self._site(division), "of_division": division, "of_code": code}

    def _upsert(self, connection: Connection, table: Table, rows: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
        """Put rows, each with its division, in the place of those with the same code."""
        if rows:
            statement = _upsert_statement(table, connection.dialect.name)
            placed = [{"site": self._site(division), "division": division, **row} for division, row in rows]
            connection.execute(statement, placed)


@cache
def _upsert_statement(table: Table, dialect: str) -> Any:
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql as sql  # noqa: PLC0415 - with all its drivers; dear, and seldom needed
    else:
        from sqlalchemy.dialects import sqlite as sql  # type: ignore[no-redef] # noqa: PLC0415
    insert = sql.insert(table)
    key = [column.name for column in table.primary_key]
    changed = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=changed)


@cache
def _delete_by_key(table: Table) -> Any:
    return delete(table).where(
        table.c.site == bindparam("of_site"),
        table.c.division == bindparam("of_division"),
        table.c.code == bindparam("of_code"),
    )


_COLUMNS = {"ID", "Code", "Timestamp", "Modified"}


def _replica_row(code: str, present: Present) -> dict[str, Any]:
    return {
        "code": code,
        "account_id": present.account_id,
        "timestamp": 0,
        "modified_at": present.modified_at.isoformat() if present.modified_at else None,
        "present": _packed(present.values),
    }


def _link_row(code: str, link: LastWritten) -> dict[str, Any]:
    return {
        "code": code,
        "account_id": link.account_id,
        "written": _packed(link.values),
        "written_at": link.written_at.isoformat() if link.written_at else None,
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
    )


def _aside_row(one: PutAside, at: datetime) -> dict[str, Any]:
    return {
        "code": one.code,
        "state": one.state,
        "stream": one.stream,
        "wanted": _packed(one.wanted),
        "reason": one.reason,
        "first_seen": one.first_seen or at.isoformat(),
        "last_tried": at.isoformat(),
        "attempts": one.attempts + 1,
    }


def _packed(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CODES_AT_A_TIME):
        yield values[start : start + CODES_AT_A_TIME]
