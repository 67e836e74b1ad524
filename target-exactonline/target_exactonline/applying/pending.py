"""Changes of a plan with all that belongs to them, read from the store a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from target_exactonline.planning.model import Copy, Create, Existing
from target_exactonline.store.copies import Copies
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.plans import Change
from target_exactonline.store.sources import Remembered


@dataclass(frozen=True, slots=True)
class Pending:
    """A change with all that belongs to it."""

    change: Change
    source: Remembered
    copy: Copy | None
    existing: Existing | None


class PendingChanges:
    """The changes of one company."""

    def __init__(
        self,
        company: int,
        copies: Copies,
        mirror: Mirror,
        records: Callable[[Sequence[int]], dict[int, Remembered]],
    ) -> None:
        self._company = company
        self._copies = copies
        self._mirror = mirror
        self._records = records

    def prepared(self, page: Sequence[Change]) -> list[Pending]:
        """Return changes with their source records, copies and rows."""
        numbers = list(dict.fromkeys(change.source for change in page))
        sources = self._records(numbers)
        copies = self._copies.of(self._company, numbers)
        ids = {one.decision.target_id for one in page if not isinstance(one.decision, Create)}
        ids |= {kept.copy.target_id for kept in copies.values() if kept.copy.target_id}
        rows = self._mirror.by_id(list(ids))
        found = []
        for change in page:
            kept = copies.get(change.source)
            tied = rows.get(kept.copy.target_id or "") if kept is not None else None
            row = tied if isinstance(change.decision, Create) else rows.get(change.decision.target_id)
            copy = kept.with_row(tied) if kept is not None else None
            found.append(Pending(change, sources[change.source], copy, row))
        return found

    def unplanned(self, found: Sequence[Remembered]) -> list[Pending]:
        """Return source records that are due and have no change in any plan."""
        copies = self._copies.of(self._company, [one.number for one in found])
        ids = [kept.copy.target_id for kept in copies.values() if kept.copy.target_id]
        rows = self._mirror.by_id(ids)
        works = []
        for one in found:
            kept = copies.get(one.number)
            tied = rows.get(kept.copy.target_id or "") if kept is not None else None
            copy = kept.with_row(tied) if kept is not None else None
            works.append(Pending(Change(one.number, one.record.code, Create({})), one, copy, tied))
        return works
