"""The accounts and deletions of a division as rows: read, written, moved; every change takes the next row version.

One counter per division serves accounts, ledger accounts and deletions alike (dossier 5.4 leaves that open).
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

Row = dict[str, Any]

ENTITY_TYPE = 2  # of accounts in sync/Deleted (dossier 5.4)

_loads = json.loads


def next_version(db: sqlite3.Connection, division: int) -> int:
    """The division's next row version, above all given before."""
    row = db.execute(
        "UPDATE counters SET version = version + 1 WHERE division = ? RETURNING version", (division,)
    ).fetchone()
    return int(row[0])


def by_id(db: sqlite3.Connection, division: int, key: str) -> Row | None:
    """One account, or None."""
    return _one(db.execute("SELECT version, data FROM accounts WHERE division = ? AND id = ?", (division, key)))


def by_code(db: sqlite3.Connection, division: int, code: str) -> Row | None:
    """One account by its trimmed code, or None."""
    return _one(db.execute("SELECT version, data FROM accounts WHERE division = ? AND code = ?", (division, code)))


def id_of(db: sqlite3.Connection, division: int, text: str) -> str | None:
    """The ID of the account that a code or an ID means, or None."""
    found = db.execute(
        "SELECT id FROM accounts WHERE division = ? AND (code = ? OR id = ?)", (division, text, text.lower())
    ).fetchone()
    return None if found is None else str(found[0])


def after_id(db: sqlite3.Connection, division: int, key: str = "") -> Iterator[Row]:
    """The accounts above a key, by key."""
    return _rows(
        db.execute("SELECT version, data FROM accounts WHERE division = ? AND id > ? ORDER BY id", (division, key))
    )


def after_version(db: sqlite3.Connection, division: int, version: int) -> Iterator[Row]:
    """The accounts changed after a row version, by row version."""
    return _rows(
        db.execute(
            "SELECT version, data FROM accounts WHERE division = ? AND version > ? ORDER BY version",
            (division, version),
        )
    )


def _one(cursor: sqlite3.Cursor) -> Row | None:
    return next(_rows(cursor), None)


def _rows(cursor: sqlite3.Cursor) -> Iterator[Row]:
    for version, data in cursor:
        row: Row = _loads(data)
        row["Timestamp"] = version
        yield row


def put(db: sqlite3.Connection, division: int, row: Mapping[str, Any], version: int | None = None) -> int:
    """Write an account under its ID, new or not, with the next row version, which is returned. Nulls are not kept."""
    version = next_version(db, division) if version is None else version
    data = {name: value for name, value in row.items() if value is not None and name != "Timestamp"}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    db.execute(
        "INSERT INTO accounts (division, id, code, version, data) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (division, id) DO UPDATE SET code = excluded.code, version = excluded.version,"
        " data = excluded.data",
        (division, row["ID"], row["Code"], version, text),
    )
    return version


def remove(db: sqlite3.Connection, division: int, key: str, wall: int, by: str | None) -> None:
    """Delete an account and note it for sync/Deleted."""
    db.execute("DELETE FROM accounts WHERE division = ? AND id = ?", (division, key))
    note_deletion(db, division, ENTITY_TYPE, key, wall, by)


def note_deletion(db: sqlite3.Connection, division: int, entity_type: int, key: str, wall: int, by: str | None) -> None:
    """Note for sync/Deleted that a row of some type was deleted."""
    db.execute(
        "INSERT INTO deleted (division, version, id, entity_type, entity_key, wall, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (division, next_version(db, division), str(uuid4()), entity_type, key, wall, by),
    )


def deleted_after(db: sqlite3.Connection, division: int, version: int, since_wall: int) -> Iterator[Row]:
    """Deletions after a row version that are remembered still, by row version."""
    cursor = db.execute(
        "SELECT version, id, entity_type, entity_key, wall, by FROM deleted"
        " WHERE division = ? AND version > ? AND wall >= ? ORDER BY version",
        (division, version, since_wall),
    )
    for number, key, entity_type, entity_key, wall, by in cursor:
        yield {
            "Timestamp": number,
            "ID": key,
            "EntityKey": entity_key,
            "EntityType": entity_type,
            "DeletedBy": by,
            "DeletedDate": wall,
            "Division": division,
        }


def highest_code(db: sqlite3.Connection, division: int) -> int:
    """The highest numeric code in use, 0 without any."""
    codes = db.execute("SELECT code FROM accounts WHERE division = ?", (division,))
    return max((int(code) for (code,) in codes if code.isdecimal()), default=0)


def move(db: sqlite3.Connection, division: int) -> None:
    """Give all rows fresh versions from 2 up, in their old order: the division moved to another database."""
    version = 1
    db.execute("DELETE FROM deleted WHERE division = ?", (division,))
    for name in ("accounts", "list_rows", "children"):
        rows = db.execute(
            f"SELECT rowid FROM {name} WHERE division = ? AND version IS NOT NULL ORDER BY version",  # noqa: S608
            (division,),
        ).fetchall()
        db.execute(f"UPDATE {name} SET version = -version WHERE division = ?", (division,))  # noqa: S608
        db.executemany(
            f"UPDATE {name} SET version = ? WHERE rowid = ?",  # noqa: S608
            [(number, row) for number, (row,) in enumerate(rows, start=version + 1)],
        )
        version += len(rows)
    db.execute("UPDATE counters SET version = ? WHERE division = ?", (version, division))


def key_for(division: int, code: str) -> str:
    """The guid a seeded account gets: the same in every run, another in every division."""
    return str(uuid5(NAMESPACE_URL, f"exact-account:{division}:{code}"))


def new_key() -> str:
    """A guid for an account made over the API."""
    return str(uuid4())


def is_guid(text: str) -> bool:
    """Whether a text is a guid."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
