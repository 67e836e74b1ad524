"""How far each division is: in the store for who looks on, in the log at most every ten seconds, and as bars."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING

from exactonline_client.errors import ConfigurationError
from exactonline_client.transport import Clock

from target_exactonline.store.runs import OpenRun, Standing

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

logger = logging.getLogger(__name__)

LOG_EVERY = timedelta(seconds=10)
KEEP_EVERY_SECONDS = 1.0
WORTH_TELLING = timedelta(seconds=2)
"""A shorter wait is over before anyone reads of it."""


class Progress:
    """Counts the writes of each division; safe for threads. As a context it keeps them in the store, once a second."""

    def __init__(self, now: Clock, run: OpenRun, why_wait: Callable[[int], str]) -> None:
        self._now = now
        self._run = run
        self._why_wait = why_wait
        self._mutex = threading.Lock()
        self._standings: dict[int, Standing] = {}
        self._told_at: dict[int, datetime] = {}
        self._unsaved: set[int] = set()
        self._over = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="progress", daemon=True)
        self._bar_of: dict[int, TaskID] = {}
        self._bars = _bars() if sys.stderr.isatty() else None

    def begin(self, division: int, total: int) -> None:
        """A division has this many writes before it."""
        with self._mutex:
            self._stands(Standing(division, total, 0))
            self._told_at[division] = self._now()
            if self._bars is not None and total:
                self._bars.start()
                self._bar_of[division] = self._bars.add_task(f"division {division}", total=total)

    def step(self, division: int) -> None:
        """One write is over."""
        with self._mutex:
            before = self._standings[division]
            now = Standing(division, before.total, before.done + 1)
            self._stands(now)
            if self._bars is not None:
                self._bars.advance(self._bar_of[division])
            elif self._now() - self._told_at[division] >= LOG_EVERY:
                self._told_at[division] = self._now()
                logger.info("Division %d: %d of %d written", division, now.done, now.total)

    def waits(self, division: int, until: datetime) -> None:
        """A division cannot go on before this instant."""
        if until - self._now() < WORTH_TELLING:
            return
        why = self._why_wait(division)
        with self._mutex:
            if division in self._standings:
                self._stands(replace(self._standings[division], waiting_for=why, waiting_until=until))

    def end(self, division: int) -> None:
        """Nothing more is written to this division."""
        with self._mutex:
            if division in self._standings:
                before = self._standings[division]
                self._stands(Standing(division, before.total, before.done))
            self._told_at.pop(division, None)
            if self._bars is not None and not self._told_at:
                self._bars.stop()

    def __enter__(self) -> Progress:
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._keeper.join()

    def _keep(self) -> None:
        while not self._over.wait(KEEP_EVERY_SECONDS):
            with self._mutex:
                new = [self._standings[division] for division in sorted(self._unsaved)]
                self._unsaved.clear()
            try:
                if new:
                    self._run.keep_progress(new, self._now())
            except ConfigurationError as error:  # the run itself finds the same, and says it
                logger.debug("The progress is not kept any more: %s", error)
                return

    def _stands(self, standing: Standing) -> None:
        self._standings[standing.division] = standing
        self._unsaved.add(standing.division)


def _bars() -> Bars:
    from rich.console import Console  # noqa: PLC0415 - a tenth of the start-up, for the few runs that a person watches
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)
