"""Decisions about the copies of a source record that was deleted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from exactonline_client.entities import Entity
from exactonline_client.errors import ConfigurationError

from target_exactonline.planning.collisions import other_party
from target_exactonline.planning.compare import is_empty, same
from target_exactonline.planning.model import (
    Copy,
    Delete,
    Existing,
    OnSourceDeletion,
    Refuse,
    Rules,
    Situation,
    Skip,
    Unchanged,
    Update,
)

CHOICES = ("ignore", "block", "delete")


@dataclass(frozen=True, slots=True)
class SourceDeletions:
    """The settings on_source_deletion and on_source_deletion_overrides."""

    otherwise: OnSourceDeletion = "ignore"
    per_division: Mapping[int, OnSourceDeletion] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> SourceDeletions:
        """Read the settings.

        Raises:
            ConfigurationError: An override names no company, or none of the choices.
        """
        chosen: dict[int, OnSourceDeletion] = {}
        for code, choice in (config.get("on_source_deletion_overrides") or {}).items():
            if not str(code).isdecimal() or choice not in CHOICES:
                raise ConfigurationError(
                    f"on_source_deletion_overrides: {code!r}: {choice!r} is not a division code with one of "
                    f'{", ".join(CHOICES)}. Give {{"201": "block"}}.'
                )
            chosen[int(code)] = choice
        return cls(cast("OnSourceDeletion", config.get("on_source_deletion") or "ignore"), chosen)

    def of(self, division: int) -> OnSourceDeletion:
        """Return the choice for one company."""
        return self.per_division.get(division, self.otherwise)

    @property
    def leaves_all(self) -> bool:
        """Whether nothing is done anywhere."""
        return {self.otherwise, *self.per_division.values()} == {"ignore"}

    @property
    def blocks(self) -> bool:
        """Whether anything is to be blocked anywhere."""
        return "block" in (self.otherwise, *self.per_division.values())


def decide_deletion(
    entity: Entity, situation: Situation, rules: Rules, today: str
) -> Update | Delete | Unchanged | Refuse | Skip:
    """Return what becomes of the copy of a source record that was deleted."""
    copy, row = situation.copy, situation.tied
    if copy is None or copy.target_id is None:
        return Skip("source_deleted", "It was deleted at the source, and there is no copy of it here.")
    how = rules.on_source_deletion
    if how == "delete" and entity.is_never_deleted:
        how = "block"
    unchanged = Unchanged(copy.target_id, theirs=copy.theirs, seen=copy.seen)
    if how == "ignore" or row is None or _was_done(entity, copy, row, how):
        return unchanged
    if _is_taken_over(entity, situation, row, rules):
        return Unchanged(None)
    if other := _became_another(entity, copy, row, situation.last_seen):
        return Refuse(
            "collision", f"It was deleted at the source, but its copy has become another party's: {other}. It stays."
        )
    if rules.load_method == "append-only" or (how == "delete" and rules.load_method != "upsert"):
        return Skip(
            "load_method", f"It was deleted at the source; load_method is {rules.load_method}, so the copy stays."
        )
    if how == "delete":
        return Delete(row.id)
    changes = blocking(entity, row, today)
    return Update(row.id, changes, "block", theirs=copy.theirs, seen=copy.seen) if changes else unchanged


def blocking(entity: Entity, row: Existing, today: str) -> dict[str, tuple[Any, Any]]:
    """Return what blocks a row: its flag, and a last day of today unless there is an earlier one."""
    if entity.blocking is None:
        return {}
    flag, last_day = entity.blocking.flag, entity.blocking.last_day
    changes: dict[str, tuple[Any, Any]] = {}
    if flag is not None and not same(entity.fields[flag], row.values.get(flag), other=True):
        changes[flag] = (row.values.get(flag), True)
    ends = row.values.get(last_day) if last_day is not None else None
    if last_day is not None and (is_empty(ends) or str(ends)[:10] > today[:10]):
        changes[last_day] = (ends, f"{today[:10]}T00:00:00")
    return changes


def is_blocked(entity: Entity, row: Existing) -> bool:
    """Return whether a row is out of use, by its flag or by a last day that somebody set."""
    return entity.blocking is not None and any(row.values.get(name) for name in entity.blocking.fields)


def _is_taken_over(entity: Entity, situation: Situation, row: Existing, rules: Rules) -> bool:
    """Whether the row is to be the copy of another source record: the same party, entered again."""
    successor = situation.successor
    if successor is None or row.code != successor.code:
        return False
    return rules.on_collision == "overwrite" or other_party(entity, successor.identity, row.values) is None


def _was_done(entity: Entity, copy: Copy, row: Existing, how: OnSourceDeletion) -> bool:
    """Whether a deletion was acted upon already; what somebody has taken back since is left to them."""
    if copy.gone is None:
        return False
    as_we_left_it = all(
        same(entity.fields[name], row.values.get(name), after) for name, (_, after) in copy.gone.items()
    )
    return how == "block" or not as_we_left_it


def _became_another(entity: Entity, copy: Copy, row: Existing, last_seen: Mapping[str, Any]) -> str | None:
    """Return whose the row is now, if it is neither what the source last said nor what we wrote."""
    found = [other_party(entity, dict(known), row.values) for known in (last_seen, copy.baseline) if known]
    return found[0] if found and all(found) else None
