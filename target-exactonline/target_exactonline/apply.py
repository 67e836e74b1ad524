"""Carries a plan out: one lane per division, inside limits; parks what cannot go now.

A lane reads what the division holds, ends every record that needs no call, and then writes the others in the order in
which they came.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from exactonline_client.client import ExactClient
from exactonline_client.divisions import Division
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    NotFoundError,
    RecordRefusedError,
    TryLaterError,
    UnexpectedReplyError,
)
from exactonline_client.exchange import Waiting
from exactonline_client.odata import Row

from target_exactonline.brakes import Brakes, Forecast
from target_exactonline.departures import Delete, Departures, depart
from target_exactonline.intake import Intake
from target_exactonline.ledger import Ledger
from target_exactonline.outcomes import Outcome
from target_exactonline.plan import (
    Create,
    Decision,
    LastWritten,
    Leave,
    Policy,
    Present,
    Refuse,
    Skip,
    Update,
    decide,
    recovered,
    remembered,
)
from target_exactonline.progress import Progress
from target_exactonline.reconcile import find_what_differs, why_reconciled
from target_exactonline.replica import Replica, present_of
from target_exactonline.spool import Spool, Wanted
from target_exactonline.store import PutAside, TargetStore

logger = logging.getLogger(__name__)

LOOKS_ALLOWED = 3
"""How often a record is planned anew because the division turned out to hold something else than was known."""


class BlindError(Exception):
    """The division holds accounts that these credentials do not show."""

    def __init__(self, division: int) -> None:
        super().__init__(
            f"these credentials may not read accounts here. Division {division} looks empty to them, which it is not: "
            "give the user the right to read accounts in it."
        )


@dataclass(slots=True)
class Change:
    """A record that needs a call."""

    wanted: Wanted
    decision: Create | Update | Delete
    written: LastWritten | None

    @property
    def intended(self) -> Row:
        """What a run that is killed leaves for the next one to know its own writing again."""
        match self.decision:
            case Delete():
                return {}
            case Update(_, changes) if self.wanted.is_deletion:
                return {name: list(change) for name, change in changes.items()}
            case Create() | Update():
                return self.decision.values


class Delivery:
    """Brings the records of the spool into their divisions."""

    def __init__(
        self,
        client: ExactClient,
        store: TargetStore,
        spool: Spool,
        intake: Intake,
        ledger: Ledger,
        replica: Replica,
        policy: Policy,
        brakes: Brakes,
        progress: Progress,
        *,
        stop: threading.Event,
        dry_run: bool,
        retry_refused: bool,
        departures: Departures,
        reconcile: bool,
    ) -> None:
        self._client = client
        self._store = store
        self._spool = spool
        self._intake = intake
        self._ledger = ledger
        self._replica = replica
        self._policy = policy
        self._brakes = brakes
        self._progress = progress
        self._retry_refused = retry_refused
        self._stop = stop
        self._dry_run = dry_run
        self._departures = departures
        self._reconcile = reconcile
        self._today = ""
        self.faults: list[str] = []
        """What went wrong for good in a division, and needs a person."""

    def lane(self, division: Division) -> Waiting[None]:
        """All the work of one division, parked from where it cannot go on."""
        code = division.code
        try:
            looks_empty = yield from self._replica.refresh(division)
            self._today = f"{self._client.exacts_now().astimezone((yield from self._client.zone())):%Y-%m-%d}T00:00:00"
            if self._reconcile:
                find_what_differs(division.code, self._store, self._intake, self._policy)
            forecast = self._end_what_needs_no_call(code)
            self._announce(code, forecast)
            if why := self._brakes.why_stop(forecast, len(self._store.codes(code))):
                self._rest(code, why)
            elif self._dry_run:
                self._plan_only(code)
            else:
                yield from self._write(code, looks_empty=looks_empty)
        except (TryLaterError, BlindError) as error:
            self._rest(code, str(error))
        except (DivisionRefusedError, UnexpectedReplyError) as error:
            self.faults.append(str(error))
            self._rest(code, str(error))
        finally:
            self._progress.end(code)

    def _end_what_needs_no_call(self, division: int) -> Forecast:
        """Settle what is unchanged, skipped or refused; the others stay in the spool and are counted."""
        forecast, records = Forecast(), 0
        for chunk in self._spool.chunks(division):
            if self._stop.is_set():
                break
            records += len(chunk)
            for change in self._changes(division, chunk):
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

    def _plan_only(self, division: int) -> None:
        for chunk in self._spool.chunks(division):
            for change in self._changes(division, chunk):
                note = why_reconciled(change.wanted, self._present(change.wanted))
                match change.decision:
                    case Create(values):
                        changes = {name: (None, value) for name, value in values.items()}
                        self._ledger.planned(change.wanted, Outcome.CREATED, changes, note)
                    case Update(_, changes):
                        self._ledger.planned(change.wanted, Outcome.UPDATED, changes, note)
                    case Delete():
                        self._ledger.planned(change.wanted, Outcome.DELETED, {})

    def _write(self, division: int, *, looks_empty: bool) -> Waiting[None]:
        for chunk in self._spool.chunks(division):
            changes = list(self._changes(division, chunk))
            self._store.intend(division, {change.wanted.code: change.intended for change in changes})
            for change in changes:
                if self._stop.is_set():
                    return
                created = yield from self._carry_out(change, looks_empty=looks_empty)
                if created and looks_empty:
                    yield from self._make_sure_it_shows(change.wanted)
                    looks_empty = False
                self._progress.step(division)

    def _changes(self, division: int, chunk: Sequence[Wanted]) -> Iterator[Change]:
        """Decide on each record; those that need no call end here, the others come out."""
        codes = [wanted.code for wanted in chunk]
        present = self._store.present(division, codes)
        written = self._store.links(division, codes)
        intended = self._store.intended(division, codes)
        refused = {} if self._retry_refused else self._refused_before(division, codes)
        for wanted in chunk:
            noted = written.get(wanted.code)
            last = recovered(ACCOUNTS, intended.get(wanted.code, {}), present.get(wanted.code), noted)
            before = refused.get(wanted.code)
            if before is not None and before.wanted == wanted.values:
                self._ledger.refused_before(wanted, before.reason)
                continue
            decision = self._decide(wanted, present.get(wanted.code), last)
            if not self._ended(wanted, decision, last, noted):
                yield Change(wanted, decision, last)  # type: ignore[arg-type]

    def _decide(self, wanted: Wanted, present: Present | None, written: LastWritten | None) -> Decision | Delete:
        if wanted.is_deletion and wanted.source is not None:
            how = self._departures.of(wanted.division)
            return depart(ACCOUNTS, wanted.source, present, written, how, self._today, self._policy)
        return decide(ACCOUNTS, wanted.values, present, written, self._policy)

    def _refused_before(self, division: int, codes: Sequence[str]) -> dict[str, PutAside]:
        return {one.code: one for one in self._store.put_aside_before("refused", division, codes)}

    def _ended(
        self,
        wanted: Wanted,
        decision: Decision | Delete,
        last: LastWritten | None,
        noted: LastWritten | None = None,
    ) -> bool:
        """Whether that ends it without a call; `noted` is what the store knows of it."""
        match decision:
            case Leave(account_id):
                ours = last if last is not None and last.account_id == account_id else LastWritten(account_id, {})
                link = self._remember(wanted, ours)
                self._ledger.unchanged(wanted, link if link != noted else None)
            case Skip(reason):
                self._ledger.skipped(wanted, reason)
            case Refuse(reason):
                self._ledger.refused(wanted, f"{_label(wanted)}: {reason}", by_exact=False)
            case _:
                return False
        return True

    def _carry_out(self, change: Change, *, looks_empty: bool) -> Waiting[bool]:
        """Write one change; answers whether it was a create. Plans anew when the division holds something else."""
        wanted, decision = change.wanted, change.decision
        for _ in range(LOOKS_ALLOWED):
            try:
                match decision:
                    case Create():
                        yield from self._create(wanted, decision)
                        return True
                    case Update():
                        yield from self._update(wanted, decision, change.written)
                    case Delete(account_id):
                        yield from self._client.delete(ACCOUNTS, wanted.division, account_id, label=wanted.code)
                        self._ledger.deleted(wanted)
                return False
            except AlreadyExistsError:
                present = yield from self._look(wanted)
                if present is None and looks_empty:
                    raise BlindError(wanted.division) from None
            except NotFoundError:
                present = yield from self._look(wanted)
            except RecordRefusedError as error:
                self._ledger.refused(wanted, _refusal(error, decision), by_exact=True)
                return False
            anew = self._decide(wanted, present, change.written)
            if self._ended(wanted, anew, change.written):
                return False
            decision = anew  # type: ignore[assignment]
        self._ledger.parked(wanted, f"{_label(wanted)}: Exact says that the code is taken, and shows no such account.")
        return False

    def _create(self, wanted: Wanted, decision: Create) -> Waiting[None]:
        values = {"Code": wanted.code, **decision.values}
        row = yield from self._client.create(ACCOUNTS, wanted.division, values, self._replica.select_single)
        at = present_of(row).modified_at or self._client.budgets.exacts_now_at_most(self._client.now())
        changes = {name: (None, value) for name, value in decision.values.items()}
        present = Present(row["ID"], {**decision.values, **_told(row)}, at)
        link = self._remember(wanted, LastWritten(row["ID"], decision.values, at))
        note = why_reconciled(wanted, None)
        self._ledger.wrote(wanted, Outcome.CREATED, changes, present, link, note)

    def _update(self, wanted: Wanted, decision: Update, written: LastWritten | None) -> Waiting[None]:
        at = yield from self._client.update(
            ACCOUNTS, wanted.division, decision.account_id, decision.values, label=wanted.code
        )
        before = self._present(wanted)
        values = {**(before.values if before else {}), **decision.values}
        present, note = Present(decision.account_id, values, at), why_reconciled(wanted, before)
        if wanted.is_deletion and written is not None:
            link = replace(written, gone=decision.changes)
        else:
            ours = written if written and written.account_id == decision.account_id else None
            back = ours.gone if ours and ours.gone else {}
            kept = {name: value for name, value in decision.values.items() if name in wanted.values or name not in back}
            link = LastWritten(decision.account_id, {**(ours.values if ours else {}), **kept}, at)
            link = self._remember(wanted, replace(link, source=ours.source if ours else None))
        self._ledger.wrote(wanted, Outcome.UPDATED, decision.changes, present, link, note)

    def _remember(self, wanted: Wanted, link: LastWritten) -> LastWritten:
        """What is to be known of a copy that holds what is wanted, or whose source account is gone."""
        if wanted.is_deletion:
            return replace(link, gone=link.gone or {})
        return remembered(ACCOUNTS, wanted.values, link, wanted.source, self._policy)

    def _present(self, wanted: Wanted) -> Present | None:
        return self._store.present(wanted.division, [wanted.code]).get(wanted.code)

    def _look(self, wanted: Wanted) -> Waiting[Present | None]:
        """What the division holds under the code at this moment; the replica is corrected by it."""
        row = yield from self._client.find(ACCOUNTS, wanted.division, wanted.code, self._replica.select_single)
        present = present_of(row) if row else None
        self._store.keep_present(wanted.division, wanted.code, present)
        return present

    def _make_sure_it_shows(self, wanted: Wanted) -> Waiting[None]:
        """A missing right shows as zero rows: the first account created in an empty division must be there to read."""
        if (yield from self._look(wanted)) is None:
            raise BlindError(wanted.division)


def _told(row: Row) -> Row:
    """What an answer to a create says of the values; a near-empty echo says nothing."""
    values = {name: value for name, value in row.items() if name not in ("ID", "Code", "Modified")}
    return values if row.get("Code") else {}


def _refusal(error: RecordRefusedError, decision: Create | Update | Delete) -> str:
    if not isinstance(decision, Delete):
        return str(error)
    return (
        f"Exact would not delete account {error.key} in division {error.division} (HTTP {error.status}): {error.said} "
        "It stays. Set on_source_deletion to block for this division, or delete it there by hand."
    )


def _label(wanted: Wanted) -> str:
    return f"Account {wanted.code} in division {wanted.division}"
