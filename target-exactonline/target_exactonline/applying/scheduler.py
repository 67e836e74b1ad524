"""Works on many companies side by side, in a few threads: whatever has to wait holds none of them."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from exactonline_client.companies import Company
from exactonline_client.exchange import Waiting
from exactonline_client.transport import Clock

LOOK_UP_SECONDS = 0.5
"""How often an idle thread looks whether the run was asked to stop."""


Watcher = Callable[[Company, datetime], None]
"""Gets each company that has to wait, and until when."""


class Scheduler:
    """Works on several companies at a time; within one, one thing happens after the other."""

    def __init__(self, parallel: int, stop: threading.Event, now: Clock, waits: Watcher | None = None) -> None:
        self._parallel = parallel
        self._stop = stop
        self._now = now
        self._waits = waits
        self._turn = threading.Condition()
        self._waiting: list[tuple[datetime, Company]] = []
        self._lanes: dict[Company, Waiting[None]] = {}
        self._failure: BaseException | None = None

    def run(self, lanes: Mapping[Company, Waiting[None]]) -> None:
        """Drive every lane to its end, or until `stop` is set; the first error of a lane stops all and is raised."""
        self._lanes = dict(lanes)
        start = self._now()
        self._waiting = [(start, company) for company in self._lanes]
        heapq.heapify(self._waiting)
        threads = max(1, min(self._parallel, len(self._lanes)))
        with ThreadPoolExecutor(threads, thread_name_prefix="company") as pool:
            for _ in range(threads):
                pool.submit(self._work)
        for lane in self._lanes.values():
            lane.close()
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while (company := self._next_company()) is not None:
            until: datetime | None = None
            try:
                until = next(self._lanes[company])
                if self._waits is not None:
                    self._waits(company, until)
            except StopIteration:
                pass
            except BaseException as error:  # noqa: BLE001 - carried to the thread that called run
                self._failure = self._failure or error
                self._stop.set()
            with self._turn:
                if until is None:
                    del self._lanes[company]
                else:
                    heapq.heappush(self._waiting, (until, company))
                self._turn.notify()

    def _next_company(self) -> Company | None:
        """The company that may go on first, once it may; None when there is nothing left to do."""
        with self._turn:
            while self._lanes and not self._stop.is_set():
                if not self._waiting:  # all others are in the hands of other threads
                    self._turn.wait(LOOK_UP_SECONDS)
                    continue
                until, company = self._waiting[0]
                seconds = (until - self._now()).total_seconds()
                if seconds <= 0:
                    heapq.heappop(self._waiting)
                    return company
                self._turn.wait(min(seconds, LOOK_UP_SECONDS))
            self._turn.notify_all()
            return None
