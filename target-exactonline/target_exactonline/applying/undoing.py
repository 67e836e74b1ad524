"""Takes back what an earlier run did in one company, as a run of its own.

What was taken back is held: no later run does it again until its source record changes or it is released, and a tie
only once it is released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, islice

from exactonline_client.exchange import Waiting

from target_exactonline.applying.lane import Lane
from target_exactonline.applying.pending import Pending
from target_exactonline.applying.task import Shared, Task
from target_exactonline.applying.worker import Worker
from target_exactonline.planning.model import Copy, Existing, Holder, SourceKey, SourceRecord
from target_exactonline.planning.planner import AFTER_DEFERRED, RANKS, Planner
from target_exactonline.planning.undo import (
    AS_BEFORE,
    Earlier,
    Taking,
    Undone,
    as_one,
    copy_after,
    held,
    tied_again,
    undo,
)
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.matches import Decided
from target_exactonline.store.plans import UNDO, Change
from target_exactonline.store.rows import RECORDS_AT_A_TIME
from target_exactonline.store.settlement import TIE, TIES, UNTIE, Ended
from target_exactonline.store.sources import Remembered


class UndoLane(Lane):
    """The work of one company when changes are taken back."""

    def __init__(self, task: Task, shared: Shared, earlier: Callable[[], Iterator[Earlier]], taking: Taking) -> None:
        super().__init__(replace(task, records=self._records), shared)
        self._known_records = task.records
        self._forgotten: dict[int, str] = {}
        """Codes of source records that were deleted, and of which the store knows nothing else."""
        self._earlier = earlier
        self._taking = taking
        self._left: set[int] = set()
        """Source records that have a change in the plan, or a row that stays as it is."""

    def _read_lists(self) -> Waiting[None]:
        """Read none: what was there before is put back as it was."""
        yield from ()

    def _plan(self, today: str) -> tuple[int, Planner | None]:
        """Plan the way back."""
        task, memory, now = self._task, self._shared.memory, self._recorder.now
        planner = self._planner(today)
        run, entity = self._shared.run.number, self._entity
        plan = memory.plans.begin(run, task.number, entity.stream, now(), is_trial=self._shared.dry_run)
        self._recorder.plan = plan
        for page in self._pages():
            found = self._company(page)
            changes = [change for one in page if (change := self._change(one, found, today)) is not None]
            self._left |= {change.source for change in changes}
            for change in changes:
                planner.counts.add(change.action)
            planner.signing.learn([one.code for one in changes])
            signed = [one for change in changes for one in planner.signing.signed([change])]
            memory.plans.add(plan, run, task.number, entity.stream, signed, now())
        self._recorder.flush()
        return plan, planner

    def _pages(self) -> Iterator[list[Earlier]]:
        groups = groupby(self._earlier(), key=lambda one: one.source)
        changes = (one for _, group in groups for one in as_one(group))
        while page := list(islice(changes, RECORDS_AT_A_TIME)):
            yield page

    def _change(self, one: Earlier, found: Company, today: str) -> Change | None:
        """Return what takes a change back, or tell why it stays."""
        undone = found.why_not(one)
        if undone is None and one.action in TIES:
            return None
        row = found.rows.get(one.target_id or "")
        undone = undone or undo(self._entity, one, row, today, taking=self._taking)
        if undone.reason not in (None, AS_BEFORE) and (undone.decision is None or undone.stays):
            self._tell_what_stays(one, undone.reason or "")
        if undone.stays and one.rule is None:
            self._left.add(one.source)
        if undone.decision is None:
            return None
        change = Change(one.source, one.code, undone.decision, reason=self._taking.reason, is_undo=not one.is_undo)
        return replace(change, rank=AFTER_DEFERRED + RANKS[change.action])

    def _company(self, page: Sequence[Earlier]) -> Company:
        memory, number = self._shared.memory, self._task.number
        rows = self._mirror.by_id([one.target_id for one in page if one.target_id])
        known = self._known_records([one.source for one in page])
        self._forgotten |= {one.source: one.code for one in page if one.source not in known}
        records = self._records([one.source for one in page])
        decided = self._decided
        return Company(
            rows,
            memory.copies.holders(number, list(rows.values())),
            {source: kept.copy for source, kept in memory.copies.of(number, list(records)).items()},
            {source: decided[one.record.key] for source, one in records.items() if one.record.key in decided},
            records,
        )

    @cached_property
    def _decided(self) -> dict[SourceKey, Decided]:
        return self._shared.memory.matches.of(self._task.number)

    def _records(self, numbers: Sequence[int]) -> dict[int, Remembered]:
        forgotten = {
            number: Remembered(number, 0, SourceRecord(SourceKey(0, ""), self._forgotten[number], {}, is_deleted=True))
            for number in numbers
            if number in self._forgotten
        }
        return {**forgotten, **self._known_records([one for one in numbers if one not in forgotten])}

    def _tell_what_stays(self, one: Earlier, reason: str) -> None:
        result = Result(
            self._task.division.code,
            one.code,
            Outcome.SKIPPED,
            self._recorder.now(),
            None,
            f"{self._taking.reason} It stays: {reason}",
            entity=self._entity.stream,
        )
        self._recorder.end(Ended(result, one.source, is_news=False))

    # Applying

    def _worker(self, planner: Planner) -> Worker:
        worker = super()._worker(planner)
        worker.endings.adjust = self._copy_after
        return worker

    def _copy_after(self, pending: Pending, noted: Copy) -> Copy | None:
        change, version = pending.change, pending.source.version
        if pending.source.number in self._forgotten:
            return None
        return copy_after(change.decision, pending.copy, noted, version, self._taking, is_undo=change.is_undo)

    def _apply(self, plan: int, planner: Planner) -> Waiting[bool]:
        is_done = yield from super()._apply(plan, planner)
        if is_done:
            self._settle()
        return is_done

    def _show(self, plan: int, planner: Planner) -> None:
        super()._show(plan, planner)
        self._settle()

    def _settle(self) -> None:
        """Hold, untie or tie what no call is needed for: its row is as it was before."""
        self._recorder.flush()
        for page in self._pages() if not self._taking.only else ():
            found = self._company(page)
            for one in page:
                row = found.rows.get(one.target_id or "")
                if row is not None and not self._is_left(one) and found.why_not(one) is None:
                    self._settle_one(one, row, found)

    def _is_left(self, one: Earlier) -> bool:
        return one.source in self._left or one.source in self._forgotten

    def _settle_one(self, one: Earlier, row: Existing, found: Company) -> None:
        source = found.records[one.source]
        copy = found.copies.get(one.source) or Copy(source.record.key, one.code)
        if one.is_undo == (copy.target_id is not None) or copy.target_id not in (None, row.id):
            return  # it is so already, or the copy is tied to another row by now
        after = tied_again(copy, row.id, one.rule) if one.is_undo and one.rule else None
        if not one.is_undo:
            after = held(copy, source.version, self._taking.reason, one.rule)
        if after is not None:
            self._end(one, row, after)

    def _end(self, one: Earlier, row: Existing, copy: Copy) -> None:
        result = Result(
            self._task.division.code,
            one.code,
            Outcome.UNCHANGED,
            self._recorder.now(),
            None,
            self._taking.reason,
            entity=self._entity.stream,
            source=copy.source,
            matched_on=one.rule,
            target_code=row.code,
        )
        action = TIE if one.is_undo else UNTIE
        besides = {} if one.is_undo else {UNDO: True}
        self._recorder.end(
            Ended(result, one.source, copy=copy, existing=row, action=action if one.rule else None, besides=besides)
        )


@dataclass(frozen=True, slots=True)
class Company:
    """What a company holds by now of some changes, and what is known of it."""

    rows: Mapping[str, Existing]
    holders: Mapping[str, tuple[int, Holder]]
    copies: Mapping[int, Copy]
    decided: Mapping[int, Decided]
    records: Mapping[int, Remembered]

    def why_not(self, one: Earlier) -> Undone | None:
        """Return why a change cannot be taken back since its row is another account's by now, or None."""
        holder = self.holders.get(one.target_id or "")
        if holder is not None and holder[0] != one.source:
            return Undone(reason=f"The row is the copy of {holder[1].name or 'another account'} by now.")
        if not (one.is_undo and one.rule):
            return None
        copy, decided = self.copies.get(one.source), self.decided.get(one.source)
        if copy is not None and copy.target_id not in (None, one.target_id):
            return Undone(reason="It is tied to another row by now.")
        if decided is not None and (decided.verdict, decided.target_id) != ("tied", one.target_id):
            return Undone(reason=f"{decided.by} decided otherwise.")
        return None
