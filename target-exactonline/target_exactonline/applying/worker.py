"""Applies a plan to one company: its changes in order, one call after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.errors import (
    AlreadyExistsError,
    ExactError,
    LoginNeededError,
    NotFoundError,
    RecordRefusedError,
)
from exactonline_client.exchange import Waiting
from exactonline_client.failures import Failures, GivenUp
from exactonline_client.odata import Row

from target_exactonline.applying.endings import CompanyGivenUpError, Deferral, Endings, blind
from target_exactonline.applying.main_rows import MainRows
from target_exactonline.applying.pending import Pending, PendingChanges
from target_exactonline.applying.references import CompanyReferences
from target_exactonline.planning.compare import altered
from target_exactonline.planning.model import Copy, Create, Delete, Existing, Update
from target_exactonline.planning.planner import Planner
from target_exactonline.planning.recovery import Written, noted
from target_exactonline.reporting.outcomes import Outcome
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.memory import Memory
from target_exactonline.store.mirror import existing_of
from target_exactonline.store.sources import Remembered

LOOKS_ALLOWED = 3
"""How often a record is decided on again because the company turned out to hold something else than was known."""


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
        references: CompanyReferences,
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
        self.pending = PendingChanges(number, memory.copies, self._mirror, records)
        self.endings = Endings(company.division, memory.entity, planner.numbers, recorder)
        self._references = references
        self._main_rows = MainRows(memory.entity, company.division, client, self._mirror)
        self._select = select
        self._looks_empty = is_empty
        self.fault: str | None = None
        """What first put a record aside, of which Exact said nothing that is a verdict."""
        self._has_flushed_creates = False
        self._stop = stop
        self._step = step

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
            for pending in self.pending.prepared(page):
                if self._stop.is_set():
                    return False
                if (
                    pending.source.number in self.endings.broken
                ):  # the old row is not blocked, so there must be no second one
                    self.endings.defer(pending, self.endings.broken[pending.source.number])
                    continue
                yield from self._carry_out(pending)
                self._step()
        return True

    def _carry_out(self, change: Pending) -> Waiting[None]:
        if change.change.is_left_behind:  # its record has another row by now
            self._recorder.flush()
            (change,) = self.pending.prepared([change.change])
        pending: Pending | None = change
        if change.change.waits is None and change.change.is_late:
            pending = self._due_now(change)
        elif self._references.has_dropped(_sent(change)):
            pending = self._again(change)
        for _ in range(LOOKS_ALLOWED):
            if pending is None:
                return
            if pending.change.waits is not None:
                self.endings.defer(pending, Deferral("approval", pending.change.waits))
                return
            pending = yield from self._tried(pending)
        if pending is not None:
            reason = f"{self._label(pending)}: Exact says that the code is taken, and shows no row."
            self.endings.defer(pending, Deferral("fault", reason))

    def _tried(self, pending: Pending) -> Waiting[Pending | None]:
        """Write a change; return what is to be tried in its place, or None if it ended."""
        try:
            try:
                found = yield from self._write(pending)
            except (AlreadyExistsError, NotFoundError) as error:
                return (yield from self._looked_again(pending, error))
            self._failures.add_success(self._company.site, self._company.division)
            return found
        except RecordRefusedError as error:
            if (yield from self._references.left_out(_sent(pending), error)):
                return self._again(pending)
            self.endings.refuse(pending, error)
        except ExactError as error:
            self._failed(pending, error)
        return None

    def _due_now(self, pending: Pending) -> Pending | None:
        """Return the change that a reference to an account of this plan came to, if its own row is there."""
        if pending.source.number in self.endings.failed:
            self.endings.drop(pending)
            return None
        if not self._has_flushed_creates:  # all of them come before
            self._recorder.flush()
            self._has_flushed_creates = True
        return self._again(pending)

    def _again(self, pending: Pending) -> Pending | None:
        """Decide once more by what is known by now."""
        changes = self._planner.again(pending.change, pending.source)
        return self.pending.prepared(changes[:1])[0] if changes else None

    def _write(self, pending: Pending) -> Waiting[Pending | None]:
        match pending.change.decision:
            case Create() as create:
                return (yield from self._create(pending, create))
            case Update() as update:
                yield from self._update(pending, update)
            case Delete(target_id):
                division, label = self._company.division, pending.change.code
                yield from self._client.delete(self._entity, division, target_id, label=label)
                self.endings.end(pending, Outcome.DELETED, None, removed=target_id, forget=True)
        return None

    def _create(self, pending: Pending, decision: Create) -> Waiting[Pending | None]:
        entity, source = self._entity, pending.source.record
        code = source.code if entity.natural_key is not None else None
        sent = {entity.natural_key: code} if entity.natural_key is not None else {}
        sent |= {
            name: value for name, value in decision.values.items() if entity.main is None or name != entity.main.flag
        }
        row = yield from self._client.create(
            entity, self._company.division, sent, self._select, label=source.code, known=self._mirror.by_id
        )
        answered = existing_of(entity, row)
        if code is None and answered.id in self._mirror.by_id([answered.id]):  # Exact found that it was there already
            self._recorder.flush()
            holder = self._memory.copies.holders(self._number, [answered]).get(answered.id)
            if holder is not None and holder[0] != pending.source.number:
                self.endings.refuse_double(pending, answered.id)
                return None
            self._planner.first_contact.tell(pending.source.number, answered.id)
            return self._again(pending)
        at = answered.modified_at or self._client.budgets.exacts_now_at_most(self._client.now())
        is_full = row.get(entity.known_by if entity.parent is None else entity.parent.field) is not None
        known = answered.values if is_full else {}
        held, dropped = yield from self._references.made_sure(answered.id, decision.values, source)
        held |= yield from self._main_rows.made(answered.id, decision.values, self._recorder.flush)
        existing = Existing(answered.id, answered.code or code, {**decision.values, **known, **held}, at)
        written = Written(existing.id, at, source.code)
        copy = noted(source.key, source.code, decision.values, pending.copy, decision, written)
        copy = replace(copy, first_seen=copy.first_seen or self._recorder.now())
        if pending.change.is_followed and pending.copy is not None and pending.copy.target_id is not None:
            copy = replace(copy, behind=(*copy.behind, pending.copy.target_id))
        self.endings.end(pending, Outcome.CREATED, copy, existing=existing, is_written=True, dropped=dropped)
        if self._looks_empty:
            yield from self._make_sure_it_shows(existing)
        return None

    def _update(self, pending: Pending, decision: Update) -> Waiting[None]:
        source = pending.source.record
        division, label = self._company.division, pending.change.code
        sent, main = dict(decision.values), self._entity.main
        if main is not None and sent.pop(main.flag, None):
            yield from self._main_rows.set(pending.existing, decision.target_id, label)
        at = self._client.budgets.exacts_now_at_most(self._client.now())
        if sent:
            at = yield from self._client.update(self._entity, division, decision.target_id, sent, label=label)
        held, dropped = yield from self._references.made_sure(decision.target_id, decision.values, source)
        before = pending.existing
        existing = Existing(
            decision.target_id,
            before.code if before is not None else None,
            {**(before.values if before is not None else {}), **decision.values, **held},
            at,
        )
        desired = None if source.is_deleted else decision.values
        written = Written(decision.target_id, at, existing.code)
        copy = noted(source.key, source.code, desired, self._known_of(pending, decision), decision, written)
        if before is not None and pending.copy is not None and pending.copy.target_id == before.id:
            copy = copy.having(altered=altered(self._entity, before, pending.copy, decision.values))
        kept = replace(copy, first_seen=copy.first_seen or self._recorder.now(), tries=0, next_try=None)
        after = _without(pending.copy, decision.target_id) if pending.change.is_left_behind else kept
        self.endings.end(pending, Outcome.UPDATED, after, existing=existing, is_written=True, dropped=dropped)

    def _known_of(self, pending: Pending, decision: Update) -> Copy | None:
        """Return what is known of a row: of one that is taken over, what its former source record had."""
        row, copy = pending.existing, pending.copy
        if row is None or decision.matched_on is None or (copy is not None and copy.target_id == row.id):
            return copy
        holder = self._memory.copies.holders(self._number, [row]).get(row.id)
        return holder[1].copy if holder is not None else copy

    def _make_sure_it_shows(self, row: Existing) -> Waiting[None]:
        """Read the first row created in a company that looks empty: a missing right shows as no rows.

        Raises:
            CompanyGivenUpError: It does not show.
        """
        division = self._company.division
        if row.code is not None:
            found = yield from self._client.find(self._entity, division, row.code, self._select)
        else:
            found = yield from self._client.read(self._entity, division, row.id, self._select)
        self._looks_empty = False
        if found is None:
            self._recorder.flush()
            self._memory.positions.suspect(self._number, suspect=True)
            raise CompanyGivenUpError(blind(self._company, self._entity))

    def _looked_again(self, pending: Pending, error: ExactError) -> Waiting[Pending | None]:
        """Decide again by what the company holds at this moment.

        Raises:
            CompanyGivenUpError: The company looks empty, and says that the code is taken.
        """
        decision = pending.change.decision
        if pending.change.is_left_behind and not isinstance(decision, Create):  # what was to be blocked is gone
            self._mirror.drop([decision.target_id])
            self.endings.drop(pending)
            return None
        row = yield from self._sought(pending)
        if isinstance(error, NotFoundError) and not isinstance(decision, Create):
            self._mirror.drop([decision.target_id])
        if row is not None:
            found = existing_of(self._entity, row)
            self._mirror.keep_existing(found)
            self._looks_empty = False
        elif self._looks_empty:
            self._memory.positions.suspect(self._number, suspect=True)
            raise CompanyGivenUpError(blind(self._company, self._entity))
        return self._again(pending)

    def _sought(self, pending: Pending) -> Waiting[Row | None]:
        """Return the row under the code of a record; of what belongs to an account, read all and return the first."""
        entity, division, parent = self._entity, self._company.division, self._entity.parent
        if parent is None:
            return (yield from self._client.find(entity, division, pending.source.record.code, self._select))
        decision = pending.change.decision
        held = pending.existing.values if pending.existing is not None else {}
        account = held.get(parent.field) if not isinstance(decision, Create) else decision.values.get(parent.field)
        if account is None:
            return None
        rows = yield from self._client.belonging(entity, division, account, self._select)
        for row in rows:
            self._mirror.keep_existing(existing_of(entity, row))
        return rows[0] if rows else None

    def _failed(self, pending: Pending, error: ExactError) -> None:
        """Put aside the smallest thing that explains an error.

        Raises:
            CompanyGivenUpError: That is the company.
            LoginNeededError: That is the login.
        """
        if self._entity.sync_path is None and isinstance(pending.change.decision, Create):
            self._memory.positions.read_again(self._number)  # it may have been created, and shows in no feed
        given_up = self._failures.add(self._company.site, self._company.division, str(pending.source.number), error)
        if isinstance(error, LoginNeededError):
            raise error
        deferral = Deferral(error.kind, str(error))
        if given_up is GivenUp.RECORD:
            self.fault = self.fault or str(error)
            self.endings.put_aside(pending, deferral)
            return
        raise CompanyGivenUpError(deferral, error)

    def _label(self, pending: Pending) -> str:
        return f"{self._entity.title} {pending.change.code} in division {self._company.division}"


def _without(copy: Copy | None, row: str) -> Copy | None:
    """Return a copy that this row is left behind no longer."""
    if copy is None:
        return None
    settled = copy.having(state="tied", kind=None, reason=None, tries=0, next_try=None)
    return settled.having(behind=tuple(one for one in copy.behind if one != row))


def _sent(pending: Pending) -> Row:
    """Return what a change sends."""
    decision = pending.change.decision
    return {} if isinstance(decision, Delete) else decision.values
