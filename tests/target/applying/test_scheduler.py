"""Many companies in a few threads, driven by a clock that only these tests move."""

from __future__ import annotations

import threading
from collections.abc import Generator
from datetime import datetime, timedelta, timezone

import pytest
from exactonline_client.companies import Company
from target_exactonline.applying import scheduler
from target_exactonline.applying.scheduler import Scheduler

START = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
Lane = Generator[datetime, None, None]

pytestmark = pytest.mark.timeout(20)


def company(division: int) -> Company:
    return Company("https://start.exactonline.nl", division)


class Clock:
    """Stands still, but for what each look at it adds."""

    def __init__(self, each_look: timedelta = timedelta(0)) -> None:
        self.shows = START
        self._each_look = each_look

    def __call__(self) -> datetime:
        self.shows += self._each_look
        return self.shows


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle threads look at the clock every few milliseconds."""
    monkeypatch.setattr(scheduler, "LOOK_UP_SECONDS", 0.001)


def test_a_lane_that_waits_holds_no_thread() -> None:
    clock, begun, ended = Clock(), list[int](), list[int]()

    def lane(division: int) -> Lane:
        begun.append(division)
        if len(begun) == 50:
            clock.shows += MINUTE  # until then nobody can go on, so all must have come in by two threads
        yield START + MINUTE
        ended.append(division)

    Scheduler(2, threading.Event(), clock).run({company(division): lane(division) for division in range(50)})

    assert sorted(begun) == sorted(ended) == list(range(50))


def test_no_lane_goes_on_before_its_time() -> None:
    clock, early = Clock(each_look=timedelta(seconds=1)), list[int]()

    def lane(division: int) -> Lane:
        for wait in range(4):
            until = clock.shows + timedelta(seconds=(division * 7 + wait * 3) % 20)
            yield until
            if clock.shows < until:
                early.append(division)

    Scheduler(3, threading.Event(), clock).run({company(division): lane(division) for division in range(12)})

    assert early == []


def test_the_lane_that_may_go_on_first_goes_on_first() -> None:
    clock, order = Clock(each_look=MINUTE / 2), list[int]()

    def lane(division: int) -> Lane:
        yield START + timedelta(hours=1) - division * MINUTE
        order.append(division)

    Scheduler(1, threading.Event(), clock).run({company(division): lane(division) for division in range(1, 10)})

    assert order == list(range(9, 0, -1))


def test_one_thing_happens_at_a_time_within_a_lane_and_no_more_than_allowed_at_all() -> None:
    clock, at_work, most, twice = Clock(timedelta(seconds=1)), set[int](), [0], list[int]()

    def lane(division: int) -> Lane:
        for _ in range(10):
            if division in at_work:
                twice.append(division)
            at_work.add(division)
            most[0] = max(most[0], len(at_work))
            threading.Event().wait(0.0005)
            at_work.discard(division)
            yield clock.shows

    Scheduler(3, threading.Event(), clock).run({company(division): lane(division) for division in range(8)})

    assert twice == []
    assert 1 < most[0] <= 3


def test_the_first_error_stops_all_lanes_and_is_raised() -> None:
    clock, stop, closed = Clock(), threading.Event(), list[int]()

    def fails() -> Lane:
        yield START
        raise RuntimeError("the first")

    def waits(division: int) -> Lane:
        try:
            yield START + MINUTE
        finally:
            closed.append(division)

    with pytest.raises(RuntimeError, match="the first"):
        Scheduler(1, stop, clock).run(
            {**{company(division): waits(division) for division in range(5)}, company(9): fails()}
        )

    assert stop.is_set()
    assert sorted(closed) == list(range(5))


def test_a_stop_ends_all_lanes_where_they_stand_and_is_no_error() -> None:
    clock, stop, steps, closed = Clock(timedelta(seconds=1)), threading.Event(), list[int](), list[int]()

    def lane(division: int) -> Lane:
        try:
            while True:
                steps.append(division)
                if len(steps) == 20:
                    stop.set()
                yield clock.shows
        finally:
            closed.append(division)

    Scheduler(2, stop, clock).run({company(division): lane(division) for division in range(4)})

    assert 20 <= len(steps) <= 21
    assert sorted(closed) == list(range(4))


def test_a_run_that_was_stopped_before_it_began_begins_nothing() -> None:
    stop, begun = threading.Event(), list[int]()
    stop.set()

    def lane() -> Lane:
        begun.append(1)
        yield START

    Scheduler(2, stop, Clock()).run({company(201): lane()})

    assert begun == []


def test_who_looks_on_hears_which_company_waits_and_until_when() -> None:
    clock, heard = Clock(each_look=MINUTE), list[tuple[Company, datetime]]()

    def lane() -> Lane:
        yield START + MINUTE

    Scheduler(1, threading.Event(), clock, lambda *told: heard.append(told)).run({company(201): lane()})

    assert heard == [(company(201), START + MINUTE)]


def test_companies_of_two_sites_with_one_code_are_two() -> None:
    clock, done = Clock(), list[str]()

    def lane(site: str) -> Lane:
        done.append(site)
        yield from ()

    Scheduler(1, threading.Event(), clock).run({Company(site, 201): lane(site) for site in ("nl", "be")})

    assert sorted(done) == ["be", "nl"]


def test_a_lane_that_never_waits_and_no_lanes_at_all_are_fine() -> None:
    done = list[int]()

    def lane() -> Lane:
        done.append(1)
        yield from ()

    Scheduler(8, threading.Event(), Clock()).run({company(201): lane()})
    Scheduler(8, threading.Event(), Clock()).run({})

    assert done == [1]
