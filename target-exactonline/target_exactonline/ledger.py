"""How records ended, written down in the order that loses nothing: store, report and counts, then the STATE."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

from exactonline_client.transport import Clock

from target_exactonline.checkpoints import Checkpoints
from target_exactonline.outcomes import Outcome, Result, Tally
from target_exactonline.plan import LastWritten, Present
from target_exactonline.report import Report
from target_exactonline.spool import Spool, Wanted
from target_exactonline.store import PutAside, Settlement, State, TargetStore, Written

FLUSH_AFTER = timedelta(seconds=0.5)
FLUSH_AT = 500
IN_HISTORY = {Outcome.CREATED, Outcome.UPDATED, Outcome.REFUSED}


class Ledger:
    """Takes in how each record ended; safe for threads."""

    def __init__(
        self,
        store: TargetStore,
        spool: Spool,
        tally: Tally,
        report: Report,
        checkpoints: Checkpoints,
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
        self._now = now
        self._max_errors = max_errors
        self._stop = stop
        self._dry_run = dry_run
        self._mutex = threading.Lock()
        self._settlement = Settlement()
        self._ended: dict[int, list[str]] = {}
        self._results: list[Result] = []
        self._flushed_at = now()

    @property
    def too_many_refused(self) -> bool:
        """Whether more were refused than `max_errors` allows."""
        return self._tally.count(Outcome.REFUSED) > self._max_errors

    def wrote(self, wanted: Wanted, outcome: Outcome, changes: Any, present: Present, link: LastWritten) -> None:
        """A create or update was carried out."""
        with self._mutex:
            self._settlement.written.append(Written(wanted.division, wanted.code, present, link))
            self._settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, outcome, None, changes)

    def planned(self, wanted: Wanted, outcome: Outcome, changes: Any) -> None:
        """A create or update would be carried out, were this not a dry run."""
        with self._mutex:
            self._end(wanted, outcome, None, changes)

    def unchanged(self, wanted: Wanted, account_id: str, *, adopt: bool) -> None:
        """The division holds it already; from now on it is known as the same party."""
        with self._mutex:
            if adopt:
                self._settlement.adopted.append((wanted.division, wanted.code, account_id))
            self._settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, Outcome.UNCHANGED, None)

    def skipped(self, wanted: Wanted, reason: str) -> None:
        """The settings do not want it written."""
        with self._mutex:
            self._settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, Outcome.SKIPPED, reason)

    def refused(self, wanted: Wanted, reason: str, *, by_exact: bool) -> None:
        """It cannot be written as it is; what Exact refused is remembered, so as not to ask again."""
        with self._mutex:
            if by_exact:
                self._settlement.put_aside.append(_aside(wanted, "refused", reason))
            else:
                self._settlement.ended.append((wanted.division, wanted.code))
            self._end(wanted, Outcome.REFUSED, reason)

    def refused_before(self, wanted: Wanted, reason: str) -> None:
        """Exact refused the same values in an earlier run; it was not asked again."""
        with self._mutex:
            self._end(wanted, Outcome.REFUSED, f"{reason} (Not tried again: nothing of it changed since.)")

    def parked(self, wanted: Wanted, reason: str) -> None:
        """It cannot go now; the next run tries it first."""
        with self._mutex:
            self._settlement.put_aside.append(_aside(wanted, "parked", reason))
            self._end(wanted, Outcome.PARKED, reason)

    def never_addressed(self, division: int | None, code: str, outcome: Outcome, reason: str) -> None:
        """A record that got no place in the spool: it names no division or code, or was overtaken."""
        with self._mutex:
            self._results.append(Result(division, code, outcome, self._now(), reason))
            self._count(self._results[-1])

    def flush(self, *, at_once: bool = True) -> None:
        """Write everything down and pass on the STATE that this allows."""
        with self._mutex:
            self._flush(at_once=at_once)

    def _end(self, wanted: Wanted, outcome: Outcome, reason: str | None, changes: Any = None) -> None:
        at = self._now()
        result = Result(wanted.division, wanted.code, outcome, at, reason, changes or {})
        self._results.append(result)
        self._ended.setdefault(wanted.division, []).append(wanted.code)
        if outcome in IN_HISTORY:
            self._settlement.events.append(result)
        self._count(result)
        if len(self._results) >= FLUSH_AT or at - self._flushed_at > FLUSH_AFTER:
            self._flush(at_once=False)

    def _count(self, result: Result) -> None:
        self._tally.add(result)
        if self.too_many_refused:
            self._stop.set()

    def _flush(self, *, at_once: bool) -> None:
        at = self._now()
        if not self._dry_run:
            self._store.settle(self._settlement, at)
        self._report.add(self._results)
        for division, codes in self._ended.items():
            self._spool.take(division, codes)
        self._settlement, self._ended, self._results, self._flushed_at = Settlement(), {}, [], at
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
    )
