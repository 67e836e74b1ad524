"""Plans and their changes. A change is a row from the moment it is decided, and gets its outcome when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from exactonline_client.odata import Row
from exactonline_client.store import Store
from sqlalchemy import and_, bindparam, delete, func, select
from sqlalchemy.engine import Connection

from target_exactonline.planning.model import Changes, Create, Delete, NotSent, Replace, SourceKey, Update
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.rows import RECORDS_AT_A_TIME, packed, pages, unpacked
from target_exactonline.store.tables import changes, plans

UNDO, ORIGIN, IDENTITY = "undo", "origin", "identity"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a plan: what is sent for one source record."""

    source: int
    """Number of the source record."""
    code: str
    decision: Create | Update | Delete
    rank: int = 0
    """Place in the order of writing: what was deferred first; deletions and updates before creates."""
    reason: str | None = None
    target_code: str | None = None
    """The code that the row bears, where it is another one."""
    number: int = 0
    is_followed: bool = False
    """Whether another change of the same record comes after it."""
    origin: SourceKey | None = None
    """Of a source record that is kept nowhere, since it came in for a dry run."""
    identity: Row = field(default_factory=dict)
    """Of the same, what says who it is."""
    not_sent: tuple[NotSent, ...] = ()
    """References that are left out of it."""
    is_second: bool = False
    """Whether an earlier change of the plan told what is left out of the row."""
    is_left_behind: bool = False
    """Whether the row is its source record's copy no longer once it is carried out: another one is."""
    is_undo: bool = False
    """Whether it takes an earlier change back, so that it is held."""
    approved_by: str | None = None
    waits: str | None = None
    """Why it waits for an approval; None if it needs none, or has it."""

    @property
    def is_late(self) -> bool:
        """Return whether it is decided on only when its turn comes: it builds on creates of the same plan."""
        return isinstance(self.decision, Update) and not self.decision.target_id

    @property
    def action(self) -> str:
        """Return the change in a word."""
        match self.decision:
            case Create():
                return "create"
            case Delete():
                return "delete"
            case Update():
                return self.decision.action

    @property
    def target_id(self) -> str | None:
        """Return Exact's ID of the row; None for one that is to be created."""
        return None if isinstance(self.decision, Create) else self.decision.target_id

    @property
    def matched_on(self) -> str | None:
        """Return the rule that ties the row now."""
        return self.decision.matched_on if isinstance(self.decision, Update) else None

    @property
    def fields(self) -> Changes:
        """Return before and after of each field that is sent."""
        match self.decision:
            case Create(values):
                return {name: (None, value) for name, value in values.items()}
            case Update(_, changed):
                return changed
            case Delete():
                return {}


@dataclass(slots=True)
class Verdict:
    """What a plan comes to, once every record was looked at."""

    counts: Mapping[str, int] = field(default_factory=dict)
    unsafe: str | None = None
    forecast: str | None = None
    approval: str = "none"


class Plans:
    """The plans of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.sets = FieldSets(store)

    def begin(self, run: int, company: int, entity: str, at: datetime, *, is_trial: bool) -> int:
        """Open a plan and return its number."""
        row = {
            "run": run,
            "company": company,
            "entity": entity,
            "at": at,
            "counts": "{}",
            "approval": "none",
            "is_open": True,
            "is_trial": is_trial,
        }
        with self._store.write(f"company-{company}") as connection:
            return int(connection.execute(plans.insert().returning(plans.c.id), row).scalar_one())

    def add(self, plan: int, run: int, company: int, entity: str, decided: Sequence[Change], at: datetime) -> None:
        """Add changes to a plan, if there are any."""
        if not decided:
            return
        shared = {"plan": plan, "run": run, "company": company, "entity": entity, "at": at}
        with self._store.write(f"company-{company}") as connection:
            for page in pages(decided):
                connection.execute(changes.insert(), [{**shared, **self._as_row(connection, one)} for one in page])

    def judge(self, plan: int, company: int, verdict: Verdict) -> None:
        """Keep what a plan comes to."""
        values = {
            "counts": packed(verdict.counts),
            "unsafe": verdict.unsafe,
            "forecast": verdict.forecast,
            "approval": verdict.approval,
        }
        with self._store.write(f"company-{company}") as connection:
            connection.execute(plans.update().where(plans.c.id == plan).values(**values))

    def close(self, plan: int, company: int) -> None:
        """Note that every change of a plan has ended."""
        with self._store.write(f"company-{company}") as connection:
            connection.execute(plans.update().where(plans.c.id == plan).values(is_open=False))

    def changes(self, plan: int) -> Iterator[list[Change]]:
        """Yield the changes of a plan that have not ended, in the order of writing, a hundred at a time."""
        rank, number = -1, 0
        while True:
            later = (changes.c.rank > rank) | and_(changes.c.rank == rank, changes.c.number > number)
            query = select(changes).where(changes.c.plan == plan, changes.c.outcome.is_(None), later)
            with self._store.read() as connection:
                rows = connection.execute(
                    query.order_by(changes.c.rank, changes.c.number).limit(RECORDS_AT_A_TIME)
                ).all()
            if not rows:
                return
            rank, number = rows[-1].rank, rows[-1].number
            yield [self._change(row) for row in rows]

    # What a killed run left

    def left_open(self, company: int, entity: str) -> list[int]:
        """Return the plans of a company that a run left with changes of which it is not known what became of them."""
        mine = (plans.c.company == company, plans.c.entity == entity, plans.c.is_open, plans.c.is_trial.is_(False))
        with self._store.read() as connection:
            return list(connection.execute(select(plans.c.id).where(*mine)).scalars())

    def unfinished(self, opened: Sequence[int], numbers: Sequence[int]) -> dict[int, list[Change]]:
        """Return the changes of these plans that have not ended, by source record."""
        found: dict[int, list[Change]] = {}
        with self._store.read() as connection:
            for page in pages(numbers):
                query = select(changes).where(
                    changes.c.plan.in_(opened), changes.c.outcome.is_(None), changes.c.source.in_(page)
                )
                for row in connection.execute(query.order_by(changes.c.number)):
                    found.setdefault(row.source, []).append(self._change(row))
        return found

    def abandon(self, opened: Sequence[int], company: int) -> None:
        """Close plans of killed runs, and drop those of their changes that never came about."""
        with self._store.write(f"company-{company}") as connection:
            connection.execute(delete(changes).where(changes.c.plan.in_(opened), changes.c.outcome.is_(None)))
            connection.execute(plans.update().where(plans.c.id.in_(opened)).values(is_open=False))

    def note_refused(self, run: int, results: Sequence[Result]) -> None:
        """Keep for the history what was refused before it belonged to any company."""
        if not results:
            return
        common = {"run": run, "rank": 0, "outcome": Outcome.REFUSED.value}
        lines = [
            {**common, "entity": one.entity, "code": one.code, "kind": one.kind, "reason": one.reason, "at": one.at}
            for one in results
        ]
        with self._store.write() as connection:
            connection.execute(changes.insert(), lines)

    # Within a transaction

    def end(self, connection: Connection, ended: Sequence[Mapping[str, Any]]) -> None:
        """Write into changes what became of them; `of_number` names each."""
        if ended:
            names = [name for name in ended[0] if name != "of_number"]
            values: dict[str, Any] = {name: bindparam(name) for name in names}
            if "new_target_id" in values:  # of what was not carried out, the row that it was planned for
                values["new_target_id"] = func.coalesce(values["new_target_id"], changes.c.target_id)
            statement = changes.update().where(changes.c.number == bindparam("of_number"))
            connection.execute(statement.values({changes.c[name[4:]]: values[name] for name in names}), list(ended))

    # Reading

    def made_beside(self, companies: Sequence[int], ours: Sequence[int]) -> list[int]:
        """Return those of the companies whose newest plan came from a run that planned for one of ours too."""
        real = plans.c.is_trial.is_(False)
        found: dict[int, int] = {}
        with self._store.read() as connection:
            for page in pages(companies):
                newest = select(plans.c.company, func.max(plans.c.run)).where(plans.c.company.in_(page), real)
                found |= dict(map(tuple, connection.execute(newest.group_by(plans.c.company)).all()))
            shared: set[int] = set()
            for page in pages(set(found.values())):
                beside = select(plans.c.run, plans.c.company).where(plans.c.run.in_(page), real)
                shared |= {run for run, company in connection.execute(beside) if company in ours}
        return [company for company, run in found.items() if run in shared]

    # Beneath

    def _as_row(self, connection: Connection, one: Change) -> dict[str, Any]:
        decision = one.decision
        besides: dict[str, Any] = {}
        if not isinstance(decision, Delete) and decision.theirs:
            besides["theirs"] = sorted(decision.theirs)
        if isinstance(decision, Update) and decision.seen:
            besides["seen"] = decision.seen
        besides |= {name: True for name, member in _FLAGS.items() if getattr(one, member)}
        if one.waits is not None:
            besides["waits"] = one.waits
        if one.origin is not None:
            besides |= {ORIGIN: one.origin, IDENTITY: one.identity}
        return {
            "source": one.source,
            "code": one.code,
            "action": one.action,
            "rank": one.rank,
            "fields": packed_fields(self.sets, connection, one.action, one.fields),
            "kind": "approval" if one.waits else None,
            "reason": one.reason,
            "approved_by": one.approved_by,
            "target_id": one.target_id,
            "target_code": one.target_code,
            "matched_on": one.matched_on,
            "not_sent": packed(one.not_sent) if one.not_sent else None,
            "besides": packed(besides) if besides else None,
        }

    def _change(self, row: Any) -> Change:
        fields, besides = fields_of(self.sets, row), unpacked(row.besides)
        theirs = frozenset(besides.get("theirs", ()))
        decision: Create | Update | Delete
        if row.action == "create":
            decision = Create({name: after for name, (_, after) in fields.items()}, theirs)
        elif row.action == "delete":
            decision = Delete(row.target_id)
        else:
            decision = Update(row.target_id, fields, row.action, row.matched_on, theirs, besides.get("seen", {}))
        not_sent = tuple(NotSent(*one) for one in unpacked(row.not_sent or "[]"))
        flags: dict[str, Any] = {member: True for name, member in _FLAGS.items() if name in besides}
        return Change(
            row.source,
            row.code,
            decision,
            row.rank,
            row.reason,
            row.target_code,
            row.number,
            not_sent=not_sent,
            approved_by=row.approved_by,
            waits=besides.get("waits"),
            **flags,
        )


_FLAGS = {"followed": "is_followed", "second": "is_second", "left": "is_left_behind", UNDO: "is_undo"}


def steps(decision: Create | Update | Replace | Delete) -> Sequence[Create | Update | Delete]:
    """Return what is sent for a decision, in order."""
    if not isinstance(decision, Replace):
        return (decision,)
    if decision.block is None:
        return (decision.create,)
    both = (decision.block, decision.create)
    return both[::-1] if decision.creates_first else both


def packed_fields(sets: FieldSets, connection: Connection, action: str | None, fields: Changes) -> str:
    """Return before and after as text; of a create, which has no before, only the values."""
    if action == "create":
        return sets.packed(connection, {name: after for name, (_, after) in fields.items()})
    return packed({name: list(change) for name, change in fields.items()})


def fields_of(sets: FieldSets, row: Any) -> dict[str, tuple[Any, Any]]:
    """Return before and after of a row of changes."""
    fields = sets.unpacked(row.fields or "{}")
    if row.action == "create":
        return {name: (None, after) for name, after in fields.items()}
    return {name: (change[0], change[1]) for name, change in fields.items()}


def source_of(row: Any) -> SourceKey | None:
    """Return the source record of a row of changes that was read beside `source_division` and `source_key`."""
    if row.source_key is not None:
        return SourceKey(row.source_division, row.source_key)
    origin = unpacked(row.besides).get(ORIGIN)
    return SourceKey(*origin) if origin else None
