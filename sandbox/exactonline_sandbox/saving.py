"""Accounts and what belongs to them written, with what Exact does of itself: main contacts, main rows, visit addresses.

No rule is checked here. Modified of an account stays when a contact is added to it, also one that becomes its main
contact (R: NANGO list-accounts and customers of 25 June 2026, accounts 11ac… and a58c…); its Timestamp: a switch.
"""

import sqlite3
from dataclasses import dataclass

from exactonline_sandbox import accounts_table as accounts
from exactonline_sandbox import children_table as table
from exactonline_sandbox import visit_addresses
from exactonline_sandbox.account_rows import Row, stamped
from exactonline_sandbox.child_entities import ADDRESSES, CHILDREN, CONTACTS, ChildEntity
from exactonline_sandbox.options import Switches
from exactonline_sandbox.world import Division

_POSTAL_INVOICE_DELIVERY = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class WriteContext:
    """Where, when and by whom something is written; `user` is None for a person at the screen."""

    db: sqlite3.Connection
    division: Division
    switches: Switches
    wall: int
    user: str | None = None


def save_account(at: WriteContext, row: Row, before: Row | None, version: int | None = None) -> None:
    """Write an account. Its visit address changes with it, or keeps what it was."""
    if before is not None:
        _part_from_visit(at, before)
    accounts.put(at.db, at.division.code, row, version)
    if before is None:
        if at.switches.other_addresses == "made":
            _make_other_addresses(at, row)
        return
    visit = table.by_key(at.db, at.division.code, ADDRESSES, visit_addresses.twin(row["ID"]))
    was, now = ({name: one.get(name) for name in visit_addresses.MEMBERS} for one in (before, row))
    if visit is not None and at.switches.visit_address == "one_row" and was != now:
        table.put(at.db, at.division.code, ADDRESSES, stamped({**visit, **now}, at.wall, at.user, new=False))


def save_child(at: WriteContext, known: ChildEntity, row: Row, before: Row | None) -> None:
    """Write a contact, address or bank account."""
    code, key = at.division.code, row.get("Account")
    table.put(at.db, code, known, stamped(row, at.wall, at.user, new=before is None))
    if key is None:  # of a warehouse
        return
    if known.main_within and row.get("Main") and at.switches.main_siblings == "reset":
        _reset_siblings(at, known, row)
    if known is ADDRESSES and visit_addresses.is_visit(row) and at.switches.visit_address == "one_row":
        changed = {**(accounts.by_id(at.db, code, key) or {}), **visit_addresses.part_of_account(row)}
        accounts.put(at.db, code, stamped(changed, at.wall, at.user, new=False))
    elif known is CONTACTS and before is None and table.count(at.db, code, known, key) == 1:
        set_main_contact(at, key, row["ID"])
    else:
        _note_change(at, key)


def remove_child(at: WriteContext, known: ChildEntity, row: Row) -> None:
    """Delete a contact, address or bank account. That an account then has no main contact is an assumption."""
    table.remove(at.db, at.division.code, known, row["ID"], at.wall, at.user)
    key = row.get("Account")
    account = accounts.by_id(at.db, at.division.code, key) if key and known is CONTACTS else None
    if account is not None and account.get("MainContact") == row["ID"]:
        set_main_contact(at, account["ID"], None)
    elif key:
        _note_change(at, key)


def remove_account(at: WriteContext, key: str) -> None:
    """Delete an account and what belongs to it; whether sync/Deleted has the latter is a switch."""
    code = at.division.code
    for known in CHILDREN.values():
        for row in table.of_account(at.db, code, known, key):
            if at.switches.deleted_with_account == "logged":
                table.remove(at.db, code, known, row["ID"], at.wall, at.user)
            else:
                table.drop(at.db, code, known, row["ID"])
    accounts.remove(at.db, code, key, at.wall, at.user)


def set_main_contact(at: WriteContext, key: str, contact: str | None) -> None:
    """Give an account another main contact, or none."""
    account = accounts.by_id(at.db, at.division.code, key)
    if account is not None:
        accounts.put(at.db, at.division.code, {**account, "MainContact": contact}, account["Timestamp"])
        _note_change(at, key)


def _note_change(at: WriteContext, key: str) -> None:
    """Move the row version of an account after a change of what belongs to it, where this world says so."""
    account = accounts.by_id(at.db, at.division.code, key) if at.switches.child_changes == "account_moves" else None
    if account is not None:
        _part_from_visit(at, account)
        accounts.put(at.db, at.division.code, account)


def _part_from_visit(at: WriteContext, account: Row) -> None:
    """Keep a row for the visit address of an account that is about to change, where the two are apart."""
    visit = visit_addresses.of_account(account) if at.switches.visit_address == "two_rows" else None
    if visit is not None and table.by_key(at.db, at.division.code, ADDRESSES, visit["ID"]) is None:
        table.put(at.db, at.division.code, ADDRESSES, visit, visit["Timestamp"])


def _make_other_addresses(at: WriteContext, account: Row) -> None:
    visit = visit_addresses.of_account({**account, "Timestamp": None})
    for kind in _POSTAL_INVOICE_DELIVERY if visit is not None else ():
        key = table.key_for(at.division.code, ADDRESSES, f"{account['ID']}:{kind}")
        row = stamped({**(visit or {}), "ID": key, "Type": kind}, at.wall, at.user, new=True)
        table.put(at.db, at.division.code, ADDRESSES, row)


def _reset_siblings(at: WriteContext, known: ChildEntity, row: Row) -> None:
    for other in table.of_account(at.db, at.division.code, known, row["Account"]):
        alike = all(other.get(name) == row.get(name) for name in known.main_within)
        if alike and other.get("Main") and other["ID"] != row["ID"]:
            reset = stamped({**other, "Main": False}, at.wall, at.user, new=False)
            table.put(at.db, at.division.code, known, reset)
