"""The work of one entity in one company: read what the company holds, plan, and apply the plan."""

from __future__ import annotations

import logging
from collections.abc import Container, Sequence
from dataclasses import replace
from functools import partial

from exactonline_client.entities import Entity
from exactonline_client.errors import ExactError, LoginNeededError, TryLaterError, WrongCompanyError
from exactonline_client.exchange import Waiting
from exactonline_client.feeds.bookmark import WENT_BACK
from exactonline_client.feeds.reader import FeedReader, take_pages

from target_exactonline.applying.endings import CompanyGivenUpError, Deferral, blind
from target_exactonline.applying.planners import planner_of
from target_exactonline.applying.references import CompanyReferences
from target_exactonline.applying.task import Shared, Task
from target_exactonline.applying.telling import Telling
from target_exactonline.applying.worker import Worker
from target_exactonline.planning.parents import Placed
from target_exactonline.planning.planner import Planner
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.mirror import Mirror, always_read
from target_exactonline.store.plans import Change, Verdict
from target_exactonline.store.settlement import Settlement

logger = logging.getLogger(__name__)

UNFINISHED = "a run was killed, and what it wrote shows in no feed"


class Lane:
    """The work of one company."""

    def __init__(self, task: Task, shared: Shared) -> None:
        self._task = task
        self._shared = shared
        memory, number = shared.memory, task.number
        self._mirror: Mirror = memory.mirror(number)
        settlement = Settlement(memory.store, number, memory.copies, self._mirror, memory.plans, shared.run.number)
        self._recorder = CompanyRecorder(shared.recorder, settlement, is_trial=shared.dry_run)
        self._references = CompanyReferences(
            memory.entity, task.company, number, task.client, shared.references, memory.proofs
        )
        self._telling = Telling(self._recorder, task.division.code, memory.entity)
        self._planned = task.planned
        self.placed: Placed = {}
        """What a dry run does about accounts, for what belongs to them."""
        self.is_new = False
        """Whether the company held no account before this run, so that nothing can belong to one."""
        self.to_follow = 0
        """Writes that what belongs to the accounts may take afterwards."""
        self._given_up: Deferral | None = None
        self.fault: str | None = None
        """What went wrong in the company as a whole, and needs a person."""

    @property
    def _entity(self) -> Entity:
        return self._shared.memory.entity

    @property
    def expected(self) -> int:
        """Return how many writes it may take, as far as that is known before it is planned."""
        return self._task.expected

    def defer(self, deferral: Deferral) -> None:
        """Defer all that is due, without asking the company."""
        self._defer_all(deferral)
        self._recorder.flush()

    def flush(self) -> None:
        """Write down how records ended so far."""
        self._recorder.flush()

    def work(self) -> Waiting[Deferral | None]:
        """Do all of it. What cannot go is deferred; only a login that is needed is raised.

        Returns:
            Why the company takes nothing more in this run, or None if it may.
        """
        try:
            yield from self._work()
        finally:
            self._recorder.flush()
        return self._given_up

    def _work(self) -> Waiting[None]:
        if self._shared.stop.is_set():
            self._leave_all()
            return
        try:
            yield from self._refresh()
            yield from self._read_lists()
            today = f"{self._task.client.exacts_now().astimezone((yield from self._task.client.zone())):%Y-%m-%d}"
        except LoginNeededError:
            raise
        except (ExactError, CompanyGivenUpError) as error:
            self._given_up = self._deferral(error)
            self._defer_all(self._given_up)
            return
        if self._shared.memory.positions.is_suspect(self._task.number):
            self._defer_all(blind(self._task.company, self._entity))
            return
        with self._shared.planning:
            plan, planner = self._plan(today)
        if planner is None:
            return
        if (unsafe := self._judge(plan, planner)) is not None:
            self._defer_plan(plan, planner, Deferral("safety_limit", unsafe))
        elif self._shared.dry_run:
            with self._shared.planning:
                self._show(plan, planner)
        elif not (yield from self._apply(plan, planner)):
            self._leave(plan, planner)
            return
        self._finish(plan)

    # Reading

    def _refresh(self) -> Waiting[None]:
        """Bring the mirror up to date; without a feed, not where there can be nothing to read."""
        if self.is_new and self._entity.sync_path is None and not self._may_hold_more():
            return
        memory, number = self._shared.memory, self._task.number
        position = memory.positions.read(number)
        before = position.rows.fields if position.rows is not None else frozenset()
        wanted = self._shared.fields | before
        select = tuple(dict.fromkeys((*always_read(self._entity), *self._names(wanted))))
        reader = FeedReader(self._task.client, memory.store, self._task.company, self._entity)
        read = partial(reader.read, position, self._mirror.ids, select=select, moved_at=self._task.division.moved_at)
        why = UNFINISHED if self._may_hold_more() else None
        reading = yield from take_pages(read(in_full=why), self._mirror.keep)
        if self._entity.sync_path is not None and reading.in_full is None and self._mirror.lacks_what_was_written():
            reading = yield from take_pages(read(in_full=WENT_BACK), self._mirror.keep)
        if reading.position is None:
            raise CompanyGivenUpError(blind(self._task.company, self._entity))
        if self._entity.parent is None:
            self.is_new = reading.in_full is not None and not reading.rows
        if reading.in_full == WENT_BACK:
            memory.copies.forget_moments(number)  # an older row is not what Exact made of what we wrote
        if reading.deleted:
            self._mirror.drop(list(reading.deleted))
        is_suspect = memory.positions.is_suspect(number) and not reading.rows
        memory.positions.keep(number, reading.position, is_suspect=is_suspect)

    def _may_hold_more(self) -> bool:
        """Return whether a killed run may have created rows that no feed shows."""
        plans = self._shared.memory.plans
        return self._entity.sync_path is None and bool(plans.left_open(self._task.number, self._entity.stream))

    def _read_lists(self) -> Waiting[None]:
        """Bring the lists up to date that the records refer to."""
        if self._shared.references.fields:
            wanted = (self._task.desire(one.source.record) for page in self._task.candidates() for one in page)
            yield from self._references.read_lists(one for one in wanted if one is not None)
        if self._planned is not None:
            self._planned = replace(self._planned, settings=self._task.settings())

    # Planning

    def _plan(self, today: str) -> tuple[int, Planner | None]:
        task, memory, now = self._task, self._shared.memory, self._recorder.now
        planner = self._planner(today)
        if self._entity.parent is None:
            self.placed = planner.placed
        plan = memory.plans.begin(
            self._shared.run.number, task.number, self._entity.stream, now(), is_trial=self._shared.dry_run
        )
        self._recorder.plan = plan
        for page in task.candidates():
            self._telling.merged(page)
            if self._shared.stop.is_set():
                came_in = (one.source.record for one in page if one.number is not None)
                self._telling.not_reached(one for one in came_in if not one.is_deleted)
                continue
            self._add(plan, planner.look_at(page))
        if not self._shared.stop.is_set():
            for changes in planner.late():
                self._add(plan, changes)
            self._telling.doubles(planner.first_contact.doubles)
        self._recorder.flush()
        if self._shared.stop.is_set():
            self._leave(plan, planner)
            return plan, None
        if not self._shared.dry_run:
            planner.forget_killed_plans()
        return plan, planner

    def _add(self, plan: int, changes: Sequence[Change]) -> None:
        run, number = self._shared.run.number, self._task.number
        self._shared.memory.plans.add(plan, run, number, self._entity.stream, changes, self._recorder.now())

    def _planner(self, today: str) -> Planner:
        return planner_of(
            self._task, self._shared, self._mirror, self._references.translator, self._recorder, today, self.placed
        )

    def _judge(self, plan: int, planner: Planner) -> str | None:
        """Keep and announce what the plan comes to; return why it must not be applied, or None."""
        counts, task = planner.counts, self._task
        now, budgets = task.client.now(), task.client.budgets
        unsafe = self._shared.limits.unsafe(counts, self._mirror.count())
        due = self._shared.due[task.client.settings.connection]
        due[task.division.code] = counts.writes + self.to_follow
        left = budgets.calls_left_today(task.division.code, now)
        foreseen = budgets.forecast(dict(due), now)
        forecast = counts.forecast(task.division.code, left, foreseen, budgets.exacts_now(now), self.to_follow)
        self._shared.memory.plans.judge(
            plan, task.number, Verdict(counts.as_object(), unsafe, forecast, planner.signing.state)
        )
        logger.info("%s", forecast)
        if self._shared.reconcile:
            differing = planner.differing
            logger.info("Division %d: %d copies compared, %d differ", task.division.code, planner.compared, differing)
        self._shared.progress.begin(task.division.code, counts.writes)
        return unsafe

    # Applying

    def _apply(self, plan: int, planner: Planner) -> Waiting[bool]:
        worker = self._worker(planner)
        try:
            return (yield from worker.apply(plan))
        except CompanyGivenUpError as error:
            if error.cause is not None:
                self._deferral(error.cause)
            self._given_up = error.deferral
            self._defer_plan(plan, planner, error.deferral)
            return True
        finally:
            self.fault = self.fault or worker.fault

    def _names(self, wanted: Container[str]) -> list[str]:
        flags = (self._entity.main.flag,) if self._entity.main is not None else ()
        return [
            name for name in (*self._entity.writable, *flags) if name in wanted and name != self._entity.natural_key
        ]

    def _worker(self, planner: Planner) -> Worker:
        task, shared = self._task, self._shared
        key = self._entity.natural_key or self._entity.key
        select = tuple(dict.fromkeys((self._entity.key, key, "Modified", *self._names(shared.fields))))
        return Worker(
            task.company,
            task.number,
            task.client,
            shared.memory,
            planner,
            self._recorder,
            shared.failures,
            task.records,
            self._references,
            select,
            is_empty=self._mirror.is_empty(),
            stop=shared.stop,
            step=lambda: shared.progress.step(task.division.code),
        )

    def _show(self, plan: int, planner: Planner) -> None:
        """Report what a dry run would do, out of the plan itself."""
        for page in self._shared.memory.plans.changes(plan):
            for work in self._worker(planner).pending.prepared(page):
                self._telling.planned(work, planner.numbers.pop(work.source.number, None))

    # What does not go

    def _deferral(self, error: ExactError | CompanyGivenUpError) -> Deferral:
        """Return why a company is given up; what needs a person fails the run."""
        if isinstance(error, CompanyGivenUpError):
            return error.deferral
        if not isinstance(error, TryLaterError):
            self.fault = str(error)
        if isinstance(error, WrongCompanyError):
            self._recorder.hold_states()
        return Deferral(error.kind, str(error))

    def _defer_all(self, deferral: Deferral) -> None:
        """Defer everything that is due, without a plan."""
        self._say(deferral)
        with self._shared.planning:
            self._defer_due(deferral)
        if self._planned is not None and not self._shared.dry_run:
            self._recorder.flush()
            self._keep_planned()

    def _defer_due(self, deferral: Deferral) -> None:
        planner = self._planner("")
        worker = self._worker(planner)
        for page in self._task.candidates():
            self._telling.merged(page)
            for candidate in page:
                if candidate.number is not None:
                    planner.numbers[candidate.source.number] = candidate.number
            known = [one for one in page if planner.is_wanted(one) and not one.is_second_look]
            for one in page:
                if one not in known and one.number is not None:
                    self._recorder.pass_over(one.number)
            for work in worker.pending.unplanned([one.source for one in known]):
                worker.endings.defer(work, deferral)

    def _defer_plan(self, plan: int, planner: Planner, deferral: Deferral) -> None:
        """Defer all that is left of a plan, in one line for the log and in the outcome of each record."""
        self._say(deferral)
        self._recorder.flush()
        worker = self._worker(planner)
        with self._shared.planning:
            for page in self._shared.memory.plans.changes(plan):
                for work in worker.pending.prepared(page):
                    worker.endings.defer(work, deferral)

    def _leave_all(self) -> None:
        """Account for all that came in, of which nothing was planned: it comes again in the next run."""
        for page in self._task.candidates():
            self._telling.merged(page)
            came_in = (one.source.record for one in page if one.number is not None)
            self._telling.not_reached(one for one in came_in if not one.is_deleted)

    def _say(self, deferral: Deferral) -> None:
        logger.warning("Division %d: %s The rest of it is parked.", self._task.division.code, deferral.reason)

    def _leave(self, plan: int, planner: Planner) -> None:
        """Account for the rest of a plan that was stopped: it is made again in the next run."""
        self._recorder.flush()
        worker = self._worker(planner)
        for page in self._shared.memory.plans.changes(plan):
            self._telling.not_reached([work.source.record for work in worker.pending.prepared(page)])
        self._recorder.flush()
        if not self._shared.dry_run:
            self._shared.memory.plans.abandon([plan], self._task.number)

    def _finish(self, plan: int) -> None:
        self._recorder.flush()
        if not self._shared.dry_run:
            self._shared.memory.plans.close(plan, self._task.number)
            self._keep_planned()

    def _keep_planned(self) -> None:
        if self._planned is not None:
            self._shared.memory.positions.keep_planned(self._task.number, self._task.scope, self._planned)
