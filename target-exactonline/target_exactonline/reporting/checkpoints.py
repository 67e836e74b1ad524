"""STATE messages on their way through: passed on when everything before them has ended, at most one a second."""

from __future__ import annotations

import json
import os
import sys
import threading
from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exactonline_client.transport import Clock

INTERVAL = timedelta(seconds=1)


class Checkpoints:
    """States, each after a number of records, and how many companies each record still has to end in."""

    def __init__(self, now: Clock, *, silent: bool) -> None:
        self._now = now
        self._silent = silent
        self._mutex = threading.Lock()
        self._states: deque[tuple[int, Mapping[str, Any]]] = deque()
        self._open = array("L", [0])
        """By the number of a record, which are given from 1 on."""
        self._begun_to = 0
        self._ended_to = 0
        """All records up to this one have ended."""
        self._passed_on_at: datetime | None = None
        self.unheard = False
        """Whether nobody reads what is passed on any more."""

    def number(self) -> int:
        """Return the number of one more record. It holds back later states until `expect` says what it waits for."""
        with self._mutex:
            self._open.append(1)
            return len(self._open) - 1

    @property
    def last(self) -> int:
        """Return the number of the last record that came in."""
        return len(self._open) - 1

    def expect(self, number: int, companies: int) -> None:
        """Note in how many companies a record has to end."""
        with self._mutex:
            self._open[number] = companies
            self._begun_to = max(self._begun_to, number)

    def has_begun(self, number: int) -> bool:
        """Return whether a record got to its companies, so that it is accounted for there."""
        return number <= self._begun_to

    def end(self, numbers: Iterable[int]) -> None:
        """Note that these records ended in one company each."""
        with self._mutex:
            for number in numbers:
                self._open[number] -= 1

    def add(self, state: Mapping[str, Any]) -> None:
        """Remember a state that came in after the last record so far."""
        with self._mutex:
            self._states.append((self.last, state))

    def release(self, *, at_once: bool = False) -> None:
        """Pass on the newest state before which every record has ended.

        Args:
            at_once: Also within a second of the last one.
        """
        with self._mutex:
            now = self._now()
            if not at_once and self._passed_on_at is not None and now - self._passed_on_at < INTERVAL:
                return
            while self._ended_to < self.last and not self._open[self._ended_to + 1]:
                self._ended_to += 1
            newest = None
            while self._states and self._states[0][0] <= self._ended_to:
                newest = self._states.popleft()[1]
            if newest is None or self._silent:
                return
            self._passed_on_at = now
            self._pass_on(json.dumps(newest, default=_plain_number))

    def _pass_on(self, state: str) -> None:
        if self.unheard:
            return
        try:
            sys.stdout.write(state + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self.unheard = True
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, sys.stdout.fileno())  # else the interpreter would complain at its end
            os.close(nothing)


def _plain_number(value: Any) -> int | float:
    if not isinstance(value, Decimal):
        raise TypeError(f"a state holds a {type(value).__name__}")
    return int(value) if value == value.to_integral_value() else float(value)
