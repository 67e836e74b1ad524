"""One run of the target, from its settings to its exit status."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from exactonline_client.companies import Company
from exactonline_client.connections import Connections, Reached
from exactonline_client.divisions import ACTIVE, Division, problems, why_unfit
from exactonline_client.entities import ACCOUNTS, COPIED, Entity
from exactonline_client.errors import ConfigurationError, TryLaterError
from exactonline_client.failures import Failures
from exactonline_client.feeds import memory as feed_memory
from exactonline_client.proof import prove
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

from target_exactonline.addressing import Addressing
from target_exactonline.applying.company import CompanyWork
from target_exactonline.applying.endings import Deferral
from target_exactonline.applying.lane import Lane
from target_exactonline.applying.scheduler import Scheduler
from target_exactonline.applying.task import Shared, Task
from target_exactonline.applying.telling import NOT_REACHED
from target_exactonline.intake.spool import Incoming
from target_exactonline.parts import Part, Parts
from target_exactonline.planning.model import SourceRecord
from target_exactonline.planning.safety import SafetyLimits
from target_exactonline.proof import last_write
from target_exactonline.reporting import metrics, webhook
from target_exactonline.reporting.checkpoints import Checkpoints
from target_exactonline.reporting.outcomes import Outcome, Result, Tally, verdict
from target_exactonline.reporting.progress import Progress
from target_exactonline.reporting.recorder import Recorder
from target_exactonline.reporting.report import Report
from target_exactonline.settings import Decisions
from target_exactonline.store import tables
from target_exactonline.store.runs import DivisionCounts, OpenRun, Runs
from target_exactonline.store.trials import forget_old_trials

FAILED = 1


class Run:
    """What a run holds open, and its course: records come in, are delivered, and are accounted for."""

    def __init__(
        self, config: Mapping[str, Any], *, program: str, stop: threading.Event, logger: logging.Logger
    ) -> None:
        settings = Settings.all_from_config(config)
        self._logger = logger
        self._stop = stop
        self._decisions = Decisions.from_config(config)
        self._limits = SafetyLimits.from_config(config)
        self._parallel = int(config["parallel_divisions"])
        self._max_errors = int(config["max_errors"])
        self._dry_run = bool(config["dry_run"])
        self._expected = config.get("expected_divisions") or {}
        self._named_targets = (config.get("fan_out") or {}).get("target_divisions") or ()
        self.addressing = Addressing(config)
        self._database = Store.open(settings[0].store_url, tables.metadata, feed_memory.metadata)
        self._connections = Connections(settings, self._database, program=program, expected=self._expected)
        self._started_at = utc_now()
        self._kept = OpenRun(Runs(self._database), self._started_at, self._connections.sites, dry_run=self._dry_run)
        self._tally = Tally()
        self._report = Report(config.get("report_path"), run=self._kept.id, dry_run=self._dry_run)
        self._webhook = webhook.Webhook(config, program=program)
        self.checkpoints = Checkpoints(utc_now, silent=self._dry_run)
        self.recorder = Recorder(
            self._tally, self._report, self.checkpoints, now=utc_now, max_errors=self._max_errors, stop=stop
        )
        self._reach: dict[int, Reached] = {}
        self.parts = Parts(self._part)
        self._memory = self.part(ACCOUNTS).memory
        self._failures = Failures()
        self._faults: list[str] = []
        self._asked: set[int] = set()
        self._only_tested = False

    def part(self, entity: Entity) -> Part:
        """Return what the run does about one entity."""
        return self.parts.of(entity)

    def _part(self, entity: Entity) -> Part:
        return Part(
            entity,
            self._database,
            self.addressing,
            self._decisions,
            self._reach,
            self.recorder,
            self.checkpoints,
            dry_run=self._dry_run,
        )

    def activate(self, stream: str, version: int) -> None:
        """Take in that a stream was read in full: what did not come with this version is there no longer."""
        self.part(COPIED.get(stream, ACCOUNTS)).intake.activate(stream, version)

    def test_connection(self) -> None:
        """Prove that the logins work and that the targets of the settings can be used; writes nothing.

        Raises:
            ConfigurationError: They do not, or cannot.
        """
        self._only_tested = True
        readiness = prove(
            self._connections,
            self._database,
            sources=(),
            targets=self._named_targets,
            expected=self._expected,
            last_write=partial(last_write, self._database),
        )
        for line in readiness.as_text().splitlines():
            self._logger.info("%s", line)
        if not readiness.is_ready:
            raise ConfigurationError(readiness.first_problem)

    def deliver(self) -> None:
        """Bring everything that came in, and what is remembered and due, to its companies.

        Raises:
            ConfigurationError: A company cannot be written to; nothing was written anywhere.
        """
        if self.recorder.too_many_refused:
            return
        sites = self._connections.sites
        self.parts.recall(self._database, self._memory.companies, sites)
        self.parts.take_deletions(sites)
        addressed = self.parts.settle_due(sites)
        wanted = sorted(set[int]().union(*(part.due or () for part in self.parts)))
        if wanted:
            try:
                reach = self._divisions([*wanted, *self.part(ACCOUNTS).references.sources()])
            except TryLaterError as error:
                self._defer_all(wanted, Deferral(error.kind, str(error)))
            else:
                self._go(self._usable(wanted, addressed, reach))
        for part in self.parts:
            if not self._dry_run:
                part.work.forget_unwanted(sites, self.parts.sources)
            part.work.clear()

    def _usable(self, wanted: Sequence[int], addressed: set[int], reach: Mapping[int, Reached]) -> list[Reached]:
        """Return the companies that can be written to. One that is closed is left out where no setting names it.

        Raises:
            ConfigurationError: One cannot that a record came in for.
        """
        divisions = {code: reached.division for code, reached in reach.items()}
        unfit = {code: why for code in wanted if (why := why_unfit("target", code, divisions))}
        left_out = self.addressing.leave_out({code: divisions.get(code) for code in unfit})
        for problem in problems("target", sorted(addressed - left_out), divisions, self._expected):
            raise ConfigurationError(problem)
        for code, why in unfit.items():
            waits = "It gets no copies until then." if code in left_out else "What waits for it stays parked."
            self._logger.warning("%s %s", why, waits)
            if code not in left_out:
                self._defer([code], Deferral("no_access", why))
        return [reach[code] for code in wanted if code not in unfit]

    def _go(self, reached: Sequence[Reached]) -> None:
        companies = {Company(one.client.settings.base_url, one.division.code): one for one in reached}
        progress = Progress(utc_now, self._kept, self._why_wait)
        work = self._work(companies, progress)

        def waits(company: Company, until: datetime) -> None:
            work[company].flush()
            progress.waits(company.division, until)

        try:
            with progress:
                Scheduler(self._parallel, self._stop, utc_now, waits).run(
                    {company: one.work() for company, one in work.items()}
                )
        finally:
            self._faults += [fault for one in work.values() for fault in one.faults]

    def _work(self, companies: Mapping[Company, Reached], progress: Progress) -> dict[Company, CompanyWork]:
        """Return the work of each company, with what came in kept in the store first."""
        number_of = self._memory.companies.number
        numbers = {company: number_of(company, one.division.name) for company, one in companies.items()}
        for part in self.parts:
            if not self._dry_run:
                part.work.remember(numbers, self._connections.sites)
            self._expect(part, {company.division for company in companies})
        lanes: dict[Company, list[Lane]] = {company: [] for company in companies}
        planning, due = threading.Lock(), defaultdict[str, dict[int, int]](dict)
        for part in self._in_order():
            shared = Shared(
                part.memory,
                self._memory,
                self.recorder,
                self._kept,
                self._failures,
                progress,
                self._stop,
                self._limits,
                part.fields(),
                part.references.terms(),
                self._decisions.approvals,
                dry_run=self._dry_run,
                retry_refused=self._decisions.retry_refused,
                reconcile=self._decisions.reconcile,
                planning=planning,
                due=due,
            )
            for task in part.tasks(companies, numbers):
                lanes[task.company].append(self._lane(task, shared))
        return {
            company: CompanyWork(numbers[company], one, progress, lanes[company], self._memory.store)
            for company, one in companies.items()
        }

    def _in_order(self) -> list[Part]:
        """Return the entities of the run in the order in which they are written."""
        return list(self.parts)

    def _lane(self, task: Task, shared: Shared) -> Lane:
        return Lane(task, shared)

    def _defer(self, codes: Sequence[int], deferral: Deferral) -> set[int]:
        """Let all wait in these companies, as far as they are known from before; return the codes of those."""
        client = self._connections.clients[0]
        known = {
            company: Reached(Division(company.division, "", "", ACTIVE, 0, None), client)
            for company in self._memory.known(self._connections.sites).values()
            if company.division in codes
        }
        for work in self._work(known, Progress(utc_now, self._kept, self._why_wait)).values():
            work.defer(deferral)
        return {company.division for company in known}

    def _defer_all(self, wanted: Sequence[int], deferral: Deferral) -> None:
        """Defer everything: where the companies are cannot be asked now. Those known from before keep what waits."""
        self._logger.warning("%s Everything is parked.", deferral.reason)
        placed = self._defer(wanted, deferral)
        for part, one in self.parts.incoming():
            targets = () if one.record.is_deleted else part.work.targets_of(one)
            for division in (code for code in targets if code not in placed):
                self._tell(Outcome.PARKED, division, part, one.record, deferral.kind, deferral.reason)
                self.checkpoints.expect(one.number, 1)  # it is kept nowhere, so no STATE may pass

    def _expect(self, part: Part, codes: set[int]) -> None:
        """Say of each record in how many companies it has to end before a STATE after it may pass."""
        for page in part.spool.pages():
            for one in page:
                self.checkpoints.expect(one.number, sum(code in codes for code in part.work.targets_of(one)))

    def end(self, signal_number: int | None = None, failure: str | None = None) -> int:
        """Account for the run, which may have failed; return the exit status."""
        if self._only_tested:
            self._close()
            return 0
        self._account_for_the_rest(failure or NOT_REACHED)
        self._memory.plans.note_refused(self._kept.number, self.recorder.unplaced)
        if not self.recorder.too_many_refused:
            self.checkpoints.release(at_once=True)
        told = verdict(
            self._tally.summary(),
            sum(self._connections.calls.values()),
            self._faults,
            dry_run=self._dry_run,
            most_refused=self._max_errors if self.recorder.too_many_refused else None,
            signal_number=signal_number,
            is_unheard=self.checkpoints.unheard,
        )
        is_failed = failure or self._faults or self.recorder.too_many_refused or self.checkpoints.unheard
        status = 128 + signal_number if signal_number is not None else FAILED if is_failed else 0
        calls, names = self._connections.calls, {code: reached.title for code, reached in self._reach.items()}
        for line in self._tally.lines(calls):
            self._logger.info("%s", line)
        ended_at = utc_now()
        page = self._report.finish(
            started_at=self._started_at, ended_at=ended_at, names=names, calls=calls, verdict=failure or told
        )
        divisions = [
            DivisionCounts(code, names.get(code or 0, ""), received, calls.get(code, 0), counts)
            for code, received, counts in self._tally.by_division()
        ]
        sources = self.parts.sources
        self._kept.end(ended_at, status=status, verdict=failure or told, sources=sources, divisions=divisions)
        if self._dry_run:
            forget_old_trials(self._database)
        metrics.log(divisions, calls, self._connections.waited_seconds)
        self._close()
        if page is not None:
            self._logger.info("Report: %s", page)
        self._webhook.send(
            webhook.summary(
                started_at=self._started_at,
                ended_at=ended_at,
                status=status,
                dry_run=self._dry_run,
                sources=sources,
                divisions=divisions,
                calls=sum(calls.values()),
            )
        )
        self._logger.info("%s", told)
        return status

    def _account_for_the_rest(self, why: str) -> None:
        """Tell of each record that never got to a company that it was skipped; it comes again."""
        for part, one in self.parts.incoming():
            if one.record.is_deleted or self.checkpoints.has_begun(one.number):
                continue
            for division in self._known_targets(part, one):
                self._tell(Outcome.SKIPPED, division, part, one.record, None, why)

    def _tell(
        self, outcome: Outcome, division: int | None, part: Part, record: SourceRecord, kind: str | None, reason: str
    ) -> None:
        now, entity = utc_now(), part.entity.stream
        result = Result(division, record.code, outcome, now, kind, reason, entity=entity, source=record.key)
        self.recorder.count(result)
        self.recorder.pass_on([result], [])

    def _known_targets(self, part: Part, one: Incoming) -> Sequence[int | None]:
        try:
            return part.work.targets_of(one) or (None,)
        except ConfigurationError:
            return (None,)

    def _close(self) -> None:
        for opened in (self._connections, self._database, self.parts):
            opened.close()

    def _why_wait(self, division: int) -> str:
        client = self._reach[division].client
        wait = client.budgets.wait_before(division, self._memory.entity.path, utc_now())
        return wait.reason.value if wait else "Exact gave no usable answer, and is asked again."

    def _divisions(self, wanted: Sequence[int]) -> dict[int, Reached]:
        new = set(wanted) - self._asked
        if new:
            self._reach.update(self._connections.reach(sorted(new)))
            self._asked |= new
        return self._reach
