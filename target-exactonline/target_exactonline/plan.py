"""(wanted, present, last written) → Create | Update | Leave | Skip | Refuse. Pure: what to do with one record.

A field is sent only when it differs from what the division holds. What Exact itself made of a value that we wrote
(a currency it blanked, say) is left alone until the row is changed by someone else.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from exactonline_client.entities import Entity, Field
from exactonline_client.odata import Row

from target_exactonline.sources import Source
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


Changes = Mapping[str, tuple[Any, Any]]
"""Field → before, after."""


@dataclass(frozen=True, slots=True)
class LastWritten:
    """What we know of a copy: what we wrote to it, what else is wanted of it, and of which account it is a copy."""

    account_id: str
    values: Mapping[str, Any]
    """What we wrote; an adopted row, of which we wrote nothing yet, has none."""
    written_at: datetime | None = None
    """On Exact's clock: the row's own Modified if it was told, else the latest that it can be."""
    besides: Mapping[str, Any] = field(default_factory=dict)
    """What was wanted and not written, since it was there already; None for what is not to have a value of ours."""
    source: Source | None = None
    gone: Changes | None = None
    """None while its source account is there; after that, what we changed in the copy for it."""


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
    """These fields differ."""

    account_id: str
    changes: Changes

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
    ours = None if first_contact else written
    changes = {**_taken_back(entity, wanted, present, ours), **_changes(entity, wanted, present, ours, policy.nulls)}
    return Update(present.account_id, changes) if changes else Leave(present.account_id)


def remembered(entity: Entity, wanted: Row, link: LastWritten, source: Source | None, policy: Policy) -> LastWritten:
    """A link that holds all that is wanted of the copy, after a record that the division equals now."""
    clears = policy.nulls == "clear"
    values = {name: value for name, value in link.values.items() if name in wanted} if clears else link.values
    besides: Row = {}
    for name, value in wanted.items():
        if name in values and same(entity.fields[name], values[name], value):
            continue
        if clears or name in values or not _empty(value):
            besides[name] = value
    besides |= {name: None for name, value in values.items() if name not in wanted and not _empty(value)}
    return replace(link, values=values, besides=besides, source=source or link.source, gone=None)


def wanted_of(link: LastWritten, policy: Policy) -> Row:
    """All that is wanted of a copy, by the last record that came for it."""
    wanted = {**link.values, **link.besides}
    if policy.nulls == "clear":
        return wanted
    return {name: value for name, value in wanted.items() if not _empty(value)}


def recovered(
    entity: Entity, intended: Row, present: Present | None, written: LastWritten | None
) -> LastWritten | None:
    """What we wrote, when a killed run could not note it: the row holds all that was about to be written.

    Otherwise `written`, as it is remembered.
    """
    if present is None or not intended:
        return written
    was_for_a_deletion = any(isinstance(value, list) for value in intended.values())  # then it holds before and after
    after = {name: value[1] for name, value in intended.items()} if was_for_a_deletion else intended
    if not all(same(entity.fields[name], present.values.get(name), value) for name, value in after.items()):
        return written
    if was_for_a_deletion:
        gone = {name: (before, after) for name, (before, after) in intended.items()}
        return None if written is None else replace(written, gone=gone)
    before = written.values if written is not None and written.account_id == present.account_id else {}
    if written is not None:
        return replace(
            written, account_id=present.account_id, values={**before, **intended}, written_at=present.modified_at
        )
    return LastWritten(present.account_id, {**before, **intended}, present.modified_at)


def other_party(wanted: Row, present: Row) -> str | None:
    """Why the same code stands for another party here, or None if it may well be the same one."""
    who = whose_else(wanted, present)
    if who is None:
        return None
    return (
        f"The code belongs to another party here: {who}. Give one of them another code, or set on_collision to "
        "overwrite."
    )


def whose_else(wanted: Row, present: Row) -> str | None:
    """Both parties of a row, if they are two; None if they may well be one."""
    if "Name" in wanted and _plain(wanted["Name"]) != _plain(present.get("Name")):
        for name in ("ChamberOfCommerce", "VATNumber"):
            ours, theirs = _plain(wanted.get(name)), _plain(present.get(name))
            if ours and theirs and ours != theirs:
                return (
                    f"{present.get('Name')!r} with {name} {present[name]}, where the source has "
                    f"{wanted.get('Name')!r} with {wanted[name]}"
                )
    our_role, their_role = _role(wanted), _role(present)
    if our_role and their_role and our_role != their_role:
        return (
            f"{present.get('Name')!r} is only a {their_role}, where the source has {wanted.get('Name')!r}, "
            f"only a {our_role}"
        )
    return None


def _taken_back(
    entity: Entity, wanted: Row, present: Present, written: LastWritten | None
) -> dict[str, tuple[Any, Any]]:
    """What we changed when its source account was gone, which is back: the other way, where it stands as we left it."""
    gone = written.gone if written is not None else None
    return {
        name: (after, before)
        for name, (before, after) in (gone or {}).items()
        if name not in wanted
        and (name not in present.values or same(entity.fields[name], present.values[name], after))
        and not same(entity.fields[name], before, after)
    }


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
