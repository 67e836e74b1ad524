"""Applies a plan to one company: its changes in order, one call after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.errors import (
    AlreadyExistsError,
    ExactError,
    LoginNeededError,
    NotFoundError,
    RecordRefusedError,
    WrongCompanyError,
)
from exactonline_client.exchange import Waiting
from exactonline_client.failures import Failures, GivenUp, next_try

from target_exactonline.planning.decide import digest
from target_exactonline.planning.model import Changes, Copy, Create, Delete, Existing, Update
from target_exactonline.planning.planner import Planner
from target_exactonline.planning.recovery import Written, noted
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.memory import Memory
from target_exactonline.store.mirror import existing_of
from target_exactonline.store.plans import Change
from target_exactonline.store.settlement import Ended
from target_exactonline.store.sources import Remembered

LOOKS_ALLOWED = 3
"""How often a record is decided on again because the company turned out to hold something else than was known."""


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


@dataclass(slots=True)
class _Work:
    """A change with all that belongs to it."""

    change: Change
    source: Remembered
    copy: Copy | None
    existing: Existing | None


class Worker:
    """Writes to one company."""

    def __init__(
        self,
        company: Company,
        number: int,
        client: ExactClient,
        memory: Memory,
        planner: Planner,
        recorder: CompanyRecorder,
        failures: Failures,
        records: Callable[[Sequence[int]], dict[int, Remembered]],
        select: Sequence[str],
        *,
        is_empty: bool,
        stop: threading.Event,
        step: Callable[[], None],
    ) -> None:
        self._company = company
        self._number = number
        self._client = client
        self._memory = memory
        self._mirror = memory.mirror(number)
        self._planner = planner
        self._recorder = recorder
        self._failures = failures
        self._records = records
        self._select = select
        self._looks_empty = is_empty
        self._stop = stop
        self._step = step
        self.adjust: Callable[[Copy, int], Copy] | None = None
        """What becomes of a copy that was written, by its version at the source."""
        self._broken: dict[int, Deferral] = {}
        """Source records of which a first change failed that a second one builds on."""

    @property
    def _entity(self) -> Entity:
        return self._memory.entity

    def apply(self, plan: int) -> Waiting[bool]:
        """Carry out the changes of a plan; return whether all had their turn.

        Raises:
            CompanyGivenUpError: The company takes nothing more in this run. What is left of the plan is untouched.
            LoginNeededError: A person has to log in first.
        """
        for page in self._memory.plans.changes(plan):
            for work in self.prepared(page):
                if self._stop.is_set():
                    return False
                if work.source.number in self._broken:  # the old row is not blocked, so there must be no second one
                    self.defer(work, self._broken[work.source.number])
                    continue
                yield from self._carry_out(work)
                self._step()
        return True

    def prepared(self, page: Sequence[Change]) -> list[_Work]:
        """Return changes with their source records, copies and rows."""
        numbers = list(dict.fromkeys(change.source for change in page))
        sources = self._records(numbers)
        copies = self._memory.copies.of(self._number, numbers)
        ids = {one.decision.target_id for one in page if not isinstance(one.decision, Create)}
        ids |= {kept.copy.target_id for kept in copies.values() if kept.copy.target_id}
        rows = self._mirror.by_id(list(ids))
        found = []
        for change in page:
            kept = copies.get(change.source)
            tied = rows.get(kept.copy.target_id or "") if kept is not None else None
            row = tied if isinstance(change.decision, Create) else rows.get(change.decision.target_id)
            copy = kept.with_row(tied) if kept is not None else None
            found.append(_Work(change, sources[change.source], copy, row))
        return found

    def unplanned(self, found: Sequence[Remembered]) -> list[_Work]:
        """Return source records that are due and have no change in any plan."""
        copies = self._memory.copies.of(self._number, [one.number for one in found])
        ids = [kept.copy.target_id for kept in copies.values() if kept.copy.target_id]
        rows = self._mirror.by_id(ids)
        works = []
        for one in found:
            kept = copies.get(one.number)
            tied = rows.get(kept.copy.target_id or "") if kept is not None else None
            copy = kept.with_row(tied) if kept is not None else None
            works.append(_Work(Change(one.number, one.record.code, Create({})), one, copy, tied))
        return works

    def defer(self, work: _Work, deferral: Deferral) -> None:
        """Leave a change for a later run."""
        source, now = work.source.record, self._recorder.now()
        before = work.copy or Copy(source.key, source.code)
        copy = replace(
            before,
            state="deferred",
            kind=deferral.kind,
            reason=deferral.reason,
            first_seen=before.first_seen if before.state == "deferred" and before.first_seen else now,
            tries=before.tries + 1,
            next_try=deferral.until,
        )
        tied = work.existing if work.existing is not None and work.existing.id == copy.target_id else None
        self._end(work, Outcome.PARKED, copy, existing=tied, kind=deferral.kind, reason=deferral.reason)

    # One change

    def _carry_out(self, work: _Work) -> Waiting[None]:
        for _ in range(LOOKS_ALLOWED):
            try:
                try:
                    yield from self._write(work)
                except (AlreadyExistsError, NotFoundError) as error:
                    again = yield from self._looked_again(work, error)
                    if again is None:
                        return
                    work = again
                else:
                    self._failures.add_success(self._company.site, self._company.division)
                    return
            except RecordRefusedError as error:
                self._refuse(work, error)
                return
            except ExactError as error:
                self._failed(work, error)
                return
        reason = f"{self._label(work)}: Exact says that the code is taken, and shows no row."
        self.defer(work, Deferral("fault", reason))

    def _write(self, work: _Work) -> Waiting[None]:
        match work.change.decision:
            case Create() as create:
                yield from self._create(work, create)
            case Update() as update:
                yield from self._update(work, update)
            case Delete(target_id):
                division, label = self._company.division, work.change.code
                yield from self._client.delete(self._entity, division, target_id, label=label)
                self._end(work, Outcome.DELETED, None, removed=target_id, forget=True)

    def _create(self, work: _Work, decision: Create) -> Waiting[None]:
        entity, source = self._entity, work.source.record
        sent = {entity.natural_key or entity.key: source.code, **decision.values}
        row = yield from self._client.create(entity, self._company.division, sent, self._select)
        answered = existing_of(entity, row)
        at = answered.modified_at or self._client.budgets.exacts_now_at_most(self._client.now())
        known = {name: value for name, value in answered.values.items() if answered.code is not None}
        existing = Existing(answered.id, answered.code or source.code, {**decision.values, **known}, at)
        written = Written(existing.id, at, source.code)
        copy = noted(source.key, source.code, decision.values, work.copy, decision, written)
        copy = replace(copy, first_seen=copy.first_seen or self._recorder.now())
        self._end(work, Outcome.CREATED, copy, existing=existing, is_written=True)
        if self._looks_empty:
            yield from self._make_sure_it_shows(existing.code or source.code)

    def _update(self, work: _Work, decision: Update) -> Waiting[None]:
        source = work.source.record
        division, label = self._company.division, work.change.code
        at = yield from self._client.update(self._entity, division, decision.target_id, decision.values, label=label)
        before = work.existing
        existing = Existing(
            decision.target_id,
            before.code if before is not None else None,
            {**(before.values if before is not None else {}), **decision.values},
            at,
        )
        desired = None if source.is_deleted else decision.values
        written = Written(decision.target_id, at, existing.code)
        copy = noted(source.key, source.code, desired, work.copy, decision, written)
        copy = replace(copy, first_seen=copy.first_seen or self._recorder.now(), tries=0, next_try=None)
        self._end(work, Outcome.UPDATED, copy, existing=existing, is_written=True)

    def _make_sure_it_shows(self, code: str) -> Waiting[None]:
        """Read the first row created in a company that looks empty: a missing right shows as no rows.

        Raises:
            CompanyGivenUpError: It does not show.
        """
        found = yield from self._client.find(self._entity, self._company.division, code, self._select)
        self._looks_empty = False
        if found is None:
            self._recorder.flush()
            self._memory.positions.suspect(self._number, suspect=True)
            raise CompanyGivenUpError(blind(self._company, self._entity))

    def _looked_again(self, work: _Work, error: ExactError) -> Waiting[_Work | None]:
        """Decide again by what the company holds at this moment.

        Raises:
            CompanyGivenUpError: The company looks empty, and says that the code is taken.
        """
        code = work.source.record.code
        row = yield from self._client.find(self._entity, self._company.division, code, self._select)
        decision = work.change.decision
        if isinstance(error, NotFoundError) and not isinstance(decision, Create):
            self._mirror.drop([decision.target_id])
        if row is not None:
            found = existing_of(self._entity, row)
            self._mirror.keep_existing(found)
            self._looks_empty = False
        elif self._looks_empty:
            self._memory.positions.suspect(self._number, suspect=True)
            raise CompanyGivenUpError(blind(self._company, self._entity))
        changes = self._planner.again(work.change, work.source)
        if not changes:
            return None
        (again,) = self.prepared(changes[:1])
        return again

    # Ends

    def _refuse(self, work: _Work, error: RecordRefusedError) -> None:
        source = work.source.record
        reason = str(error)
        if isinstance(work.change.decision, Delete):
            reason = (
                f"Exact would not delete {self._entity.name} {error.key} in division {error.division} (HTTP "
                f"{error.status}): {error.said} It stays. Set on_source_deletion to block for this division, or delete "
                "it there by hand."
            )
        copy = replace(
            work.copy or Copy(source.key, source.code),
            state="refused",
            kind="rejected",
            reason=reason,
            refused=digest(work.change.decision),
            tries=0,
            next_try=None,
        )
        tied = work.existing if work.existing is not None and work.existing.id == copy.target_id else None
        self._end(work, Outcome.REFUSED, copy, existing=tied, kind="rejected", reason=reason)

    def _failed(self, work: _Work, error: ExactError) -> None:
        """Put aside the smallest thing that explains an error.

        Raises:
            CompanyGivenUpError: That is the company.
            LoginNeededError: That is the login.
        """
        given_up = self._failures.add(self._company.site, self._company.division, str(work.source.number), error)
        if isinstance(error, LoginNeededError):
            raise error
        deferral = Deferral(error.kind, str(error))
        if isinstance(error, WrongCompanyError):
            self._recorder.hold_states()
            raise CompanyGivenUpError(deferral, error)
        if given_up is GivenUp.RECORD:
            self._put_aside(work, deferral)
            return
        raise CompanyGivenUpError(deferral, error)

    def _put_aside(self, work: _Work, deferral: Deferral) -> None:
        """Defer one record with a growing pause, or give it up after several tries, and say so."""
        now = self._recorder.now()
        before = work.copy
        is_again = before is not None and before.state == "deferred" and before.kind == deferral.kind
        tries = before.tries + 1 if is_again and before is not None else 1
        first = before.first_seen if is_again and before is not None and before.first_seen else now
        until = next_try(tries, first, now)
        if until is not None:
            self.defer(work, replace(deferral, until=until))
            return
        source = work.source.record
        reason = (
            f"{deferral.reason} It was tried {tries} times since {first:%Y-%m-%d}; it is given up until it changes."
        )
        copy = replace(
            before or Copy(source.key, source.code),
            state="refused",
            kind="rejected",
            reason=reason,
            refused=digest(work.change.decision),
            next_try=None,
        )
        self._end(work, Outcome.REFUSED, copy, existing=None, kind="rejected", reason=reason)

    def _end(
        self,
        work: _Work,
        outcome: Outcome,
        copy: Copy | None,
        *,
        existing: Existing | None = None,
        is_written: bool = False,
        removed: str | None = None,
        forget: bool = False,
        kind: str | None = None,
        reason: str | None = None,
    ) -> None:
        change, source = work.change, work.source.record
        if self.adjust is not None and outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED):
            copy = self.adjust(copy or Copy(source.key, source.code), work.source.version)
            forget = False
        if change.is_followed and outcome in (Outcome.PARKED, Outcome.REFUSED):
            self._broken[work.source.number] = Deferral(kind or "fault", reason or "")
        is_done = outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.DELETED)
        self._recorder.end(
            Ended(
                Result(
                    self._company.division,
                    source.code or change.code,
                    outcome,
                    self._recorder.now(),
                    kind,
                    reason if reason is not None else change.reason,
                    self._fields(work) if is_done else {},
                    entity=self._entity.stream,
                    source=source.key,
                    matched_on=copy.matched_on if copy is not None else None,
                    target_code=existing.code if existing is not None else change.target_code,
                ),
                work.source.number,
                None if change.is_followed else self._planner.numbers.pop(work.source.number, None),
                copy,
                forget,
                existing,
                is_written,
                removed,
                change.number or None,
                change.action,
            )
        )

    def _fields(self, work: _Work) -> Changes:
        """Return before and after of a change; of a deletion all that was there, so that it can be taken back."""
        if isinstance(work.change.decision, Delete) and work.existing is not None:
            writable = self._entity.writable_fields
            return {name: (value, None) for name, value in work.existing.values.items() if name in writable}
        return work.change.fields

    def _label(self, work: _Work) -> str:
        return f"{self._entity.title} {work.change.code} in division {self._company.division}"


def blind(company: Company, entity: Entity) -> Deferral:
    """Return why nothing is written to a company that shows no rows and takes them."""
    return Deferral(
        "no_access",
        f"These credentials may not read {entity.stream} here. Division {company.division} looks empty to them, which "
        f"it is not: give the user the right to read {entity.stream} in it.",
    )
