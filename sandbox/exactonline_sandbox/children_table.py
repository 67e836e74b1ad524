"""The rows of contacts, addresses and bank accounts, kept; those with a sync feed take a row version at each change."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from exactonline_sandbox import accounts_table
from exactonline_sandbox.child_entities import ChildEntity

Row = dict[str, Any]

_FIRST_NUMBER = 1001


def by_key(db: sqlite3.Connection, division: int, known: ChildEntity, key: str) -> Row | None:
    """One row, or None."""
    return next(_rows(db, "id = ?", "id", division, known, key), None)


def after_key(db: sqlite3.Connection, division: int, known: ChildEntity, key: str = "") -> Iterator[Row]:
    """The rows above a key, by key."""
    return _rows(db, "id > ?", "id", division, known, key)


def of_account(db: sqlite3.Connection, division: int, known: ChildEntity, account: str) -> list[Row]:
    """The rows of one account, by key."""
    return list(_rows(db, "account = ?", "id", division, known, account))


def count(db: sqlite3.Connection, division: int, known: ChildEntity, account: str) -> int:
    """How many rows an account has."""
    counted = db.execute(
        "SELECT COUNT(*) FROM children WHERE division = ? AND entity = ? AND account = ?",
        (division, known.name, account),
    )
    return int(counted.fetchone()[0])


def after_version(db: sqlite3.Connection, division: int, known: ChildEntity, version: int) -> Iterator[Row]:
    """The rows changed after a row version, by row version."""
    return _rows(db, "version > ?", "version", division, known, version)


def _rows(
    db: sqlite3.Connection, where: str, order: str, division: int, known: ChildEntity, *values: str | int
) -> Iterator[Row]:
    cursor = db.execute(
        f"SELECT version, data FROM children WHERE division = ? AND entity = ? AND {where} ORDER BY {order}",  # noqa: S608
        (division, known.name, *values),
    )
    for version, data in cursor:
        row: Row = json.loads(data)
        if version is not None:
            row["Timestamp"] = version
        yield row


def put(db: sqlite3.Connection, division: int, known: ChildEntity, row: Row, version: int | None = None) -> None:
    """Write a row under its ID, new or not, with the next row version unless one is given. Nulls are not kept."""
    if version is None and known.sync:
        version = accounts_table.next_version(db, division)
    data = {name: value for name, value in row.items() if value is not None and name != "Timestamp"}
    db.execute(
        "INSERT INTO children (division, entity, id, account, number, version, data) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (division, entity, id) DO UPDATE SET account = excluded.account, number = excluded.number,"
        " version = excluded.version, data = excluded.data",
        (
            *(division, known.name, row["ID"], row.get("Account"), row.get("HID"), version),
            json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        ),
    )


def remove(db: sqlite3.Connection, division: int, known: ChildEntity, key: str, wall: int, by: str | None) -> None:
    """Delete a row, and note it for sync/Deleted if the entity has a number there."""
    drop(db, division, known, key)
    if known.deleted_as is not None:
        accounts_table.note_deletion(db, division, known.deleted_as, key, wall, by)


def drop(db: sqlite3.Connection, division: int, known: ChildEntity, key: str) -> None:
    """Delete a row without a trace."""
    db.execute("DELETE FROM children WHERE division = ? AND entity = ? AND id = ?", (division, known.name, key))


def next_number(db: sqlite3.Connection, division: int, known: ChildEntity) -> int:
    """The highest number given plus one: HID of a contact."""
    highest = db.execute(
        "SELECT MAX(number) FROM children WHERE division = ? AND entity = ?", (division, known.name)
    ).fetchone()[0]
    return _FIRST_NUMBER if highest is None else int(highest) + 1


def key_for(division: int, known: ChildEntity, text: str) -> str:
    """The guid that a row of a world gets: the same in every run, another in every division."""
    return str(uuid5(NAMESPACE_URL, f"exact-child:{division}:{known.name}:{text}"))
