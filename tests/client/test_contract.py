"""The calls of a contract's day: counted over all companies, by all threads and processes on one store."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from exactonline_client import contract
from exactonline_client.budgets import Budgets
from exactonline_client.client import ExactClient
from exactonline_client.contract import LARGEST_BLOCK, ContractUse, block_size
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError, TryLaterError
from exactonline_client.limits import Ceilings, Reason, Wait
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_driver import Sandbox, small_world
from sqlalchemy import event

NOW = datetime(2026, 6, 25, 14, 0, 30, tzinfo=timezone.utc)
MIDNIGHT = datetime(2026, 6, 26, tzinfo=timezone.utc)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
NORTH, SOUTH, WEST = 201, 202, 203
SITE = "https://start.exactonline.nl"
ENDPOINT = "crm/Accounts"
NUMBERS = count()

Start = Callable[..., Budgets]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


@pytest.fixture(scope="module")
def lasting_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store for all examples of a law; each takes a site of its own."""
    with Store.open(f"sqlite:///{tmp_path_factory.mktemp('contract')}/store.db") as opened:
        yield opened


@pytest.fixture
def start(store: Store) -> Start:
    """Begin a process: its budgets over the one store."""
    return lambda limit=300, site=SITE: Budgets(store, site, Ceilings(contract_per_day=limit))


def answer(budgets: Budgets, sent_at: datetime, received_at: datetime, date: datetime | None = None) -> None:
    headers = {"date": format_datetime(date, usegmt=True)} if date else {}
    budgets.learn(NORTH, ENDPOINT, 200, headers, sent_at, received_at)


def spend(budgets: Budgets, calls: int, now: datetime = NOW, division: int = NORTH) -> int:
    """How many of so many calls could be made."""
    for done in range(calls):
        try:
            budgets.spend(division, now)
        except TryLaterError:
            return done
    return calls


def used(start: Start, now: datetime = NOW, **settings: Any) -> int:
    use = start(**settings).contract(now)
    assert use is not None
    return use.used


def test_all_companies_spend_from_one_day_and_the_next_day_begins_at_midnight_utc(start: Start) -> None:
    budgets = start(3)
    for division in (NORTH, SOUTH, WEST):
        budgets.spend(division, NOW)

    with pytest.raises(TryLaterError, match="over all companies") as stop:
        budgets.spend(NORTH, NOW)

    assert (stop.value.kind, stop.value.until) == ("contract_limit", MIDNIGHT)
    assert budgets.wait_before(SOUTH, ENDPOINT, NOW) == Wait(MIDNIGHT, Reason.CONTRACT)
    assert budgets.wait_before(SOUTH, ENDPOINT, MIDNIGHT) is None
    assert spend(budgets, 5, MIDNIGHT) == 3


def test_a_refused_call_is_counted_nowhere(start: Start) -> None:
    budgets = start(1)

    assert spend(budgets, 5) == 1

    assert budgets.calls_left_today(NORTH, NOW) == 4999
    assert budgets.contract(NOW) == ContractUse(1, 1, 0, MIDNIGHT)


def test_calls_without_a_company_do_not_count(start: Start) -> None:
    budgets = start(1)
    for _ in range(5):
        budgets.spend(None, NOW)
        budgets.learn(None, "current/Me", 200, {}, NOW, NOW)
        budgets.miss(None, NOW, was_sent=True)

    assert budgets.contract_left(NOW) == 1
    assert spend(budgets, 1) == 1


def test_without_a_limit_nothing_is_counted_or_kept(start: Start, store: Store) -> None:
    budgets = start(None)

    assert spend(budgets, 1000) == 1000

    assert (budgets.contract(NOW), budgets.contract_left(NOW)) == (None, None)
    with store.read() as connection:
        assert connection.execute(contract.contract_days.select()).all() == []


def test_each_app_has_a_count_of_its_own(start: Start) -> None:
    assert spend(start(3), 5) == spend(start(3, site="https://start.exactonline.be"), 5) == 3


def test_what_one_process_did_not_spend_is_left_to_the_next(start: Start) -> None:
    first = start()
    spend(first, 20)
    first.close(NOW)

    second = start()

    assert second.contract(NOW) == ContractUse(300, 20, 280, MIDNIGHT)
    assert second.contract_left(NOW) == 280
    assert spend(second, 500) == 280


def test_threads_of_two_processes_spend_the_limit_to_its_last_call(start: Start) -> None:
    processes = [start(), start()]
    made: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one, division=division: made.append(spend(one, 100, division=division)))
        for number, division in enumerate(range(201, 209))
        for one in [processes[number % 2]]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(made) == 300


@settings(max_examples=20)
@given(st.integers(1, 150), st.lists(st.tuples(st.integers(0, 3), st.integers(1, 40)), max_size=20))
def test_however_processes_take_turns_no_call_is_one_too_many_and_none_is_left(
    lasting_store: Store, limit: int, turns: list[tuple[int, int]]
) -> None:
    site = f"site {next(NUMBERS)}"
    processes = [Budgets(lasting_store, site, Ceilings(contract_per_day=limit)) for _ in range(4)]
    made = 0
    for process, calls in turns:
        made += spend(processes[process], calls)
        assert made <= limit

    made += sum(spend(process, limit + 1) for process in processes)

    assert made == limit


@given(st.integers(0, 2 * LARGEST_BLOCK), st.integers(-5, 30_000))
def test_a_block_is_at_most_twice_the_last_and_never_more_than_is_left(last: int, left: int) -> None:
    size = block_size(last, left)

    assert (size > 0) == (left > 0)
    assert size <= max(0, left)
    assert size <= max(1, 2 * last)
    assert size <= LARGEST_BLOCK
    assert left > 63 or size <= 1


def test_a_call_seldom_costs_a_write_to_the_store(start: Start, store: Store) -> None:
    begun: list[str] = []
    event.listen(store._engine, "begin", lambda connection: begun.append("one"))

    assert spend(start(5_000), 5_000) == 5_000

    assert len(begun) < 250


@pytest.mark.parametrize("calls", [0, 1, 5, 100, 290])
def test_a_killed_process_loses_no_more_calls_than_it_made_and_at_most_a_block(start: Start, calls: int) -> None:
    spend(start(), calls)  # never closed

    lost = used(start) - calls

    assert 0 <= lost <= min(calls, LARGEST_BLOCK)


# What reached Exact, and on which day


def test_a_call_that_exact_cannot_have_seen_is_not_counted(start: Start) -> None:
    budgets = start(3)
    for _ in range(10):
        budgets.spend(NORTH, NOW)
        budgets.miss(NORTH, NOW, was_sent=False)

    assert budgets.contract_left(NOW) == 3


def test_a_call_whose_answer_is_lost_is_counted(start: Start) -> None:
    budgets = start(3)
    for _ in range(2):
        budgets.spend(NORTH, NOW)
        budgets.miss(NORTH, NOW, was_sent=True)

    assert budgets.contract_left(NOW) == 1


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "lost"])
def test_a_call_under_way_at_midnight_counts_on_both_days(start: Start, is_lost: bool) -> None:
    budgets = start(3)
    before, after = MIDNIGHT - SECOND, MIDNIGHT + SECOND

    budgets.spend(NORTH, before)
    if is_lost:
        budgets.miss(NORTH, after, was_sent=True)
    else:
        answer(budgets, before, after)

    assert used(start, before) == used(start, after) == 1
    assert spend(budgets, 5, after) == 2


def test_a_call_answered_before_midnight_counts_on_its_day_alone(start: Start) -> None:
    budgets = start(3)

    budgets.spend(NORTH, MIDNIGHT - 2 * SECOND)
    answer(budgets, MIDNIGHT - 2 * SECOND, MIDNIGHT - SECOND)

    assert (used(start, NOW), used(start, MIDNIGHT)) == (1, 0)


@pytest.mark.parametrize("ahead", [-DAY, -HOUR, HOUR, DAY], ids=str)
def test_days_are_those_of_exacts_clock(start: Start, ahead: timedelta) -> None:
    budgets = start(3)
    ours = NOW - ahead

    budgets.spend(NORTH, ours)
    answer(budgets, ours, ours, date=NOW)

    assert spend(budgets, 5, ours) == 2
    assert used(start, NOW) == 3
    with pytest.raises(TryLaterError) as stop:
        budgets.spend(NORTH, ours)
    assert stop.value.until == MIDNIGHT - ahead
    assert spend(budgets, 5, MIDNIGHT - ahead) == 3


def test_a_block_taken_on_a_wrong_day_is_given_back_to_it(start: Start) -> None:
    budgets = start()
    spend(budgets, 4, NOW + DAY)  # a block of 1, one of 2, and one call of a block of 4
    answer(budgets, NOW + DAY, NOW + DAY, date=NOW)

    budgets.spend(NORTH, NOW + DAY)

    assert used(start, NOW + DAY) == 3  # the call that was answered is known to be none of that day


def test_days_of_more_than_a_week_ago_are_not_kept(start: Start, store: Store) -> None:
    for days in (0, 1, 8):
        spend(start(), 1, NOW + days * DAY)

    with store.read() as connection:
        kept = [row.day for row in connection.execute(contract.contract_days.select().order_by("day"))]

    assert kept == ["2026-06-26", "2026-07-03"]


# Exact refuses


def test_when_exact_refuses_all_calls_no_process_goes_on_before_midnight(start: Start) -> None:
    one, other = start(), start()
    spend(one, 5)
    spend(other, 5)

    until = one.contract_refused(NOW)

    assert until == MIDNIGHT
    assert spend(one, 1) == spend(start(), 1) == 0
    assert spend(other, 100) < LARGEST_BLOCK
    assert [budgets.contract_left(NOW) for budgets in (one, other, start())] == [0, 0, 0]
    assert start().wait_before(SOUTH, ENDPOINT, NOW) == Wait(MIDNIGHT, Reason.CONTRACT)
    assert spend(one, 1, MIDNIGHT) == spend(other, 1, MIDNIGHT) == 1


def test_a_refusal_may_end_before_midnight(start: Start) -> None:
    budgets = start()
    spend(budgets, 5)

    until = budgets.contract_refused(NOW, NOW + HOUR)

    assert until == NOW + HOUR
    assert budgets.contract(NOW) == ContractUse(300, 5, 0, NOW + HOUR)
    assert budgets.contract_left(NOW + HOUR) == 295
    assert spend(budgets, 500, NOW + HOUR) == 295


def test_a_refusal_is_known_to_programs_that_do_not_count(start: Start) -> None:
    start(None).contract_refused(NOW)

    assert spend(start(None), 1) == 0
    assert spend(start(None), 1, MIDNIGHT) == 1


# The store


def test_when_the_store_fails_no_call_goes_out_uncounted(start: Start, store: Store) -> None:
    budgets = start()
    spend(budgets, 1)
    with store.write() as connection:
        connection.exec_driver_sql("DROP TABLE contract_days")

    with pytest.raises(ConfigurationError, match="cannot be used any more"):
        spend(budgets, 300)

    assert budgets.calls_left_today(NORTH, NOW) == 4999


# Two processes at a real sandbox

PROGRAM = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from exactonline_client.client import ExactClient
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import TryLaterError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

order = json.loads(sys.argv[1])
ahead = timedelta(seconds=order["ahead_seconds"])


def fill(company):
    try:
        for code in company["codes"]:
            values = {"Code": code, "Name": f"Klant {code}"}
            client.run(client.create(ACCOUNTS, company["division"], values, ("ID", "Code")))
    except TryLaterError as stop:
        return [stop.kind, (stop.until + timedelta(seconds=2)).date().isoformat()]  # by our clock


settings = Settings.from_config(order["config"])
with Store.open(settings.store_url) as store:
    with ExactClient(settings, store, program="test", now=lambda: utc_now() + ahead) as client:
        client.run(client.me())
        print("ready", flush=True)
        sys.stdin.readline()
        with ThreadPoolExecutor(4) as pool:
            print(json.dumps(list(pool.map(fill, order["companies"]))))
"""
COMPANIES = range(201, 209)
CODES = [str(number) for number in range(1, 101)]


def fill_by_two_processes(sandbox: Sandbox, config: dict[str, Any], now: datetime) -> set[tuple[str, str] | None]:
    """Create what is missing in 8 companies, 4 by each of two processes, and return how companies ended."""
    ahead_seconds = (now - datetime.now(timezone.utc)).total_seconds()
    both = []
    for mine in (COMPANIES[:4], COMPANIES[4:]):
        companies = [
            {"division": division, "codes": sorted({*CODES} - {*sandbox.codes(division)}, key=int)} for division in mine
        ]
        order = {"config": config, "ahead_seconds": ahead_seconds, "companies": companies}
        both.append(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    ends = [end for process in both for end in json.loads(process.communicate(timeout=120)[0])]
    return {tuple(end) if end else None for end in ends}


def calls_in_companies(sandbox: Sandbox) -> int:
    return sum(1 for call in sandbox.journal() if call["division"] is not None)


@pytest.mark.timeout(300)
def test_two_processes_spend_a_contract_of_300_to_its_last_call_and_go_on_the_next_day(
    any_store_url: str, sandbox: Sandbox
) -> None:
    noon = datetime(2026, 6, 25, 12, tzinfo=timezone.utc)
    config = sandbox.config(store_url=any_store_url, requests_per_day_contract=300)
    sandbox.reset(small_world(targets=COMPANIES, now=noon.isoformat()))

    made, stops = [], []
    for day in (noon, noon + DAY):
        sandbox.set_clock(day.isoformat())
        sandbox.forget_calls()
        stops.append(fill_by_two_processes(sandbox, config, day))
        made.append(calls_in_companies(sandbox))

    assert made == [300, 300]
    assert [stop - {None} for stop in stops] == [{("contract_limit", "2026-06-26")}, {("contract_limit", "2026-06-27")}]
    assert sum(len(sandbox.codes(division)) for division in COMPANIES) == 600


def test_the_forecast_names_the_contract_and_the_day(sandbox: Sandbox, tmp_path: Path) -> None:
    noon = datetime(2026, 6, 25, 12, tzinfo=timezone.utc)
    sandbox.reset(small_world(targets=COMPANIES, now=noon.isoformat()))
    ours = Settings.from_config(
        sandbox.config(store_url=f"sqlite:///{tmp_path}/store.db", requests_per_day_contract=300)
    )
    with Store.open(ours.store_url) as store, ExactClient(ours, store, program="test", now=lambda: noon) as client:
        client.run(client.find(ACCOUNTS, NORTH, "1", ("ID",)))
        told = client.budgets.forecast(dict.fromkeys(COMPANIES, 100), noon)

    assert (told.decides, told.calls, told.done_at.date().isoformat()) == ("contract", 800, "2026-06-27")
