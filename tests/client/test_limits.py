"""How long to wait, and when to stop: Exact's counters, its 429, its error rule and its clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from exactonline_client.limits import (
    Allowance,
    Ceilings,
    ClockOffset,
    Learned,
    Reason,
    Wait,
    Window,
    learn,
    next_midnight,
    next_minute,
    rest_after_errors,
    retry_after,
    spend,
    wait_before,
)
from hypothesis import given
from hypothesis import strategies as st

UTC = timezone.utc
NOW = datetime(2023, 5, 12, 8, 18, 25, tzinfo=UTC)
NEXT_MINUTE = datetime(2023, 5, 12, 8, 19, tzinfo=UTC)
NEXT_DAY = datetime(2023, 5, 13, tzinfo=UTC)
MINUTE = {  # as recorded on that day
    "x-ratelimit-minutely-limit": "60",
    "x-ratelimit-minutely-remaining": "58",
    "x-ratelimit-minutely-reset": "1683879540000",
}
DAY = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4766", "x-ratelimit-reset": "1683936000000"}
NO_CEILINGS = Ceilings()
HOUR = timedelta(hours=1)
SECONDS = st.integers(0, 900).map(lambda seconds: timedelta(seconds=seconds))


def after_calls(count: int, at: datetime = NOW, allowance: Allowance | None = None) -> Allowance:
    allowance = allowance or Allowance()
    for _ in range(count):
        allowance = spend(allowance, at)
    return allowance


def learned(headers: dict[str, str], status: int = 200, before: Allowance | None = None) -> Learned:
    return learn(before or Allowance(), NO_CEILINGS, headers, status, NOW)


TOLD = learned({**MINUTE, **DAY}).allowance
"""As Exact's first answer leaves it: 58 calls left of this minute."""


# The minute and the day


def test_before_the_first_answer_sixty_calls_fit_in_a_minute() -> None:
    assert wait_before(after_calls(59), NO_CEILINGS, NOW) is None
    assert wait_before(after_calls(60), NO_CEILINGS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


def test_a_new_minute_is_a_full_one() -> None:
    allowance = after_calls(1, NEXT_MINUTE, after_calls(60))

    assert allowance.minute == Window(60, 59, NEXT_MINUTE + timedelta(minutes=1))


def test_before_the_first_answer_five_thousand_calls_fit_in_a_day() -> None:
    minutes = [NOW + timedelta(minutes=number // 60) for number in range(5000)]
    allowance = Allowance()
    for minute in minutes[1:]:
        allowance = spend(allowance, minute)

    assert wait_before(allowance, NO_CEILINGS, minutes[-1]) is None
    assert wait_before(spend(allowance, minutes[-1]), NO_CEILINGS, minutes[-1]) == Wait(NEXT_DAY, Reason.DAY)


def test_a_run_sits_out_a_minute_and_nothing_longer() -> None:
    assert [Wait(NOW, reason).short for reason in Reason] == [reason is Reason.MINUTE for reason in Reason]


def test_headers_are_believed_over_our_own_count() -> None:
    allowance = learned({**MINUTE, **DAY}, status=400, before=after_calls(60)).allowance

    assert (allowance.minute, allowance.day) == (Window(60, 58, NEXT_MINUTE), Window(5000, 4766, NEXT_DAY))


def test_a_paid_package_is_used_in_full() -> None:
    package = {**MINUTE, "x-ratelimit-minutely-limit": "100", "x-ratelimit-minutely-remaining": "99"}

    allowance = after_calls(98, allowance=learned(package).allowance)

    assert wait_before(allowance, NO_CEILINGS, NOW) is None
    assert wait_before(spend(allowance, NOW), NO_CEILINGS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


@pytest.mark.parametrize("missing", [*MINUTE, "all"])
def test_headers_that_are_not_whole_leave_our_own_count(missing: str) -> None:
    before = after_calls(7, allowance=TOLD)
    headers = {} if missing == "all" else {**MINUTE, missing: "soon"}

    assert learned(headers, before=before).allowance == before


def test_a_site_that_never_says_what_is_left_is_not_held_back() -> None:
    allowance = after_calls(10_000, allowance=learned({}, status=200).allowance)

    assert wait_before(allowance, NO_CEILINGS, NOW) is None


def test_an_own_ceiling_holds_where_the_site_says_nothing_of_limits() -> None:
    ceilings, allowance = Ceilings(per_minute=3), Allowance()
    for _ in range(3):
        assert wait_before(allowance, ceilings, NOW) is None
        allowance = learn(spend(allowance, NOW), ceilings, {}, 200, NOW).allowance

    assert wait_before(allowance, ceilings, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


def test_an_own_ceiling_counts_what_others_used_of_the_same_window() -> None:
    allowance = learned({**MINUTE, **DAY}).allowance  # two calls of this minute are gone already

    assert wait_before(allowance, Ceilings(per_minute=3), NOW) is None
    assert wait_before(allowance, Ceilings(per_minute=2), NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)
    assert wait_before(allowance, Ceilings(per_day=234), NOW) == Wait(NEXT_DAY, Reason.DAY)


def test_a_ceiling_above_exacts_own_changes_nothing() -> None:
    assert wait_before(after_calls(59), Ceilings(per_minute=1000), NOW) is None
    assert wait_before(after_calls(60), Ceilings(per_minute=1000), NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


@given(
    st.lists(st.floats(0, 90).map(lambda seconds: timedelta(seconds=seconds)), max_size=80),
    st.integers(1, 5),
    st.integers(1, 30),
)
def test_however_calls_come_no_minute_and_no_day_holds_more_than_its_ceiling(
    gaps: list[timedelta], per_minute: int, per_day: int
) -> None:
    ceilings, allowance, now, calls = Ceilings(per_minute, per_day), Allowance(), NOW, []
    for gap in gaps:
        now += gap
        while wait := wait_before(allowance, ceilings, now):
            assert wait.until > now
            now = wait.until
        allowance = spend(allowance, now)
        calls.append(now)

    minutes, days = [call.replace(second=0, microsecond=0) for call in calls], [call.date() for call in calls]
    assert all(minutes.count(minute) <= per_minute for minute in minutes)
    assert all(days.count(day) <= per_day for day in days)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_next_minute_and_the_next_day_begin_after_now_and_within_their_length(now: datetime) -> None:
    assert timedelta(0) < next_minute(now) - now <= timedelta(minutes=1)
    assert timedelta(0) < next_midnight(now) - now <= timedelta(days=1)
    assert (next_minute(now).second, next_midnight(now).hour) == (0, 0)


# 429


def test_a_429_for_the_minute_empties_that_and_not_the_day() -> None:
    after = learned({**MINUTE, "x-ratelimit-minutely-remaining": "5"}, status=429)

    assert not after.blocked
    assert after.allowance.day == Allowance().day
    assert wait_before(after.allowance, NO_CEILINGS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


def test_a_429_for_the_day_puts_the_work_aside() -> None:
    wait = wait_before(learned(DAY, status=429).allowance, NO_CEILINGS, NOW)

    assert wait == Wait(NEXT_DAY, Reason.DAY)
    assert not wait.short


def test_a_429_that_names_both_limits_empties_the_one_that_is_used_up() -> None:
    after = learned({**MINUTE, "x-ratelimit-minutely-remaining": "0", **DAY}, status=429)

    assert wait_before(after.allowance, NO_CEILINGS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


def test_a_429_without_a_limit_is_taken_for_the_block_while_calls_are_left() -> None:
    assert learned({}, status=429, before=after_calls(57, allowance=TOLD)).blocked


def test_a_429_without_a_limit_is_the_minutes_once_its_calls_are_used() -> None:
    after = learned({}, status=429, before=after_calls(58, allowance=TOLD))

    assert not after.blocked
    assert wait_before(after.allowance, NO_CEILINGS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


def test_a_429_without_a_limit_from_a_site_that_never_spoke_of_any_is_the_minutes_at_first() -> None:
    first = learned({}, status=429, before=learned({}, status=200).allowance)
    second = learn(first.allowance, NO_CEILINGS, {}, 429, NEXT_MINUTE)

    assert (first.blocked, second.blocked) == (False, True)
    assert wait_before(first.allowance, NO_CEILINGS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


def test_a_429_without_a_limit_before_any_other_answer_is_no_block() -> None:
    after = learned({}, status=429, before=after_calls(1))

    assert not after.blocked
    assert wait_before(after.allowance, NO_CEILINGS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


@pytest.mark.parametrize("reset", ["1683879480000", "1683879505000"], ids=["before now", "now"])
def test_a_429_for_a_minute_that_is_over_by_our_clock_waits_twice_as_long_each_time(reset: str) -> None:
    over = {**MINUTE, "x-ratelimit-minutely-reset": reset}
    allowance, waits = Allowance(), []
    for _ in range(8):
        allowance = learn(allowance, NO_CEILINGS, over, 429, NOW).allowance
        wait = wait_before(allowance, NO_CEILINGS, NOW)
        waits.append((wait.until - NOW).total_seconds() if wait else None)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.mark.parametrize("reset", ["1683879540", "1683965940000", "1683793140000", "-1"])
def test_a_reset_on_another_clock_or_in_seconds_is_taken_for_the_next_minute(reset: str) -> None:
    """As where the limits are counted on another clock than the one that `Date` shows."""
    strange = {**MINUTE, "x-ratelimit-minutely-remaining": "0", "x-ratelimit-minutely-reset": reset}

    for status in (200, 429):
        wait = wait_before(learned(strange, status).allowance, NO_CEILINGS, NOW)
        assert wait == Wait(NEXT_MINUTE, Reason.MINUTE)


@pytest.mark.parametrize(("limit", "remaining"), [("-1", "-1"), ("0", "0"), ("60", "-1")])
def test_a_limit_that_never_lets_a_call_through_is_none(limit: str, remaining: str) -> None:
    said = {**MINUTE, "X-RateLimit-Minutely-Limit": limit, "X-RateLimit-Minutely-Remaining": remaining}
    allowance = learned(said, status=429).allowance

    assert wait_before(allowance, NO_CEILINGS, NEXT_MINUTE) is None


@pytest.mark.parametrize("ahead", [HOUR, HOUR * 30])
def test_a_count_that_an_earlier_run_kept_on_another_clock_is_no_reason_to_wait(ahead: timedelta) -> None:
    """Exact's clock is known from its first answer on, and the counts of earlier runs are on it."""
    kept = after_calls(60, NOW + ahead)

    assert wait_before(kept, NO_CEILINGS, NOW) is None
    assert spend(kept, NOW).minute == Window(60, 59, NEXT_MINUTE)


def test_a_day_that_ends_on_another_clock_is_taken_for_ours() -> None:
    strange = {**DAY, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1699999999000"}

    assert wait_before(learned(strange, status=429).allowance, NO_CEILINGS, NOW) == Wait(NEXT_DAY, Reason.DAY)


def test_a_429_that_says_only_when_to_come_back_is_believed() -> None:
    soon = learned({"retry-after": "90"}, status=429, before=after_calls(1, allowance=TOLD))
    late = learned({"retry-after": "1800"}, status=429, before=after_calls(1, allowance=TOLD))

    assert not soon.blocked
    assert wait_before(soon.allowance, NO_CEILINGS, NOW) == Wait(NOW + timedelta(seconds=90), Reason.MINUTE)
    assert late.blocked_until == NOW + HOUR / 2


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("90", 90), (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90), ("0", 1), ("soon", None), ("", None)],
)
def test_when_to_come_back_is_read_in_seconds_and_as_a_date(said: str, seconds: int | None) -> None:
    expected = None if seconds is None else NOW + timedelta(seconds=seconds)

    assert retry_after({"retry-after": said}, NOW) == expected


def test_another_answer_ends_a_row_of_429s() -> None:
    refused = learned(MINUTE, status=429).allowance

    assert refused.refusals_in_a_row == 1
    assert learned({}, status=200, before=refused).allowance.refusals_in_a_row == 0


# The error rule


@given(st.lists(SECONDS, max_size=60))
def test_whenever_errors_come_no_hour_holds_more_than_eight(gaps: list[timedelta]) -> None:
    errors: list[datetime] = []
    now = NOW
    for gap in gaps:
        now += gap
        if wait := rest_after_errors(errors, now):
            assert wait.until > now
            now = wait.until
        errors.append(now)

    for last in errors:
        assert sum(last - HOUR < error <= last for error in errors) <= 8


@given(st.lists(SECONDS, min_size=8, max_size=8))
def test_an_endpoint_rests_until_one_more_error_fits_and_no_longer(gaps: list[timedelta]) -> None:
    errors = [NOW - gap for gap in gaps]

    wait = rest_after_errors(errors, NOW)

    assert wait == Wait(min(errors) + HOUR, Reason.ERRORS)
    assert rest_after_errors(errors, wait.until) is None


def test_seven_errors_of_an_hour_and_any_number_before_it_are_no_reason_to_rest() -> None:
    old, recent = [NOW - HOUR] * 100, [NOW] * 7

    assert rest_after_errors(old + recent, NOW) is None


# The clock


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[timedelta, list[tuple[datetime, str, datetime]]]:
    """How far Exact's clock is ahead, and what was seen of it: sent at, its `Date`, received at."""
    offset = timedelta(milliseconds=draw(st.integers(-200_000_000, 200_000_000)))
    some_milliseconds = st.integers(0, 5000).map(lambda number: timedelta(milliseconds=number))
    now, seen = NOW, []
    for pause, there, back in draw(
        st.lists(st.tuples(some_milliseconds, some_milliseconds, some_milliseconds), min_size=1, max_size=12)
    ):
        sent_at = now + pause
        stamped_at = sent_at + there
        now = stamped_at + back
        seen.append((sent_at, format_datetime(stamped_at + offset, usegmt=True), now))
    return offset, seen


@given(exchanges())
def test_the_true_offset_of_exacts_clock_is_never_excluded(
    case: tuple[timedelta, list[tuple[datetime, str, datetime]]],
) -> None:
    offset, seen = case
    bounds = ClockOffset()
    for sent_at, date, received_at in seen:
        bounds = bounds.observe(date, sent_at, received_at)

        assert bounds.at_least is not None
        assert bounds.at_most is not None
        assert bounds.at_least <= offset <= bounds.at_most


@given(exchanges(), st.integers(0, 86_400_000).map(lambda number: NOW + timedelta(milliseconds=number)))
def test_nothing_is_released_before_exacts_clock_has_come_to_it(
    case: tuple[timedelta, list[tuple[datetime, str, datetime]]], release: datetime
) -> None:
    offset, seen = case
    bounds = ClockOffset()
    for observation in seen:
        bounds = bounds.observe(observation[1], observation[0], observation[2])

    ours = bounds.on_our_clock(release)

    assert ours + offset >= release
    assert bounds.on_exacts_clock(ours) >= release  # by then we see it as passed, so nobody waits twice
    assert bounds.on_exacts_clock(NOW) <= NOW + offset <= bounds.on_exacts_clock_at_most(NOW)


def test_answers_narrow_the_offset_to_less_than_a_second() -> None:
    bounds = ClockOffset()
    for tenth in range(10):
        at = NOW + timedelta(seconds=tenth * 1.1)
        bounds = bounds.observe(format_datetime(at + timedelta(seconds=90), usegmt=True), at, at)

    assert bounds == ClockOffset(timedelta(seconds=90), timedelta(seconds=90.1))


def test_a_clock_that_was_set_is_learned_anew() -> None:
    before = ClockOffset().observe("Fri, 12 May 2023 09:18:25 GMT", NOW, NOW)

    after = before.observe("Fri, 12 May 2023 08:18:25 GMT", NOW, NOW)

    assert after == ClockOffset(timedelta(0), timedelta(seconds=1))


@given(st.none() | st.text())
def test_a_date_that_cannot_be_read_teaches_nothing(date: str | None) -> None:
    known = ClockOffset(timedelta(seconds=3), timedelta(seconds=4))

    assert known.observe(date, NOW, NOW) == known
