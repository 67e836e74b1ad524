"""Copies as they are once a change was carried out, also by a run that could not note it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from exactonline_client.entities import Entity
from exactonline_client.odata import Row

from target_exactonline.planning.compare import is_empty, same
from target_exactonline.planning.model import (
    Changes,
    Copy,
    Create,
    Delete,
    Existing,
    Replace,
    SourceKey,
    Unchanged,
    Update,
)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A change that an earlier plan was about to carry out."""

    source: SourceKey
    code: str
    """The source record's."""
    decision: Create | Update | Delete


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to."""

    target_id: str | None
    at: datetime | None
    """The row's own Modified where the answer had it, else the latest that it can be; None if nothing was sent."""
    code: str | None = None
    """The row's code, where it is known."""


NOTHING = Written(None, None)


def noted(
    source: SourceKey,
    code: str,
    desired: Row | None,
    copy: Copy | None,
    decision: Create | Update | Replace | Delete | Unchanged,
    written: Written,
) -> Copy:
    """Return the copy once a decision was carried out.

    Args:
        source: The source record.
        code: Its natural key.
        desired: Fields that travel, or None if it was deleted.
        copy: What was known before; for a row that was taken over, what its former holder knew.
        decision: What was decided.
        written: What it came to.
    """
    match decision:
        case Replace(_, create):
            return noted(source, code, desired, copy, create, written)
        case Create(values, theirs):
            first_seen = copy.first_seen if copy is not None else None
            behind = copy.behind if copy is not None else ()
            made = Copy(source, code, written.target_id, values, written.at, theirs=theirs, state="tied")
            return replace(made, first_seen=first_seen, behind=behind)
        case Delete():
            return Copy(source, code, gone={}, state="tied")
        case Unchanged(target_id, matched_on, theirs, seen):
            known = _known(source, code, copy, target_id, matched_on)
            if desired is None:
                return known
            kept = known.having(theirs=theirs, seen=seen, gone=None, state="tied", kind=None, reason=None)
            return _under_code(kept, code, written.code)
        case Update(target_id, changes, "block"):
            known = _known(source, code, copy, target_id, None)
            return replace(known, gone=dict(changes), state="tied", kind=None, reason=None, refused=None)
        case Update(target_id, _, _, matched_on, theirs, seen):
            known = _known(source, code, copy, target_id, matched_on)
            kept = replace(
                known,
                baseline={**known.baseline, **_ours(known, decision.changes, desired or {})},
                written_at=written.at,
                theirs=theirs,
                seen=seen,
                gone=None,
                state="tied",
                kind=None,
                reason=None,
                refused=None,
                undone={name: one for name, one in known.undone.items() if name not in decision.changes},
            )
            return _under_code(kept, code, written.code)


def recovered(entity: Entity, change: Unfinished, existing: Existing | None, copy: Copy | None) -> Copy | None:
    """Return the copy of a change that a killed run carried out without noting it, or None if it did not.

    Args:
        entity: Of the row.
        change: What was about to be done.
        existing: The row as it is now, by its ID, or by its code for a create.
        copy: What is known of the copy.
    """
    match change.decision:
        case Delete(target_id):
            done = existing is None and copy is not None and copy.target_id == target_id
            desired: Row | None = None
        case Create(values):
            done = existing is not None and _holds(entity, existing, values)
            desired = values
        case Update(target_id, action=action):
            sent = change.decision.values
            is_ours = copy is not None and copy.target_id == target_id
            done = existing is not None and existing.id == target_id and _holds(entity, existing, sent)
            done = done and (is_ours or action == "update")
            gone = (copy.gone if copy is not None else None) or {}
            desired = {name: after for name, after in sent.items() if name not in gone}
    if not done:
        return None
    written = NOTHING if existing is None else Written(existing.id, existing.modified_at, existing.code)
    return noted(change.source, change.code, desired, copy, change.decision, written)


def _holds(entity: Entity, existing: Existing, sent: Row) -> bool:
    return bool(sent) and all(
        same(entity.fields[name], existing.values.get(name), after) for name, after in sent.items()
    )


def _known(source: SourceKey, code: str, copy: Copy | None, target_id: str | None, matched_on: str | None) -> Copy:
    """Return what is known of this very row, as the copy of this source record."""
    if copy is None or copy.target_id != target_id:
        return Copy(source, code, target_id, matched_on=matched_on)
    if copy.source != source:
        return replace(copy, source=source, code=code, matched_on=matched_on)
    return copy


def _ours(copy: Copy, changes: Changes, desired: Mapping[str, object]) -> Row:
    """Return what was written for the source record; what was taken back after its return is the target's."""
    gone = copy.gone or {}
    return {name: after for name, (_, after) in changes.items() if name not in gone or not is_empty(desired.get(name))}


def _under_code(copy: Copy, code: str, row_code: str | None) -> Copy:
    """Return the copy with the source's code, if the row bears it; otherwise it is still to be told that it changed."""
    return copy.having(code=code) if row_code in (None, code) else copy
