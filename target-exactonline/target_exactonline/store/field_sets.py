"""Values with the names of their fields kept once: thousands of records have the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern
from typing import Any

from exactonline_client.odata import Row
from exactonline_client.store import Store
from sqlalchemy import select
from sqlalchemy.engine import Connection

from target_exactonline.store.rows import insert_into, packed, unpacked
from target_exactonline.store.tables import field_sets


class FieldSets:
    """Sets of names by number; a set never changes. Safe for threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names: dict[int, tuple[str, ...]] = {}
        self._numbers: dict[tuple[str, ...], int] = {}

    def names(self, number: int, connection: Connection | None = None) -> tuple[str, ...]:
        """Return the names of a set."""
        if number not in self._names:
            if connection is None:
                with self._store.read() as own:
                    return self.names(number, own)
            query = select(field_sets.c.names).where(field_sets.c.id == number)
            self._names[number] = tuple(map(intern, unpacked(connection.execute(query).scalar_one())))
        return self._names[number]

    def number(self, connection: Connection, names: tuple[str, ...]) -> int:
        """Return the number of a set, which gets one at first."""
        if names not in self._numbers:
            query = select(field_sets.c.id).where(field_sets.c.names == packed(names))
            number = connection.execute(query).scalar_one_or_none()
            if number is None:
                insert = insert_into(field_sets, connection.dialect.name).on_conflict_do_nothing()
                connection.execute(insert, {"names": packed(names)})
                return int(connection.execute(query).scalar_one())  # others see it once this transaction is kept
            self._numbers[names] = number
        return self._numbers[names]

    def packed(self, connection: Connection, values: Mapping[str, Any]) -> str:
        """Return values as JSON text: the number of their set, and then one after the other."""
        names = tuple(sorted(values))
        return packed([self.number(connection, names), *map(values.__getitem__, names)])

    def unpacked(self, text: str, connection: Connection | None = None) -> Row:
        """Return the values of such a text, or of one that has the names in it, as stores of before have it."""
        kept = unpacked(text)
        if isinstance(kept, dict):
            return kept
        number, *values = kept
        return dict(zip(self.names(number, connection), values, strict=True))
