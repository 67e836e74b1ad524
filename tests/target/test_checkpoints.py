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
from target_exactonline.checkpoints import Checkpoints

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
    made = Checkpoints(clock, silent=False)
    for number in (10, 20, 30):
        made.add(number, {"n": number})
    return made


Passed = Callable[[], list[Any]]


@pytest.fixture
def passed_on(capsys: pytest.CaptureFixture[str]) -> Passed:
    """The states that went out since the last look."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_nothing_goes_out_while_a_record_before_it_has_not_ended(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.release(10)

    assert passed_on() == []


def test_a_state_goes_out_once_the_last_record_before_it_has_ended(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.release(11)

    assert passed_on() == [{"n": 10}]


def test_of_several_states_that_may_go_the_newest_goes(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.release(25)

    assert passed_on() == [{"n": 20}]


def test_when_all_has_ended_the_last_state_goes_out_once(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.release(None)
    checkpoints.release(None, at_once=True)

    assert passed_on() == [{"n": 30}]


def test_what_was_parked_before_holds_every_state_back(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.release(-3)

    assert passed_on() == []


def test_a_second_passes_between_two_states(checkpoints: Checkpoints, clock: Clock, passed_on: Passed) -> None:
    checkpoints.release(11)
    clock.shows += SECOND / 2
    checkpoints.release(21)
    within = passed_on()
    clock.shows += SECOND / 2
    checkpoints.release(21)

    assert (within, passed_on()) == ([{"n": 10}], [{"n": 20}])


def test_the_last_state_does_not_wait_for_the_second(checkpoints: Checkpoints, passed_on: Passed) -> None:
    checkpoints.release(11)
    checkpoints.release(None, at_once=True)

    assert passed_on() == [{"n": 10}, {"n": 30}]


def test_a_trial_run_passes_nothing_on(clock: Clock, passed_on: Passed) -> None:
    silent = Checkpoints(clock, silent=True)
    silent.add(1, {"n": 1})

    silent.release(None, at_once=True)

    assert passed_on() == []


def test_a_state_goes_out_as_it_came_in(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints = Checkpoints(clock, silent=False)
    checkpoints.add(
        1, {"bookmarks": {"accounts": {"Timestamp": Decimal(12345678901234567890), "x": Decimal("0.5"), "é": None}}}
    )

    checkpoints.release(None)

    out = capsys.readouterr().out
    assert out == '{"bookmarks": {"accounts": {"Timestamp": 12345678901234567890, "x": 0.5, "\\u00e9": null}}}\n'


def test_a_state_that_is_no_json_is_not_passed_on_as_something_else(clock: Clock) -> None:
    checkpoints = Checkpoints(clock, silent=False)
    checkpoints.add(1, {"at": START})

    with pytest.raises(TypeError, match="a state holds a datetime"):
        checkpoints.release(None)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 2), st.booleans()), max_size=30))
def test_whatever_ends_when_no_state_is_ahead_and_no_two_come_within_a_second(
    course: list[tuple[int, int, float, bool]],
) -> None:
    clock, came_in, ended, out = Clock(), 0, 0, StringIO()
    checkpoints, times = Checkpoints(clock, silent=False), list[datetime]()
    for more, done, seconds, at_once in course:
        came_in += more
        checkpoints.add(came_in, {"n": came_in})
        ended = min(came_in, ended + done)
        clock.shows += timedelta(seconds=seconds)
        lines_before = len(out.getvalue().splitlines())
        with redirect_stdout(out):
            checkpoints.release(ended + 1 if ended < came_in else None, at_once=at_once)
        passed_on = [json.loads(line)["n"] for line in out.getvalue().splitlines()]

        assert passed_on == sorted(passed_on)
        assert max(passed_on, default=0) <= ended
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
    checkpoints.add(1, {"n": 1})

    with open(os.devnull, "wb") as nothing, redirect_stdout(Closed()):  # noqa: PTH123
        spare = nothing.fileno()
        checkpoints.release(None)

    assert checkpoints.unheard
