"""Runs as a person sees them: what the page started and what the target noted, as one, whoever started it."""

from __future__ import annotations

import platform
import signal
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from target_exactonline.store.runs import DivisionCounts, KeptRun, Runs, Standing

from exactonline_console.launches import NEVER_ENDED, Launch, Launches
from exactonline_console.processes import Known

State = Literal["starting", "running", "done", "failed", "stopped", "lost"]
RUNS_LOOKED_AT = 50
TIME_TO_START = timedelta(minutes=1)
BY_SIGNAL = {130, 143, -signal.SIGINT, -signal.SIGTERM}
SILENCE = timedelta(minutes=10)
"""A run of another machine that told nothing for so long is taken for one that is over."""


@dataclass(frozen=True, slots=True)
class Result:
    """A run, and what came of it."""

    id: str
    job: str | None
    """None when it was not started by the page."""
    kind: str
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    state: State
    sentence: str | None
    """Why it failed, or what the target said last."""
    sources: tuple[int, ...]
    divisions: tuple[DivisionCounts, ...]
    run: int | None
    """Its number in the store, if the target came to note it."""
    can_be_stopped: bool = False
    """Whether a stop reaches it from here, while it is under way."""

    @property
    def is_preview(self) -> bool:
        """Whether it wrote nothing."""
        return self.kind == "preview"

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.state not in {"starting", "running"}

    @property
    def duration(self) -> timedelta | None:
        """How long it took."""
        return self.ended_at - self.started_at if self.ended_at else None

    @property
    def counts(self) -> Counter[str]:
        """How many records ended how, in all companies."""
        return sum((Counter(dict(one.outcomes)) for one in self.divisions), Counter[str]())

    @property
    def calls(self) -> int:
        """Calls to Exact that name a company."""
        return sum(one.calls for one in self.divisions)


class Results:
    """All runs of a store."""

    def __init__(self, store: Store) -> None:
        self._runs = Runs(store)
        self._launches = Launches(store)

    def get(self, number: str) -> Result | None:
        """One run by its id."""
        launch, kept = self._launches.find(number), self._runs.find(number)
        return self._of_launch(launch, kept) if launch else self._of_run(kept) if kept else None

    def newest(self, limit: int = 50, offset: int = 0) -> list[Result]:
        """The newest first."""
        kept = self._runs.newest(limit + offset)
        launched = {one.id: one for one in self._launches.newest(limit + offset)}
        noted = {one.id for one in kept}
        found = [
            self._of_launch(launched[one.id], one) if one.id in launched else self._of_run(one) for one in kept
        ] + [self._of_launch(one, self._runs.find(one.id)) for one in launched.values() if one.id not in noted]
        return sorted(found, key=lambda one: one.started_at, reverse=True)[offset : offset + limit]

    def newest_of(self, job: str, *, preview: bool | None = None) -> Result | None:
        """The last run of a job."""
        for launch in self._launches.newest(job=job):
            if preview in {None, launch.is_preview}:
                return self._of_launch(launch, self._runs.find(launch.id))
        return None

    def under_way(self) -> Result | None:
        """A run that is not over, of the page or of a terminal, if there is one."""
        launched = (self._of_launch(one, self._runs.find(one.id)) for one in self._launches.under_way())
        others = (one for one in self._runs.newest(RUNS_LOOKED_AT) if one.ended_at is None)
        noted = (self._of_run(one) for one in others if self._launches.find(one.id) is None)
        return next((one for one in (*launched, *noted) if not one.is_over), None)

    def progress(self, result: Result) -> list[Standing]:
        """How far each company is."""
        return self._runs.progress(result.run) if result.run is not None else []

    def _of_launch(self, launch: Launch, kept: KeptRun | None) -> Result:
        if not launch.is_over and has_died(launch, utc_now()) and not (kept and process_of(kept)):
            status = kept.status if kept and kept.ended_at else None
            self._launches.end(launch.id, status, NEVER_ENDED if status is None else None)
            launch = self._launches.get(launch.id)
        elif not launch.is_over and launch.meltano and is_orphaned(launch):
            launch.meltano.ask_group_to_end()
        return Result(
            launch.id,
            launch.job,
            launch.kind,
            launch.started_by,
            launch.asked_at,
            launch.ended_at,
            state_of(launch),
            launch.sentence or (kept.verdict if kept else None),
            tuple(kept.sources) if kept else (),
            tuple(kept.divisions) if kept else (),
            kept.number if kept else None,
            can_be_stopped=True,
        )

    def _of_run(self, kept: KeptRun) -> Result:
        process = process_of(kept)
        state: State = "done" if kept.status == 0 else "stopped" if kept.status in BY_SIGNAL else "failed"
        if kept.ended_at is None:
            state = "running" if process or self._is_elsewhere(kept) else "lost"
        return Result(
            kept.id,
            None,
            "preview" if kept.dry_run else "sync",
            kept.started_by,
            kept.started_at,
            kept.ended_at,
            state,
            kept.verdict,
            tuple(kept.sources),
            tuple(kept.divisions),
            kept.number,
            can_be_stopped=process is not None,
        )

    def _is_elsewhere(self, kept: KeptRun) -> bool:
        """Whether a run of another machine is under way, as far as it told."""
        last = max(filter(None, (kept.started_at, self._runs.last_sign(kept.number))))
        return kept.machine not in {None, platform.node()} and utc_now() - last < SILENCE


def process_of(kept: KeptRun) -> Known | None:
    """The process of this machine that is at work on a run, if there is one."""
    is_here = kept.ended_at is None and kept.machine == platform.node()
    return Known.of_run(kept.pid, kept.started_at) if is_here else None


def state_of(launch: Launch) -> State:
    """Where a launch is."""
    if launch.ended_at is None:
        return "running" if launch.meltano else "starting"
    if launch.status == 0:
        return "done"
    if launch.was_killed:
        return "lost"
    return "stopped" if launch.stop_asked_by or launch.status in BY_SIGNAL else "failed"


def has_died(launch: Launch, now: datetime) -> bool:
    """Whether neither the run nor the process that looks after it is there any more; of other machines nobody knows."""
    if not launch.is_here:
        return False
    if launch.runner is None:
        return now - launch.asked_at > TIME_TO_START
    return not launch.runner.is_alive and not (launch.meltano and launch.meltano.is_group_alive)


def is_orphaned(launch: Launch) -> bool:
    """Whether programs of it write on although Meltano and the process that looks after it are gone."""
    parents = (launch.runner, launch.meltano)
    return bool(launch.is_here and launch.meltano and not any(one.is_alive for one in parents if one))
