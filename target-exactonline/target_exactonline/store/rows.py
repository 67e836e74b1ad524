"""Statements and texts that all modules of the store share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Table
from sqlalchemy.engine import Connection

ROWS_AT_A_TIME = 500
"""A statement takes no more values than some SQLite allows."""
RECORDS_AT_A_TIME = 100
"""Of what is read with all of its fields, since that is held for several companies side by side."""

T = TypeVar("T")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def packed(value: Any) -> str:
    """Return a value as JSON text."""
    return _encode(value).decode()


def unpacked(text: str | None) -> Any:
    """Return the value of a JSON text; an empty object for none."""
    return {} if text is None else _decode(text)


def sparse(values: Mapping[str, Any]) -> str:
    """Return values as JSON text without those that are empty."""
    return packed({name: value for name, value in values.items() if value is not None})


def pages(values: Iterable[T], size: int = ROWS_AT_A_TIME) -> Iterator[Sequence[T]]:
    """Yield values some hundred at a time."""
    listed = list(values)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, each in the place of the one with the same primary key."""
    if rows:
        connection.execute(_upsert(table, connection.dialect.name, tuple(rows[0])), list(rows))


def insert_into(table: Table, dialect: str) -> Any:
    """Return an insert that can say what is to be done where the row is there already."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql as sql  # noqa: PLC0415 - with all its drivers; dear, and seldom needed
    else:
        from sqlalchemy.dialects import sqlite as sql  # type: ignore[no-redef] # noqa: PLC0415
    return sql.insert(table)


@cache
def _upsert(table: Table, dialect: str, names: tuple[str, ...]) -> Any:
    insert = insert_into(table, dialect)
    key = [column.name for column in table.primary_key]
    changed = {name: insert.excluded[name] for name in names if name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=changed)
