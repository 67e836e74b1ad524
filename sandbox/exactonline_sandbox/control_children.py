"""Control calls about contacts, addresses and bank accounts: what a company holds, and changes by a person's hand."""

from typing import Any

from exactonline_sandbox import accounts_table as accounts
from exactonline_sandbox import child_rows, children
from exactonline_sandbox import children_table as table
from exactonline_sandbox.child_entities import ADDRESSES, CHILDREN, CONTACTS, ChildEntity
from exactonline_sandbox.context import Row
from exactonline_sandbox.control_accounts import Order, UnknownError, division_of, hand_of
from exactonline_sandbox.edm import readable
from exactonline_sandbox.properties import Property
from exactonline_sandbox.saving import remove_child
from exactonline_sandbox.visit_addresses import is_visit

_TIMESTAMP = Property("Timestamp", "Edm.Int64")


def rows(order: Order) -> Any:
    """All rows of a company, those of one entity, or one; those of one account with `?account=` and its code."""
    division = division_of(order, order.parts[0]).code
    if len(order.parts) == 1:
        return {name: _shown(order, division, known) for name, known in CHILDREN.items()}
    known = _entity_of(order)
    if len(order.parts) == 2:
        return _shown(order, division, known)
    return _readable(order, division, known, _row_of(order, division, known))


def write_rows(order: Order) -> Any:
    """Change the row whose ID the path names, or add or change all `rows` of the body: new ones where no ID is stated.

    With `replace` no other rows stay. The answer is the row, or the rows.
    """
    division, known = division_of(order, order.parts[0]), _entity_of(order)
    at = hand_of(order, division)
    if len(order.parts) > 2:
        key = _row_of(order, division.code, known)["ID"]
        child_rows.put_by_hand(at, known, {**order.body, "ID": key})
        return rows(order)
    written = [child_rows.put_by_hand(at, known, given) for given in order.body["rows"]]
    if order.body.get("replace"):
        _remove(order, [row for row in _kept_rows(order, division.code, known) if row["ID"] not in written])
    held = {row["ID"]: row for row in children.after_key(order.db, division.code, known)}
    return [_readable(order, division.code, known, held[key]) for key in written]


def remove_rows(order: Order) -> Any:
    """Delete the row that the path names, or all, or those of one account; sync/Deleted has those with a feed."""
    division, known = division_of(order, order.parts[0]).code, _entity_of(order)
    named = [_row_of(order, division, known)] if len(order.parts) > 2 else _kept_rows(order, division, known)
    return {"removed": _remove(order, named)}


def _remove(order: Order, named: list[Row]) -> int:
    known, at = _entity_of(order), hand_of(order, division_of(order, order.parts[0]))
    for row in named:
        if known is ADDRESSES and is_visit(row):
            raise ValueError("the main visit address of an account is changed with the account")
        remove_child(at, known, row)
    return len(named)


def _entity_of(order: Order) -> ChildEntity:
    known = CHILDREN.get(order.parts[1])
    if known is None:
        raise UnknownError(f"accounts have no {order.parts[1]}; they have {', '.join(CHILDREN)}")
    return known


def _row_of(order: Order, division: int, known: ChildEntity) -> Row:
    row = children.by_key(order.db, division, known, order.parts[2].lower())
    if row is None:
        raise UnknownError(f"{known.name} of division {division} have no {order.parts[2]}")
    return row


def _kept_rows(order: Order, division: int, known: ChildEntity) -> list[Row]:
    """The rows of all accounts or the one asked for, without the visit addresses that follow from accounts."""
    found = _asked(order, division, known)
    return [row for row in found if table.by_key(order.db, division, known, row["ID"]) is not None]


def _asked(order: Order, division: int, known: ChildEntity) -> list[Row]:
    code = order.query.get("account")
    if code is None:
        return list(children.after_key(order.db, division, known))
    account = accounts.by_code(order.db, division, code)
    if account is None:
        raise UnknownError(f"no account {code} in division {division}")
    return children.of_account(order.db, division, known, account["ID"])


def _shown(order: Order, division: int, known: ChildEntity) -> list[Row]:
    return [_readable(order, division, known, row) for row in _asked(order, division, known)]


def _readable(order: Order, division: int, known: ChildEntity, row: Row) -> Row:
    """The members that a row has and the code of its account: text trimmed, dates as ISO wall time."""
    members = {**known.entity.properties, "Timestamp": _TIMESTAMP}
    account = accounts.by_id(order.db, division, row["Account"]) if row.get("Account") else None
    shown = {name: readable(members[name], value) for name, value in row.items() if value is not None}
    if known is CONTACTS:
        shown["IsMainContact"] = account is not None and account.get("MainContact") == row["ID"]
    return {**shown, "AccountCode": account["Code"] if account else None}
