"""The main visit address of an account: one row with the account, or a row of its own (dossier E 3.2).

As long as nothing sets the two apart, no row is kept for it: it is read from the account, with the account's row
version and moments. What Exact has beneath is unknown; that an account made with an address has such a row is used by a
client (C).
"""

from typing import Any
from uuid import UUID

Row = dict[str, Any]

VISIT = 1
_LINES = ("AddressLine1", "AddressLine2", "AddressLine3", "Postcode", "City")
MEMBERS = (*_LINES, "State", "Country", "Phone")
_ALSO = ("Created", "Creator", "Modified", "Modifier", "Source", "Timestamp")
_TURN = UUID("0000adde-0000-0000-0000-000000000000").int


def twin(key: str) -> str:
    """The ID of an account's visit address, or of a visit address its account's: each follows from the other."""
    return str(UUID(int=UUID(key).int ^ _TURN))


def is_visit(row: Row) -> bool:
    """Whether an address is the main visit address of its account."""
    return row.get("Account") is not None and row["ID"] == twin(row["Account"])


def of_account(account: Row) -> Row | None:
    """The visit address as an account states it; None for an account without any address."""
    held = {name: account[name] for name in (*MEMBERS, *_ALSO) if account.get(name) is not None}
    if not held.keys() & {*_LINES, "Country"}:
        return None
    return {"ID": twin(account["ID"]), "Account": account["ID"], "Type": VISIT, "Main": True, **held}


def part_of_account(address: Row) -> Row:
    """The members of an account that a visit address states."""
    return {name: address.get(name) for name in MEMBERS}
