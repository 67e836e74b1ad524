"""A store of the first edition goes on: nothing that it knew is lost, and nothing is written because of the change.

The store was made by the first edition (c2671d1): eight customers into three companies, of which one holds another
party under a code, one refuses a customer, and one has new customers that a safety limit holds back; then a deletion at
the source that blocked the copies.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sandbox_driver import SandboxFactory, small_world
from singer_driver import Project
from target_exactonline.cli.store_command import main as store_command

DATA = Path(__file__).parent / "data"
NORTH, SOUTH, WEST = 201, 202, 203
FAN_OUT = {"overrides": {"202": {"Language": "FR"}}}


@pytest.fixture
def project(sandbox_factory: SandboxFactory, tmp_path: Path) -> Project:
    accounts = {int(code): rows for code, rows in json.loads((DATA / "first_edition.json").read_text()).items()}
    sandbox = sandbox_factory(small_world(accounts=accounts))
    with sqlite3.connect(tmp_path / "store.db") as database:
        database.executescript((DATA / "first_edition.sql").read_text().replace("{site}", sandbox.url))
    return Project(sandbox, tmp_path)


def listed(project: Project, *command: str) -> list[dict[str, Any]]:
    config = project.folder / "store.json"
    config.write_text(json.dumps(project.target_config()))
    done = CliRunner().invoke(store_command, [*command, "--json", "--config", str(config)])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.output.splitlines()]


def test_what_waited_and_what_was_refused_is_still_listed(project: Project) -> None:
    parked = Counter(one["division"] for one in listed(project, "parked"))
    refused = {(one["division"], one["code"], one["kind"]) for one in listed(project, "refused")}

    assert parked == {NORTH: 4, SOUTH: 4, WEST: 4}
    assert refused == {(WEST, "2", "rejected")}


def test_the_history_is_kept(project: Project) -> None:
    outcomes = Counter(line["outcome"] for line in listed(project, "history", "--limit", "1000"))

    assert outcomes == {"created": 17, "updated": 1, "refused": 5}


def test_the_next_run_writes_only_what_waited(project: Project) -> None:
    read = project.read()
    project.load(read.output, fan_out=FAN_OUT, max_creates=1, on_source_deletion="block")

    assert project.writes() == []


def test_what_waited_goes_once_the_limit_is_lifted_and_nothing_twice(project: Project) -> None:
    """Customer 6 has no e-mail address that is one: the first edition's own check refused it, now Exact judges it."""
    read = project.read()
    project.load(read.output, fan_out=FAN_OUT, on_source_deletion="block")

    written = {(call["division"], call["method"], call["body"].get("Code", "").strip()) for call in project.writes()}
    created = {(division, "POST", code) for division in (NORTH, SOUTH, WEST) for code in ("6", "20", "21")}
    assert written == created | {(division, "PUT", "") for division in (NORTH, SOUTH, WEST)}
    for division in (NORTH, SOUTH, WEST):
        assert project.sandbox.account(division, "1")["Blocked"] is True
        assert project.sandbox.account(division, "5")["Fax"] is None
        assert len(project.sandbox.codes(division)) == len(set(project.sandbox.codes(division)))
