"""The rows of a company's lists, kept; a list with a sync feed takes the company's next row version at every change."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from exactonline_sandbox import accounts_table
from exactonline_sandbox.reference_lists import ReferenceList

Row = dict[str, Any]


def by_natural(db: sqlite3.Connection, division: int, known: ReferenceList, natural: str) -> Row | None:
    """One row by what tells it apart for a person, or None."""
    return _one(db, "natural = ?", division, known, natural)


def by_key(db: sqlite3.Connection, division: int, known: ReferenceList, key: str) -> Row | None:
    """One row by its key, or None."""
    return _one(db, "id = ?", division, known, key)


def all_rows(db: sqlite3.Connection, division: int, known: ReferenceList) -> list[Row]:
    """The rows of a list, by key."""
    return list(_rows(db, "1", "id", division, known))


def after_version(db: sqlite3.Connection, division: int, known: ReferenceList, version: int) -> Iterator[Row]:
    """The rows changed after a row version, by row version."""
    return _rows(db, "version > ?", "version", division, known, version)


def _one(db: sqlite3.Connection, where: str, division: int, known: ReferenceList, value: str) -> Row | None:
    return next(_rows(db, where, "id", division, known, value), None)


def _rows(
    db: sqlite3.Connection, where: str, order: str, division: int, known: ReferenceList, *values: str | int
) -> Iterator[Row]:
    cursor = db.execute(
        f"SELECT version, data FROM list_rows WHERE division = ? AND list = ? AND {where} ORDER BY {order}",  # noqa: S608
        (division, known.name, *values),
    )
    for version, data in cursor:
        row: Row = json.loads(data)
        if version is not None:
            row["Timestamp"] = version
        yield row


def put(db: sqlite3.Connection, division: int, known: ReferenceList, row: Row) -> None:
    """Write a row under its key, new or not. Nulls are not kept.

    Raises:
        sqlite3.IntegrityError: Another row has what tells this one apart.
    """
    version = accounts_table.next_version(db, division) if known.sync else None
    data = {name: value for name, value in row.items() if value is not None and name != "Timestamp"}
    db.execute(
        "INSERT INTO list_rows (division, list, id, natural, version, data) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (division, list, id) DO UPDATE SET natural = excluded.natural, version = excluded.version,"
        " data = excluded.data",
        (
            *(division, known.name, row[known.key], natural_of(known, row), version),
            json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        ),
    )


def remove(db: sqlite3.Connection, division: int, known: ReferenceList, key: str, wall: int) -> None:
    """Delete a row, and note it for sync/Deleted if the list has a number there."""
    db.execute("DELETE FROM list_rows WHERE division = ? AND list = ? AND id = ?", (division, known.name, key))
    if known.deleted_as is not None:
        accounts_table.note_deletion(db, division, known.deleted_as, key, wall, None)


def natural_of(known: ReferenceList, row: Row) -> str:
    """What tells a row apart for a person, as one text."""
    return "/".join(str(row[name]) for name in known.natural)


def key_for(division: int, known: ReferenceList, natural: str) -> str:
    """The key of a new row: the same in every run, another in every division unless the list is shared by all."""
    if known.key == "Code":
        return natural
    place = "exact-user" if known.shared else f"exact-list:{division}:{known.name}"
    return str(uuid5(NAMESPACE_URL, f"{place}:{natural}"))
