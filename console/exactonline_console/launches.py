"""Runs that the page started: asked for, under way, over."""

from __future__ import annotations

import platform
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from sqlalchemy import select

from exactonline_console.processes import Known
from exactonline_console.tables import launches

HEEDED = {signal.SIGTERM, signal.SIGINT}
MELTANO_BELIEVES = timedelta(days=1)
"""How long Meltano believes at most that a run which tells nothing is under way."""
Kind = Literal["preview", "sync", "sync-unlimited"]
NEVER_ENDED = (
    "It ended without a word: the process was killed, or the machine went down. Nothing is lost; run it again."
)


@dataclass(frozen=True, slots=True)
class Launch:
    """A run that the page started."""

    number: int
    id: str
    job: str
    kind: Kind
    started_by: str
    asked_at: datetime
    machine: str
    runner: Known | None
    meltano: Known | None
    stop_asked_by: str | None
    ended_at: datetime | None
    status: int | None
    sentence: str | None

    @property
    def is_over(self) -> bool:
        """Whether its end was noted."""
        return self.ended_at is not None

    @property
    def was_killed(self) -> bool:
        """Whether it ended without a word: killed by a signal that nobody can heed, or with nobody left to note it."""
        return self.is_over and (self.status is None or (self.status < 0 and -self.status not in HEEDED))

    @property
    def is_preview(self) -> bool:
        """Whether it writes nothing."""
        return self.kind == "preview"

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine."""
        return self.machine == platform.node()


class Launches:
    """The launches that a store remembers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, job: str, kind: Kind, started_by: str) -> Launch:
        """Note that somebody wants a run."""
        row = {
            "id": str(uuid4()),
            "job": job,
            "kind": kind,
            "started_by": started_by,
            "asked_at": utc_now().isoformat(),
            "machine": platform.node(),
        }
        with self._store.write() as connection:
            connection.execute(launches.insert(), row)
        return self.get(row["id"])

    def get(self, launch: str) -> Launch:
        """One launch, which must be there."""
        found = self.find(launch)
        if found is None:
            raise LookupError(launch)
        return found

    def find(self, launch: str) -> Launch | None:
        """One launch, or None."""
        with self._store.read() as connection:
            row = connection.execute(select(launches).where(launches.c.id == launch)).one_or_none()
        return None if row is None else _launch(row)

    def newest(self, limit: int = 200, job: str | None = None) -> list[Launch]:
        """The newest first."""
        query = select(launches).order_by(launches.c.number.desc()).limit(limit)
        if job is not None:
            query = query.where(launches.c.job == job)
        with self._store.read() as connection:
            return [_launch(row) for row in connection.execute(query)]

    def under_way(self) -> list[Launch]:
        """Launches whose end was not noted, oldest first."""
        with self._store.read() as connection:
            query = select(launches).where(launches.c.ended_at.is_(None)).order_by(launches.c.number)
            return [_launch(row) for row in connection.execute(query)]

    def note_runner(self, launch: str, process: Known) -> None:
        """The process that looks after it."""
        self._set(launch, runner_pid=process.pid, runner_born=process.born)

    def note_meltano(self, launch: str, process: Known) -> None:
        """The process that does it."""
        self._set(launch, meltano_pid=process.pid, meltano_born=process.born)

    def ask_to_stop(self, launch: str, who: str) -> None:
        """Somebody wants it stopped."""
        self._set(launch, stop_asked_by=who)

    def end(self, launch: str, status: int | None, sentence: str | None) -> None:
        """It is over, unless that was noted before."""
        with self._store.write() as connection:
            connection.execute(
                launches.update()
                .where(launches.c.id == launch, launches.c.ended_at.is_(None))
                .values(ended_at=utc_now().isoformat(), status=status, sentence=sentence)
            )

    def _set(self, launch: str, **values: Any) -> None:
        with self._store.write() as connection:
            connection.execute(launches.update().where(launches.c.id == launch).values(**values))


def reads_all(changed_at: datetime, earlier: Iterable[Launch]) -> bool:
    """Whether a run of a job that was changed then must read all of the source, not only what changed there.

    A new target or field is wanted for customers that did not change too; that is so until such a run went to its end.
    """
    writing = [one for one in earlier if not one.is_preview]
    if any(one.status == 0 and one.asked_at > changed_at for one in writing):
        return False
    return any(one.asked_at <= changed_at for one in writing)


def was_broken_off(earlier: Iterable[Launch], now: datetime) -> bool:
    """Whether Meltano may still take a run of the job for one under way, since that run was killed."""
    return any(one.was_killed and now - one.ended_at < MELTANO_BELIEVES for one in earlier if one.ended_at)


def _launch(row: Any) -> Launch:
    return Launch(
        row.number,
        row.id,
        row.job,
        row.kind,
        row.started_by,
        datetime.fromisoformat(row.asked_at),
        row.machine,
        Known(row.runner_pid, row.runner_born) if row.runner_pid else None,
        Known(row.meltano_pid, row.meltano_born) if row.meltano_pid else None,
        row.stop_asked_by,
        datetime.fromisoformat(row.ended_at) if row.ended_at else None,
        row.status,
        row.sentence,
    )
