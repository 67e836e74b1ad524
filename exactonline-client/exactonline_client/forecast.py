"""Calls that are due → the limit that decides when they are done, and the instant. Pure: instants are on Exact's clock.

The answer is the earliest possible: for a schedule that loses no minute. The time that calls themselves take is not in
it, nor what is already used of the current minute.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Literal

from exactonline_client.limits import next_midnight, next_minute

Decider = Literal["minute", "day", "contract"]
A_MINUTE = timedelta(minutes=1)
MINUTES_PER_DAY = 1440
NO_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Work:
    """Calls that are due in one company, and what its own limits allow."""

    calls: int
    per_minute: int
    left_today: int
    per_day: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the calls are done, at the earliest."""

    decides: Decider
    """The limit without which they were done earlier; the minute also where no limit matters."""
    done_at: datetime
    calls: int


def forecast(
    works: Iterable[Work], now: datetime, *, contract_left: int | None = None, contract_limit: int | None = None
) -> Forecast:
    """When all calls are done, and which limit decides that.

    Args:
        contract_left: Calls that the contract still allows today, over all companies; None if it is not counted.
        contract_limit: Those of a whole day.
    """
    due = [work for work in works if work.calls > 0]
    by_minute = [Work(work.calls, work.per_minute, NO_LIMIT, NO_LIMIT) for work in due]
    left, limit = (NO_LIMIT if value is None else value for value in (contract_left, contract_limit))
    done_at = _done_at(due, now, left, limit)
    decides: Decider = "contract"
    if _done_at(by_minute, now, NO_LIMIT, NO_LIMIT) == done_at:
        decides = "minute"
    elif _done_at(due, now, NO_LIMIT, NO_LIMIT) == done_at:
        decides = "day"
    return Forecast(decides, done_at, sum(work.calls for work in due))


def _done_at(due: Sequence[Work], now: datetime, contract_left: int, contract_limit: int) -> datetime:
    if not due:
        return now
    calls = [work.calls for work in due]
    midnight = next_midnight(now)
    minutes_today = -((now - midnight) // A_MINUTE)

    def first_day(minutes: int) -> Span:
        return Span([min(work.per_minute * minutes, work.left_today) for work in due], contract_left)

    def later(days: int, minutes: int = MINUTES_PER_DAY) -> Span:
        in_one = (min(work.per_minute * minutes, work.per_day) for work in due)
        return Span([days * most for most in in_one], days * contract_limit)

    days = _first(lambda days: _carry(calls, first_day(minutes_today), later(days)))
    if days == 0:
        minutes = _first(lambda minutes: _carry(calls, first_day(minutes)))
        return now if minutes == 1 else next_minute(now) + (minutes - 2) * A_MINUTE
    minutes = _first(lambda minutes: _carry(calls, first_day(minutes_today), later(days - 1), later(1, minutes)))
    return midnight + (days - 1) * timedelta(days=1) + (minutes - 1) * A_MINUTE


@dataclass(frozen=True, slots=True)
class Span:
    """Calls that a stretch of time allows: to each company, and over all."""

    each: Sequence[int]
    in_all: int


def _carry(calls: Sequence[int], *spans: Span) -> bool:
    """Return whether the spans have room for so many calls to each company: by max-flow, min-cut."""
    for are_cut in product((False, True), repeat=len(spans)):
        room = sum(span.in_all for span, is_cut in zip(spans, are_cut, strict=True) if is_cut)
        others = [span.each for span, is_cut in zip(spans, are_cut, strict=True) if not is_cut]
        room += sum(map(min, calls, map(sum, zip(*others, strict=True)))) if others else 0
        if room < sum(calls):
            return False
    return True


def _first(is_enough: Callable[[int], bool]) -> int:
    """Return the least number that is enough, where every larger one is too."""
    most = 1
    while not is_enough(most):
        most *= 2
    return bisect_left(range(most), 1, key=is_enough)
