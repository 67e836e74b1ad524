"""The runs of a store: when, by whom, how far, with what result; and what the last dry runs planned."""

from __future__ import annotations

import getpass
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from exactonline_client.store import Store
from sqlalchemy import Select, case, delete, func, select

from target_exactonline.planning.model import NotSent
from target_exactonline.reporting.outcomes import source_as_object
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.plans import fields_of, source_of
from target_exactonline.store.rows import unpacked
from target_exactonline.store.tables import changes, companies, plans, progress, runs, sources

RUN_BY_VARIABLE = "EXACTONLINE_RUN_BY"
RUN_ID_VARIABLE = "EXACTONLINE_RUN_ID"
"""By which whoever starts a run knows it again."""
LINES_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class DivisionCounts:
    """What a run came to in one division; None stands for records that name none."""

    code: int | None
    name: str
    received: int
    calls: int
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as the store knows it."""

    number: int
    id: str
    started_at: datetime
    started_by: str
    dry_run: bool
    ended_at: datetime | None
    """None while it is under way, and for ever if it was killed."""
    status: int | None
    """Exit status."""
    verdict: str | None
    """The last line that it logged."""
    sources: list[int]
    """Divisions that its records came from, as far as they said."""
    divisions: list[DivisionCounts]
    machine: str | None = None
    pid: int | None = None
    """Of the process that does it, on that machine."""

    def as_object(self) -> dict[str, Any]:
        """All of it, in types that JSON has."""
        ended_at = self.ended_at.isoformat() if self.ended_at else None
        return {**asdict(self), "started_at": self.started_at.isoformat(), "ended_at": ended_at}


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one division of a run is."""

    division: int
    total: int
    done: int
    waiting_for: str | None = None
    waiting_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which lines of a plan, or of what a run did, are wanted; None is all."""

    division: int | None = None
    outcomes: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    search: str | None = None
    """A part of the code, of a value or of the reason."""

    def narrow(self, query: Select[Any]) -> Select[Any]:
        """Return the query, for these lines only."""
        if self.division is not None:
            query = query.where(companies.c.division == self.division)
        if self.outcomes is not None:
            query = query.where(OUTCOME.in_(self.outcomes))
        if self.kinds is not None:
            query = query.where(changes.c.kind.in_(self.kinds))
        if self.search:
            texts = (changes.c.code, func.coalesce(changes.c.fields, ""), func.coalesce(changes.c.reason, ""))
            hits = [text.icontains(self.search, autoescape=True) for text in texts]
            query = query.where(hits[0] | hits[1] | hits[2])
        return query


OUTCOME = func.coalesce(
    changes.c.outcome,
    case({"create": "created", "delete": "deleted"}, value=changes.c.action, else_="updated"),
)
"""How a change ended, or would end in a dry run."""
ENDED = changes.c.outcome.is_not(None) | changes.c.plan.in_(select(plans.c.id).where(plans.c.is_trial))
LINES = (
    select(
        changes,
        OUTCOME.label("shown_outcome"),
        companies.c.division.label("company_division"),
        sources.c.division.label("source_division"),
        sources.c.key.label("source_key"),
        runs.c.id.label("run_id"),
    )
    .join(companies, companies.c.id == changes.c.company, isouter=True)
    .join(sources, sources.c.id == changes.c.source, isouter=True)
    .join(runs, runs.c.number == changes.c.run, isouter=True)
)


def line_of(sets: FieldSets, row: Any) -> dict[str, Any]:
    """Return a change as an object like those of outcomes.jsonl."""
    line = {
        "entity": row.entity,
        "division": row.company_division,
        "code": row.code,
        "outcome": row.shown_outcome,
        "kind": row.kind,
        "reason": row.reason,
        "changes": {name: list(change) for name, change in fields_of(sets, row).items()},
        "source": source_as_object(source_of(row)),
        "not_sent": [NotSent(*one)._asdict() for one in unpacked(row.not_sent or "[]")],
        "run": row.run_id,
        "at": row.at.isoformat(timespec="milliseconds"),
    }
    if row.matched_on not in (None, "Code"):
        line["matched_on"] = row.matched_on
    if row.target_code not in (None, row.code):
        line["target_code"] = row.target_code
    return line


class Runs:
    """The runs that a store remembers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sets = FieldSets(store)

    # Writing

    def begin(self, run_id: str, started_at: datetime, sites: Sequence[str], *, dry_run: bool) -> int:
        """Note that a run is under way, and return its number."""
        row = {
            "id": run_id,
            "sites": json.dumps(list(sites)),
            "started_at": started_at.isoformat(),
            "started_by": who(),
            "dry_run": dry_run,
            "sources": "[]",
            "divisions": "[]",
            "machine": platform.node(),
            "pid": os.getpid(),
        }
        with self._store.write() as connection:
            number: int = connection.execute(runs.insert().returning(runs.c.number), row).scalar_one()
        return number

    def keep_progress(self, run: int, standings: Iterable[Standing], at: datetime) -> None:
        """How far these divisions are."""
        rows = [
            {
                "run": run,
                "division": one.division,
                "total": one.total,
                "done": one.done,
                "waiting_for": one.waiting_for,
                "waiting_until": one.waiting_until.isoformat() if one.waiting_until else None,
                "updated_at": at.isoformat(),
            }
            for one in standings
        ]
        mine = (progress.c.run == run) & progress.c.division.in_([row["division"] for row in rows])
        with self._store.write() as connection:
            connection.execute(delete(progress).where(mine))
            connection.execute(progress.insert(), rows)

    def end(
        self,
        run: int,
        ended_at: datetime,
        status: int,
        verdict: str,
        sources: Sequence[int],
        divisions: Iterable[DivisionCounts],
    ) -> None:
        """A run is over."""
        result = {
            "ended_at": ended_at.isoformat(),
            "status": status,
            "verdict": verdict,
            "sources": json.dumps(list(sources)),
            "divisions": json.dumps([asdict(one) for one in divisions], ensure_ascii=False),
        }
        with self._store.write() as connection:
            connection.execute(runs.update().where(runs.c.number == run).values(**result))
            connection.execute(delete(progress).where(progress.c.run == run))

    # Reading

    def newest(self, limit: int = 100, offset: int = 0, *, dry_run: bool | None = None) -> list[KeptRun]:
        """Runs, newest first."""
        query = select(runs).order_by(runs.c.number.desc()).limit(limit).offset(offset)
        if dry_run is not None:
            query = query.where(runs.c.dry_run == dry_run)
        with self._store.read() as connection:
            return [_kept(row) for row in connection.execute(query)]

    def get(self, number: int) -> KeptRun | None:
        """One run."""
        with self._store.read() as connection:
            row = connection.execute(select(runs).where(runs.c.number == number)).one_or_none()
        return None if row is None else _kept(row)

    def find(self, run_id: str) -> KeptRun | None:
        """One run, by the id that whoever started it gave it."""
        query = select(runs).where(runs.c.id == run_id).order_by(runs.c.number.desc()).limit(1)
        with self._store.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _kept(row)

    def planned(self, run: int, chosen: Chosen, limit: int | None = 100, offset: int = 0) -> Iterator[dict[str, Any]]:
        """Yield the lines of a dry run's plans, in order, as in outcomes.jsonl."""
        return self._lines(run, chosen, limit, offset)

    def count_planned(self, run: int, chosen: Chosen) -> int:
        """Return how many lines of a dry run's plans are chosen."""
        return self._count(run, chosen)

    def done(self, run: int, chosen: Chosen, limit: int | None = 100, offset: int = 0) -> Iterator[dict[str, Any]]:
        """Yield what a run did and what was refused, in order, as in outcomes.jsonl."""
        return self._lines(run, chosen, limit, offset)

    def count_done(self, run: int, chosen: Chosen) -> int:
        """Return how many lines of what a run did are chosen."""
        return self._count(run, chosen)

    def _lines(self, run: int, chosen: Chosen, limit: int | None, offset: int) -> Iterator[dict[str, Any]]:
        query = chosen.narrow(LINES.where(changes.c.run == run, ENDED)).order_by(changes.c.number)
        query = query if limit is None else query.limit(limit).offset(offset)
        with self._store.read() as connection:
            for row in connection.execution_options(yield_per=LINES_AT_A_TIME).execute(query):
                yield line_of(self._sets, row)

    def _count(self, run: int, chosen: Chosen) -> int:
        lines = chosen.narrow(LINES.where(changes.c.run == run, ENDED)).subquery()
        with self._store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(lines)).scalar_one())

    def last_sign(self, run: int) -> datetime | None:
        """Return when a run under way last told how far it is."""
        query = select(func.max(progress.c.updated_at)).where(progress.c.run == run)
        with self._store.read() as connection:
            at = connection.execute(query).scalar_one()
        return datetime.fromisoformat(at) if at else None

    def progress(self, run: int) -> list[Standing]:
        """How far each division of a run under way is, by code."""
        query = select(progress).where(progress.c.run == run).order_by(progress.c.division)
        with self._store.read() as connection:
            return [
                Standing(
                    row.division,
                    row.total,
                    row.done,
                    row.waiting_for,
                    datetime.fromisoformat(row.waiting_until) if row.waiting_until else None,
                )
                for row in connection.execute(query)
            ]


class OpenRun:
    """The run of this process, in the store from the moment that there is something to keep of it."""

    def __init__(self, runs_: Runs, started_at: datetime, sites: Sequence[str], *, dry_run: bool) -> None:
        self._runs = runs_
        self._started_at = started_at
        self._sites = sites
        self._dry_run = dry_run
        self.id = os.environ.get(RUN_ID_VARIABLE) or str(uuid4())
        """By which it is known outside of the store; several processes may share one: a sync."""

    @cached_property
    def number(self) -> int:
        """Return its number in the store."""
        return self._runs.begin(self.id, self._started_at, self._sites, dry_run=self._dry_run)

    def keep_progress(self, standings: Iterable[Standing], at: datetime) -> None:
        """Keep how far these companies are."""
        self._runs.keep_progress(self.number, standings, at)

    def end(
        self,
        ended_at: datetime,
        *,
        status: int,
        verdict: str,
        sources: Sequence[int],
        divisions: Iterable[DivisionCounts],
    ) -> None:
        """Keep how it ended."""
        self._runs.end(self.number, ended_at, status, verdict, sources, divisions)


def who() -> str:
    """Return the name of whoever works now: what the environment says, or else user and machine."""
    if name := os.environ.get(RUN_BY_VARIABLE):
        return name
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        user = str(os.getuid())
    return f"{user}@{platform.node()}"


def _kept(row: Any) -> KeptRun:
    return KeptRun(
        row.number,
        row.id,
        datetime.fromisoformat(row.started_at),
        row.started_by,
        row.dry_run,
        datetime.fromisoformat(row.ended_at) if row.ended_at else None,
        row.status,
        row.verdict,
        json.loads(row.sources),
        [DivisionCounts(**one) for one in json.loads(row.divisions)],
        row.machine,
        row.pid,
    )
