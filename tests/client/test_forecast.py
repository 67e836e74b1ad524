"""Which limit decides, and when the calls are done."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import combinations

import pytest
from exactonline_client.forecast import Forecast, Work, forecast
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 11, 28, 12, 0, 30, tzinfo=timezone.utc)
MIDNIGHT = datetime(2026, 11, 29, tzinfo=timezone.utc)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def company(calls: int, per_minute: int = 60, left_today: int = 5000, per_day: int = 5000) -> Work:
    return Work(calls, per_minute, left_today, per_day)


def test_forty_thousand_creates_in_twenty_companies_wait_for_the_contract_and_are_done_tomorrow() -> None:
    told = forecast([company(2000)] * 20, NOON, contract_left=20_000, contract_limit=20_000)

    assert told == Forecast("contract", MIDNIGHT + 16 * MINUTE, 40_000)


def test_without_the_contract_the_same_waits_for_minutes_alone() -> None:
    told = forecast([company(2000)] * 20, NOON)

    assert told == Forecast("minute", NOON.replace(second=0) + 33 * MINUTE, 40_000)


@pytest.mark.parametrize(
    ("work", "decides", "done_at"),
    [
        ([], "minute", NOON),
        ([company(0)], "minute", NOON),
        ([company(60)], "minute", NOON),
        ([company(61)], "minute", NOON + 30 * timedelta(seconds=1)),
        ([company(5000)], "minute", NOON.replace(second=0) + 83 * MINUTE),
        ([company(5001)], "day", MIDNIGHT),
        ([company(11_000)], "day", MIDNIGHT + DAY + 16 * MINUTE),
        ([company(1, left_today=0)], "day", MIDNIGHT),
        ([company(1500, per_minute=1)], "minute", MIDNIGHT + 779 * MINUTE),
    ],
)
def test_one_company_alone(work: list[Work], decides: str, done_at: datetime) -> None:
    told = forecast(work, NOON, contract_left=20_000, contract_limit=20_000)

    assert (told.decides, told.done_at) == (decides, done_at)


def test_a_contract_that_is_spent_today_puts_it_off_to_tomorrow() -> None:
    told = forecast([company(3)], NOON, contract_left=0, contract_limit=20_000)

    assert told == Forecast("contract", MIDNIGHT, 3)


# Laws

works = st.builds(
    Work,
    calls=st.integers(0, 40),
    per_minute=st.integers(1, 6),
    left_today=st.integers(0, 12),
    per_day=st.integers(1, 12),
)
late = st.integers(1, 4).map(lambda minutes: MIDNIGHT - minutes * MINUTE + timedelta(seconds=20))
contracts = st.one_of(st.tuples(st.none(), st.none()), st.tuples(st.integers(0, 30), st.integers(1, 30)))


def is_enough(due: list[Work], minutes_of_days: list[int], left: int | None, limit: int | None) -> bool:
    """Whether no set of companies has more to do than so many minutes of today and of the days after carry for it."""
    days = [([min(one.per_minute * minutes_of_days[0], one.left_today) for one in due], left)]
    days += [([min(one.per_minute * minutes, one.per_day) for one in due], limit) for minutes in minutes_of_days[1:]]
    return all(
        sum(due[one].calls for one in chosen)
        <= sum(min(sum(caps[one] for one in chosen), sum(caps) if most is None else most) for caps, most in days)
        for size in range(1, len(due) + 1)
        for chosen in combinations(range(len(due)), size)
    )


@given(st.lists(works, max_size=4), late, contracts)
def test_it_names_the_first_minute_by_whose_end_all_calls_fit(
    due: list[Work], now: datetime, contract: tuple[int | None, int | None]
) -> None:
    left, limit = contract

    done_at = forecast(due, now, contract_left=left, contract_limit=limit).done_at

    begun = (done_at - now.replace(second=0)) // MINUTE
    minutes = [-((now - MIDNIGHT) // MINUTE)]
    while begun >= minutes[-1]:
        begun -= minutes[-1]
        minutes.append(1440)
    *before, _ = minutes
    assert is_enough(due, [*before, begun + 1], left, limit)
    assert not any(due_one.calls for due_one in due) or not is_enough(due, [*before, begun], left, limit)


@given(st.lists(works, max_size=4), late, contracts)
def test_it_is_done_earlier_without_the_limit_that_decides_and_no_earlier_without_another(
    due: list[Work], now: datetime, contract: tuple[int | None, int | None]
) -> None:
    left, limit = contract
    told = forecast(due, now, contract_left=left, contract_limit=limit)

    without_contract = forecast(due, now)
    without_days = forecast([Work(one.calls, one.per_minute, 10**9, 10**9) for one in due], now)

    assert (told.decides == "contract") == (without_contract.done_at < told.done_at)
    if told.decides == "day":
        assert without_days.done_at < without_contract.done_at == told.done_at
    if told.decides == "minute":
        assert without_days.done_at == told.done_at


@given(st.lists(works, min_size=1, max_size=4), late, contracts)
def test_one_more_call_is_never_done_earlier(
    due: list[Work], now: datetime, contract: tuple[int | None, int | None]
) -> None:
    left, limit = contract
    first, *others = due
    more = [Work(first.calls + 1, first.per_minute, first.left_today, first.per_day), *others]

    told = forecast(due, now, contract_left=left, contract_limit=limit)

    assert told.done_at <= forecast(more, now, contract_left=left, contract_limit=limit).done_at
