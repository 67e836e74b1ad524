"""Control calls about the database beneath: a transaction that commits late, a backup that is restored."""

import json
from typing import Any

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox.control_accounts import Order, UnknownError, division_of
from exactonline_sandbox.loading import put_by_hand, read_state, read_world

_COLUMNS = {
    "accounts": "id, code, version, data",
    "deleted": "version, id, entity_type, entity_key, wall, by",
    "list_rows": "list, id, natural, version, data",
    "children": "entity, id, account, number, version, data",
}


def begin(order: Order) -> Any:
    """Add or change an account in a transaction that stays open: the row version is given now, nobody sees it yet."""
    division, code = division_of(order, order.parts[0]), order.parts[1]
    version = table.next_version(order.db, division.code)
    order.db.execute(
        "INSERT INTO uncommitted (division, version, code, at, body) VALUES (?, ?, ?, ?, ?)",
        (division.code, version, code, read_state(order.db).now, json.dumps(order.body)),
    )
    return {"version": version}


def commit(order: Order) -> Any:
    """Commit all open transactions of a division: their rows show, with the row versions given back then."""
    division, world = division_of(order, order.parts[0]), read_world(order.db)
    held = order.db.execute(
        "DELETE FROM uncommitted WHERE division = ? RETURNING version, code, at, body", (division.code,)
    ).fetchall()
    for version, code, at, body in sorted(held):
        put_by_hand(order.db, world, division, {**json.loads(body), "Code": code}, at, version=version)
    return {"committed": len(held)}


def back_up(order: Order) -> Any:
    """Keep a copy of a division as it is now, in place of the one before."""
    code = division_of(order, order.parts[0]).code
    copy: dict[str, Any] = {
        name: order.db.execute(f"SELECT {columns} FROM {name} WHERE division = ?", (code,)).fetchall()  # noqa: S608
        for name, columns in _COLUMNS.items()
    }
    copy["version"] = order.db.execute("SELECT version FROM counters WHERE division = ?", (code,)).fetchone()[0]
    order.db.execute("INSERT OR REPLACE INTO backups (division, data) VALUES (?, ?)", (code, json.dumps(copy)))
    return {"accounts": len(copy["accounts"])}


def restore(order: Order) -> Any:
    """Put the copy back: rows, deletions and the counter of row versions are what they were."""
    code = division_of(order, order.parts[0]).code
    found = order.db.execute("SELECT data FROM backups WHERE division = ?", (code,)).fetchone()
    if found is None:
        raise UnknownError(f"no backup of division {code} was made")
    copy = json.loads(found[0])
    for name, columns in _COLUMNS.items():
        order.db.execute(f"DELETE FROM {name} WHERE division = ?", (code,))  # noqa: S608 - names from above
        places = ", ".join("?" * len(columns.split(", ")))
        order.db.executemany(
            f"INSERT INTO {name} (division, {columns}) VALUES (?, {places})",  # noqa: S608
            [(code, *row) for row in copy.get(name, ())],
        )
    order.db.execute("UPDATE counters SET version = ? WHERE division = ?", (copy["version"], code))
    return {"accounts": len(copy["accounts"])}
