"""Which rows of a source division were ever read, and under which code: others refer to an account by it.

What is not there any more was deleted, whatever the log says.

Nothing is taken off the list, since the tap does not learn at once what became of what it sent: a deletion that is sent
again does no harm. Of what is read every day it is noted since when a row is missing: whoever comes with a bookmark of
a later reading has that deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from pathlib import Path

from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.odata import Row
from exactonline_client.schema import VersionedTables
from exactonline_client.store import Store
from sqlalchemy import Column, ColumnElement, Integer, String, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

metadata = VersionedTables("tap-exactonline", Path(__file__).parent / "migrations")

known_rows = Table(
    "known_rows",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("row_id", String, primary_key=True),
    Column("code", String),
    Column("missing_since", String),
)
IDS_AT_A_TIME = 500


class KnownRows:
    """The rows of one entity in one division."""

    def __init__(self, store: Store, company: Company, entity: Entity) -> None:
        self._store = store
        self.company = company
        self.entity = entity
        self._owner = {"site": company.site, "division": company.division, "stream": entity.stream}

    def ids(self, reported_until: datetime | None = None) -> list[str]:
        """Return the ID of each row that was ever read, but for those that are missing since then or before."""
        where = self._mine
        if reported_until is not None:
            column = known_rows.c.missing_since
            where.append(column.is_(None) | (column > _text(reported_until)))
        with self._store.read() as connection:
            return list(connection.execute(select(known_rows.c.row_id).where(*where)).scalars())

    def codes(self, row_ids: Collection[str]) -> dict[str, str]:
        """Return the codes of accounts as far as they are known; of rows that belong to one, its code or ""."""
        found, listed = dict[str, str](), list(row_ids)
        query = select(known_rows.c.row_id, known_rows.c.code).where(*self._mine, known_rows.c.code.is_not(None))
        with self._store.read() as connection:
            for start in range(0, len(listed), IDS_AT_A_TIME):
                some = known_rows.c.row_id.in_(listed[start : start + IDS_AT_A_TIME])
                found |= dict(map(tuple, connection.execute(query.where(some))))
        return found

    def see(self, rows: Sequence[Row]) -> None:
        """Add rows, before they are sent."""
        if not rows:
            return
        with self._store.write() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(known_rows)
            is_news = known_rows.c.code.is_distinct_from(insert.excluded.code) | known_rows.c.missing_since.is_not(None)
            keep = insert.on_conflict_do_update(
                index_elements=list(known_rows.primary_key),
                set_={"code": insert.excluded.code, "missing_since": None},
                where=is_news,
            )
            known_by, without = self.entity.known_by, "" if self.entity.parent else None
            codes = {row[self.entity.key]: row.get(known_by) or without for row in rows}
            values = [{**self._owner, "row_id": key, "code": code} for key, code in codes.items()]
            connection.execute(keep, values)

    def miss(self, row_ids: Sequence[str], since: datetime) -> None:
        """Note that rows are not there any more, before that is sent."""
        with self._store.write() as connection:
            for start in range(0, len(row_ids), IDS_AT_A_TIME):
                some = known_rows.c.row_id.in_(row_ids[start : start + IDS_AT_A_TIME])
                missing = update(known_rows).where(*self._mine, some, known_rows.c.missing_since.is_(None))
                connection.execute(missing.values(missing_since=_text(since)))

    @property
    def _mine(self) -> list[ColumnElement[bool]]:
        return [known_rows.c[name] == value for name, value in self._owner.items()]


def _text(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds")
