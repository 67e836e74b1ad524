"""How records ended, written down in the order that loses nothing: store, report and counts, then the STATE."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from exactonline_client.transport import Clock

from target_exactonline.checkpoints import Checkpoints
from target_exactonline.outcomes import Outcome, Result, Tally
from target_exactonline.plan import LastWritten, Present
from target_exactonline.report import Report
from target_exactonline.runs import OpenRun
from target_exactonline.spool import Spool, Wanted
from target_exactonline.store import PutAside, Settlement, State, TargetStore, Written

FLUSH_AFTER = timedelta(seconds=0.5)
FLUSH_AT = 500
IN_HISTORY = {Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED, Outcome.REFUSED}


@dataclass(slots=True)
class _Page:
    """What came in since the last flush."""

    settlement: Settlement = field(default_factory=Settlement)
    ended: dict[int, list[str]] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)


class Ledger:
    """Takes in how each record ended; safe for threads."""

    def __init__(
        self,
        store: TargetStore,
        spool: Spool,
        tally: Tally,
        report: Report,
        checkpoints: Checkpoints,
        run: OpenRun,
        *,
        now: Clock,
        max_errors: int,
        stop: threading.Event,
        dry_run: bool,
    ) -> None:
        self._store = store
        self._spool = spool
        self._tally = tally
        self._report = report
        self._checkpoints = checkpoints
        self._run = run
        self._now = now
        self._max_errors = max_errors
        self._stop = stop
        self._dry_run = dry_run
        self._mutex = threading.Lock()
        """Held for the lists below; never while the disk is waited for."""
        self._flushing = threading.Lock()
        """One flush at a time, so that what is passed on keeps its order."""
        self._open = _Page()
        self._flushed_at = now()

    @property
    def too_many_refused(self) -> bool:
        """Whether more were refused than `max_errors` allows."""
        return self._tally.count(Outcome.REFUSED) > self._max_errors

    def wrote(
        self,
        wanted: Wanted,
        outcome: Outcome,
        changes: Any,
        present: Present,
        link: LastWritten,
        reason: str | None = None,
    ) -> None:
        """A create or update was carried out."""
        with self._mutex:
            self._open.settlement.written.append(Written(wanted.division, wanted.code, present, link))
            self._open.settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, outcome, reason, changes)
        self._flush_if_due()

    def deleted(self, wanted: Wanted) -> None:
        """The division holds it no more."""
        with self._mutex:
            self._open.settlement.deleted.append((wanted.division, wanted.code))
            self._open.settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, Outcome.DELETED, None)
        self._flush_if_due()

    def planned(self, wanted: Wanted, outcome: Outcome, changes: Any, reason: str | None = None) -> None:
        """A write would be carried out, were this not a dry run."""
        with self._mutex:
            self._end(wanted, outcome, reason, changes)
        self._flush_if_due()

    def unchanged(self, wanted: Wanted, link: LastWritten | None) -> None:
        """The division holds it already; `link` is what is to be remembered of the row, if that is new."""
        with self._mutex:
            if link is not None:
                self._open.settlement.linked.append((wanted.division, wanted.code, link))
            self._open.settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, Outcome.UNCHANGED, None)
        self._flush_if_due()

    def skipped(self, wanted: Wanted, reason: str) -> None:
        """The settings do not want it written."""
        with self._mutex:
            self._open.settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, Outcome.SKIPPED, reason)
        self._flush_if_due()

    def refused(self, wanted: Wanted, reason: str, *, by_exact: bool) -> None:
        """It cannot be written as it is; what Exact refused is remembered, so as not to ask again."""
        with self._mutex:
            if by_exact:
                self._open.settlement.put_aside.append(_aside(wanted, "refused", reason))
            else:
                self._open.settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, Outcome.REFUSED, reason)
        self._flush_if_due()

    def refused_before(self, wanted: Wanted, reason: str) -> None:
        """Exact refused the same values in an earlier run; it was not asked again."""
        with self._mutex:
            self._end(wanted, Outcome.REFUSED, f"{reason} (Not tried again: nothing of it changed since.)")
        self._flush_if_due()

    def parked(self, wanted: Wanted, reason: str) -> None:
        """It cannot go now; the next run tries it first."""
        with self._mutex:
            self._open.settlement.put_aside.append(_aside(wanted, "parked", reason))
            self._end(wanted, Outcome.PARKED, reason)
        self._flush_if_due()

    def never_addressed(self, division: int | None, code: str, outcome: Outcome, reason: str) -> None:
        """A record that got no place in the spool: it names no division or code, or was overtaken."""
        with self._mutex:
            result = Result(division, code, outcome, self._now(), reason)
            self._open.results.append(result)
            if outcome in IN_HISTORY and division is not None:
                self._open.settlement.events.append(result)
            self._count(result)

    def flush(self, *, final: bool = False) -> None:
        """Write everything down, and pass on the STATE that this allows; at most one a second unless it is the last.

        What ended before is out of the spool when this returns.
        """
        with self._flushing:
            self._flush(at_once=final)

    def _end(self, wanted: Wanted, outcome: Outcome, reason: str | None, changes: Any = None) -> None:
        result = Result(wanted.division, wanted.code, outcome, self._now(), reason, changes or {})
        self._open.results.append(result)
        self._open.ended.setdefault(wanted.division, []).append(wanted.code)
        if outcome in IN_HISTORY:
            self._open.settlement.events.append(result)
        self._count(result)

    def _count(self, result: Result) -> None:
        self._tally.add(result)
        if self.too_many_refused:
            self._stop.set()

    def _is_due(self) -> bool:
        return len(self._open.results) >= FLUSH_AT or self._now() - self._flushed_at > FLUSH_AFTER

    def _flush_if_due(self) -> None:
        """Write down what came together, unless another thread is at it."""
        if self._is_due() and self._flushing.acquire(blocking=False):
            try:
                self._flush(at_once=False)
            finally:
                self._flushing.release()

    def _flush(self, *, at_once: bool) -> None:
        with self._mutex:
            page, self._open, self._flushed_at = self._open, _Page(), self._now()
        if self._dry_run:
            self._run.plan(page.results)
        elif not page.settlement.is_empty:
            self._store.settle(page.settlement, self._now(), self._run.number)
        self._report.add(page.results)
        for division, codes in page.ended.items():
            self._spool.take(division, codes)
        if not self.too_many_refused:
            self._checkpoints.release(self._spool.first_number(), at_once=at_once)


def _aside(wanted: Wanted, state: State, reason: str) -> PutAside:
    return PutAside(
        wanted.division,
        wanted.code,
        state,
        wanted.stream,
        wanted.values,
        reason,
        wanted.first_seen,
        attempts=wanted.attempts,
        source=wanted.source,
    )
