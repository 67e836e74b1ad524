"""Contacts, addresses and bank accounts of a company as Exact shows them: rows kept, and accounts' visit addresses."""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from exactonline_sandbox import accounts_table as accounts
from exactonline_sandbox import children_table as table
from exactonline_sandbox import visit_addresses
from exactonline_sandbox.child_entities import ADDRESSES, ChildEntity

Row = dict[str, Any]


def by_key(db: sqlite3.Connection, division: int, known: ChildEntity, key: str) -> Row | None:
    """One row, or None."""
    row = table.by_key(db, division, known, key)
    if row is not None or known is not ADDRESSES:
        return row
    account = accounts.by_id(db, division, visit_addresses.twin(key))
    return None if account is None else visit_addresses.of_account(account)


def after_key(db: sqlite3.Connection, division: int, known: ChildEntity, key: str = "") -> Iterable[Row]:
    """The rows above a key, by key; of addresses also those below it, which have to be put in order anyway."""
    if known is not ADDRESSES:
        return table.after_key(db, division, known, key)
    visits = _visits(db, division, accounts.after_id(db, division))
    return sorted([*table.after_key(db, division, known), *visits], key=_key)


def of_account(db: sqlite3.Connection, division: int, known: ChildEntity, key: str) -> list[Row]:
    """The rows of one account, by key."""
    rows = table.of_account(db, division, known, key)
    account = accounts.by_id(db, division, key) if known is ADDRESSES else None
    return rows if account is None else sorted([*rows, *_visits(db, division, [account])], key=_key)


def after_version(db: sqlite3.Connection, division: int, known: ChildEntity, version: int) -> Iterator[Row]:
    """The rows changed after a row version, by row version."""
    rows = table.after_version(db, division, known, version)
    if known is not ADDRESSES:
        return rows
    visits = _visits(db, division, accounts.after_version(db, division, version))
    return heapq.merge(rows, visits, key=lambda row: int(row["Timestamp"]))


def _visits(db: sqlite3.Connection, division: int, held: Iterable[Row]) -> Iterator[Row]:
    """The visit addresses of accounts for which no row is kept."""
    for account in held:
        row = visit_addresses.of_account(account)
        if row is not None and table.by_key(db, division, ADDRESSES, row["ID"]) is None:
            yield row


def _key(row: Row) -> str:
    return str(row["ID"])
