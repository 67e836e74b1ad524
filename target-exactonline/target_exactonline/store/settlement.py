"""How records ended in one company, remembered in one piece: copies, mirror, and the changes of the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exactonline_client.odata import Row
from exactonline_client.store import Store
from sqlalchemy.engine import Connection

from target_exactonline.planning.model import Copy, Existing
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.copies import Copies
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.plans import IDENTITY, ORIGIN, Plans, packed_fields
from target_exactonline.store.rows import packed, pages
from target_exactonline.store.tables import changes

IN_HISTORY = frozenset({Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED, Outcome.REFUSED})
ACTIONS = {Outcome.CREATED: "create", Outcome.UPDATED: "update", Outcome.DELETED: "delete"}
TIE, UNTIE = "tie", "untie"
TIES = frozenset({TIE, UNTIE})
"""Actions that change whose copy a row is, and nothing of the row."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How one record ended."""

    result: Result
    source: int = 0
    """Number of the source record; 0 for what never became one."""
    number: int | None = None
    """Of the record that came in, if one came in."""
    copy: Copy | None = None
    """The copy as it is to be remembered; None to leave it as it is."""
    forget: bool = False
    """Whether the copy is to be forgotten."""
    existing: Existing | None = None
    """The row that the copy is tied to, as it is now."""
    is_written: bool = False
    """Whether the row was written, so that the mirror has to follow."""
    removed: str | None = None
    """ID of a row that the company holds no longer."""
    change: int | None = None
    """Number of the planned change that ended with it."""
    action: str | None = None
    """The change in a word, where the outcome does not say it."""
    is_news: bool = True
    """Whether the history is to show it; a refusal that was there before is none."""
    is_silent: bool = False
    """Whether nobody needs to hear of it."""
    besides: Mapping[str, Any] = field(default_factory=dict)
    """What else the history keeps of it, if it was no change of the plan."""
    identity: Row | None = None
    """What says who the source record is, where it ended at first contact."""
    happened: tuple[int, Outcome] | None = None
    """A change of an earlier run that turned out to have come about, and its outcome."""


class Settlement:
    """Keeps how records ended in one company."""

    def __init__(self, store: Store, company: int, copies: Copies, mirror: Mirror, plans: Plans, run: int) -> None:
        self._store = store
        self._company = company
        self._copies = copies
        self._mirror = mirror
        self._plans = plans
        self._run = run

    def forget(self, numbers: Sequence[int]) -> None:
        """Drop copies of these source records."""
        with self._store.write(f"company-{self._company}") as connection:
            self._copies.forget(connection, self._company, numbers)

    def note(self, batch: Sequence[Ended], plan: int | None) -> None:
        """Add to the plan of a dry run what is not to be written, and why."""
        found = [one for one in batch if one.change is None and _is_shown(one)]
        if found:
            with self._store.write(f"company-{self._company}") as connection:
                connection.execute(
                    changes.insert(), [_of_trial(self._line(connection, one, plan), one) for one in found]
                )

    def keep(self, batch: Sequence[Ended], plan: int | None) -> None:
        """Keep all of it, or nothing."""
        if not any(map(_is_kept, batch)):
            return
        with self._store.write(f"company-{self._company}") as connection:
            for page in pages(batch):
                written = {one.existing.id: one.existing for one in page if one.is_written and one.existing}
                self._mirror.write(connection, written)
                self._mirror.remove(connection, [one.removed for one in page if one.removed])
                kept = {one.source: (one.copy, _tied(one.copy, one.existing)) for one in page if one.copy is not None}
                self._copies.write(connection, self._company, kept)
                self._copies.forget(connection, self._company, [one.source for one in page if one.forget])
                self._plans.end(connection, [self._end_of(connection, one) for one in page if one.change is not None])
                self._plans.end(connection, [_came_about(one) for one in page if one.happened is not None])
                lines = [self._line(connection, one, plan) for one in page if _is_line(one)]
                if lines:
                    connection.execute(changes.insert(), lines)

    def _line(self, connection: Connection, one: Ended, plan: int | None) -> dict[str, Any]:
        """Return a line of the history for what was no change of the plan."""
        result = one.result
        return {
            "run": self._run,
            "plan": plan,
            "company": self._company,
            "entity": result.entity,
            "source": one.source or None,
            "code": result.code,
            "rank": 0,
            "action": one.action or ACTIONS.get(result.outcome),
            "fields": packed_fields(self._plans.sets, connection, ACTIONS.get(result.outcome), result.changes),
            "outcome": result.outcome.value,
            "kind": result.kind,
            "reason": result.reason,
            "target_id": one.existing.id if one.existing else None,
            "target_code": result.target_code,
            "matched_on": result.matched_on,
            "not_sent": packed(result.not_sent) if result.not_sent else None,
            "besides": packed(one.besides) if one.besides else None,
            "at": result.at,
        }

    def _end_of(self, connection: Connection, one: Ended) -> dict[str, Any]:
        result = one.result
        action = one.action or ACTIONS.get(result.outcome)
        target_id = one.removed or (one.existing.id if one.existing else None)
        return {
            "of_number": one.change,
            "new_outcome": result.outcome.value,
            "new_kind": result.kind,
            "new_reason": result.reason,
            "new_target_id": target_id,
            "new_target_code": result.target_code,
            "new_not_sent": packed(result.not_sent) if result.not_sent else None,
            "new_at": result.at,
            "new_action": action,
            "new_fields": packed_fields(self._plans.sets, connection, action, result.changes),
        }


def _of_trial(line: dict[str, Any], one: Ended) -> dict[str, Any]:
    """Return a line with what nothing else keeps of a source record that came in for a dry run."""
    if one.identity is None or one.result.source is None:
        return line
    candidates = one.copy.candidates if one.copy is not None else ()
    return {**line, "besides": packed({ORIGIN: one.result.source, IDENTITY: one.identity, "candidates": candidates})}


def _is_kept(one: Ended) -> bool:
    return bool(one.copy or one.forget or one.removed or one.is_written or one.change or one.happened or _is_line(one))


def _is_line(one: Ended) -> bool:
    return one.change is None and one.is_news and (one.result.outcome in IN_HISTORY or one.action in TIES)


def _is_shown(one: Ended) -> bool:
    return one.result.outcome is not Outcome.UNCHANGED or one.action in TIES


def _tied(copy: Copy, row: Existing | None) -> Existing | None:
    return row if row is not None and row.id == copy.target_id else None


def _came_about(one: Ended) -> dict[str, Any]:
    number, outcome = one.happened or (0, Outcome.UPDATED)
    return {"of_number": number, "new_outcome": outcome.value, "new_at": one.result.at}
