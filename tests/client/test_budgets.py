"""What is left to ask of each division: kept between runs, known to every thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from exactonline_client.budgets import Budgets, error_answers
from exactonline_client.limits import Ceilings, Reason, Wait
from exactonline_client.store import Store
from sqlalchemy import select

NOW = datetime(2026, 6, 25, 14, 0, 30, tzinfo=timezone.utc)
NEXT_MINUTE = NOW + timedelta(seconds=30)
NEXT_DAY = datetime(2026, 6, 26, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
NORTH, SOUTH = 201, 202
ACCOUNTS, DELETED = "crm/Accounts", "sync/Deleted"
SITE = "https://start.exactonline.nl"

Start = Callable[..., Budgets]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


@pytest.fixture
def start(store: Store) -> Start:
    """Begin a run: its budgets over the one store."""
    return lambda ceilings=Ceilings(), site=SITE: Budgets(store, site, ceilings)  # noqa: B008


def milliseconds(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def headers(minute_left: int = 50, day_left: int = 4000) -> dict[str, str]:
    return {
        "x-ratelimit-minutely-limit": "60",
        "x-ratelimit-minutely-remaining": str(minute_left),
        "x-ratelimit-minutely-reset": milliseconds(NEXT_MINUTE),
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": str(day_left),
        "x-ratelimit-reset": milliseconds(NEXT_DAY),
    }


def answer(
    budgets: Budgets, status: int, at: datetime = NOW, said: dict[str, str] | None = None, division: int = NORTH
) -> None:
    budgets.learn(division, ACCOUNTS, status, headers() if said is None else said, at, at)


def test_what_exact_said_is_known_to_the_next_run(start: Start) -> None:
    first = start()
    answer(first, 200, said=headers(minute_left=0))
    first.save(NOW)

    second = start()

    assert second.wait_before(NORTH, ACCOUNTS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)
    assert second.wait_before(NORTH, ACCOUNTS, NEXT_MINUTE) is None
    assert second.calls_left_today(NORTH, NOW) == 4000


def test_calls_that_were_spent_without_an_answer_are_known_to_the_next_run(start: Start) -> None:
    first = start()
    for _ in range(60):
        first.spend(NORTH, NOW)
    first.save(NOW)

    assert start().wait_before(NORTH, ACCOUNTS, NOW) == Wait(NEXT_MINUTE, Reason.MINUTE)


def test_a_run_that_is_killed_has_lost_two_seconds_of_its_counts_at_most(start: Start) -> None:
    first = start()
    answer(first, 200, NOW, headers(day_left=4000))
    answer(first, 200, NOW + timedelta(seconds=1), headers(day_left=3999))
    answer(first, 200, NOW + timedelta(seconds=2.5), headers(day_left=3998))

    assert start().calls_left_today(NORTH, NOW) == 3998


def test_divisions_and_sites_have_budgets_of_their_own(start: Start) -> None:
    first = start()
    answer(first, 200, said=headers(minute_left=0))
    first.save(NOW)

    assert first.wait_before(SOUTH, ACCOUNTS, NOW) is None
    assert start(site="sandbox:///world.db").wait_before(NORTH, ACCOUNTS, NOW) is None


def test_keeping_one_division_forgets_no_other_and_no_other_site(start: Start) -> None:
    elsewhere, first = start(site="sandbox:///world.db"), start()
    answer(elsewhere, 200, said=headers(day_left=1))
    elsewhere.save(NOW)
    answer(first, 200, said=headers(day_left=2), division=SOUTH)
    first.save(NOW)
    answer(first, 200, said=headers(day_left=3))
    first.save(NOW)

    assert start(site="sandbox:///world.db").calls_left_today(NORTH, NOW) == 1
    assert start().calls_left_today(SOUTH, NOW) == 2
    assert start().calls_left_today(NORTH, NOW) == 3


def test_a_call_that_names_no_division_is_not_held_back(start: Start) -> None:
    budgets = start(Ceilings(per_minute=1))
    for _ in range(5):
        budgets.spend(None, NOW)
        budgets.learn(None, "current/Me", 400, {}, NOW, NOW)

    assert budgets.wait_before(None, "current/Me", NOW) is None


def test_calls_left_today_mind_the_own_ceiling(start: Start) -> None:
    budgets = start(Ceilings(per_minute=10, per_day=1500))
    answer(budgets, 200, said=headers(day_left=4000))

    assert budgets.calls_left_today(NORTH, NOW) == 500
    assert budgets.calls_left_today(NORTH, NEXT_DAY) == 1500
    assert budgets.calls_per_minute(NORTH) == 10


def test_threads_miscount_nothing(start: Start) -> None:
    budgets = start()
    threads = [threading.Thread(target=lambda: [budgets.spend(NORTH, NOW) for _ in range(100)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert budgets.calls_left_today(NORTH, NOW) == 5000 - 800


# The error rule


def test_errors_are_counted_across_runs(start: Start) -> None:
    for minute, status in enumerate([400, 401, 403, 404, 400, 401, 403]):
        answer(start(), status, NOW + timedelta(minutes=minute))
    assert start().wait_before(NORTH, ACCOUNTS, NOW) is None

    answer(start(), 404, NOW + timedelta(minutes=7))

    assert start().wait_before(NORTH, ACCOUNTS, NOW + timedelta(minutes=8)) == Wait(NOW + HOUR, Reason.ERRORS)
    assert start().wait_before(NORTH, ACCOUNTS, NOW + HOUR) is None


@pytest.mark.parametrize("status", [200, 204, 429, 500, 503])
def test_other_answers_are_no_errors(start: Start, status: int) -> None:
    budgets = start()
    minute_only = {name: value for name, value in headers().items() if "Minutely" in name}
    for _ in range(20):
        answer(budgets, status, said=minute_only)

    assert budgets.wait_before(NORTH, ACCOUNTS, NEXT_MINUTE) is None


def test_only_the_endpoint_and_division_of_the_errors_rest(start: Start) -> None:
    budgets = start()
    for _ in range(8):
        answer(budgets, 404)

    assert budgets.wait_before(NORTH, ACCOUNTS, NOW) == Wait(NOW + HOUR, Reason.ERRORS)
    assert budgets.wait_before(NORTH, DELETED, NOW) is None
    assert budgets.wait_before(SOUTH, ACCOUNTS, NOW) is None


def test_errors_of_more_than_an_hour_ago_are_not_kept(start: Start, store: Store) -> None:
    for minutes in (0, 30, 61):
        answer(start(), 404, NOW + timedelta(minutes=minutes))

    with store.read() as connection:
        kept = connection.execute(select(error_answers.c.at)).scalars().all()

    assert [datetime.fromisoformat(at) for at in kept] == [NOW + timedelta(minutes=30), NOW + timedelta(minutes=61)]


# The block


def test_a_429_without_a_limit_rests_the_endpoint_for_an_hour_and_is_known_to_the_next_run(start: Start) -> None:
    first = start()
    answer(first, 200)
    answer(first, 429, said={})

    second = start()

    for budgets in (first, second):
        assert budgets.wait_before(NORTH, ACCOUNTS, NOW) == Wait(NOW + HOUR, Reason.BLOCKED)
        assert budgets.wait_before(NORTH, DELETED, NOW) is None
        assert budgets.wait_before(SOUTH, ACCOUNTS, NOW) is None
        assert budgets.wait_before(NORTH, ACCOUNTS, NOW + HOUR) is None


def test_a_block_that_goes_on_is_waited_for_anew(start: Start) -> None:
    budgets = start()
    answer(budgets, 200)
    for at in (NOW, NOW + HOUR):
        answer(budgets, 429, at, said={})

    assert start().wait_before(NORTH, ACCOUNTS, NOW + HOUR) == Wait(NOW + HOUR + HOUR, Reason.BLOCKED)


# The clock


@pytest.mark.parametrize("ahead", [timedelta(minutes=-7), timedelta(0), timedelta(seconds=90)], ids=str)
def test_waits_are_told_in_our_time_and_end_when_exacts_clock_has_come_to_them(start: Start, ahead: timedelta) -> None:
    budgets = start()
    ours = NOW - ahead
    said = {**headers(minute_left=0), "date": format_datetime(NOW, usegmt=True)}

    answer(budgets, 200, ours, said)

    assert budgets.wait_before(NORTH, ACCOUNTS, ours) == Wait(NEXT_MINUTE - ahead, Reason.MINUTE)
    assert budgets.wait_before(NORTH, ACCOUNTS, NEXT_MINUTE - ahead) is None
    assert budgets.exacts_now(ours) == NOW
    assert budgets.exacts_now_at_most(ours) == NOW + timedelta(seconds=1)
