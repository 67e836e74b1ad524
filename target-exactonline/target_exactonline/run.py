"""One run of the target, from its settings to its exit status."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from exactonline_client.connections import Connections, Reached
from exactonline_client.divisions import problems, why_unfit
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError, TryLaterError
from exactonline_client.proof import prove
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from mapper_exactonline.fan_out import FanOut

from target_exactonline import measures, notice, tables
from target_exactonline.apply import Delivery
from target_exactonline.checkpoints import Checkpoints
from target_exactonline.decisions import Rules
from target_exactonline.departures import BLOCKING_FIELDS, Departures
from target_exactonline.intake import Intake
from target_exactonline.lanes import Lanes
from target_exactonline.ledger import Ledger
from target_exactonline.outcomes import Outcome, Tally
from target_exactonline.progress import Progress
from target_exactonline.proof import last_write
from target_exactonline.replica import Replica
from target_exactonline.report import Report
from target_exactonline.runs import DivisionCounts, OpenRun, Runs
from target_exactonline.sources import Source
from target_exactonline.spool import DELETIONS_STREAM, Spool
from target_exactonline.store import TargetStore

FAILED = 1


class Run:
    """What a run holds open, and its course: records come in, are delivered, and are accounted for."""

    def __init__(
        self, config: Mapping[str, Any], *, program: str, stop: threading.Event, logger: logging.Logger
    ) -> None:
        settings = Settings.all_from_config(config)
        self._logger = logger
        self._stop = stop
        self._rules = Rules.from_config(config)
        self._max_errors = int(config["max_errors"])
        self._parallel = int(config["parallel_divisions"])
        self._fan_out = None if config.get("fan_out") is None else FanOut.from_config(config["fan_out"])
        self._expected = config.get("expected_divisions") or {}
        self._targets = (config.get("fan_out") or {}).get("target_divisions") or ()
        self._database = Store.open(settings[0].store_url, tables.metadata)
        self._connections = Connections(settings, self._database, program=program, expected=self._expected)
        self._store = TargetStore(self._database, *self._connections.sites)
        self._started_at = utc_now()
        self._kept = OpenRun(
            Runs(self._database), self._started_at, self._connections.sites, dry_run=self._rules.dry_run
        )
        self._spool = Spool()
        self.tally = Tally()
        self.sources: set[int] = set()
        """Divisions that records came from, as far as they said."""
        self._report = Report(config.get("report_path"), dry_run=self._rules.dry_run)
        self._webhook = notice.Webhook(config, program=program)
        self._faults: list[str] = []
        self._reach: dict[int, Reached] = {}
        self._asked: set[int] = set()
        self._parked_came_in = False
        self._reconciled = False
        self._only_tested = False
        self.checkpoints = Checkpoints(utc_now, silent=self._rules.dry_run)
        self.ledger = Ledger(
            self._store,
            self._spool,
            self.tally,
            self._report,
            self.checkpoints,
            self._kept,
            now=utc_now,
            max_errors=self._max_errors,
            stop=stop,
            dry_run=self._rules.dry_run,
        )
        self.intake = Intake(self._spool, self.ledger, self.tally)

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
            targets=self._targets,
            expected=self._expected,
            last_write=partial(last_write, self._database),
        )
        for line in readiness.as_text().splitlines():
            self._logger.info("%s", line)
        if not readiness.is_ready:
            raise ConfigurationError(readiness.first_problem)

    def deliver(self) -> None:
        """Bring everything that came in to its divisions.

        Raises:
            ConfigurationError: A division cannot be written to; nothing was written anywhere.
        """
        addressed = self._spool.divisions(but_for=DELETIONS_STREAM)
        if not self._parked_came_in:
            self._parked_came_in = True
            self.intake.accept_parked(self._store.put_aside_before(None if self._rules.retry_refused else "parked"))
        wanted = self._spool.divisions()
        if self._rules.reconcile and not self._reconciled:
            self._reconciled = True
            wanted = sorted({*wanted, *filter(self._is_target, self._store.linked_divisions())})
        if wanted and not self.ledger.too_many_refused:
            try:
                reach = self._divisions(wanted)
            except TryLaterError as error:
                self._park_all(wanted, str(error))
            else:
                divisions = {code: reached.division for code, reached in reach.items()}
                for problem in problems("target", addressed, divisions, self._expected):
                    raise ConfigurationError(problem)
                unfit = {code: why for code in wanted if (why := why_unfit("target", code, divisions))}
                for code, why in unfit.items():
                    self._logger.warning("%s What waits for it stays parked.", why)
                    self._park(code, why)
                self._work([reach[code] for code in wanted if code not in unfit])
        self.ledger.flush()

    def depart(self, sources: Sequence[Source]) -> None:
        """Take in which accounts were deleted at the source: their copies are ignored, blocked or deleted."""
        known = 0
        for source in sources:
            found = {*self._store.copies_of(source), *self._spool.copies_of(source)}
            copies = sorted(copy for copy in found if self._is_target(copy[0]))
            known += bool(copies)
            ignored = [copy for copy in copies if self._rules.departures.of(copy[0]) == "ignore"]
            if not self._rules.dry_run:
                self._store.note_gone(ignored)
            self.intake.accept_deletion(source, (copy for copy in copies if copy not in ignored))
        what = (
            "; their copies stay" if self._rules.departures == Departures() else f", {known} with copies that we know"
        )
        self._logger.info("%d accounts were deleted at the source%s.", len(sources), what)

    def _is_target(self, division: int) -> bool:
        """Whether fan_out would write to a division; without it, the mapping step has decided."""
        if self._fan_out is None:
            return True
        chosen = self._fan_out.target_divisions
        return division not in self._fan_out.exclude_divisions and (chosen is None or division in chosen)

    def end(self, signal_number: int | None = None, failure: str | None = None) -> int:
        """Account for the run, which may have failed; answers the exit status."""
        if self._only_tested:
            self._close()
            return 0
        self.ledger.flush()
        self._account_for_the_rest(failure or "The run was stopped before its turn.")
        verdict = self._verdict(signal_number)
        is_failed = failure or self._faults or self.ledger.too_many_refused or self.checkpoints.unheard
        status = FAILED if is_failed else 0
        if signal_number is not None:
            status = 128 + signal_number
        calls, names = self._connections.calls, {code: reached.title for code, reached in self._reach.items()}
        for line in self.tally.lines(calls):
            self._logger.info("%s", line)
        ended_at = utc_now()
        page = self._report.finish(
            started_at=self._started_at, ended_at=ended_at, names=names, calls=calls, verdict=failure or verdict
        )
        divisions = [
            DivisionCounts(code, names.get(code or 0, ""), received, calls.get(code, 0), counts)
            for code, received, counts in self.tally.by_division()
        ]
        self._kept.end(
            ended_at, status=status, verdict=failure or verdict, sources=sorted(self.sources), divisions=divisions
        )
        measures.log(divisions, calls, self._connections.waited_seconds)
        self._close()
        if page is not None:
            self._logger.info("Report: %s", page)
        self._webhook.send(
            notice.summary(
                started_at=self._started_at,
                ended_at=ended_at,
                status=status,
                dry_run=self._rules.dry_run,
                sources=sorted(self.sources),
                divisions=divisions,
                calls=sum(calls.values()),
            )
        )
        self._logger.info("%s", verdict)
        return status

    def _account_for_the_rest(self, why: str) -> None:
        """What had no turn is skipped, or stays parked; no STATE acknowledges it, so it comes again."""
        for division in self._spool.divisions():
            for chunk in self._spool.chunks(division):
                for wanted in chunk:
                    outcome = Outcome.PARKED if wanted.attempts else Outcome.SKIPPED
                    self.ledger.never_addressed(
                        division, wanted.code, outcome, f"{why} It comes again in the next run."
                    )
        self.ledger.flush(final=True)

    def _close(self) -> None:
        self._connections.close()
        self._database.close()
        self._spool.close()

    def _work(self, divisions: Sequence[Reached]) -> None:
        fields = frozenset(ACCOUNTS.safe_to_copy) | self.intake.fields
        if self._rules.departures.blocks or self._store.has_blocked():
            fields |= frozenset(BLOCKING_FIELDS)
        progress = Progress(utc_now, self._kept, self._why_wait)
        deliveries = [
            Delivery(
                client,
                self._store,
                self._spool,
                self.intake,
                self.ledger,
                Replica(client, self._store, fields),
                self._rules,
                progress,
                self._stop,
            )
            for client in self._connections.clients
        ]
        lanes = {}
        for reached in divisions:
            self._store.place(reached.division.code, reached.client.settings.base_url)
            delivery = deliveries[self._connections.clients.index(reached.client)]
            lanes[reached.division.code] = delivery.lane(reached.division)
        try:
            with progress:
                Lanes(self._parallel, self._stop, utc_now, progress.waits).run(lanes)
        finally:
            self._faults += [fault for delivery in deliveries for fault in delivery.faults]

    def _why_wait(self, division: int) -> str:
        wait = self._reach[division].client.budgets.wait_before(division, ACCOUNTS.path, utc_now())
        return wait.reason.value if wait else "Exact gave no usable answer, and is asked again."

    def _divisions(self, wanted: Sequence[int]) -> dict[int, Reached]:
        new = set(wanted) - self._asked
        if new:
            self._reach |= self._connections.reach(sorted(new))
            self._asked |= new
        return self._reach

    def _park_all(self, divisions: Sequence[int], reason: str) -> None:
        self._logger.warning("%s Everything is parked.", reason)
        for division in divisions:
            self._park(division, reason)

    def _park(self, division: int, reason: str) -> None:
        for chunk in self._spool.chunks(division):
            for wanted in chunk:
                self.ledger.parked(wanted, reason)

    def _verdict(self, signal_number: int | None) -> str:
        planned = "Planned, nothing written: " if self._rules.dry_run else ""
        verdict = f"{planned}{self.tally.summary()}, {sum(self._connections.calls.values())} calls."
        if self.ledger.too_many_refused:
            verdict += f" Stopped: more than {self._max_errors} records were refused (max_errors)."
        if signal_number is not None:
            verdict += f" Stopped by signal {signal_number}; what is left comes again in the next run."
        if self._faults:
            verdict += f" In {len(self._faults)} division(s) it could not go on: {self._faults[0]}"
        if self.checkpoints.unheard:
            verdict += " Nobody read the STATE, so the next run begins where this one did."
        return verdict
