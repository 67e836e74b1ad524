"""Rate-limit headers and the error rule → how long to wait, or stop. Pure: all instants are on Exact's clock.

Exact counts calls per app and division in a clock minute and in a UTC day, says in headers what is left, and blocks
a key after more than 10 answers of 400, 401, 403 or 404 per endpoint, division and hour. What a contract allows over
all its divisions is counted in `contract.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from enum import Enum

from exactonline_client.errors import Kind, Scope, TryLaterError

UTC = timezone.utc
MINUTE_HEADERS = "x-ratelimit-minutely-"
DAY_HEADERS = "x-ratelimit-"
MINUTE_BEFORE_FIRST_ANSWER = 60
DAY_BEFORE_FIRST_ANSWER = 5000
ERROR_STATUSES = frozenset({400, 401, 403, 404})
ERROR_WINDOW = timedelta(hours=1)
MINUTE_AT_MOST, DAY_AT_MOST = timedelta(minutes=2), timedelta(hours=25)
"""A reset further away than this, or over for as long as `LATE`, is on no clock that we share: the headers' own clock
may be another than that of `Date`, or their unit seconds."""
LATE = timedelta(minutes=1)
ERRORS_ALLOWED = 8
"""Exact's own bound is 10; two are kept back for what another program, or a killed run, did not count."""


class Reason(Enum):
    """Why a call has to wait."""

    MINUTE = "The calls of this minute are used."
    DAY = "The calls of this day are used."
    CONTRACT = "The calls that the contract allows a day, over all companies together, are used."
    ERRORS = "So many answers were errors that this endpoint rests before Exact blocks the key."
    BLOCKED = "Exact answered 429 without a limit that is reached, as it does when errors blocked the key."

    @property
    def kind(self) -> Kind:
        """The limit, as programs know it."""
        return _KINDS[self]


_KINDS: Mapping[Reason, Kind] = {
    Reason.MINUTE: "minute_limit",
    Reason.DAY: "day_limit",
    Reason.CONTRACT: "contract_limit",
    Reason.ERRORS: "error_limit",
    Reason.BLOCKED: "error_limit",
}


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`."""

    until: datetime
    reason: Reason

    def error(self, division: int) -> TryLaterError:
        """Return the error of a call to a company that cannot wait so long."""
        of_all = self.reason is Reason.CONTRACT
        said = self.reason.value if of_all else f"Division {division}: {self.reason.value}"
        scope: Scope = "site" if of_all else "company"
        return TryLaterError(said, self.until, kind=self.reason.kind, scope=scope, division=division)

    @property
    def short(self) -> bool:
        """Whether a run sits it out; otherwise the work is put aside."""
        return self.reason is Reason.MINUTE


@dataclass(frozen=True, slots=True)
class Window:
    """What one counter allows."""

    limit: int
    remaining: int
    resets_at: datetime | None
    """None until an answer told: the counter starts with the next call."""

    def at(self, now: datetime, at_most: timedelta) -> Window:
        """The same counter seen at `now`: full again when its reset has passed.

        So it is when the reset is further away than `at_most`: it was told before Exact's clock was known.
        """
        if self.resets_at is not None and not timedelta() < self.resets_at - now <= at_most:
            return Window(self.limit, self.limit, None)
        return self

    def left(self, ceiling: int | None) -> int:
        """Calls that may still be made, under an own ceiling where it is lower."""
        kept_back = max(0, self.limit - ceiling) if ceiling is not None else 0
        return max(0, self.remaining - kept_back)

    def less_one(self) -> Window:
        """After one more call."""
        return replace(self, remaining=max(0, self.remaining - 1))


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may still be asked of one division."""

    minute: Window = Window(MINUTE_BEFORE_FIRST_ANSWER, MINUTE_BEFORE_FIRST_ANSWER, None)
    day: Window = Window(DAY_BEFORE_FIRST_ANSWER, DAY_BEFORE_FIRST_ANSWER, None)
    refusals_in_a_row: int = 0
    """429 answers since the last other one."""
    told: bool = False
    """Whether an answer ever said what is left."""

    def at(self, now: datetime) -> Allowance:
        """The same seen at `now`."""
        return replace(self, minute=self.minute.at(now, MINUTE_AT_MOST), day=self.day.at(now, DAY_AT_MOST))


UNLIMITED = 2**31 - 1
"""The limit of a site that answers without saying what is left: it will refuse when it wants less."""


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The user's own limits per division, None leaves them to Exact; the contract's over all, None counts nothing."""

    per_minute: int | None = None
    per_day: int | None = None
    contract_per_day: int | None = None


def wait_before(allowance: Allowance, ceilings: Ceilings, now: datetime) -> Wait | None:
    """Whether the next call has to wait, and until when."""
    seen = allowance.at(now)
    day, minute = seen.day, seen.minute
    if day.left(ceilings.per_day) == 0:
        return Wait(day.resets_at or next_midnight(now), Reason.DAY)
    if minute.left(ceilings.per_minute) == 0:
        return Wait(minute.resets_at or next_minute(now), Reason.MINUTE)
    return None


def spend(allowance: Allowance, now: datetime) -> Allowance:
    """The allowance after one more call was sent at `now`."""
    seen = allowance.at(now)
    day, minute = seen.day.less_one(), seen.minute.less_one()
    return replace(
        allowance,
        day=day if day.resets_at else replace(day, resets_at=next_midnight(now)),
        minute=minute if minute.resets_at else replace(minute, resets_at=next_minute(now)),
    )


@dataclass(frozen=True, slots=True)
class Learned:
    """What an answer taught."""

    allowance: Allowance
    blocked_until: datetime | None = None
    """Set when it looks like the block for too many errors."""

    @property
    def blocked(self) -> bool:
        """Whether the endpoint rests."""
        return self.blocked_until is not None


def learn(allowance: Allowance, ceilings: Ceilings, headers: Mapping[str, str], status: int, now: datetime) -> Learned:
    """What is left after an answer: its headers are believed over our own count.

    A 429 empties the window it names. One whose window should be over by our clock makes the next try wait, twice as
    long each time: users report minute waits that needed to be two minutes. A 429 that names no window empties the
    minute if our count is used up too, or if nothing was ever said of limits; with calls left it is taken for the
    error block, whose form is unknown. Either lasts as long as its `Retry-After` says, if it has one.
    """
    minute = _window(headers, MINUTE_HEADERS, now, next_minute(now), MINUTE_AT_MOST)
    day = _window(headers, DAY_HEADERS, now, next_midnight(now), DAY_AT_MOST)
    told = allowance.told or minute is not None or day is not None
    if status != 429:
        if not told and status < 300:
            return Learned(Allowance(_unlimited(allowance.minute), _unlimited(allowance.day)))
        return Learned(Allowance(minute or allowance.minute, day or allowance.day, told=told))
    in_a_row = allowance.refusals_in_a_row + 1
    if minute is None and day is None:
        again_at = retry_after(headers, now)
        if again_at is not None:
            is_the_minute = again_at - now <= MINUTE_AT_MOST
        else:
            is_used_up = wait_before(allowance, ceilings, now) is not None
            is_the_minute = is_used_up or (not told and in_a_row == 1)
        if not is_the_minute:
            return Learned(replace(allowance, refusals_in_a_row=in_a_row), again_at or now + ERROR_WINDOW)
        resets_at = again_at or allowance.minute.resets_at or next_minute(now)
        minute = _emptied(replace(allowance.minute, resets_at=resets_at), now, in_a_row)
        return Learned(Allowance(minute, allowance.day, in_a_row, told))
    of_the_day = minute is None or (day is not None and day.remaining == 0)
    return Learned(
        Allowance(
            _emptied(minute, now, in_a_row) if minute and not of_the_day else minute or allowance.minute,
            _emptied(day, now, in_a_row) if day and of_the_day else day or allowance.day,
            in_a_row,
            told,
        )
    )


def rest_after_errors(errors: Iterable[datetime], now: datetime) -> Wait | None:
    """Whether an endpoint rests, given the instants of its error answers.

    Any span of an hour is kept under the bound, which holds however Exact lays its hours.
    """
    recent = sorted(at for at in errors if at > now - ERROR_WINDOW)
    if len(recent) < ERRORS_ALLOWED:
        return None
    return Wait(recent[-ERRORS_ALLOWED] + ERROR_WINDOW, Reason.ERRORS)


def next_minute(now: datetime) -> datetime:
    """The start of the next clock minute."""
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)


def next_midnight(now: datetime) -> datetime:
    """The start of the next UTC day."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _unlimited(window: Window) -> Window:
    """The same counter, counting on, with no limit but an own ceiling."""
    return Window(UNLIMITED, UNLIMITED - (window.limit - window.remaining), window.resets_at)


def _emptied(window: Window, now: datetime, in_a_row: int) -> Window:
    resets_at = window.resets_at
    if resets_at is None or resets_at <= now:
        resets_at = now + timedelta(seconds=min(2 ** (in_a_row - 1), 60))
    return Window(window.limit, 0, resets_at)


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When a `Retry-After` allows the next try, in seconds or as a date; no recording of Exact has one."""
    said = headers.get("retry-after") or ""
    try:
        at = now + timedelta(seconds=int(said)) if said.isdecimal() else parsedate_to_datetime(said).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return max(at, now + timedelta(seconds=1))


def _window(
    headers: Mapping[str, str], prefix: str, now: datetime, next_reset: datetime, at_most: timedelta
) -> Window | None:
    try:
        reset = datetime.fromtimestamp(int(headers[f"{prefix}reset"]) / 1000, UTC)  # epoch milliseconds (recorded)
        limit, remaining = int(headers[f"{prefix}limit"]), int(headers[f"{prefix}remaining"])
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    if limit < 1 or remaining < 0:  # no company lives with that: it would be waited for without end
        return None
    return Window(limit, remaining, reset if -LATE <= reset - now <= at_most else next_reset)


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """Bounds on how far Exact's clock is ahead of ours, narrowed by each answer's `Date` (whole seconds)."""

    at_least: timedelta | None = None
    at_most: timedelta | None = None

    def observe(self, date_header: str | None, sent_at: datetime, received_at: datetime) -> ClockOffset:
        """The bounds after one more answer. Contradictory bounds mean that a clock was set: start again."""
        try:
            date = parsedate_to_datetime(date_header or "").astimezone(UTC)
            low, high = date - received_at, date + timedelta(seconds=1) - sent_at
        except (ValueError, OverflowError):
            return self
        at_least = low if self.at_least is None else max(low, self.at_least)
        at_most = high if self.at_most is None else min(high, self.at_most)
        return ClockOffset(at_least, at_most) if at_least <= at_most else ClockOffset(low, high)

    def on_exacts_clock(self, local: datetime) -> datetime:
        """The earliest that Exact's clock can show at our instant `local`: what has passed by it has passed."""
        return local + (self.at_least or timedelta())

    def on_exacts_clock_at_most(self, local: datetime) -> datetime:
        """The latest that Exact's clock can show at our instant `local`."""
        return local + (self.at_most or timedelta())

    def on_our_clock(self, exacts: datetime) -> datetime:
        """Our instant by which Exact's clock has surely reached `exacts`."""
        return exacts - (self.at_least or timedelta())
