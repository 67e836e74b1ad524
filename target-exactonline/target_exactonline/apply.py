"""Carries a plan out: one lane per division, inside limits; parks what cannot go now.

A lane reads what the division holds, ends every record that needs no call, and then writes the others in the order in
which they came.
"""

from __future__ import annotations

import logging
import threading

from exactonline_client.client import ExactClient
from exactonline_client.divisions import Division
from exactonline_client.errors import DivisionRefusedError, TryLaterError, UnexpectedReplyError
from exactonline_client.exchange import Waiting

from target_exactonline.brakes import Forecast
from target_exactonline.decisions import Decisions, Rules
from target_exactonline.departures import Delete
from target_exactonline.intake import Intake
from target_exactonline.ledger import Ledger
from target_exactonline.outcomes import Outcome
from target_exactonline.plan import Create, Update
from target_exactonline.progress import Progress
from target_exactonline.reconcile import find_what_differs, why_reconciled
from target_exactonline.replica import Replica
from target_exactonline.spool import Spool
from target_exactonline.store import TargetStore
from target_exactonline.writes import BlindError, Writer

logger = logging.getLogger(__name__)


class Delivery:
    """Brings the records of the spool into the divisions of one connection."""

    def __init__(
        self,
        client: ExactClient,
        store: TargetStore,
        spool: Spool,
        intake: Intake,
        ledger: Ledger,
        replica: Replica,
        rules: Rules,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._client = client
        self._store = store
        self._spool = spool
        self._intake = intake
        self._ledger = ledger
        self._replica = replica
        self._rules = rules
        self._progress = progress
        self._stop = stop
        self.faults: list[str] = []
        """What went wrong for good in a division, and needs a person."""

    def lane(self, division: Division) -> Waiting[None]:
        """All the work of one division, parked from where it cannot go on."""
        code = division.code
        try:
            looks_empty = yield from self._replica.refresh(division)
            today = f"{self._client.exacts_now().astimezone((yield from self._client.zone())):%Y-%m-%d}T00:00:00"
            if self._rules.reconcile:
                find_what_differs(code, self._store, self._intake, self._rules.policy)
            decisions = Decisions(code, self._store, self._ledger, self._rules, today)
            forecast = self._end_what_needs_no_call(code, decisions)
            self._announce(code, forecast)
            if why := self._rules.brakes.why_stop(forecast, len(self._store.codes(code))):
                self._rest(code, why)
            elif self._rules.dry_run:
                self._plan_only(code, decisions)
            else:
                yield from self._write(code, decisions, looks_empty=looks_empty)
        except (TryLaterError, BlindError) as error:
            self._rest(code, str(error))
        except (DivisionRefusedError, UnexpectedReplyError) as error:
            self.faults.append(str(error))
            self._rest(code, str(error))
        finally:
            self._progress.end(code)

    def _end_what_needs_no_call(self, division: int, decisions: Decisions) -> Forecast:
        """Settle what is unchanged, skipped or refused; the others stay in the spool and are counted."""
        forecast, records = Forecast(), 0
        for chunk in self._spool.chunks(division):
            if self._stop.is_set():
                break
            records += len(chunk)
            for change in decisions.changes(chunk):
                if change.wanted.is_deletion:
                    forecast.departures += 1
                elif isinstance(change.decision, Create):
                    forecast.creates += 1
                else:
                    forecast.updates += 1
        if records > forecast.calls:
            self._ledger.flush()  # what ended must not come out of the spool again
        return forecast

    def _announce(self, division: int, forecast: Forecast) -> None:
        now, budgets = self._client.now(), self._client.budgets
        left, per_minute = budgets.calls_left_today(division, now), budgets.calls_per_minute(division)
        logger.info("%s", forecast.line(division, left, per_minute, now))
        self._progress.begin(division, forecast.calls)

    def _rest(self, division: int, reason: str) -> None:
        """Park all that is left of a division, in one line for the log and in the outcome of each record."""
        logger.warning("Division %d: %s The rest of it is parked.", division, reason)
        self._ledger.flush()
        for chunk in self._spool.chunks(division):
            for wanted in chunk:
                self._ledger.parked(wanted, reason)

    def _plan_only(self, division: int, decisions: Decisions) -> None:
        for chunk in self._spool.chunks(division):
            present = self._store.present(division, [wanted.code for wanted in chunk])
            for change in decisions.changes(chunk):
                note = why_reconciled(change.wanted, present.get(change.wanted.code))
                match change.decision:
                    case Create(values):
                        changes = {name: (None, value) for name, value in values.items()}
                        self._ledger.planned(change.wanted, Outcome.CREATED, changes, note)
                    case Update(_, changes):
                        self._ledger.planned(change.wanted, Outcome.UPDATED, changes, note)
                    case Delete():
                        self._ledger.planned(change.wanted, Outcome.DELETED, {})

    def _write(self, division: int, decisions: Decisions, *, looks_empty: bool) -> Waiting[None]:
        writer = Writer(self._client, self._store, self._ledger, self._replica, decisions)
        yield from self._write_all(division, decisions, writer, looks_empty=looks_empty)
        self.faults += [writer.fault] if writer.fault else []

    def _write_all(self, division: int, decisions: Decisions, writer: Writer, *, looks_empty: bool) -> Waiting[None]:
        for chunk in self._spool.chunks(division):
            changes = list(decisions.changes(chunk))
            self._store.intend(division, {change.wanted.code: change.intended for change in changes})
            for change in changes:
                if self._stop.is_set():
                    return
                created = yield from writer.carry_out(change, looks_empty=looks_empty)
                if created and looks_empty:
                    yield from writer.make_sure_it_shows(change.wanted)
                    looks_empty = False
                self._progress.step(division)
