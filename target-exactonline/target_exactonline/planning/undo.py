"""The change that takes an earlier change back, and what is known of the copy afterwards. Pure.

A field goes back only where the row still holds what was written: what somebody changed since is theirs, and is told.
Taking back what took something back is doing it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from exactonline_client.entities import Entity
from exactonline_client.odata import Row

from target_exactonline.planning.compare import is_empty, same
from target_exactonline.planning.holds import UNTIL_RELEASED
from target_exactonline.planning.model import Changes, Copy, Create, Delete, Existing, Update
from target_exactonline.planning.source_deletions import blocking

AS_BEFORE = "It is as it was before already."


@dataclass(frozen=True, slots=True)
class Taking:
    """What is to be taken back of a run, and how."""

    run: str
    """Its id."""
    delete: bool = False
    """Whether rows that it created are deleted; otherwise they are blocked."""
    only: frozenset[str] = frozenset()
    """Fields that go back; all of a change if it names none."""

    @property
    def reason(self) -> str:
        """Return it in words, by which `release` finds it."""
        return f"Undone: run {self.run}."


@dataclass(frozen=True, slots=True)
class Earlier:
    """A change that was carried out, as the history keeps it."""

    source: int
    """Number of the source record."""
    code: str
    action: str
    fields: Changes
    target_id: str | None
    rule: str | None = None
    """By which it tied the row; of one that took a tie back, by which that had been made."""
    is_undo: bool = False
    """Whether it took another one back."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What takes a change back, and what stays because somebody changed it since."""

    decision: Create | Update | Delete | None = None
    """None if there is nothing to take back."""
    stays: tuple[str, ...] = ()
    reason: str | None = None
    """Why it stays."""


def as_one(earlier: Iterable[Earlier]) -> list[Earlier]:
    """Return what changes of one source record came to, one for each row; they are given in the order of writing."""
    found: dict[str | None, Earlier] = {}
    for later in earlier:
        one = found.pop(later.target_id, None)
        if one is None:
            found[later.target_id] = later
        elif later.action != "delete":
            found[later.target_id] = _after_one_another(one, later)
        elif one.action != "create":
            before = {name: (was, None) for name, (was, _) in one.fields.items()}
            found[later.target_id] = replace(later, fields={**later.fields, **before}, rule=one.rule)
    return list(found.values())


def undo(
    entity: Entity,
    earlier: Earlier,
    existing: Existing | None,
    today: str,
    *,
    taking: Taking,
) -> Undone:
    """Return what takes a change back.

    Args:
        entity: Of the row.
        earlier: The change.
        existing: The row that it was made to, as it is now.
        today: In the company, as a date in ISO 8601.
        taking: What is taken back.
    """
    if taking.only:
        return _undo_fields(entity, earlier, existing, taking.only)
    if earlier.action == "delete":
        values = {name: before for name, (before, _) in earlier.fields.items() if before is not None}
        if existing is not None or not values:
            return Undone(reason="There is nothing known that could be put back.")
        return Undone(Create(values))
    if existing is None:
        return Undone(reason="The row is there no longer.")
    if earlier.action != "create":
        return _put_back(entity, earlier, existing, earlier.fields)
    _, stays = _as_written(entity, existing, earlier.fields)
    if stays:
        return Undone(None, stays, _changed(stays))
    if (taking.delete or earlier.is_undo) and not entity.is_never_deleted:  # it had been deleted
        return Undone(Delete(existing.id))
    if entity.blocking is None:
        return Undone(reason=f"Exact cannot block one {entity.name}; --delete removes it.")
    blocked = blocking(entity, existing, today)
    return Undone(Update(existing.id, blocked, "block") if blocked else None, reason="It is blocked already.")


def copy_after(
    decision: Update | Create | Delete,
    before: Copy | None,
    noted: Copy,
    version: int,
    taking: Taking,
    *,
    is_undo: bool,
) -> Copy | None:
    """Return the copy once a change was taken back, or None if the row is no business of it by now.

    Args:
        decision: What was sent.
        before: The copy as it was.
        noted: The copy as it is after any change.
        version: Of the source record.
        taking: What is taken back.
        is_undo: Whether it is held: not where what took something back is taken back.
    """
    target_id = None if isinstance(decision, Create) else decision.target_id
    if before is not None and before.target_id not in (None, target_id):
        return None
    if not is_undo:
        gone = (before.gone if before is not None else None) or {}
        ours = {name: value for name, value in noted.baseline.items() if name not in gone}
        return replace(noted, baseline=ours, held_at=None)
    if taking.only and isinstance(decision, Update):
        taken = {name: (was, taking.run) for name, (was, _) in decision.changes.items()}
        return replace(noted, undone={**noted.undone, **taken})
    rule = decision.matched_on if isinstance(decision, Update) else None
    return held(noted, version, taking.reason, rule)


def held(copy: Copy, version: int, reason: str, rule: str | None) -> Copy:
    """Return a copy that is left alone until its source record changes; a tie that a rule made is given up for good."""
    if rule is None:
        return replace(copy, state="held", kind="held", reason=reason, held_at=version, next_try=None)
    untied = Copy(copy.source, copy.code, first_seen=copy.first_seen)
    return replace(untied, state="held", kind="held", reason=reason, held_at=UNTIL_RELEASED)


def tied_again(copy: Copy, target_id: str, rule: str) -> Copy:
    """Return a copy with the tie that was given up."""
    return Copy(copy.source, copy.code, target_id, matched_on=rule, first_seen=copy.first_seen, state="tied")


def _after_one_another(one: Earlier, later: Earlier) -> Earlier:
    fields = {**one.fields}
    for name, (before, after) in later.fields.items():
        fields[name] = (one.fields[name][0] if name in one.fields else before, after)
    action = later.action if not one.fields else one.action
    return replace(one, action=action, fields=fields, rule=one.rule or later.rule)


def _undo_fields(entity: Entity, earlier: Earlier, existing: Existing | None, only: frozenset[str]) -> Undone:
    followers = {follower for leader, follower in entity.travel_together.items() if leader in only}
    fields = {name: pair for name, pair in earlier.fields.items() if name in only | followers}
    if not only.intersection(fields) or earlier.action == "delete":
        return Undone()
    if existing is None:
        return Undone(reason="The row is there no longer.")
    lasting = tuple(name for name, (before, _) in fields.items() if name in entity.required and is_empty(before))
    if lasting:
        return Undone(None, lasting, f"Exact takes no {entity.name} without {' and '.join(lasting)}.")
    return _put_back(entity, earlier, existing, fields)


def _put_back(entity: Entity, earlier: Earlier, existing: Existing, fields: Changes) -> Undone:
    ours, stays = _as_written(entity, existing, fields)
    if all(same(entity.fields[name], existing.values.get(name), before) for name, (before, _) in fields.items()):
        return Undone(reason=AS_BEFORE)
    if not ours:
        return Undone(None, stays, _changed(stays))
    flag = entity.blocking.flag if entity.blocking is not None else None
    if flag is not None and ours.get(flag, (None, None))[1] is True:
        return Undone(Update(existing.id, ours, "block"), stays, _changed(stays))
    return Undone(Update(existing.id, ours, matched_on=earlier.rule), stays, _changed(stays))


def _as_written(entity: Entity, existing: Existing, fields: Changes) -> tuple[Changes, tuple[str, ...]]:
    """Return what goes back of the fields that are as they were written, and the names of the others."""
    held: Row = existing.values
    ours: Mapping[str, tuple[object, object]] = {
        name: (after, before)
        for name, (before, after) in fields.items()
        if same(entity.fields[name], held.get(name), after)
    }
    return ours, tuple(name for name in fields if name not in ours)


def _changed(stays: tuple[str, ...]) -> str | None:
    return f"Changed since it was written: {', '.join(stays)}." if stays else None
