"""How the changes of one company end: carried out, refused, or left for a later run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.errors import ExactError, RecordRefusedError
from exactonline_client.failures import next_try

from target_exactonline.applying.pending import Pending
from target_exactonline.planning.decide import digest
from target_exactonline.planning.model import Changes, Copy, Delete, Existing, NotSent
from target_exactonline.planning.references import in_wait
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.settlement import Ended


@dataclass(frozen=True, slots=True)
class Deferral:
    """Why changes cannot go now."""

    kind: str
    reason: str
    until: datetime | None = None


class CompanyGivenUpError(Exception):
    """Nothing more can be written to the company in this run."""

    def __init__(self, deferral: Deferral, cause: ExactError | None = None) -> None:
        super().__init__(deferral.reason)
        self.deferral = deferral
        self.cause = cause


class Endings:
    """Notes how each change ended."""

    def __init__(self, division: int, entity: Entity, numbers: dict[int, int], recorder: CompanyRecorder) -> None:
        self._division = division
        self._entity = entity
        self._numbers = numbers
        self._recorder = recorder
        self.adjust: Callable[[Pending, Copy], Copy | None] | None = None
        """What becomes of the copy of a source record that was written; None to leave it as it is."""
        self.broken: dict[int, Deferral] = {}
        """Source records of which a first change failed that a second one builds on."""
        self.failed: set[int] = set()
        """Source records of which a change was not carried out."""

    def defer(self, pending: Pending, deferral: Deferral) -> None:
        """Leave a change for a later run."""
        source, now = pending.source.record, self._recorder.now()
        before = pending.copy or Copy(source.key, source.code)
        copy = replace(
            before,
            state="deferred",
            kind=deferral.kind,
            reason=deferral.reason,
            first_seen=before.first_seen if before.state == "deferred" and before.first_seen else now,
            tries=before.tries + 1,
            next_try=deferral.until,
        )
        tied = pending.existing if pending.existing is not None and pending.existing.id == copy.target_id else None
        self.end(pending, Outcome.PARKED, copy, existing=tied, kind=deferral.kind, reason=deferral.reason)

    def refuse(self, pending: Pending, error: RecordRefusedError) -> None:
        """Note that Exact will not take a change, so as not to send the same again."""
        reason = str(error)
        if isinstance(pending.change.decision, Delete):
            reason = (
                f"Exact would not delete {self._entity.name} {error.key} in division {error.division} (HTTP "
                f"{error.status}): {error.said} It stays. Set on_source_deletion to block for this division, or delete "
                "it there by hand."
            )
        self._refused(pending, reason)

    def refuse_double(self, pending: Pending, row: str) -> None:
        """Note that Exact takes a new row for one that is another source record's copy."""
        name = self._entity.name
        self._refused(
            pending,
            f"{self._entity.title} of account {pending.change.code} in division {self._division}: Exact takes it for "
            f"{name} {row}, which is the copy of another {name} of the source. Make the two differ at the source.",
        )

    def _refused(self, pending: Pending, reason: str) -> None:
        source = pending.source.record
        copy = replace(
            pending.copy or Copy(source.key, source.code),
            state="refused",
            kind="rejected",
            reason=reason,
            refused=digest(pending.change.decision),
            tries=0,
            next_try=None,
        )
        tied = pending.existing if pending.existing is not None and pending.existing.id == copy.target_id else None
        self.end(pending, Outcome.REFUSED, copy, existing=tied, kind="rejected", reason=reason)

    def put_aside(self, pending: Pending, deferral: Deferral) -> None:
        """Defer one record with a growing pause, or give it up after several tries, and say so.

        Where nobody answered, it is the next run's, like all else.
        """
        if deferral.kind != "fault":
            self.defer(pending, deferral)
            return
        now = self._recorder.now()
        before = pending.copy
        is_again = before is not None and before.state == "deferred" and before.kind == deferral.kind
        tries = before.tries + 1 if is_again and before is not None else 1
        first = before.first_seen if is_again and before is not None and before.first_seen else now
        until = next_try(tries, first, now)
        if until is not None:
            self.defer(pending, replace(deferral, until=until))
            return
        source = pending.source.record
        reason = (
            f"{deferral.reason} It was tried {tries} times since {first:%Y-%m-%d}; it is given up until it changes."
        )
        copy = replace(
            before or Copy(source.key, source.code),
            state="refused",
            kind="rejected",
            reason=reason,
            refused=digest(pending.change.decision),
            next_try=None,
        )
        self.end(pending, Outcome.REFUSED, copy, existing=None, kind="rejected", reason=reason)

    def drop(self, pending: Pending) -> None:
        """Note that a change has nothing left to build on; how its record ended was told before."""
        source, number = pending.source.record, pending.change.number
        result = Result(self._division, source.code, Outcome.SKIPPED, self._recorder.now(), entity=self._entity.stream)
        self._recorder.end(Ended(result, pending.source.number, change=number, is_silent=True))

    def end(
        self,
        pending: Pending,
        outcome: Outcome,
        copy: Copy | None,
        *,
        existing: Existing | None = None,
        is_written: bool = False,
        removed: str | None = None,
        forget: bool = False,
        kind: str | None = None,
        reason: str | None = None,
        dropped: Sequence[NotSent] = (),
    ) -> None:
        """Note how a change ended, with what is to be remembered of it."""
        change, source = pending.change, pending.source.record
        if self.adjust is not None and outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED):
            copy = self.adjust(pending, copy or Copy(source.key, source.code))
            forget = False
        if change.is_followed and outcome in (Outcome.PARKED, Outcome.REFUSED):
            self.broken[pending.source.number] = Deferral(kind or "fault", reason or "")
        is_done = outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED)
        not_sent = (*change.not_sent, *dropped) if is_done else ()
        if copy is not None and is_done:
            lost = {one.field for one in dropped}
            kept = {name: value for name, value in copy.baseline.items() if name not in lost}
            copy = in_wait(self._entity, copy.having(baseline=kept), not_sent)
        elif not is_done:
            self.failed.add(pending.source.number)
        self._recorder.end(
            Ended(
                Result(
                    self._division,
                    source.code or change.code,
                    outcome,
                    self._recorder.now(),
                    kind,
                    reason if reason is not None else change.reason,
                    self._fields(pending) if is_done or kind == "approval" else {},
                    entity=self._entity.stream,
                    source=source.key,
                    matched_on=copy.matched_on if copy is not None else None,
                    target_code=existing.code if existing is not None else change.target_code,
                    not_sent=not_sent,
                ),
                pending.source.number,
                None if change.is_followed else self._numbers.pop(pending.source.number, None),
                copy,
                forget,
                existing,
                is_written,
                removed,
                change.number or None,
                change.action,
            )
        )

    def _fields(self, pending: Pending) -> Changes:
        """Return before and after of a change; of a deletion all that was there, so that it can be taken back."""
        if isinstance(pending.change.decision, Delete) and pending.existing is not None:
            writable = self._entity.writable_fields
            return {name: (value, None) for name, value in pending.existing.values.items() if name in writable}
        return pending.change.fields


def blind(company: Company, entity: Entity) -> Deferral:
    """Return why nothing is written to a company that shows no rows and takes them."""
    return Deferral(
        "no_access",
        f"These credentials may not read {entity.stream} here. Division {company.division} looks empty to them, which "
        f"it is not: give the user the right to read {entity.stream} in it.",
    )
