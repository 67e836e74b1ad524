"""Runs that the page starts: told apart when they end, die or never begin, and never taken for another process."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from console_driver import Here, Visitor, clean_environment
from exactonline_client.store import Store
from exactonline_console import runner, tables
from exactonline_console.actions import Actions
from exactonline_console.forecast import CompanyForecast, doubts, forecast, minutes_in_all
from exactonline_console.jobs import Job, save
from exactonline_console.launches import Kind, Launch, Launches, reads_all
from exactonline_console.logs import last_lines, sentence_of
from exactonline_console.processes import Known
from exactonline_console.project import Project
from exactonline_console.results import Result, Results, has_died, state_of
from exactonline_console.runner import BUSY, LOCK, environment, look_after
from exactonline_console.users import Users
from target_exactonline.store import tables as target_tables
from target_exactonline.store.runs import DivisionCounts
from warm_start import BIN

NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
GONE = Known(2**22 + 1, 1.0)
HERE = Known.of(os.getpid())
LAUNCH = Launch(1, "id", "customers", "sync", "anna", NOW, platform.node(), HERE, HERE, None, None, None, None)
RESULT = Result("id", "customers", "preview", "anna", NOW, NOW, "done", None, (), (), 1)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"meltano": None}, "starting"),
        ({}, "running"),
        ({"ended_at": NOW, "status": 0}, "done"),
        ({"ended_at": NOW, "status": 1}, "failed"),
        ({"ended_at": NOW, "status": 143}, "stopped"),
        ({"ended_at": NOW, "status": -15}, "stopped"),
        ({"ended_at": NOW, "status": -9}, "lost"),
        ({"ended_at": NOW, "status": 1, "stop_asked_by": "jan"}, "stopped"),
        ({"ended_at": NOW, "status": None}, "lost"),
    ],
)
def test_where_a_run_is(changes: dict[str, object], state: str) -> None:
    assert state_of(replace(LAUNCH, **changes)) == state  # type: ignore[arg-type] # each is of its field's type


@pytest.mark.parametrize(
    ("changes", "died"),
    [
        ({}, False),
        ({"runner": GONE}, False),
        ({"runner": GONE, "meltano": GONE}, True),
        ({"runner": GONE, "meltano": None}, True),
        ({"runner": None, "meltano": None}, False),
        ({"runner": None, "meltano": None, "asked_at": NOW - timedelta(minutes=2)}, True),
        ({"runner": GONE, "meltano": GONE, "machine": "another"}, False),
    ],
)
def test_a_run_has_died_when_nobody_is_left_who_would_note_its_end(changes: dict[str, object], died: bool) -> None:
    assert has_died(replace(LAUNCH, **changes), NOW) is died  # type: ignore[arg-type]


def test_a_process_number_that_went_to_another_is_not_taken_for_the_first() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        same, other = Known.of(process.pid), Known(process.pid, 1.0)

        assert (same.is_alive, other.is_alive) == (True, False)
        assert not other.ask_to_end()
        assert same.ask_to_end()
        assert process.wait(timeout=10) != 0
    assert not same.is_alive


def test_the_sentence_of_a_failure_is_the_plugins_before_meltanos(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines: list[object] = [
        {"event": "Meltano 4.4.1", "level": "info"},
        {"event": "METRIC: {}", "level": "info", "string_id": "tap-customers"},
        {"event": "The store is full. Free some disk.", "level": "error", "string_id": "target-customers"},
        {"event": "Extractor failed", "level": "error"},
        {"event": "Block run completed", "level": "error"},
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + "no JSON\n[1]\n", encoding="utf-8")

    assert sentence_of(log) == "The store is full. Free some disk."
    assert [line.text for line in last_lines(log)][:2] == ["Meltano 4.4.1", "The store is full. Free some disk."]
    assert sentence_of(tmp_path / "none") is None


def test_one_run_at_a_time_on_a_store(page: Here) -> None:
    with page.store() as store:
        launches = Launches(store)
        second = launches.add("customers", "sync", "jan")

        with store.lock(LOCK):
            look_after(Project.at(page.folder), store, second)

        assert launches.get(second.id).sentence == BUSY
        assert launches.get(second.id).status == 1


def test_a_second_run_is_not_started_and_the_first_one_shown(page: Here, visitor: Visitor) -> None:
    with page.store() as store:
        launches = Launches(store)
        first = launches.add("customers", "sync", "anna")
        launches.note_runner(first.id, HERE)
    _write_job(page.folder)

    answer = visitor.post("/jobs/customers/preview")

    assert answer.url.path == f"/runs/{first.id}"
    assert "One run at a time" in answer.text


def test_users_sessions_and_actions_live_in_postgresql_too(postgres_url: str) -> None:
    with Store.open(postgres_url, target_tables.metadata, tables.metadata) as store:
        users, launches, actions = Users(store), Launches(store), Actions(store)
        users.put("anna", "a long enough password")
        token = users.log_in("anna", "a long enough password", "127.0.0.1")
        launch = launches.add("customers", "sync", "anna")
        actions.note("anna", "sync", "customers")

        assert users.of_session(str(token)) == "anna"
        assert users.log_in("anna", "another password", "127.0.0.1") is None
        assert [one.id for one in launches.under_way()] == [launch.id]
        assert [one.who for one in actions.newest()] == ["anna"]
        assert Results(store).newest()[0].state == "starting"


def test_a_preview_writes_nothing_and_safety_limits_are_off_only_when_said(page: Here) -> None:
    project = Project.at(page.folder)
    preview = environment(project, replace(LAUNCH, job="to-be", kind="preview"))
    unlimited = environment(project, replace(LAUNCH, job="to-be", kind="sync-unlimited"))

    assert preview["TARGET_TO_BE_DRY_RUN"] == "true"
    assert (unlimited["TARGET_TO_BE_DRY_RUN"], unlimited["TARGET_TO_BE_MAX_UPDATES_SHARE"]) == ("false", "1")
    assert "TARGET_TO_BE_MAX_CREATES" not in preview
    assert preview["EXACTONLINE_RUN_BY"] == "anna"


BEFORE = NOW - timedelta(hours=1)


def test_without_a_fresh_preview_a_person_is_asked_once_more() -> None:
    job = Job("customers", ("holding",), 100, (201,))

    assert doubts(job, BEFORE, None, 0, 0, NOW).no_preview
    assert doubts(job, BEFORE, replace(RESULT, state="failed"), 0, 0, NOW).no_preview
    assert doubts(job, BEFORE, RESULT, 0, 0, NOW + timedelta(days=2)).preview_is_old
    assert doubts(job, NOW + timedelta(minutes=1), RESULT, 0, 0, NOW).job_is_newer
    assert doubts(job, BEFORE, RESULT, 3, 0, NOW)
    assert doubts(job, BEFORE, RESULT, 0, 1, NOW)
    assert doubts(replace(job, on_collision="overwrite"), BEFORE, RESULT, 0, 0, NOW).overwrites
    assert not doubts(job, BEFORE, RESULT, 0, 0, NOW)


@pytest.mark.parametrize(
    ("earlier", "reads"),
    [
        ([], False),
        ([("sync", -1, 0)], True),
        ([("sync", -1, 1)], True),
        ([("preview", -1, 0)], False),
        ([("sync", -1, 0), ("preview", 1, 0)], True),
        ([("sync", -1, 0), ("sync", 1, 143)], True),
        ([("sync", -1, 0), ("sync", 1, 0)], False),
        ([("sync", 1, 0)], False),
    ],
)
def test_a_job_that_was_changed_reads_all_of_the_source_until_that_went_to_its_end(
    earlier: list[tuple[Kind, int, int]], reads: bool
) -> None:
    launches = [
        replace(LAUNCH, kind=kind, asked_at=NOW + timedelta(hours=hours), status=status)
        for kind, hours, status in earlier
    ]

    assert reads_all(NOW, launches) is reads


def test_what_is_run_is_what_a_person_would_type(page: Here) -> None:
    _write_job(page.folder)
    before = replace(LAUNCH, status=0)

    command = runner.command(Project.at(page.folder), LAUNCH, [before])

    assert Path(command[0]).name == "meltano"
    assert command[1:] == ["--log-format", "json", "run", "--full-refresh", "customers"]


def test_the_system_database_of_meltano_is_made_before_the_first_run_and_not_after_one_that_went_well(
    page: Here,
) -> None:
    project = Project.at(page.folder)
    _write_job(page.folder)
    with page.store() as store:
        launches = Launches(store)
        first = launches.add("customers", "preview", "anna")
        _look_after(project, first)
        launches.end(launches.add("customers", "preview", "anna").id, 0, None)
        third = launches.add("customers", "preview", "anna")
        _look_after(project, third)
        ended = [launches.get(one.id).status for one in (first, third)]

    made = "Upgrading database to"
    logs = [project.log(one.id).read_text(encoding="utf-8") for one in (first, third)]
    assert [made in log for log in logs] == [True, False]
    assert ended == [1, 1]  # the connection of this job is not there


def test_a_run_takes_as_long_as_its_slowest_company_or_eight_side_by_side() -> None:
    def company(seconds: int) -> CompanyForecast:
        return CompanyForecast(1, "", {}, 0, timedelta(seconds=seconds), None)

    assert minutes_in_all([company(300), company(60)]) == 5
    assert minutes_in_all([company(120)] * 40) == 10
    assert minutes_in_all([company(1)] * 300) == 1
    assert minutes_in_all([]) == 0


def test_a_company_takes_a_call_for_each_record_that_is_written() -> None:
    counts = DivisionCounts(201, "North", 9, 2, {"created": 2, "updated": 1, "deleted": 3, "unchanged": 3})

    (company,) = forecast(replace(RESULT, divisions=(counts,)), [])

    assert company.calls == 6


def test_synchronizing_without_the_word_of_a_person_only_asks(page: Here, visitor: Visitor) -> None:
    _write_job(page.folder)

    answer = visitor.post("/jobs/customers/synchronize")

    assert "There is no preview of this job yet" in answer.text
    with page.store() as store:
        assert Launches(store).newest() == []


def _look_after(project: Project, launch: Launch) -> None:
    command = [BIN / "python", "-m", "exactonline_console.runner", launch.id]
    subprocess.run(command, cwd=project.root, env=clean_environment(), check=True, timeout=120)


def _write_job(folder: Path) -> None:
    save(Project.at(folder), Job("customers", ("holding",), 100, (201,), names={100: "A", 201: "B"}))
