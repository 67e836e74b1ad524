"""Processes by number and birth, so that a number which the system gave to another is never taken for the first."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass
from datetime import datetime

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

    @classmethod
    def of_run(cls, pid: int | None, noted_at: datetime) -> Known | None:
        """The process that had this number at that time; None if another has it now, or none."""
        if pid is None:
            return None
        with contextlib.suppress(psutil.Error):
            found = cls.of(pid)
            return found if found.born <= noted_at.timestamp() and found.is_alive else None
        return None

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process() is not None

    @property
    def is_group_alive(self) -> bool:
        """Whether it still runs, or any process of the group that it leads."""
        return self.is_alive or bool(self._members())

    def ask_group_to_end(self, number: int = signal.SIGTERM) -> None:
        """Send a signal to each process of the group that it leads."""
        for process in self._members():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _members(self) -> list[psutil.Process]:
        """The living processes of its group. While there is any, the system gives its number to no other."""
        with contextlib.suppress(psutil.Error):
            if abs(psutil.Process(self.pid).create_time() - self.born) >= 1.0:
                return []
        return [process for process in psutil.process_iter() if _group_of(process) == self.pid]

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


def _group_of(process: psutil.Process) -> int | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getpgid(process.pid)
    except (OSError, psutil.Error):
        return None
