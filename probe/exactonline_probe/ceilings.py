"""How much a run may spend: calls in all, errors an hour, and the pace at which it goes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

ERRORS_PER_HOUR = 5
"""Exact blocks after ten (API 7.3); the rest is left to the programs that do the work."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
CALLS_PER_MINUTE = 50
"""Where no answer told how many are left."""
CLOCKS_APART = timedelta(seconds=1)
"""By how much Exact's clock may be behind ours."""
LEFT_TO_OTHERS = 5
"""Calls a minute that other programs of the same app may want."""
COUNTED = frozenset({400, 401, 403, 404})


class CeilingReachedError(Exception):
    """The run has spent what it may."""


@dataclass(slots=True)
class Ceilings:
    """What was spent, and what may be. `errors` holds the moments of this hour's errors, of earlier runs too."""

    calls_at_most: int
    errors: list[datetime] = field(default_factory=list)
    calls: int = 0
    errors_of_this_run: int = 0
    _left: int | None = None
    _minute_ends_at: datetime | None = None
    _this_minute: list[datetime] = field(default_factory=list)

    def check(self, now: datetime, *, is_error: bool = False) -> None:
        """Nothing, if one more request may go out, an `is_error` being one that Exact will most probably refuse.

        Raises:
            CeilingReachedError: With the reason.
        """
        if self.calls >= self.calls_at_most:
            raise CeilingReachedError(f"the ceiling of {self.calls_at_most} calls is reached")
        recent = [one for one in self.errors if now - one < HOUR]
        if len(recent) >= ERRORS_PER_HOUR:
            free_at = (min(recent) + HOUR).strftime("%H:%M")
            cause = "this request is an error on purpose" if is_error else "any request may be one"
            raise CeilingReachedError(f"{ERRORS_PER_HOUR} errors in an hour, and {cause}; go on after {free_at} UTC")

    def wait_seconds(self, now: datetime) -> float:
        """How long the next request must wait to leave others their part of the minute."""
        self._this_minute = [one for one in self._this_minute if _minute(one) == _minute(now)]
        if self._left is None:
            return _until_next_minute(now) if len(self._this_minute) >= CALLS_PER_MINUTE else 0.0
        if self._left > LEFT_TO_OTHERS:
            return 0.0
        ends_at = self._minute_ends_at or _minute(now) + MINUTE
        self._left = None
        return max(0.0, (ends_at - now + CLOCKS_APART).total_seconds())

    def count(self, now: datetime, status: int, headers: Mapping[str, str]) -> bool:
        """Count one answered request; whether it was an error that counts."""
        self.calls += 1
        self._this_minute.append(now)
        remaining = headers.get("x-ratelimit-minutely-remaining", "")
        if remaining.isdecimal():
            self._left = int(remaining)
            resets = headers.get("x-ratelimit-minutely-reset", "")
            self._minute_ends_at = _moment(resets, now) if resets.isdecimal() else None
        if status not in COUNTED:
            return False
        self.errors.append(now)
        self.errors_of_this_run += 1
        return True


def recent_errors(moments: Sequence[datetime], now: datetime) -> list[datetime]:
    """Those of the last hour."""
    return [one for one in moments if now - one < HOUR]


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _until_next_minute(now: datetime) -> float:
    return (_minute(now) + MINUTE - now).total_seconds()


def _moment(milliseconds: str, now: datetime) -> datetime | None:
    """When the minute ends; None for what is no moment of the next two minutes."""
    try:
        found = datetime.fromtimestamp(int(milliseconds) / 1000, now.tzinfo)
    except (ValueError, OverflowError, OSError):
        return None
    return found if timedelta(0) <= found - now <= 2 * MINUTE else None
