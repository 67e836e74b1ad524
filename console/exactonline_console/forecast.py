"""What a preview means for the run that would follow it: calls, minutes, and what a person should know first. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from exactonline_console.jobs import Job
from exactonline_console.looks import Company
from exactonline_console.results import Result

PARALLEL = 8
"""Companies that a run works on side by side (parallel_divisions)."""
FRESH = timedelta(days=1)
WRITTEN = ("created", "updated", "deleted")
"""Outcomes that take a call."""


@dataclass(frozen=True, slots=True)
class CompanyForecast:
    """One company of a preview."""

    code: int | None
    name: str
    counts: Mapping[str, int]
    calls: int
    takes: timedelta
    calls_left: int | None
    """Today; None when there is no limit, or nobody asked yet."""

    @property
    def for_tomorrow(self) -> int:
        """Calls for which today has no room."""
        return max(0, self.calls - self.calls_left) if self.calls_left is not None else 0


def forecast(preview: Result, companies: Iterable[Company]) -> list[CompanyForecast]:
    """What each company would take: a call for each record that is written."""
    known = {one.code: one for one in companies}
    found = []
    for one in preview.divisions:
        company = known.get(one.code or 0)
        calls = sum(one.outcomes.get(outcome, 0) for outcome in WRITTEN)
        per_minute = company.calls_per_minute if company else 60
        left = company.calls_left if company else None
        takes = timedelta(minutes=calls / max(1, per_minute))
        found.append(CompanyForecast(one.code, one.name, one.outcomes, calls, takes, left))
    return found


def minutes_in_all(companies: Iterable[CompanyForecast]) -> int:
    """How long all of them take side by side, in whole minutes."""
    spans = [one.takes for one in companies]
    longest = max([*spans, sum(spans, timedelta()) / PARALLEL], default=timedelta())
    return math.ceil(longest / timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Doubts:
    """Why a person is asked once more before a run writes."""

    no_preview: bool = False
    preview_is_old: bool = False
    job_is_newer: bool = False
    """It was changed after the preview."""
    overwrites: bool = False
    """Codes that belong to somebody else are overwritten (on_collision)."""
    held_back: int = 0
    """Records that a safety limit holds back."""
    collisions: int = 0
    """Records refused because their code belongs to somebody else."""

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))


def doubts(
    job: Job, changed_at: datetime, preview: Result | None, held_back: int, collisions: int, now: datetime
) -> Doubts:
    """What the last preview of a job gives reason to ask."""
    if preview is None or preview.state != "done":
        return Doubts(no_preview=True, overwrites=job.on_collision == "overwrite")
    return Doubts(
        preview_is_old=now - preview.started_at > FRESH,
        job_is_newer=changed_at > preview.started_at,
        overwrites=job.on_collision == "overwrite",
        held_back=held_back,
        collisions=collisions,
    )
