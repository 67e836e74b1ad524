"""The change that takes an earlier change back. Pure.

A field goes back only where the row still holds what was written: what somebody changed since is theirs, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from exactonline_client.entities import Entity

from target_exactonline.planning.compare import same
from target_exactonline.planning.model import Action, Changes, Create, Delete, Existing, Update
from target_exactonline.planning.source_deletions import blocking


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was carried out, as the history keeps it."""

    action: Action
    fields: Changes
    target_id: str | None


@dataclass(frozen=True, slots=True)
class Undone:
    """What takes a change back, and what stays because somebody changed it since."""

    decision: Create | Update | Delete | None
    """None if there is nothing to take back."""
    stays: tuple[str, ...] = ()
    reason: str | None = None
    """Why it stays."""


def undo(entity: Entity, done: Done, existing: Existing | None, today: str, *, delete: bool) -> Undone:
    """Return what takes a change back.

    Args:
        entity: Of the row.
        done: The change.
        existing: The row that it was made to, as it is now.
        today: In the company, as a date in ISO 8601.
        delete: Whether a created row is deleted; otherwise it is blocked.
    """
    if done.action == "delete":
        values = {name: before for name, (before, _) in done.fields.items() if before is not None}
        if existing is not None or not values:
            return Undone(None, reason="There is nothing known that could be put back.")
        return Undone(Create(values))
    if existing is None:
        return Undone(None, reason="The row is there no longer.")
    ours = {
        name: (after, before)
        for name, (before, after) in done.fields.items()
        if same(entity.fields[name], existing.values.get(name), after)
    }
    stays = tuple(name for name in done.fields if name not in ours)
    changed = f"Changed since it was written: {', '.join(stays)}." if stays else None
    if done.action == "create":
        if stays:
            return Undone(None, stays, changed)
        if delete:
            return Undone(Delete(existing.id))
        blocked = blocking(entity, existing, today)
        return Undone(Update(existing.id, blocked, "block") if blocked else None, reason="It is blocked already.")
    return Undone(Update(existing.id, ours) if ours else None, stays, changed)
