"""Writes down how records ended, in the order that loses nothing: store, report and counts, then the STATE."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from exactonline_client.transport import Clock

from target_exactonline.reporting.checkpoints import Checkpoints
from target_exactonline.reporting.outcomes import Outcome, Result, Tally
from target_exactonline.reporting.report import Report
from target_exactonline.store.settlement import Ended, Settlement

FLUSH_AFTER = timedelta(seconds=1)
FLUSH_AT = 500


class Recorder:
    """What all companies of a run write down together; safe for threads."""

    def __init__(
        self,
        tally: Tally,
        report: Report,
        checkpoints: Checkpoints,
        *,
        now: Clock,
        max_errors: int,
        stop: threading.Event,
    ) -> None:
        self.tally = tally
        self.now = now
        self.checkpoints = checkpoints
        self._report = report
        self._max_errors = max_errors
        self._stop = stop
        self.unplaced: list[Result] = []
        """What was refused before it belonged to any company."""

    @property
    def too_many_refused(self) -> bool:
        """Return whether more were refused than `max_errors` allows."""
        return self.tally.count(Outcome.REFUSED) > self._max_errors

    def note(self, text: str) -> None:
        """Let the report say something of the input as a whole."""
        self._report.notes.append(text)

    def count(self, result: Result) -> None:
        """Count how one ended, and stop the run when it is one refusal too many."""
        self.tally.add(result)
        if result.outcome is Outcome.REFUSED and self.too_many_refused:
            self._stop.set()

    def refuse(self, result: Result) -> None:
        """Take in that a record was refused before it belonged to any company."""
        self.unplaced.append(result)
        self.count(result)
        self.pass_on([result], [])

    def pass_on(self, results: list[Result], numbers: list[int]) -> None:
        """Report what is in the store, and pass on the STATE that this allows, at most one a second."""
        self._report.add(results)
        self.checkpoints.end(numbers)
        if not self.too_many_refused:
            self.checkpoints.release()


class CompanyRecorder:
    """Collects how the records of one company end."""

    def __init__(self, shared: Recorder, settlement: Settlement, *, is_trial: bool) -> None:
        self._shared = shared
        self._settlement = settlement
        self._is_trial = is_trial
        self._batch: list[Ended] = []
        self._holds_states = False
        self._passed_over: list[int] = []
        self._forgotten: list[int] = []
        self._flushed_at = shared.now()
        self.plan: int | None = None

    def now(self) -> datetime:
        """Return this instant."""
        return self._shared.now()

    def note(self, text: str) -> None:
        """Let the report say something of the company as a whole."""
        self._shared.note(text)

    def end(self, ended: Ended) -> None:
        """Take in how a record ended."""
        self._batch.append(ended)
        if not ended.is_silent:
            self._shared.count(ended.result)
        if len(self._batch) >= FLUSH_AT or self._shared.now() - self._flushed_at > FLUSH_AFTER:
            self.flush()

    def hold_states(self) -> None:
        """Let no STATE pass that acknowledges a record of this company, from here on."""
        self.flush()
        self._holds_states = True

    def pass_over(self, number: int | None, forget: int | None = None) -> None:
        """Take in that a record is nothing for this company; forget its copy where one is named."""
        if number is not None:
            self._passed_over.append(number)
        if forget is not None:
            self._forgotten.append(forget)

    def flush(self) -> None:
        """Write down what came together."""
        batch, self._batch = self._batch, []
        passed_over, self._passed_over = self._passed_over, []
        forgotten, self._forgotten = self._forgotten, []
        self._flushed_at = self._shared.now()
        if forgotten and not self._is_trial:
            self._settlement.forget(forgotten)
        if not batch and not passed_over:
            return
        if self._is_trial:
            self._settlement.note(batch, self.plan)
        else:
            self._settlement.keep(batch, self.plan)
        results = [one.result for one in batch if not one.is_silent]
        if self._holds_states:
            self._shared.pass_on(results, [])
            return
        numbers = [one.number for one in batch if one.number is not None]
        self._shared.pass_on(results, numbers + passed_over)
