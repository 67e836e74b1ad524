"""How far each division is: a line at most every ten seconds, and bars when a person watches."""

from __future__ import annotations

import logging
import sys
import threading
from datetime import datetime, timedelta

from exactonline_client.transport import Clock
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=10)


class Progress:
    """Counts the writes of each division; safe for threads."""

    def __init__(self, now: Clock) -> None:
        self._now = now
        self._mutex = threading.Lock()
        self._total: dict[int, int] = {}
        self._done: dict[int, int] = {}
        self._told_at: dict[int, datetime] = {}
        self._bar_of: dict[int, TaskID] = {}
        self._bars = _bars() if sys.stderr.isatty() else None

    def begin(self, division: int, total: int) -> None:
        """A division has this many writes before it."""
        with self._mutex:
            self._total[division], self._done[division], self._told_at[division] = total, 0, self._now()
            if self._bars is not None and total:
                self._bars.start()
                self._bar_of[division] = self._bars.add_task(f"division {division}", total=total)

    def step(self, division: int) -> None:
        """One write is over."""
        with self._mutex:
            self._done[division] += 1
            if self._bars is not None:
                self._bars.advance(self._bar_of[division])
            elif self._now() - self._told_at[division] >= INTERVAL:
                self._told_at[division] = self._now()
                logger.info("Division %d: %d of %d written", division, self._done[division], self._total[division])

    def end(self, division: int) -> None:
        """Nothing more is written to this division."""
        with self._mutex:
            self._total.pop(division, None)
            if self._bars is not None and not self._total:
                self._bars.stop()


def _bars() -> Bars:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Bars(*columns, console=Console(stderr=True), transient=True)
