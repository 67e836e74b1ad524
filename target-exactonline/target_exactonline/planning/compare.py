"""Desired and existing → the fields that differ and are ours to write. Pure.

A field is written only when it differs. What Exact itself made of a value that we wrote (a currency it blanked, say)
is left alone until somebody else changes the row.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from exactonline_client.entities import Entity, Field
from exactonline_client.odata import Row
from mapper_exactonline.settings import FieldRule

from target_exactonline.planning.model import Changes, Copy, Desired, Existing, Nulls, Rules

SQL_DATETIME_STEP = timedelta(milliseconds=4)
"""SQL Server keeps 1/300 second; two instants nearer than this are the same stored value."""
EVENING = ("T22:00:00+00:00", "T23:00:00+00:00")
"""Midnight of continental Europe in UTC, as a database hands a day over that it keeps as an instant. A guess: Exact
itself gives days as midnight, with the offset of the company."""


class Comparison(NamedTuple):
    """Result of a comparison."""

    changes: dict[str, tuple[Any, Any]]
    theirs: frozenset[str]
    """Fields that the target owns."""
    seen: Row
    """Fields of the rule `target` → what the row holds, where that is not what we wrote."""


NOTHING = Comparison({}, frozenset(), {})


def compare(entity: Entity, desired: Desired, existing: Existing, copy: Copy | None, rules: Rules) -> Comparison:
    """Return what has to change in a row, and what the target owns of it.

    Args:
        entity: Of both.
        desired: What the row should hold.
        existing: What it holds.
        copy: What we know of our writing to this very row; None at first contact.
        rules: The settings that decide.
    """
    differing = _differing(entity, desired.values, existing.values)
    if copy is not None and copy.undone:
        differing = {name: pair for name, pair in differing.items() if not _is_undone(entity, name, pair[1], copy)}
    if not (differing or rules.field_rules or (copy is not None and copy.gone)):
        return NOTHING
    freely = _anonymised(entity, desired)
    kept, theirs = _ownership(entity, desired, existing, copy, rules)
    changes = {
        name: (before, after)
        for name, (before, after) in differing.items()
        if (name in freely or (name not in kept and (not is_empty(after) or _clears(entity, name, copy, rules.nulls))))
        and not _settled_by_exact(entity.fields[name], after, existing, copy)
    }
    changes |= _taken_back(entity, desired, existing, copy, rules.nulls)
    changes |= _travelling_together(entity, desired, existing, changes)
    return Comparison(changes, theirs, _seen(entity, desired, existing, copy, rules, theirs.union(changes)))


def same(field: Field, one: Any, other: Any) -> bool:
    """Whether two values of a field mean the same to Exact."""
    if one == other:
        return True
    if is_empty(one) or is_empty(other):
        return is_empty(one) and is_empty(other)
    if field.edm == "DateTime":
        return day_of(one) == day_of(other) if field.is_day else _same_instant(one, other)
    if field.edm == "Double":
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    if field.is_compact:
        return "".join(str(one).split()).upper() == "".join(str(other).split()).upper()
    if field.edm == "String":
        return str(one).strip() == str(other).strip()
    return False


def is_empty(value: Any) -> bool:
    """Whether a value is none; text is trimmed wherever it comes in."""
    return value is None or value == ""


def day_of(value: str) -> str:
    """Return the day that a date means, whatever clock it was read on."""
    if value.endswith(EVENING):
        return (date.fromisoformat(value[:10]) + timedelta(days=1)).isoformat()
    return value[:10]


def as_written(field: Field, value: Any) -> Any:
    """Return a value in the form in which it is sent: a day as midnight on the company's own clock."""
    return f"{day_of(value)}T00:00:00" if value and field.edm == "DateTime" and field.is_day else value


def untouched(existing: Existing, copy: Copy | None) -> bool:
    """Whether nobody has changed the row since our last write, as far as is known."""
    if copy is None or copy.written_at is None or existing.modified_at is None:
        return False
    return existing.modified_at < copy.written_at + SQL_DATETIME_STEP


def altered(entity: Entity, existing: Existing, copy: Copy, written: Container[str]) -> frozenset[str]:
    """Return the fields that are somebody else's doing once a row was written: its moment then says nothing of them.

    Args:
        entity: Of the row.
        existing: The row before.
        copy: What was known of it before.
        written: The fields that were written now.
    """
    found = copy.altered
    if not untouched(existing, copy):
        found |= {
            name
            for name, ours in copy.baseline.items()
            if not same(entity.fields[name], existing.values.get(name), ours)
        }
    return frozenset(name for name in found if name not in written)


def _differing(entity: Entity, desired: Row, existing: Row) -> dict[str, tuple[Any, Any]]:
    differing: dict[str, tuple[Any, Any]] = {}
    there = existing.get
    for name, after in desired.items():
        before = there(name)
        if before != after and not same(entity.fields[name], before, after):
            differing[name] = (before, as_written(entity.fields[name], after))
    return differing


def _same_instant(one: str, other: str) -> bool:
    first, second = datetime.fromisoformat(one), datetime.fromisoformat(other)
    if first.tzinfo is None or second.tzinfo is None:  # a date without offset is wall time of the company
        first, second = first.replace(tzinfo=None), second.replace(tzinfo=None)
    return abs(first - second) < SQL_DATETIME_STEP


def _clears(entity: Entity, name: str, copy: Copy | None, nulls: Nulls) -> bool:
    """Whether a field that is empty at the source is emptied here too."""
    if nulls == "keep" or name in entity.required:
        return False
    return nulls == "clear" or (copy is not None and not is_empty(copy.baseline.get(name)))


def _is_undone(entity: Entity, name: str, after: Any, copy: Copy) -> bool:
    """Whether this very value was taken back."""
    return name in copy.undone and same(entity.fields[name], after, copy.undone[name][0])


def _anonymised(entity: Entity, desired: Desired) -> frozenset[str]:
    """Fields that follow the source whatever the settings say, since it was anonymised."""
    if entity.anonymised is None or not desired.identity.get(entity.anonymised):
        return frozenset()
    return entity.personal - {name for name in entity.required if is_empty(desired.values.get(name))}


def _settled_by_exact(field: Field, after: Any, existing: Existing, copy: Copy | None) -> bool:
    """Whether we wrote this very value and Exact made something else of it, with nobody at the row since."""
    if copy is None or field.name not in copy.baseline or field.name in copy.altered:
        return False
    return same(field, copy.baseline[field.name], after) and untouched(existing, copy)


def _ownership(
    entity: Entity, desired: Desired, existing: Existing, copy: Copy | None, rules: Rules
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that the rules keep from being written, and those of them that have to be remembered."""
    adopted = copy.adopted if copy is not None else frozenset()
    if not rules.field_rules:
        return adopted, frozenset()
    theirs = {name for name in copy.theirs if rules.rule_of(name) != "source"} if copy is not None else set()
    ours = copy.baseline if copy is not None else {}
    may_have_changed = copy is not None and not untouched(existing, copy)
    written_at_first: set[str] = set()
    for name, rule in _ruled(desired, rules):
        if name in theirs:
            continue
        before, after = existing.values.get(name), desired.values[name]
        if rule == "target":
            if before != after and may_have_changed and _changed(entity.fields[name], before, after, copy):
                theirs.add(name)
        elif name in ours:
            is_changed = may_have_changed and not same(entity.fields[name], before, ours[name])
            (theirs if is_changed else written_at_first).add(name)
        elif is_empty(after) or not is_empty(before):
            theirs.add(name)
    return adopted.union(theirs, written_at_first), frozenset(theirs)


def _ruled(desired: Desired, rules: Rules) -> Iterator[tuple[str, FieldRule]]:
    """Fields that travel under another rule than `source`."""
    rule_of, otherwise = rules.field_rules.get, rules.field_rules.get("*", "source")
    for name in desired.values:
        rule = rule_of(name, otherwise)
        if rule != "source":
            yield name, rule


def _changed(field: Field, before: Any, after: Any, copy: Copy | None) -> bool:
    """Whether somebody in the target gave a field another value than the source's.

    A value that we neither wrote nor saw is theirs only in a row that we created, where the field was empty.
    """
    if copy is None or same(field, before, after):
        return False
    for known in (copy.seen, copy.baseline):
        if field.name in known:
            return not same(field, before, known[field.name])
    return copy.matched_on is None and not is_empty(before)


def _seen(
    entity: Entity, desired: Desired, existing: Existing, copy: Copy | None, rules: Rules, settled: Container[str]
) -> Row:
    """Return what the row holds of the fields that the target may come to own, where that is not what we wrote."""
    if not rules.field_rules:
        return {}
    ours = copy.baseline if copy is not None else {}
    seen: Row = {}
    for name, rule in _ruled(desired, rules):
        if rule == "target" and name not in settled:
            held = existing.values.get(name)
            if name not in ours or (held != ours[name] and not same(entity.fields[name], held, ours[name])):
                seen[name] = held
    return seen


def _taken_back(
    entity: Entity, desired: Desired, existing: Existing, copy: Copy | None, nulls: Nulls
) -> dict[str, tuple[Any, Any]]:
    """Return what we changed when the source record was deleted, the other way, where the row is as we left it.

    What the source says of such a field itself goes first.
    """
    gone = copy.gone if copy is not None else None
    return {
        name: (existing.values.get(name, after), before)
        for name, (before, after) in (gone or {}).items()
        if is_empty(desired.values.get(name))
        and not (name in desired.values and _clears(entity, name, copy, nulls))
        and (name not in existing.values or same(entity.fields[name], existing.values[name], after))
        and not same(entity.fields[name], before, after)
    }


def _travelling_together(
    entity: Entity, desired: Desired, existing: Existing, changes: Changes
) -> dict[str, tuple[Any, Any]]:
    """Return the filled fields that Exact wants in the same call as one that changes."""
    return {
        follower: (existing.values[follower], desired.values.get(follower))
        for leader, follower in entity.travel_together.items()
        if leader in changes and follower not in changes and not is_empty(existing.values.get(follower))
    }
