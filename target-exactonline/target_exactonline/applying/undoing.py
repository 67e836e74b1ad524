"""Takes back what an earlier run did in one company, as a run of its own.

What was taken back is held: no later run does it again until its source record changes or it is released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from exactonline_client.exchange import Waiting

from target_exactonline.applying.lane import Lane
from target_exactonline.applying.task import Shared, Task
from target_exactonline.applying.worker import Worker
from target_exactonline.planning.model import Copy
from target_exactonline.planning.planner import AFTER_DEFERRED, RANKS, Planner
from target_exactonline.planning.undo import Done, undo
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.plans import Change
from target_exactonline.store.settlement import Ended
from target_exactonline.store.sources import Remembered


@dataclass(frozen=True, slots=True)
class Earlier:
    """A change in the history that is to be taken back."""

    source: int
    code: str
    done: Done
    rule: str | None = None
    """By which it tied the row, at first contact."""


class UndoLane(Lane):
    """The work of one company when changes are taken back."""

    def __init__(
        self,
        task: Task,
        shared: Shared,
        earlier: Callable[[], Iterator[Sequence[Earlier]]],
        *,
        delete: bool,
        reason: str,
    ) -> None:
        super().__init__(task, shared)
        self._earlier = earlier
        self._delete = delete
        self._tied: set[int] = set()
        """Source records that a rule other than the code had tied to their rows."""
        self._reason = reason

    def _read_lists(self) -> Waiting[None]:
        """Read none: what was there before is put back as it was."""
        yield from ()

    def _plan(self, today: str) -> tuple[int, Planner | None]:
        """Plan the way back, the newest change first."""
        task, memory, now = self._task, self._shared.memory, self._recorder.now
        planner = self._planner(today)
        run, entity = self._shared.run.number, self._entity
        plan = memory.plans.begin(run, task.number, entity.stream, now(), is_trial=self._shared.dry_run)
        self._recorder.plan = plan
        for page in self._earlier():
            rows = self._mirror.by_id([one.done.target_id for one in page if one.done.target_id])
            changes = []
            own = self._entity.natural_key
            self._tied |= {one.source for one in page if one.rule not in (None, own)}
            for one in page:
                undone = undo(entity, one.done, rows.get(one.done.target_id or ""), today, delete=self._delete)
                if undone.decision is None or undone.stays:
                    self._tell_what_stays(one, undone.reason or "")
                if undone.decision is not None:
                    change = Change(one.source, one.code, undone.decision, reason=self._reason)
                    changes.append(replace(change, rank=AFTER_DEFERRED + RANKS[change.action]))
                    planner.counts.add(change.action)
            planner.signing.learn([one.code for one in changes])
            signed = [one for change in changes for one in planner.signing.signed([change])]
            memory.plans.add(plan, run, task.number, entity.stream, signed, now())
        self._recorder.flush()
        return plan, planner

    def _tell_what_stays(self, one: Earlier, reason: str) -> None:
        result = Result(
            self._task.division.code,
            one.code,
            Outcome.SKIPPED,
            self._recorder.now(),
            None,
            f"{self._reason} It stays: {reason}",
            entity=self._entity.stream,
        )
        self._recorder.end(Ended(result, one.source, is_news=False))

    def _worker(self, planner: Planner) -> Worker:
        worker = super()._worker(planner)
        worker.endings.adjust = self._held
        return worker

    def _held(self, copy: Copy, source: Remembered) -> Copy:
        """Hold a copy; a tie that a rule made goes with what was written by it."""
        if source.number in self._tied:
            copy = Copy(copy.source, copy.code, first_seen=copy.first_seen)
        return replace(copy, state="held", kind="held", reason=self._reason, held_at=source.version)
