"""STATE goes out when all before it is written or parked, at most once a second, and nothing else does."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.store import Store
from sandbox_driver import Sandbox, small_world
from singer_driver import Project, addressed
from target_exactonline.store import tables
from target_exactonline.store.deferred import Deferred

NORTH, SOUTH = 201, 202


def numbered(numbers: range, *divisions: int) -> Iterator[str]:
    """Lines of records, each followed by a STATE with its number."""
    first, *_ = addressed([{"Division": NORTH, "Code": "1", "Name": "x"}]).splitlines()
    yield first
    for number in numbers:
        for division in divisions:
            record = {"Division": division, "Code": str(number), "Name": f"Klant {number}"}
            yield json.dumps({"type": "RECORD", "stream": "accounts", "record": record})
        yield json.dumps({"type": "STATE", "value": {"at": number}})


def text(lines: Iterator[str]) -> str:
    return "".join(line + "\n" for line in lines)


def parked_in(store: Path, project: Project) -> set[tuple[int, str]]:
    with Store.open(f"sqlite:///{store}", tables.metadata) as opened:
        return {(one.division, one.code) for one in Deferred(opened, [project.sandbox.url]).waiting("parked")}


def test_the_last_state_passes_when_all_is_written(project: Project) -> None:
    ran = project.load(text(numbered(range(1, 6), NORTH, SOUTH)))

    assert ran.state == {"at": 5}
    assert len(project.sandbox.codes(NORTH)) == 5


def test_a_day_limit_parks_the_rest_of_its_division_and_the_state_passes(project: Project, tmp_path: Path) -> None:
    project.sandbox.limits(enabled=True)
    project.sandbox.fault("429_day", division=NORTH, method="POST", nth=3)

    ran = project.load(text(numbered(range(1, 7), NORTH, SOUTH)))

    assert (ran.status, ran.state) == (0, {"at": 6})
    assert project.sandbox.codes(NORTH) == ["1", "2"]
    assert len(project.sandbox.codes(SOUTH)) == 6
    assert parked_in(tmp_path / "store.db", project) == {(NORTH, str(number)) for number in (3, 4, 5, 6)}
    assert "The calls of this day are used." in project.outcome_of("6", NORTH)["reason"]


def test_what_was_parked_goes_first_when_the_next_day_has_come(project: Project, tmp_path: Path) -> None:
    project.sandbox.limits(enabled=True)
    project.sandbox.fault("429_day", division=NORTH, method="POST", nth=2)
    project.load(text(numbered(range(1, 4), NORTH)))
    with sqlite3.connect(tmp_path / "store.db") as database:
        database.execute("DELETE FROM budgets")  # a new day, for a clock that this test cannot turn
    project.sandbox.limits(enabled=False)
    project.sandbox.forget_calls()

    ran = project.load(text(numbered(range(8, 10), NORTH)))

    assert [call["body"]["Code"].strip() for call in project.writes()] == ["2", "3", "8", "9"]
    assert ran.state == {"at": 9}
    assert parked_in(tmp_path / "store.db", project) == set()


class Watched:
    """The target as a process, with each line of its output and what was true when it came."""

    def __init__(self, project: Project, sandbox: Sandbox, division: int, **settings: Any) -> None:
        self.lines: list[tuple[float, dict[str, Any], set[str]]] = []
        self._sandbox, self._division = sandbox, division
        self.process = project.target.start(project.target_config(**settings))
        self._log: list[str] = []
        assert self.process.stderr is not None
        threading.Thread(target=self._drain, args=(self.process.stderr,), daemon=True).start()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _drain(self, stderr: Any) -> None:
        self._log.extend(stderr)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            came_at = time.monotonic()
            self.lines.append((came_at, json.loads(line), set(self._sandbox.codes(self._division))))

    def give(self, lines: Iterator[str]) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(text(lines))
        self.process.stdin.close()
        status = self.process.wait(timeout=120)
        self._reader.join(timeout=30)
        return status


@pytest.mark.timeout(180)
def test_no_state_is_ahead_of_a_slow_division_and_they_come_at_most_once_a_second(project: Project) -> None:
    project.sandbox.reset(small_world(0, limits={"latency_ms": 30}))
    target = Watched(project, project.sandbox, NORTH)

    status = target.give(numbered(range(1, 81), NORTH, SOUTH))

    assert status == 0
    assert target.lines[-1][1] == {"at": 80}
    assert len(target.lines) >= 3
    for _, state, codes in target.lines:
        assert {str(number) for number in range(1, state["at"] + 1)} <= codes
    moments = [came_at for came_at, _, _ in target.lines[:-1]]
    assert all(later - earlier > 0.9 for earlier, later in pairwise(moments))


def test_states_do_not_pass_a_fault_that_ends_the_run(project: Project) -> None:
    project.sandbox.reset(small_world(0, user={"divisions": [100, NORTH]}))

    ran = project.load(text(numbered(range(1, 4), NORTH, SOUTH)))

    assert (ran.status, ran.output) == (1, "")
    assert project.writes() == []


def test_a_state_with_decimals_and_nesting_comes_out_as_it_went_in(project: Project) -> None:
    state = {"bookmarks": {"accounts": {"partitions": [{"context": {"Division": 100}, "x": 1.5, "n": 2**53 + 1}]}}}

    ran = project.load(addressed([{"Division": NORTH, "Code": "1", "Name": "Klant"}], state))

    assert ran.output == json.dumps(state) + "\n"


def test_output_holds_states_and_nothing_else(project: Project) -> None:
    done = subprocess.run(
        project.target.command(project.target_config()),
        input=text(numbered(range(1, 4), NORTH)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    states = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(state) for state in states] == [{"at"}] * len(states)  # how many, a busy machine decides
    assert states[-1] == {"at": 3}


def test_input_that_is_cut_off_within_a_line_fails_and_acknowledges_nothing_after_it(project: Project) -> None:
    whole = text(numbered(range(1, 4), NORTH))

    ran = project.load(whole[: whole.index('{"at": 3}')])

    assert ran.status == 1
    assert ran.state in (None, {"at": 1}, {"at": 2})
    assert len(ran.errors) == 1
