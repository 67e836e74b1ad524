"""STATE messages on their way through: passed on when everything before them has ended, at most one a second."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from exactonline_client.transport import Clock

INTERVAL = timedelta(seconds=1)


class Checkpoints:
    """States with the number of the last record before each."""

    def __init__(self, now: Clock, *, silent: bool) -> None:
        self._now = now
        self._silent = silent
        self._mutex = threading.Lock()
        self._states: deque[tuple[int, Mapping[str, Any]]] = deque()
        self._passed_on_at: datetime | None = None
        self.unheard = False
        """Whether nobody reads what is passed on any more."""

    def add(self, last_number: int, state: Mapping[str, Any]) -> None:
        """Remember a state that came in after the record with this number."""
        with self._mutex:
            self._states.append((last_number, state))

    def release(self, first_number: int | None, *, at_once: bool = False) -> None:
        """Pass on the newest state before `first_number`, the earliest record that has not ended.

        Args:
            first_number: None when all have ended.
            at_once: Also within a second of the last one.
        """
        with self._mutex:
            now = self._now()
            if not at_once and self._passed_on_at is not None and now - self._passed_on_at < INTERVAL:
                return
            newest = None
            while self._states and (first_number is None or self._states[0][0] < first_number):
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
