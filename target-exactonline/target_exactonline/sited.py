"""Beneath the target's store: rows that belong to a site and a division, put in place of those with the same code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from exactonline_client.store import Store
from sqlalchemy import Table, and_, bindparam, delete
from sqlalchemy.engine import Connection

CODES_AT_A_TIME = 500


class SitedStore:
    """A store for the sites of a run, which knows at which site a division is."""

    def __init__(self, store: Store, *sites: str) -> None:
        self._store = store
        self._sites = sites
        self._site_of: dict[int, str] = {}

    def place(self, division: int, site: str) -> None:
        """Say at which site a division is, where there are several."""
        self._site_of[division] = site

    def _site(self, division: int) -> str:
        return self._site_of.get(division, self._sites[0])

    def _in(self, table: Table, division: int) -> Any:
        return and_(table.c.site == self._site(division), table.c.division == division)

    def _delete_by_code(self, connection: Connection, table: Table, keys: Sequence[tuple[int, str]]) -> None:
        """Remove rows by division and code."""
        if keys:
            rows = [{"of_site": self._site(one), "of_division": one, "of_code": code} for one, code in keys]
            connection.execute(_delete_by_key(table), rows)

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


def packed(values: Mapping[str, Any]) -> str:
    """Values as a text for the store."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def instant(value: str | None) -> datetime | None:
    """An instant out of the store."""
    return datetime.fromisoformat(value) if value else None


def chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Some hundred at a time: a statement takes no more."""
    for start in range(0, len(values), CODES_AT_A_TIME):
        yield values[start : start + CODES_AT_A_TIME]
