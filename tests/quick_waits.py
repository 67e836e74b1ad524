"""The client within this process, with short waits and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from unittest import mock

from exactonline_client import retries


class Clock(datetime):
    """The clock of tap and target, as far ahead as a test says."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.ahead


@contextmanager
def short_waits() -> Iterator[None]:
    """A hundredth of the seconds before each new try, and the clock that can be moved."""
    quick = {
        outcome: replace(row, delays=tuple(delay / 100 for delay in row.delays))
        for outcome, row in retries.TABLE.items()
    }
    with mock.patch.dict(retries.TABLE, quick), mock.patch("exactonline_client.transport.datetime", Clock):
        yield
