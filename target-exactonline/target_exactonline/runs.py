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
from sqlalchemy import Select, Table, delete, func, select

from target_exactonline.outcomes import Outcome, Result
from target_exactonline.tables import history, planned, progress, runs

RUN_BY_VARIABLE = "EXACTONLINE_RUN_BY"
RUN_ID_VARIABLE = "EXACTONLINE_RUN_ID"
"""By which whoever starts a run knows it again."""
LINES_AT_A_TIME = 500
PLANS_KEPT = 5
"""Dry runs whose plan can still be read; an older one is forgotten when another begins."""


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
    search: str | None = None
    """A part of the code, of a value or of the reason."""

    def narrow(self, query: Select[Any], lines: Table) -> Select[Any]:
        """The query, for these lines only."""
        if self.division is not None:
            query = query.where(lines.c.division == self.division)
        if self.outcomes is not None:
            query = query.where(lines.c.outcome.in_(self.outcomes))
        if self.search:
            texts = (lines.c.code, lines.c.changes, func.coalesce(lines.c.reason, ""))
            hits = [text.icontains(self.search, autoescape=True) for text in texts]
            query = query.where(hits[0] | hits[1] | hits[2])
        return query


class Runs:
    """The runs that a store remembers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # Writing

    def begin(self, started_at: datetime, sites: Sequence[str], *, dry_run: bool) -> int:
        """A run is under way; answers its number."""
        row = {
            "id": os.environ.get(RUN_ID_VARIABLE) or str(uuid4()),
            "sites": json.dumps(list(sites)),
            "started_at": started_at.isoformat(),
            "started_by": os.environ.get(RUN_BY_VARIABLE) or _user_and_machine(),
            "dry_run": dry_run,
            "sources": "[]",
            "divisions": "[]",
        }
        with self._store.write() as connection:
            number: int = connection.execute(runs.insert().returning(runs.c.number), row).scalar_one()
            if dry_run:
                kept = select(runs.c.number).where(runs.c.dry_run).order_by(runs.c.number.desc()).limit(PLANS_KEPT)
                connection.execute(delete(planned).where(planned.c.run.not_in(kept)))
        return number

    def keep_plan(self, run: int, results: Sequence[Result], first: int) -> None:
        """Keep what a dry run would have done, as its lines from number `first` on."""
        rows = [{**result.as_row(), "run": run, "number": first + place} for place, result in enumerate(results)]
        with self._store.write() as connection:
            connection.execute(planned.insert(), rows)

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
        """Lines of a dry run's plan, in order, as in outcomes.jsonl, read as they are taken."""
        return self._lines(planned, run, chosen, limit, offset)

    def count_planned(self, run: int, chosen: Chosen) -> int:
        """How many lines of a dry run's plan are chosen."""
        return self._count(planned, run, chosen)

    def done(self, run: int, chosen: Chosen, limit: int | None = 100, offset: int = 0) -> Iterator[dict[str, Any]]:
        """What a run created, updated and had refused, in order, as in outcomes.jsonl, read as it is taken."""
        return self._lines(history, run, chosen, limit, offset)

    def count_done(self, run: int, chosen: Chosen) -> int:
        """How many lines of what a run did are chosen."""
        return self._count(history, run, chosen)

    def _lines(
        self, lines: Table, run: int, chosen: Chosen, limit: int | None, offset: int
    ) -> Iterator[dict[str, Any]]:
        query = chosen.narrow(select(lines).where(lines.c.run == run), lines).order_by(lines.c.number)
        query = query if limit is None else query.limit(limit).offset(offset)
        with self._store.read() as connection:
            for row in connection.execution_options(yield_per=LINES_AT_A_TIME).execute(query):
                yield {
                    "division": row.division,
                    "code": row.code,
                    "outcome": row.outcome,
                    "changes": json.loads(row.changes),
                    "reason": row.reason,
                    "at": row.at,
                }

    def _count(self, lines: Table, run: int, chosen: Chosen) -> int:
        query = chosen.narrow(select(func.count()).select_from(lines).where(lines.c.run == run), lines)
        with self._store.read() as connection:
            return int(connection.execute(query).scalar_one())

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
        self._planned = 0

    @cached_property
    def number(self) -> int:
        """Its number in the store."""
        return self._runs.begin(self._started_at, self._sites, dry_run=self._dry_run)

    def plan(self, results: Iterable[Result]) -> None:
        """Keep what this dry run would do, but for what it would leave as it is."""
        told = [result for result in results if result.outcome is not Outcome.UNCHANGED]
        if told:
            self._runs.keep_plan(self.number, told, self._planned + 1)
            self._planned += len(told)

    def keep_progress(self, standings: Iterable[Standing], at: datetime) -> None:
        """Keep how far these divisions are."""
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


def _user_and_machine() -> str:
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
    )
