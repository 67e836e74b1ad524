"""The runs that the store remembers: how they ended, what dry runs planned, and how far one is."""

from __future__ import annotations

import json
import os
import platform
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner
from exactonline_client.store import Store
from sandbox_driver import Sandbox
from target_driver import InProcessTarget, wanted
from target_exactonline.cli.store_command import main
from target_exactonline.reporting import progress as module
from target_exactonline.reporting.progress import Progress
from target_exactonline.store import tables
from target_exactonline.store.history import History
from target_exactonline.store.runs import Chosen, OpenRun, Runs, Standing
from target_exactonline.store.trials import TRIALS_KEPT

START = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
SITE = "https://start.exactonline.nl"
NORTH, SOUTH = 201, 202


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(f"sqlite:///{tmp_path / 'store.db'}", tables.metadata)


def test_a_run_is_kept_with_who_started_it_and_what_it_came_to(
    target: InProcessTarget, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXACTONLINE_RUN_BY", "anna")

    target.load([*wanted(NORTH, 1, 2), *wanted(SOUTH, 3, Email="jan@@bakker")])

    (run,) = Runs(store).newest()
    north, south = run.divisions
    assert (run.started_by, run.dry_run, run.status) == ("anna", False, 0)
    assert run.started_at < run.ended_at  # type: ignore[operator]
    assert run.verdict.startswith("2 created, 0 updated, 0 unchanged, 1 refused")  # type: ignore[union-attr]
    assert (north.code, north.name, north.received) == (NORTH, "Company 201", 2)
    assert (north.outcomes["created"], south.outcomes["refused"]) == (2, 1)
    assert north.calls >= 3
    assert (run.machine, run.pid) == (platform.node(), os.getpid())


def test_whoever_starts_a_run_finds_it_by_the_id_it_gave(
    target: InProcessTarget, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXACTONLINE_RUN_ID", "mine")

    target.load(wanted(NORTH, 1))

    runs = Runs(store)
    assert runs.find("mine") == runs.newest()[0]
    assert runs.find("another") is None


def test_what_a_run_did_comes_as_lines_that_can_be_chosen(target: InProcessTarget, store: Store) -> None:
    target.load([*wanted(NORTH, 1, 2), *wanted(SOUTH, 3, Email="jan@@bakker")])

    runs = Runs(store)
    number = runs.newest()[0].number
    assert sorted(line["code"] for line in runs.done(number, Chosen(), None)) == ["1", "2", "3"]
    assert [line["code"] for line in runs.done(number, Chosen(division=NORTH), limit=1, offset=1)] == ["2"]
    assert runs.count_done(number, Chosen(outcomes=["refused"])) == 1


def test_a_run_that_failed_says_why(target: InProcessTarget, store: Store) -> None:
    with pytest.raises(Exception, match="999"):
        target.load(wanted(999, 1))

    (run,) = Runs(store).newest()
    assert run.status == 1
    assert "999 is not within reach" in run.verdict  # type: ignore[operator]


def test_a_run_in_which_nothing_came_in_is_kept_too(target: InProcessTarget, store: Store) -> None:
    target.load([])

    (run,) = Runs(store).newest()
    assert (run.status, run.divisions) == (0, [])


def test_a_run_that_was_killed_has_no_end(store: Store) -> None:
    number = OpenRun(Runs(store), START, [SITE], dry_run=False).number

    run = Runs(store).get(number)
    assert run is not None
    assert (run.started_at, run.ended_at, run.status) == (START, None, None)


def test_the_history_names_the_run(target: InProcessTarget, store: Store, sandbox: Sandbox) -> None:
    target.load(wanted(NORTH, 1))
    target.load(wanted(NORTH, 1, City="Gent"))

    first, second = (Runs(store).newest()[place].number for place in (1, 0))
    assert [line["run"] for line in History(store, [sandbox.url]).lines()] == [second, first]
    assert [line["outcome"] for line in Runs(store).done(second, Chosen())] == ["updated"]


# Plans


def test_a_dry_run_keeps_its_plan_but_for_what_it_leaves(target: InProcessTarget, store: Store) -> None:
    target.load(wanted(NORTH, 1))

    target.load([*wanted(NORTH, 1, 2), *wanted(SOUTH, 1, Country="ZZ")], dry_run=True)

    runs = Runs(store)
    plan = list(runs.planned(runs.newest(dry_run=True)[0].number, Chosen()))
    assert {(line["division"], line["code"], line["outcome"]) for line in plan} == {
        (NORTH, "2", "created"),
        (SOUTH, "1", "refused"),
    }
    assert {"Name": [None, "Klant 2"]} in [line["changes"] for line in plan]
    assert [line["outcome"] for line in History(store, [target.sandbox.url]).lines()] == ["created"]


def test_the_plan_of_a_run_that_writes_is_what_it_did(target: InProcessTarget, store: Store) -> None:
    target.load(wanted(NORTH, 1))

    runs = Runs(store)
    number = runs.newest()[0].number
    assert list(runs.planned(number, Chosen())) == list(runs.done(number, Chosen()))
    assert runs.count_planned(number, Chosen()) == 1


@pytest.mark.parametrize(
    ("chosen", "codes"),
    [
        (Chosen(), ["1", "2", "3"]),
        (Chosen(division=SOUTH), ["3"]),
        (Chosen(outcomes=["refused"]), ["2"]),
        (Chosen(search="gent"), ["3"]),
        (Chosen(search="e-mail"), ["2"]),
        (Chosen(search="%"), []),
    ],
)
def test_lines_of_a_plan_can_be_chosen(target: InProcessTarget, store: Store, chosen: Chosen, codes: list[str]) -> None:
    records = [*wanted(NORTH, 1), *wanted(NORTH, 2, Email="x@@y"), *wanted(SOUTH, 3, City="Gent")]
    target.load(records, dry_run=True)

    runs = Runs(store)
    number = runs.newest()[0].number
    assert sorted(line["code"] for line in runs.planned(number, chosen)) == codes
    assert runs.count_planned(number, chosen) == len(codes)


def test_a_plan_comes_page_by_page_in_order(target: InProcessTarget, store: Store) -> None:
    target.load(wanted(NORTH, 1, 2, 3), dry_run=True)

    runs = Runs(store)
    pages = [list(runs.planned(runs.newest()[0].number, Chosen(), limit=2, offset=offset)) for offset in (0, 2)]
    assert [[line["code"] for line in page] for page in pages] == [["1", "2"], ["3"]]


def test_old_plans_are_forgotten_and_their_runs_kept(target: InProcessTarget, store: Store) -> None:
    for _ in range(TRIALS_KEPT + 1):
        target.load(wanted(NORTH, 1), dry_run=True)

    runs = Runs(store)
    counts = [runs.count_planned(run.number, Chosen()) for run in runs.newest()]
    assert counts == [1] * TRIALS_KEPT + [0]


# Progress


@pytest.fixture
def progress(store: Store, monkeypatch: pytest.MonkeyPatch) -> Progress:
    monkeypatch.setattr(module, "KEEP_EVERY_SECONDS", 0.001)
    run = OpenRun(Runs(store), START, [SITE], dry_run=False)
    return Progress(lambda: START, run, lambda _: "The calls of this minute are used.")


def kept(store: Store, number: int = 1) -> list[Standing]:
    return Runs(store).progress(number)


@pytest.mark.timeout(20)
def test_who_looks_on_sees_how_far_a_division_is_and_what_it_waits_for(store: Store, progress: Progress) -> None:
    until = START + timedelta(seconds=40)

    with progress:
        progress.begin(NORTH, 3)
        progress.step(NORTH)
        progress.waits(NORTH, until)
        while not (kept(store) and kept(store)[0].done):
            pass

    assert kept(store) == [Standing(NORTH, 3, 1, "The calls of this minute are used.", until)]


@pytest.mark.timeout(20)
def test_a_wait_is_over_with_the_next_write(store: Store, progress: Progress) -> None:
    with progress:
        progress.begin(NORTH, 2)
        progress.waits(NORTH, START + timedelta(seconds=40))
        progress.step(NORTH)
        progress.step(NORTH)
        while not (kept(store) and kept(store)[0].done == 2):
            pass

    assert kept(store) == [Standing(NORTH, 2, 2)]


def test_a_wait_too_short_to_read_of_is_not_told(progress: Progress) -> None:
    progress.begin(NORTH, 2)

    progress.waits(NORTH, START + timedelta(seconds=1))

    assert progress._standings[NORTH].waiting_until is None


def test_a_run_that_ended_has_no_progress(target: InProcessTarget, store: Store) -> None:
    target.load(wanted(NORTH, 1))

    assert kept(store, Runs(store).newest()[0].number) == []


# The command


def test_the_runs_can_be_listed(target: InProcessTarget, tmp_path: Path) -> None:
    target.load(wanted(NORTH, 1))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(target.config()))

    shown = CliRunner().invoke(main, ["runs", "--config", str(config), "--json"], catch_exceptions=False)

    (run,) = map(json.loads, shown.output.splitlines())
    assert (run["number"], run["status"]) == (1, 0)
    assert run["divisions"][0]["outcomes"]["created"] == 1
