"""The rows that each company holds, as far as we know: one row of a company is one row here, by ID and by code.

What we wrote to a row is kept sparsely beside its copy: only where the row holds something else by now. So whatever
changes a row here keeps, for the fields that we wrote, what it held before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from exactonline_client.entities import Entity
from exactonline_client.odata import ROW_VERSION, Row
from exactonline_client.store import Store
from sqlalchemy import and_, bindparam, delete, func, select
from sqlalchemy.engine import Connection

from target_exactonline.planning.model import Existing
from target_exactonline.store.copies import Copies
from target_exactonline.store.rows import ROWS_AT_A_TIME, pages, sparse, unpacked, upsert
from target_exactonline.store.tables import mirror


def always_read(entity: Entity) -> tuple[str, ...]:
    """Return the members of a row that are no values of it."""
    known = (entity.key, entity.natural_key or entity.key, "Modified", ROW_VERSION)
    return tuple(name for name in known if name in entity.fields)


def existing_of(entity: Entity, row: Row) -> Existing:
    """Return a row as read from a company, in the form that a plan compares with."""
    apart = always_read(entity)
    values = {name: value for name, value in row.items() if name not in apart}
    modified = row.get("Modified")
    return Existing(
        row[entity.key],
        row.get(entity.natural_key) if entity.natural_key is not None else None,
        values,
        datetime.fromisoformat(modified) if modified else None,
    )


class Mirror:
    """The rows of one company and entity."""

    def __init__(self, store: Store, copies: Copies, company: int, entity: Entity) -> None:
        self._store = store
        self._copies = copies
        self._company = company
        self._entity = entity
        self._mine = and_(mirror.c.company == company, mirror.c.entity == entity.stream)

    def by_id(self, ids: Sequence[str]) -> dict[str, Existing]:
        """Return the rows with these IDs."""
        return {one.id: one for one in self._select(mirror.c.id, ids)}

    def by_code(self, codes: Sequence[str]) -> dict[str, Existing]:
        """Return the rows with these codes."""
        return {one.code: one for one in self._select(mirror.c.code, codes) if one.code is not None}

    def of_parents(self, ids: Sequence[str]) -> dict[str, list[Existing]]:
        """Return the rows that belong to some rows, by Exact's ID of these."""
        found: dict[str, list[Existing]] = {one: [] for one in ids}
        if self._entity.parent is not None:
            for one in self._select(mirror.c.parent, ids):
                found[one.values[self._entity.parent.field]].append(one)
        return found

    def pages(self) -> Iterator[list[Existing]]:
        """Yield all rows, some hundred at a time."""
        after = ""
        while True:
            query = select(*_COLUMNS).where(self._mine, mirror.c.id > after).order_by(mirror.c.id)
            with self._store.read() as connection:
                found = [_existing(row) for row in connection.execute(query.limit(ROWS_AT_A_TIME)).all()]
            if not found:
                return
            after = found[-1].id
            yield found

    def count(self) -> int:
        """Return how many rows the company holds."""
        with self._store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(mirror).where(self._mine)).scalar_one())

    def is_empty(self) -> bool:
        """Return whether no row is known."""
        with self._store.read() as connection:
            return connection.execute(select(mirror.c.id).where(self._mine).limit(1)).first() is None

    def lacks_what_was_written(self) -> bool:
        """Return whether a row that we wrote has not been read since; after a reading, a backup was restored then."""
        query = select(mirror.c.id).where(self._mine, mirror.c.version == 0).limit(1)
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def ids(self) -> set[str]:
        """Return the IDs of all rows."""
        with self._store.read() as connection:
            return set(connection.execute(select(mirror.c.id).where(self._mine)).scalars())

    def keep(self, rows: Sequence[Row]) -> None:
        """Put rows as read from the company in the place of what was known of them."""
        with self._store.write(f"company-{self._company}") as connection:
            for page in pages(rows):
                newest = {row[self._entity.key]: row for row in page}
                found = {key: existing_of(self._entity, row) for key, row in newest.items()}
                self.write(connection, found, {key: row.get(ROW_VERSION) or 0 for key, row in newest.items()})

    def keep_existing(self, row: Existing) -> None:
        """Put one row as it was just read in the place of what was known of it, unless that is the same."""
        if self.by_id([row.id]).get(row.id) == row:
            return
        with self._store.write(f"company-{self._company}") as connection:
            self.write(connection, {row.id: row})

    def drop(self, ids: Sequence[str]) -> None:
        """Forget rows that the company holds no longer."""
        with self._store.write(f"company-{self._company}") as connection:
            self.remove(connection, ids)

    # Within a transaction

    def write(
        self, connection: Connection, rows: Mapping[str, Existing], versions: Mapping[str, int] | None = None
    ) -> None:
        """Put rows in place, by ID; whoever else is known under one of their codes is known under none now."""
        if not rows:
            return
        before = {one.id: one for one in self._select_in(connection, mirror.c.id, list(rows))}
        self._copies.keep_baselines(connection, self._company, before, rows)
        codes = [one.code for one in rows.values() if one.code is not None]
        taken = [one.id for one in self._select_in(connection, mirror.c.code, codes) if _moved(one, rows)]
        if taken:
            query = mirror.update().where(self._mine, mirror.c.id == bindparam("of_id")).values(code=None)
            connection.execute(query, [{"of_id": one} for one in taken])
        by_code = {one.code: one.id for one in rows.values()}  # of two with one code, the later one has it
        upsert(
            connection,
            mirror,
            [
                {
                    "company": self._company,
                    "entity": self._entity.stream,
                    "id": key,
                    "code": one.code if by_code.get(one.code) == key else None,
                    "version": (versions or {}).get(key, 0),
                    "parent": one.values.get(self._entity.parent.field) if self._entity.parent else None,
                    "modified_at": one.modified_at,
                    "content": sparse(one.values),
                }
                for key, one in rows.items()
            ],
        )

    def remove(self, connection: Connection, ids: Sequence[str]) -> None:
        """Forget rows."""
        for page in pages(ids):
            before = {one.id: one for one in self._select_in(connection, mirror.c.id, page)}
            self._copies.keep_baselines(connection, self._company, before, {})
            connection.execute(delete(mirror).where(self._mine, mirror.c.id.in_(page)))

    def _select(self, column: Any, values: Sequence[str]) -> list[Existing]:
        if not values:
            return []
        with self._store.read() as connection:
            return self._select_in(connection, column, values)

    def _select_in(self, connection: Connection, column: Any, values: Sequence[str]) -> list[Existing]:
        found: list[Existing] = []
        for page in pages(values, ROWS_AT_A_TIME):
            rows = connection.execute(select(*_COLUMNS).where(self._mine, column.in_(page))).all()
            found += map(_existing, rows)
        return found


def _existing(row: Any) -> Existing:
    return Existing(row.id, row.code, unpacked(row.content), row.modified_at)


def _moved(one: Existing, rows: Mapping[str, Existing]) -> bool:
    """Return whether a row that is known under a code is not the one that has it now."""
    return one.id not in rows or rows[one.id].code != one.code


_COLUMNS = (mirror.c.id, mirror.c.code, mirror.c.content, mirror.c.modified_at)
