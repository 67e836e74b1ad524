"""Minute, day and error limits as arithmetic (dossier 7). No clock and no database here."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from exactonline_sandbox.options import Limits

Window = Literal["minute", "day"]
Headers = tuple[tuple[str, str], ...]

LIFTED = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls counted for one app in one division; `minute` and `day` number the windows since 1970."""

    minute: int
    in_minute: int
    day: int
    in_day: int

    def at(self, now: float, limits: Limits) -> "Budget":
        """The same budget now: windows that passed are empty again."""
        minute, day = windows(now, limits)
        return Budget(
            minute, self.in_minute if minute == self.minute else 0, day, self.in_day if day == self.day else 0
        )

    def spent(self, limits: Limits) -> Window | None:
        """Which window holds no more calls; the day first."""
        if self.in_day >= per_day(limits):
            return "day"
        return "minute" if self.in_minute >= per_minute(limits) else None

    def plus_one(self) -> "Budget":
        """One more call counted."""
        return replace(self, in_minute=self.in_minute + 1, in_day=self.in_day + 1)

    def used_up(self, window: Window, limits: Limits) -> "Budget":
        """As if another program of the same app had used the window up."""
        if window == "day":
            return replace(self, in_day=max(self.in_day, per_day(limits)))
        return replace(self, in_minute=max(self.in_minute, per_minute(limits)))


def windows(now: float, limits: Limits) -> tuple[int, int]:
    """The numbers of the current clock minute and day; both are aligned to 1970, so to UTC."""
    return math.floor(now / limits.minute_seconds), math.floor(now / limits.day_seconds)


def per_minute(limits: Limits) -> int:
    """Calls a minute; a million where limits are lifted."""
    return limits.per_minute if limits.enabled else LIFTED


def per_day(limits: Limits) -> int:
    """Calls a day; a million where limits are lifted."""
    return limits.per_day if limits.enabled else LIFTED


def minute_headers(budget: Budget, limits: Limits) -> Headers:
    """The three headers of the minute; the reset is in epoch milliseconds (R, PICQER #609)."""
    limit = per_minute(limits)
    return (
        ("X-RateLimit-Minutely-Limit", str(limit)),
        ("X-RateLimit-Minutely-Remaining", str(max(0, limit - budget.in_minute))),
        ("X-RateLimit-Minutely-Reset", str(_milliseconds((budget.minute + 1) * limits.minute_seconds))),
    )


def day_headers(budget: Budget, limits: Limits) -> Headers:
    """The three headers of the day."""
    limit = per_day(limits)
    return (
        ("X-RateLimit-Limit", str(limit)),
        ("X-RateLimit-Remaining", str(max(0, limit - budget.in_day))),
        ("X-RateLimit-Reset", str(_milliseconds((budget.day + 1) * limits.day_seconds))),
    )


def refusal_headers(budget: Budget, window: Window, limits: Limits) -> Headers:
    """What a 429 carries: the family of the limit that was hit, not the other (PICQER #646)."""
    return day_headers(budget, limits) if window == "day" else minute_headers(budget, limits)


def contract_headers(day: int, limits: Limits) -> Headers:
    """The headers of the day with the contract's numbers in them, spent; a guess."""
    return (
        ("X-RateLimit-Limit", str(limits.per_day_contract)),
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", str(_milliseconds((day + 1) * limits.day_seconds))),
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
