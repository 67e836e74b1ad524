"""Desired, existing and what is known of the copy → one decision. Pure.

A copy is known by its source: once a source record and a row are tied, the tie decides, and not the code.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from exactonline_client.entities import Entity
from exactonline_client.odata import Row

from target_exactonline.planning import collisions
from target_exactonline.planning.compare import as_written, compare, is_empty
from target_exactonline.planning.holds import held
from target_exactonline.planning.model import (
    Copy,
    Create,
    Decision,
    Delete,
    Desired,
    Existing,
    Refuse,
    Replace,
    Rules,
    Situation,
    Skip,
    Unchanged,
    Update,
    Wait,
)
from target_exactonline.planning.source_deletions import blocking, decide_deletion


def decide(entity: Entity, desired: Desired | None, situation: Situation, rules: Rules, today: str) -> Decision:
    """Return what to do so that a company holds what is desired of one source record.

    Args:
        entity: Of the record and the rows.
        desired: What the company should hold; None if the source record was deleted.
        situation: All that is known of the two.
        rules: The settings that decide.
        today: In the company, as a date in ISO 8601.
    """
    if (hold := held(situation.copy, situation.version)) is not None:
        return hold
    if isinstance(situation.refusal, Skip):
        return situation.refusal
    if desired is None:
        return decide_deletion(entity, situation, rules, today)
    if desired.problems:
        return Refuse("invalid", f"{'; '.join(desired.problems)}. Not sent; correct it in the source and run again.")
    if desired.refusal is not None:
        return Refuse("reference", desired.refusal)
    if desired.orphan is not None:
        return Wait("parent", desired.orphan)
    if situation.copy is not None and situation.copy.target_id is not None and situation.tied is not None:
        return _tied(entity, desired, situation, situation.copy, situation.tied, rules, today)
    if situation.refusal is not None:
        return situation.refusal
    if situation.at_code is not None:
        return _at_code(entity, desired, situation, situation.at_code, rules)
    return _free(entity, desired, situation, rules)


def digest(change: Create | Update | Replace | Delete) -> str:
    """Return a short text that is the same for changes that send the same to Exact."""
    match change:
        case Replace(block, create):
            sent: Any = ["replace", block.values if block else {}, create.values]
        case Create(values):
            sent = ["create", values]
        case Update():
            sent = [change.action, change.values]
        case Delete(target_id):
            sent = ["delete", target_id]
    text = json.dumps(sent, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _tied(
    entity: Entity, desired: Desired, situation: Situation, copy: Copy, row: Existing, rules: Rules, today: str
) -> Decision:
    """The row is there that the source record is tied to, under whatever code."""
    if _code_changed(entity, desired, copy, row) and rules.on_code_change != "ignore":
        if rules.on_code_change == "block":
            return _replaced(entity, desired, situation, row, rules, today)
        if entity.parent is not None:
            return Refuse(
                "code_changed",
                f"It belongs to another account at the source, {desired.code} and no longer {copy.code}, and Exact's "
                "API is not known to move one. Move it here by hand, or set on_code_change.",
            )
        return Refuse(
            "code_changed",
            f"Its code changed at the source from {row.code} to {desired.code}, and Exact's API cannot change a code. "
            f"Give it the code {desired.code} here, or set on_code_change.",
        )
    if rules.load_method == "append-only":
        return Skip("load_method", f"The {entity.name} is here already, and load_method is append-only.")
    if _has_moved(entity, desired, row):  # its account has another row now
        return _replaced(entity, desired, situation, row, rules, today)
    changes, theirs, seen = compare(entity, desired, row, copy, rules)
    if not changes:
        return Unchanged(row.id, theirs=theirs, seen=seen)
    if other := _became_another(entity, desired, row, rules):
        return Refuse("collision", other)
    if not changes.keys().isdisjoint(entity.never_changes):
        return _replaced(entity, desired, situation, row, rules, today)
    return Update(row.id, changes, theirs=theirs, seen=seen)


def _became_another(entity: Entity, desired: Desired, row: Existing, rules: Rules) -> str | None:
    if rules.on_collision == "overwrite":
        return None
    return collisions.became_another(entity, desired.identity, row.values)


def _code_changed(entity: Entity, desired: Desired, copy: Copy, row: Existing) -> bool:
    """Whether the source changed the code, so that the row is left under the old one.

    A row that was renamed in the target, or tied under another code from the start, says nothing of the source.
    """
    if entity.parent is not None:
        return copy.code != desired.code and _has_moved(entity, desired, row)
    if row.code is None or row.code == desired.code or copy.code == desired.code:
        return False
    return copy.matched_on in (None, entity.natural_key) or copy.code == row.code


def _has_moved(entity: Entity, desired: Desired, row: Existing) -> bool:
    """Whether the row belongs to another one than it should."""
    held = row.values.get(entity.parent.field) if entity.parent is not None else None
    return held is not None and desired.parent is not None and held != desired.parent


def _replaced(
    entity: Entity, desired: Desired, situation: Situation, row: Existing, rules: Rules, today: str
) -> Decision:
    """The row is blocked, and another one created: under the new code, the new parent, or with the new number."""
    if situation.at_code is not None:
        return Refuse("collision", collisions.not_free(desired.code, row.code, situation.holder))
    if rules.load_method == "append-only":
        return Skip("load_method", "Its code changed at the source, and load_method is append-only.")
    if other := _became_another(entity, desired, row, rules):
        return Refuse("collision", other)
    created = _free(entity, desired, situation, rules)
    if not isinstance(created, Create):
        return created
    changes = blocking(entity, row, today)
    block = Update(row.id, changes, "block") if changes else None
    return Replace(block, created, creates_first=entity.parent is not None)


def _at_code(entity: Entity, desired: Desired, situation: Situation, row: Existing, rules: Rules) -> Decision:
    """The record is tied to no row that is there, and there is one under its code, or one that a rule found."""
    holder, found_by = situation.holder, situation.matched_on
    if holder is not None and not holder.is_deleted:
        if found_by is None:
            return Refuse("collision", collisions.held_by_another(desired.code, holder))
        return Refuse("collision", collisions.found_of_another(found_by, row.code or row.id, holder), (row.id,))
    if situation.rival is not None:
        return Refuse("collision", collisions.claimed_by_another(desired.code, situation.rival))
    if rules.load_method == "append-only":
        found = f"It is there already ({found_by})" if row.code is None else f"There is a row with the code {row.code}"
        return Skip("load_method", f"{found}, and load_method is append-only.")
    is_checked = found_by is None and rules.on_collision == "refuse"
    if is_checked and (other := collisions.at_first_contact(entity, desired.identity, row.values)):
        return Refuse("collision", other)
    inherited = holder.copy if holder is not None else None
    changes, theirs, seen = compare(entity, desired, row, inherited, rules)
    if not changes:
        return Unchanged(row.id, found_by or entity.natural_key, theirs, seen)
    return Update(row.id, changes, "update", found_by or entity.natural_key, theirs, seen)


def _free(entity: Entity, desired: Desired, situation: Situation, rules: Rules) -> Decision:
    """No row has the code."""
    if rules.load_method == "update-only":
        what = (
            f"No {entity.name} of account {desired.code} is this one"
            if entity.parent
            else f"No row has the code {desired.code}"
        )
        return Skip("load_method", f"{what}, and load_method is update-only.")
    if situation.rival is not None:
        return Refuse("collision", collisions.claimed_by_another(desired.code, situation.rival))
    if missing := [name for name in entity.required if is_empty(desired.values.get(name))]:
        return Refuse(
            "invalid",
            f"{' and '.join(missing)} is empty, and Exact creates no {entity.name} without it. Not sent; correct it in "
            "the source and run again.",
        )
    if entity.one_of and all(is_empty(desired.values.get(name)) for name in entity.one_of):
        return Refuse(
            "invalid",
            f"{' and '.join(entity.one_of)} are empty, and Exact creates no {entity.name} without one of them. Not "
            "sent; correct it in the source and run again.",
        )
    values: Row = {
        name: as_written(entity.fields[name], value) for name, value in desired.values.items() if value is not None
    }
    if entity.parent is not None and desired.parent is not None:
        values[entity.parent.field] = desired.parent
    if not rules.field_rules:
        return Create(values)
    left = frozenset(
        name for name, value in desired.values.items() if is_empty(value) and rules.rule_of(name) == "initial"
    )
    return Create(values, left)
