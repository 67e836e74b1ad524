"""Processes by number and birth, so that a number which the system gave to another is never taken for the first."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Known:
    """A process of this machine."""

    pid: int
    born: float
    """When it began, as the system counts; a number that came to another process has another birth."""

    @classmethod
    def of(cls, pid: int) -> Known:
        """The process that has this number now.

        Raises:
            psutil.NoSuchProcess: It is gone.
        """
        return cls(pid, psutil.Process(pid).create_time())

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process() is not None

    def ask_to_end(self) -> bool:
        """Send SIGTERM, if it still runs; answers whether it did."""
        process = self._process()
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
        return True

    def _process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.born) < 1.0
            return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None
