"""Control calls about accounts: what a division holds, and changes by a person's hand."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox.edm import readable
from exactonline_sandbox.loading import by_hand, put_by_hand, read_state, read_world
from exactonline_sandbox.properties import ACCOUNT, SYNC_ACCOUNT
from exactonline_sandbox.saving import WriteContext, remove_account
from exactonline_sandbox.world import Division

_SHOWN = {
    name: known
    for name, known in {**ACCOUNT.properties, "Timestamp": SYNC_ACCOUNT.properties["Timestamp"]}.items()
    if not known.edm.startswith("Collection")
}


@dataclass(frozen=True, slots=True)
class Order:
    """One control call: the parts of its path after /_sandbox/, its query and its JSON body."""

    db: sqlite3.Connection
    parts: tuple[str, ...]
    query: dict[str, str]
    body: Any


class UnknownError(Exception):
    """No such thing to control; answered with 404."""


def held_accounts(db: sqlite3.Connection, division: int) -> list[dict[str, Any]]:
    """What a division holds, by code: every property, text trimmed, dates as ISO wall time."""
    rows = sorted(table.after_id(db, division), key=lambda row: str(row["Code"]))
    return [{name: readable(known, row.get(name)) for name, known in _SHOWN.items()} for row in rows]


def accounts(order: Order) -> Any:
    """What a division holds."""
    return held_accounts(order.db, division_of(order, order.parts[0]).code)


def edit(order: Order) -> Any:
    """Add or change one account, its Code too; the answer is the account."""
    division = division_of(order, order.parts[0])
    account = {"Code": order.parts[1], **order.body}
    known = table.by_code(order.db, division.code, order.parts[1])
    if (
        known is not None
        and account["Code"] != order.parts[1]
        and table.by_code(order.db, division.code, account["Code"])
    ):
        raise ValueError(f"division {division.code} has an account {account['Code']} already")
    key = None if known is None else known["ID"]
    put_by_hand(order.db, read_world(order.db), division, account, read_state(order.db).now, key=key)
    return next(row for row in held_accounts(order.db, division.code) if row["Code"] == account["Code"])


def remove(order: Order) -> Any:
    """Delete one account, as sync/Deleted will tell."""
    division = division_of(order, order.parts[0])
    row = table.by_code(order.db, division.code, order.parts[1])
    if row is None:
        raise UnknownError(f"no account {order.parts[1]} in division {division.code}")
    remove_account(hand_of(order, division), row["ID"])
    return {"removed": order.parts[1]}


def seed(order: Order) -> Any:
    """Add or change accounts by Code."""
    seeded = 0
    for code, accounts in order.body["accounts"].items():
        division = division_of(order, code)
        for account in accounts:
            put_by_hand(order.db, read_world(order.db), division, account, read_state(order.db).now)
            seeded += 1
    return {"accounts": seeded}


def hand_of(order: Order, division: Division) -> WriteContext:
    """What a person writes in a division, now."""
    return by_hand(order.db, read_world(order.db), division, read_state(order.db).now)


def division_of(order: Order, code: str) -> Division:
    """The division with this code; UnknownError if the world has none."""
    division = read_world(order.db).divisions.get(int(code))
    if division is None:
        raise UnknownError(f"no division {code} in this world")
    return division
