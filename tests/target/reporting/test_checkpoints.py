"""STATE on its way through: never ahead of what has ended, at most one a second."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_exactonline.reporting.checkpoints import Checkpoints

START = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
SECOND = timedelta(seconds=1)


class Clock:
    def __init__(self) -> None:
        self.shows = START

    def __call__(self) -> datetime:
        return self.shows


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def checkpoints(clock: Clock) -> Checkpoints:
    """Thirty records that go to one company each, and a state after each ten."""
    made = Checkpoints(clock, silent=False)
    for _ in range(3):
        come_in(made, 10)
        made.add({"n": made.last})
    return made


def come_in(checkpoints: Checkpoints, count: int, companies: int = 1) -> None:
    for _ in range(count):
        checkpoints.expect(checkpoints.number(), companies)


Passed = Callable[[], list[Any]]


@pytest.fixture
def passed_on(capsys: pytest.CaptureFixture[str]) -> Passed:
    """The states that went out since the last look."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_nothing_goes_out_while_a_record_before_it_has_not_ended(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.end(range(1, 10))
    checkpoints.release()

    assert passed_on() == []


def test_a_state_goes_out_once_the_last_record_before_it_has_ended(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.end(range(1, 11))
    checkpoints.release()

    assert passed_on() == [{"n": 10}]


def test_of_several_states_that_may_go_the_newest_goes(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.end(range(1, 25))
    checkpoints.release()

    assert passed_on() == [{"n": 20}]


def test_when_all_has_ended_the_last_state_goes_out_once(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.end(range(1, 31))
    checkpoints.release()
    checkpoints.release(at_once=True)

    assert passed_on() == [{"n": 30}]


def test_a_record_that_ended_before_an_earlier_one_lets_no_state_pass(
    checkpoints: Checkpoints, passed_on: Passed
) -> None:
    checkpoints.end(range(2, 31))
    checkpoints.release()

    assert passed_on() == []


def test_a_record_has_to_end_in_each_of_its_companies(clock: Clock, passed_on: Passed) -> None:
    checkpoints = Checkpoints(clock, silent=False)
    come_in(checkpoints, 1, companies=2)
    checkpoints.add({"n": 1})

    checkpoints.end([1])
    checkpoints.release()
    within = passed_on()
    checkpoints.end([1])
    checkpoints.release()

    assert (within, passed_on()) == ([], [{"n": 1}])


def test_a_record_holds_states_back_until_it_is_said_where_it_goes(clock: Clock, passed_on: Passed) -> None:
    checkpoints = Checkpoints(clock, silent=False)
    number = checkpoints.number()
    checkpoints.add({"n": 1})

    checkpoints.release(at_once=True)
    within = passed_on()
    checkpoints.expect(number, 0)
    checkpoints.release(at_once=True)

    assert (within, passed_on()) == ([], [{"n": 1}])


def test_a_second_passes_between_two_states(checkpoints: Checkpoints, clock: Clock, passed_on: Passed) -> None:
    checkpoints.end(range(1, 11))
    checkpoints.release()
    clock.shows += SECOND / 2
    checkpoints.end(range(11, 21))
    checkpoints.release()
    within = passed_on()
    clock.shows += SECOND / 2
    checkpoints.release()

    assert (within, passed_on()) == ([{"n": 10}], [{"n": 20}])


def test_the_last_state_does_not_wait_for_the_second(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.end(range(1, 11))
    checkpoints.release()
    checkpoints.end(range(11, 31))
    checkpoints.release(at_once=True)

    assert passed_on() == [{"n": 10}, {"n": 30}]


def test_a_trial_run_passes_nothing_on(clock: Clock, passed_on: Passed) -> None:
    silent = Checkpoints(clock, silent=True)
    silent.add({"n": 1})

    silent.release(at_once=True)

    assert passed_on() == []


def test_a_state_goes_out_as_it_came_in(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints = Checkpoints(clock, silent=False)
    checkpoints.add(
        {"bookmarks": {"accounts": {"Timestamp": Decimal(12345678901234567890), "x": Decimal("0.5"), "é": None}}}
    )

    checkpoints.release()

    out = capsys.readouterr().out
    assert out == '{"bookmarks": {"accounts": {"Timestamp": 12345678901234567890, "x": 0.5, "\\u00e9": null}}}\n'


def test_a_state_that_is_no_json_is_not_passed_on_as_something_else(clock: Clock) -> None:
    checkpoints = Checkpoints(clock, silent=False)
    checkpoints.add({"at": START})

    with pytest.raises(TypeError, match="a state holds a datetime"):
        checkpoints.release()


@given(st.data())
def test_whatever_ends_when_no_state_is_ahead_and_no_two_come_within_a_second(data: st.DataObject) -> None:
    clock, out = Clock(), StringIO()
    checkpoints, times, left = Checkpoints(clock, silent=False), list[datetime](), dict[int, int]()
    for _ in range(data.draw(st.integers(0, 20))):
        for companies in data.draw(st.lists(st.integers(0, 3), max_size=3)):
            number = checkpoints.number()
            checkpoints.expect(number, companies)
            left[number] = companies
        checkpoints.add({"n": checkpoints.last})
        open_ones = sorted(number for number, count in left.items() if count)
        for number in data.draw(st.lists(st.sampled_from(open_ones), unique=True)) if open_ones else ():
            checkpoints.end([number])
            left[number] -= 1
        clock.shows += timedelta(seconds=data.draw(st.floats(0, 2)))
        at_once, lines_before = data.draw(st.booleans()), len(out.getvalue().splitlines())
        with redirect_stdout(out):
            checkpoints.release(at_once=at_once)
        passed_on = [json.loads(line)["n"] for line in out.getvalue().splitlines()]

        assert passed_on == sorted(passed_on)
        first_open = min((number for number, count in left.items() if count), default=checkpoints.last + 1)
        assert max(passed_on, default=0) < first_open
        if len(passed_on) > lines_before:
            assert at_once or not times or clock.shows - times[-1] >= SECOND
            times.append(clock.shows)


def test_a_state_that_nobody_reads_any_more_is_no_error_and_is_told(clock: Clock) -> None:
    class Closed(StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

        def fileno(self) -> int:
            return spare

    checkpoints = Checkpoints(clock, silent=False)
    checkpoints.add({"n": 1})

    with open(os.devnull, "wb") as nothing, redirect_stdout(Closed()):  # noqa: PTH123
        spare = nothing.fileno()
        checkpoints.release()

    assert checkpoints.unheard
