"""What people changed in a company since we wrote it, and what becomes of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from exactonline_client.entities import Entity
from mapper_exactonline.settings import FieldRule

from target_exactonline.planning.compare import same, untouched
from target_exactonline.planning.model import Copy, Existing, Rules


@dataclass(frozen=True, slots=True)
class Drift:
    """One field of one row that is not as we wrote it."""

    target_id: str
    code: str
    field: str | None
    """None for a row that was deleted."""
    ours: Any
    theirs: Any
    modified_at: datetime | None
    rule: FieldRule

    @property
    def will(self) -> Literal["restore", "leave"]:
        """What the rules do about it when the row is compared next."""
        return "restore" if self.rule == "source" else "leave"

    def as_object(self, division: int, entity: str, modified_by: str | None) -> dict[str, Any]:
        """Return it in types that JSON has."""
        return {
            "division": division,
            "code": self.code,
            "entity": entity,
            "field": self.field,
            "ours": self.ours,
            "theirs": self.theirs,
            "modified_at": self.modified_at.isoformat() if self.modified_at else None,
            "modified_by": modified_by,
            "rule": self.rule,
            "will": self.will,
        }


def drifts(entity: Entity, copy: Copy, existing: Existing | None, rules: Rules) -> Iterator[Drift]:
    """Yield what of a row is not as we wrote it; what Exact itself made of a value is none of it."""
    if copy.target_id is None or copy.gone is not None or not copy.baseline:
        return
    if existing is None:
        yield Drift(copy.target_id, copy.code, None, None, None, None, "source")
        return
    left = untouched(existing, copy)  # what differs was left to the company before, or is what Exact made of it
    for name, ours in copy.baseline.items():
        theirs = existing.values.get(name)
        is_theirs = name in copy.adopted or name in copy.theirs
        if (is_theirs or not left) and not same(entity.fields[name], ours, theirs):
            rule: FieldRule = "target" if is_theirs else rules.rule_of(name)
            yield Drift(existing.id, existing.code or copy.code, name, ours, theirs, existing.modified_at, rule)
