"""All the work of one company in a run: its entities one after the other, since some belong to others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from exactonline_client.connections import Reached
from exactonline_client.exchange import Waiting
from exactonline_client.store import Store

from target_exactonline.applying.endings import Deferral
from target_exactonline.applying.lane import Lane
from target_exactonline.planning.parents import Placed
from target_exactonline.reporting.progress import Progress

LOOK_AGAIN = timedelta(seconds=1)
"""How often a company is asked for that another process works on."""


class CompanyWork:
    """The lanes of one company, in the order in which they are written."""

    def __init__(self, number: int, reached: Reached, progress: Progress, lanes: Sequence[Lane], store: Store) -> None:
        self._number = number
        self._reached = reached
        self._progress = progress
        self._lanes = lanes
        self._store = store

    @property
    def faults(self) -> list[str]:
        """Return what went wrong in the company as a whole, and needs a person."""
        return list(dict.fromkeys(lane.fault for lane in self._lanes if lane.fault))

    def defer(self, deferral: Deferral) -> None:
        """Defer all that is due, without asking the company."""
        for lane in self._lanes:
            lane.defer(deferral)

    def flush(self) -> None:
        """Write down how records ended so far."""
        for lane in self._lanes:
            lane.flush()

    def work(self) -> Waiting[None]:
        """Do all of it. What cannot go is deferred; only a login that is needed is raised."""
        release = yield from self._locked()
        try:
            given_up: Deferral | None = None
            placed: Placed = {}
            is_new = False
            for place, lane in enumerate(self._lanes, 1):
                lane.placed, lane.to_follow = placed, sum(one.expected for one in self._lanes[place:])
                lane.is_new = is_new
                if given_up is None:
                    given_up = yield from lane.work()
                else:
                    lane.defer(given_up)
                placed, is_new = lane.placed, lane.is_new
        finally:
            self._progress.end(self._reached.division.code)
            release()

    def _locked(self) -> Waiting[Callable[[], None]]:
        """Be the one that works on the company, among all processes on this store."""
        name = f"lane-{self._number}"  # not that of its writers: on PostgreSQL they would wait for it
        while (release := self._store.try_lock(name)) is None:
            yield self._reached.client.now() + LOOK_AGAIN
        return release
