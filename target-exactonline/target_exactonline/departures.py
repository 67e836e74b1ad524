"""What becomes of the copies of an account that was deleted at the source. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from exactonline_client.entities import Entity
from exactonline_client.errors import ConfigurationError

from target_exactonline.plan import (
    LastWritten,
    Leave,
    Policy,
    Present,
    Refuse,
    Skip,
    Update,
    same,
    wanted_of,
    whose_else,
)
from target_exactonline.sources import Source

OnSourceDeletion = Literal["ignore", "block", "delete"]
CHOICES = ("ignore", "block", "delete")
BLOCKING_FIELDS = ("Blocked", "EndDate")


@dataclass(frozen=True, slots=True)
class Delete:
    """The copy goes as well."""

    account_id: str


@dataclass(frozen=True, slots=True)
class Departures:
    """What is to be done, per division."""

    otherwise: OnSourceDeletion = "ignore"
    per_division: Mapping[int, OnSourceDeletion] = field(default_factory=dict)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Departures:
        """Read the settings.

        Raises:
            ConfigurationError: An override names no division, or none of the choices.
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
        """What is to be done in this division."""
        return self.per_division.get(division, self.otherwise)

    @property
    def blocks(self) -> bool:
        """Whether anything is to be blocked anywhere."""
        return "block" in (self.otherwise, *self.per_division.values())


def depart(
    entity: Entity,
    source: Source,
    present: Present | None,
    written: LastWritten | None,
    how: OnSourceDeletion,
    today: str,
    policy: Policy,
) -> Update | Delete | Leave | Skip | Refuse:
    """What to do with a copy whose source account was deleted.

    Args:
        entity: Of both.
        source: The account that was deleted.
        present: What the division holds under the code.
        written: What we know of the copy.
        how: What the settings say.
        today: In the division, as a date without offset.
        policy: The settings that decide.
    """
    if written is None or written.source != source:
        return Skip("Its account at the source was deleted, and there is no copy of it here (any more).")
    if how == "ignore" or present is None or written.gone is not None:
        return Leave(written.account_id)
    if present.account_id != written.account_id:
        return Refuse(
            "Its account at the source was deleted, but the code was given to another account here. It stays."
        )
    if who := whose_else(wanted_of(written, policy), present.values):
        return Refuse(
            f"Its account at the source was deleted, but the copy has become another party's: {who}. It stays."
        )
    if policy.load_method == "append-only" or (how == "delete" and policy.load_method != "upsert"):
        return Skip(f"Its account at the source was deleted; load_method is {policy.load_method}, so the copy stays.")
    if how == "delete":
        return Delete(present.account_id)
    changes = _blocking(entity, present, today)
    return Update(present.account_id, changes) if changes else Leave(present.account_id)


def _blocking(entity: Entity, present: Present, today: str) -> dict[str, tuple[Any, Any]]:
    """Blocked, and an EndDate of today unless there is an earlier one."""
    changes: dict[str, tuple[Any, Any]] = {}
    if not same(entity.fields["Blocked"], present.values.get("Blocked"), other=True):
        changes["Blocked"] = (present.values.get("Blocked"), True)
    ends = present.values.get("EndDate")
    if not ends or str(ends)[:10] > today[:10]:
        changes["EndDate"] = (ends, today)
    return changes
