"""Runs that lost their parent, and runs of a terminal: seen, stopped, and never run into by a second one."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil
import pytest
from console_driver import Here, Visitor
from exactonline_client.store import Store
from exactonline_console import runner
from exactonline_console.jobs import Job, save, saved
from exactonline_console.launches import Launch, Launches, was_broken_off
from exactonline_console.leftovers import clear
from exactonline_console.processes import Known
from exactonline_console.project import Project
from exactonline_console.results import Results
from sandbox_driver import CLIENT_SECRET, SandboxFactory, small_world
from sqlalchemy import update
from stored_plans import SITE
from target_exactonline.store import tables
from target_exactonline.store.runs import Runs, Standing
from warm_start import BIN, REAL

pytestmark = pytest.mark.timeout(300)
NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
GONE = Known(2**22 + 1, 1.0)
LEADER = "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'input()']).pid, flush=True); input()"


@pytest.fixture
def family() -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A process that leads a group, and its child."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", LEADER], text=True, start_new_session=True, **pipes) as leader:  # type: ignore[call-overload]
        assert leader.stdout is not None
        child = psutil.Process(int(leader.stdout.readline()))
        yield leader, child
        if child.is_running():
            child.kill()
        leader.kill()


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait for what another process does; the test's own patience ends it."""
    pause = threading.Event()
    while not is_so():
        pause.wait(0.1)


def test_a_group_lives_as_long_as_any_of_it_does(family: tuple[subprocess.Popen[str], psutil.Process]) -> None:
    leader, child = family
    group = Known.of(leader.pid)

    leader.kill()
    leader.wait()
    assert (group.is_alive, group.is_group_alive) == (False, True)

    group.ask_group_to_end()
    child.wait(timeout=30)
    assert not group.is_group_alive


def test_the_group_of_another_process_with_that_number_is_left_alone(
    family: tuple[subprocess.Popen[str], psutil.Process],
) -> None:
    leader, child = family
    other = Known(leader.pid, 1.0)

    other.ask_group_to_end()

    assert not other.is_group_alive
    assert child.is_running()


def test_a_run_whose_meltano_was_killed_is_over_when_nothing_of_it_writes_any_longer(
    page: Here, visitor: Visitor, sandbox_factory: SandboxFactory
) -> None:
    slow = sandbox_factory(small_world(300, targets=(201,)), "--latency-ms", "40")
    plan = page.folder / "meltano.yml"
    plan.write_text(plan.read_text(encoding="utf-8").replace(str(BIN), str(REAL)), encoding="utf-8")
    visitor.connect(slow)
    visitor.save_job(targets=(201,))
    visitor.post("/jobs/customers/synchronize", confirmed="yes")
    with page.store() as store:
        launches = Launches(store)
        (launch,) = launches.newest()
        wait_until(lambda: len(slow.codes(201)) > 10)
        meltano = launches.get(launch.id).meltano
        assert meltano is not None

        os.kill(meltano.pid, signal.SIGKILL)
        wait_until(lambda: launches.get(launch.id).is_over)

        written = slow.codes(201)
        assert not meltano.is_group_alive
        assert Results(store).under_way() is None
    assert 10 < len(written) < 300
    assert "Broken off" in visitor.get(f"/runs/{launch.id}").text
    assert slow.codes(201) == written
    left = [file for file in (page.folder / ".meltano" / "run").glob("*/*.json") if CLIENT_SECRET in file.read_text()]
    assert left
    assert [file for file in files_of_runs(page) if file.stat().st_mode & 0o077] == []
    for file in left:
        os.utime(file, (0, 0))

    visitor.post("/jobs/customers/synchronize", confirmed="yes")
    with page.store() as store:
        (again, _) = Launches(store).newest()
        wait_until(lambda: Launches(store).get(again.id).is_over)
        assert Launches(store).get(again.id).status == 0
    assert len(slow.codes(201)) == 300
    assert [file for file in left if file.exists()] == []
    assert [file for file in files_of_runs(page) if file.stat().st_mode & 0o077] == []


def files_of_runs(page: Here) -> list[Path]:
    """What runs wrote that may hold secrets or customers."""
    folders = (page.folder / ".meltano" / "run", page.folder / "output", page.folder / ".exactonline")
    return [file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]


def test_results_of_before_are_closed_to_others_and_settings_of_a_run_that_starts_now_stay(page: Here) -> None:
    project = Project.at(page.folder)
    _write_job(page)
    result = page.folder / "output" / "customers" / "outcomes.jsonl"
    fresh = page.folder / ".meltano" / "run" / "tap-customers" / "tap.config.json"
    for file in (result, fresh):
        file.parent.mkdir(parents=True)
        file.write_text("{}", encoding="utf-8")
        file.chmod(0o644)

    clear(project, saved(project))

    assert (result.stat().st_mode & 0o077, fresh.exists()) == (0, True)


def test_while_an_orphan_writes_on_the_run_is_not_over_and_the_orphan_is_told_to_end(
    page: Here, visitor: Visitor, family: tuple[subprocess.Popen[str], psutil.Process]
) -> None:
    leader, child = family
    with page.store() as store:
        launches = Launches(store)
        launch = launches.add("customers", "sync", "anna")
        launches.note_runner(launch.id, GONE)
        launches.note_meltano(launch.id, Known.of(leader.pid))
    leader.kill()
    leader.wait()
    _write_job(page)

    answer = visitor.post("/jobs/customers/preview")

    assert answer.url.path == f"/runs/{launch.id}"
    child.wait(timeout=30)
    assert "Broken off" in visitor.get(f"/runs/{launch.id}").text


def test_a_run_whose_target_is_at_work_is_not_over_although_nothing_else_of_it_is_known(
    page: Here, visitor: Visitor, family: tuple[subprocess.Popen[str], psutil.Process]
) -> None:
    leader, _ = family
    with page.store() as store:
        launches = Launches(store)
        launch = launches.add("customers", "sync", "anna")
        launches.note_runner(launch.id, GONE)
        of_terminal(store, leader.pid, run=launch.id)

        assert Results(store).under_way() is not None
        leader.kill()
        leader.wait()
        assert Results(store).under_way() is None


@pytest.mark.parametrize(
    ("status", "hours", "is_forced"),
    [(-9, 1, True), (None, 1, True), (-9, 30, False), (0, 1, False), (1, 1, False), (-15, 1, False), (143, 1, False)],
)
def test_after_a_kill_meltano_is_told_that_its_run_is_over(
    page: Here, status: int | None, hours: int, is_forced: bool
) -> None:
    _write_job(page)
    ended_at = datetime.now(timezone.utc) - timedelta(hours=hours)
    killed = _launch(ended_at=ended_at, status=status)

    command = runner.command(Project.at(page.folder), killed, [killed])

    assert ("--force" in command) is is_forced
    assert not was_broken_off([_launch()], NOW)


# Runs of a terminal


def of_terminal(store: Store, pid: int, machine: str | None = None, run: str = "of-terminal") -> int:
    """A run that began now, in the process with this number."""
    runs = Runs(store)
    number = runs.begin(run, datetime.now(timezone.utc), [SITE], dry_run=False)
    row = {"pid": pid, "machine": machine or platform.node(), "started_by": "jan@office"}
    with store.write() as connection:
        connection.execute(update(tables.runs).where(tables.runs.c.number == number).values(**row))
    return number


def test_a_run_of_a_terminal_shows_with_name_progress_and_stop_and_lets_no_second_one_in(
    page: Here, visitor: Visitor, family: tuple[subprocess.Popen[str], psutil.Process]
) -> None:
    leader, _ = family
    _write_job(page)
    with page.store() as store:
        number = of_terminal(store, leader.pid)
        Runs(store).keep_progress(number, [Standing(201, 40, 12)], datetime.now(timezone.utc))

    assert "A run of jan@office is under way" in visitor.get("/").text
    shown = visitor.post("/jobs/customers/preview")
    assert shown.url.path == "/runs/of-terminal"
    assert 'value="12"' in shown.text
    visitor.post("/runs/of-terminal/stop")

    assert leader.wait(timeout=30) == -signal.SIGTERM
    assert "Broken off" in visitor.get("/runs/of-terminal").text
    assert "is under way" not in visitor.get("/").text


def test_a_run_of_a_terminal_that_was_killed_is_broken_off(page: Here, visitor: Visitor) -> None:
    with page.store() as store:
        of_terminal(store, GONE.pid)

    assert "Broken off" in visitor.get("/runs/of-terminal").text
    assert visitor.post("/runs/of-terminal/stop").status_code == 400


def test_a_process_that_began_after_the_run_is_not_the_run(
    page: Here, visitor: Visitor, family: tuple[subprocess.Popen[str], psutil.Process]
) -> None:
    leader, _ = family
    with page.store() as store:
        number = of_terminal(store, leader.pid)
        with store.write() as connection:
            before = {"started_at": (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()}
            connection.execute(update(tables.runs).where(tables.runs.c.number == number).values(**before))

    visitor.post("/runs/of-terminal/stop")

    assert leader.poll() is None
    assert "Broken off" in visitor.get("/runs/of-terminal").text


def test_a_run_of_another_machine_is_under_way_as_long_as_it_tells_something(page: Here, visitor: Visitor) -> None:
    with page.store() as store:
        number = of_terminal(store, 1, "another")

        assert "It is at work on another machine" in visitor.get("/runs/of-terminal").text
        with store.write() as connection:
            before = {"started_at": NOW.isoformat()}
            connection.execute(update(tables.runs).where(tables.runs.c.number == number).values(**before))
        assert "Broken off" in visitor.get("/runs/of-terminal").text


def _launch(**changes: object) -> Launch:
    base = Launch(1, "id", "customers", "sync", "anna", NOW, platform.node(), GONE, GONE, None, None, None, None)
    return replace(base, **changes)  # type: ignore[arg-type] # each is of its field's type


def _write_job(page: Here) -> None:
    save(Project.at(page.folder), Job("customers", ("holding",), 100, (201,), names={100: "A", 201: "B"}))
