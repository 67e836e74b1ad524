"""Situations for the tests of a plan's decisions, and a company that carries decisions out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from exactonline_client.entities import ACCOUNTS
from target_exactonline.planning.decide import decide
from target_exactonline.planning.model import (
    Copy,
    Create,
    Decision,
    Delete,
    Desired,
    Existing,
    Holder,
    Refuse,
    Replace,
    Rules,
    Situation,
    Skip,
    SourceKey,
    Unchanged,
    Update,
)
from target_exactonline.planning.recovery import Written, noted

Row = dict[str, Any]
AT = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
TODAY = "2026-06-25"
SOURCE = SourceKey(100, "5e2d5a3c-0000-4000-8000-00000000000a")
OTHER_SOURCE = SourceKey(101, "5e2d5a3c-0000-4000-8000-00000000000b")
ID = "5e2d5a3c-0000-4000-8000-000000000001"
OTHER_ID = "5e2d5a3c-0000-4000-8000-000000000002"
NEW_ID = "5e2d5a3c-0000-4000-8000-000000000009"


def desired(code: str = "5", identity: Row | None = None, **values: Any) -> Desired:
    return Desired(SOURCE, code, values, {**values, **(identity or {})})


def row(code: str = "5", id: str = ID, modified_at: datetime | None = None, **values: Any) -> Existing:  # noqa: A002
    return Existing(id, code, values, modified_at)


def copy(code: str = "5", target_id: str | None = ID, written_at: datetime | None = AT, **baseline: Any) -> Copy:
    return Copy(SOURCE, code, target_id, baseline, written_at, state="tied")


def tied(there: Existing, known: Copy | None = None, **more: Any) -> Situation:
    """The source record is tied to a row, which bears its code unless something else is said."""
    return Situation(known or copy(), there, **{"at_code": there, **more})


def found(there: Existing | None = None, **more: Any) -> Situation:
    """First contact."""
    return Situation(at_code=there, **more)


def holder(name: str = "5 of 101", *, is_deleted: bool = False, copy: Copy | None = None) -> Holder:
    return Holder(OTHER_SOURCE, name, is_deleted, copy)


def plan(wanted: Desired | None, situation: Situation, **rules: Any) -> Decision:
    return decide(ACCOUNTS, wanted, situation, Rules(**rules), TODAY)


@dataclass(frozen=True)
class Company:
    """One source record's place in one company, as decisions change it."""

    situation: Situation
    code: str = "5"

    def after(self, wanted: Desired | None, decision: Decision, at: datetime = AT) -> Company:
        """The same once a decision was carried out and noted."""
        before = self.situation
        rows = {one.id: one for one in (before.tied, before.at_code) if one is not None}
        there: Existing | None = None
        match decision:
            case Create(values) | Replace(_, Create(values)):
                there = Existing(NEW_ID, wanted.code if wanted else self.code, values, at)
            case Update():
                old = rows[decision.target_id]
                there = replace(old, values={**old.values, **decision.values}, modified_at=at)
            case Unchanged(target_id):
                there = rows.get(target_id or "")
            case Refuse() | Skip():
                return self
        inherited = before.holder.copy if before.holder is not None else None
        known = before.copy if before.copy is not None and before.copy.target_id is not None else inherited
        code = wanted.code if wanted else self.code
        written = Written(there.id if there else None, at, there.code if there else None)
        new = noted(SOURCE, code, wanted.values if wanted else None, known, decision, written)
        at_code = before.at_code
        if there is not None and there.code == code:
            at_code = there
        elif isinstance(decision, Delete) and at_code == before.tied:
            at_code = None
        another = before.holder if at_code is not None and at_code != there else None
        return Company(replace(before, copy=new, tied=there, at_code=at_code, holder=another), code)
