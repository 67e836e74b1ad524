"""(wanted, present, last written) → Create | Update | Leave | Skip | Refuse. Pure: what to do with one record.

A field is sent only when it differs from what the division holds. What Exact itself made of a value that we wrote
(a currency it blanked, say) is left alone until the row is changed by someone else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from exactonline_client.entities import Entity, Field
from exactonline_client.odata import Row

from target_exactonline.values import missing_for_create

LoadMethod = Literal["upsert", "append-only", "update-only"]
Nulls = Literal["follow", "clear", "keep"]
OnCollision = Literal["refuse", "overwrite"]

SQL_DATETIME_STEP = timedelta(milliseconds=4)
"""SQL Server keeps 1/300 second; two instants nearer than this are the same stored value."""


@dataclass(frozen=True, slots=True)
class Present:
    """What the division holds under the code."""

    account_id: str
    values: Row
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastWritten:
    """What we wrote to it before; an adopted row, of which we wrote nothing yet, has no values."""

    account_id: str
    values: Mapping[str, Any]
    written_at: datetime | None = None
    """On Exact's clock: the row's own Modified if it was told, else the latest that it can be."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide."""

    load_method: LoadMethod = "upsert"
    nulls: Nulls = "follow"
    on_collision: OnCollision = "refuse"


@dataclass(frozen=True, slots=True)
class Create:
    """The code is free."""

    values: Row


@dataclass(frozen=True, slots=True)
class Update:
    """These fields differ: name → (before, after)."""

    account_id: str
    changes: Mapping[str, tuple[Any, Any]]

    @property
    def values(self) -> Row:
        """What to send."""
        return {name: after for name, (_, after) in self.changes.items()}


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing differs."""

    account_id: str


@dataclass(frozen=True, slots=True)
class Skip:
    """The load method does not write this one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Writing it would be wrong."""

    reason: str


Decision = Create | Update | Leave | Skip | Refuse


def decide(
    entity: Entity, wanted: Row, present: Present | None, written: LastWritten | None, policy: Policy
) -> Decision:
    """What to do so that the division holds what is wanted."""
    if present is None:
        if policy.load_method == "update-only":
            return Skip("The division has no account with this code, and load_method is update-only.")
        if missing := missing_for_create(entity, wanted):
            return Refuse(
                f"{' and '.join(missing)} is empty, and Exact creates no {entity.name} without it. Not sent; correct "
                "it in the source and run again."
            )
        return Create({name: value for name, value in wanted.items() if value is not None})
    if policy.load_method == "append-only":
        return Skip("The division has an account with this code, and load_method is append-only.")
    first_contact = written is None or written.account_id != present.account_id
    if first_contact and policy.on_collision == "refuse" and (other := other_party(wanted, present.values)):
        return Refuse(other)
    changes = _changes(entity, wanted, present, None if first_contact else written, policy.nulls)
    return Update(present.account_id, changes) if changes else Leave(present.account_id)


def recovered(
    entity: Entity, intended: Row, present: Present | None, written: LastWritten | None
) -> LastWritten | None:
    """What we wrote, when a killed run could not note it: the row holds all that was about to be written.

    Otherwise `written`, as it is remembered.
    """
    if present is None or not intended:
        return written
    if not all(same(entity.fields[name], present.values.get(name), value) for name, value in intended.items()):
        return written
    before = written.values if written is not None and written.account_id == present.account_id else {}
    return LastWritten(present.account_id, {**before, **intended}, present.modified_at)


def other_party(wanted: Row, present: Row) -> str | None:
    """Why the same code stands for another party here, or None if it may well be the same one."""
    if "Name" in wanted and _plain(wanted["Name"]) != _plain(present.get("Name")):
        for name in ("ChamberOfCommerce", "VATNumber"):
            ours, theirs = _plain(wanted.get(name)), _plain(present.get(name))
            if ours and theirs and ours != theirs:
                return (
                    f"The code belongs to another party here: {present.get('Name')!r} with {name} {present[name]}, "
                    f"where the source has {wanted.get('Name')!r} with {wanted[name]}. Give one of them another code, "
                    "or set on_collision to overwrite."
                )
    our_role, their_role = _role(wanted), _role(present)
    if our_role and their_role and our_role != their_role:
        return (
            f"The code belongs to another party here: {present.get('Name')!r} is only a {their_role}, where the source "
            f"has {wanted.get('Name')!r}, only a {our_role}. Give one of them another code, or set on_collision to "
            "overwrite."
        )
    return None


def _changes(
    entity: Entity, wanted: Row, present: Present, written: LastWritten | None, nulls: Nulls
) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {}
    for name, after in wanted.items():
        field, before = entity.fields[name], present.values.get(name)
        if before == after or same(field, before, after):
            continue
        if _empty(after) and not _clears(name, written, nulls):
            continue
        if _settled_by_exact(field, after, present, written):
            continue
        changes[name] = (before, after)
    if "Country" in changes and "State" not in changes and not _empty(present.values.get("State")):
        # Exact wants a filled State to be valid for the new country or emptied in the same call.
        before = present.values["State"]
        changes["State"] = (before, wanted.get("State"))
    return changes


def same(field: Field, one: Any, other: Any) -> bool:
    """Whether two values of a field mean the same to Exact."""
    if _empty(one) or _empty(other):
        return _empty(one) and _empty(other)
    if field.edm == "DateTime":
        return _same_instant(datetime.fromisoformat(one), datetime.fromisoformat(other))
    if field.edm == "Double":
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if field.edm == "String":
        return str(one).strip() == str(other).strip()
    return bool(one == other)


def _same_instant(one: datetime, other: datetime) -> bool:
    if one.tzinfo is None or other.tzinfo is None:  # a date without offset is wall time of the division
        one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
    return abs(one - other) < SQL_DATETIME_STEP


def _clears(name: str, written: LastWritten | None, nulls: Nulls) -> bool:
    if nulls == "follow":
        return written is not None and not _empty(written.values.get(name))
    return nulls == "clear"


def _settled_by_exact(field: Field, after: Any, present: Present, written: LastWritten | None) -> bool:
    """Whether we wrote this very value and Exact made something else of it, with nobody at the row since."""
    if written is None or written.written_at is None or present.modified_at is None:
        return False
    if field.name not in written.values or not same(field, written.values[field.name], after):
        return False
    return present.modified_at < written.written_at + SQL_DATETIME_STEP


def _role(values: Row) -> Literal["customer", "supplier"] | None:
    """The one role that a party has, or None if it has both, neither, or is not said."""
    if "Status" not in values or "IsSupplier" not in values:
        return None
    is_customer, is_supplier = values["Status"] == "C", values["IsSupplier"] is True
    if is_customer == is_supplier:
        return None
    return "customer" if is_customer else "supplier"


def _plain(value: Any) -> str:
    """Text without case, spaces and punctuation, for comparing names and numbers."""
    return re.sub(r"[\W_]+", "", str(value or "")).casefold()


def _empty(value: Any) -> bool:
    return value is None or value == ""
