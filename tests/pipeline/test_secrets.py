"""No secret shows anywhere: not in what a program says at its most talkative, not in a report, not in a journal."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sandbox_driver import CLIENT_SECRET, REFRESH_TOKEN, SOURCE, Sandbox, small_world
from singer_driver import Project, Ran

NORTH = 201
TALKATIVE = {"TAP_EXACTONLINE_LOGLEVEL": "DEBUG", "TARGET_EXACTONLINE_LOGLEVEL": "DEBUG"}


def tokens_given_out(world: Path) -> set[str]:
    """Every token that the sandbox ever gave out."""
    with sqlite3.connect(world) as database:
        tables = ("access_tokens", "refresh_tokens")
        return {token for table in tables for (token,) in database.execute(f"SELECT token FROM {table}")}  # noqa: S608


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return tmp_path / "world.db"


@pytest.fixture
def project(sandbox_factory: Callable[..., Sandbox], tmp_path: Path, world: Path) -> Project:
    return Project(sandbox_factory(small_world(), db=world), tmp_path)


def everything_shown(project: Project, *runs: Ran) -> str:
    files = [path.read_text(encoding="utf-8") for path in project.report.glob("*")]
    calls = [{**call, "error": None} for call in project.sandbox.journal()]  # the error is what a fault was told to say
    return "\n".join([*(ran.output + ran.log for ran in runs), *files, json.dumps(calls)])


def test_runs_with_debug_logs_and_faults_show_no_secret(project: Project, world: Path) -> None:
    sandbox = project.sandbox
    echo = json.dumps({"error": {"message": {"value": f"Ongeldig: {CLIENT_SECRET} {REFRESH_TOKEN}"}}})
    sandbox.fault("status", status=401, method="GET", endpoint="sync/CRM/Accounts", division=SOURCE)
    read = project.tap.run(project.tap_config(), env=TALKATIVE)
    sandbox.fault("status", status=401, method="POST", endpoint="crm/Accounts", division=NORTH)
    sandbox.fault("status", status=500, body=echo, contains="Klant 2", method="POST")
    sandbox.fault("fault_500", method="GET", endpoint="sync/CRM/Accounts", division=202)
    loaded = project.target.run(project.target_config(fan_out={}), given=read.output, env=TALKATIVE)
    wrong = [
        project.tap.run(project.tap_config(divisions="north", client_secret=[CLIENT_SECRET]), env=TALKATIVE),
        project.target.run(project.target_config(load_method=CLIENT_SECRET[::-1], refresh_token=[REFRESH_TOKEN])),
    ]

    shown = everything_shown(project, read, loaded, *wrong)

    assert (read.status, loaded.status) == (0, 0), loaded.log
    assert "DEBUG" in read.log
    assert "*****" in shown
    given_out = tokens_given_out(world)
    assert len(given_out) >= 2 * 3
    assert [secret for secret in {CLIENT_SECRET, *given_out} if secret in shown] == []


def test_a_login_that_fails_shows_no_secret(project: Project, world: Path) -> None:
    refused = project.tap.run(project.tap_config(client_secret="not" + CLIENT_SECRET), env=TALKATIVE)
    project.sandbox.fault("token_lost_answer")
    lost = project.tap.run(project.tap_config(), env=TALKATIVE)

    assert (refused.status, lost.status) == (1, 1)
    shown = everything_shown(project, refused, lost)
    assert [secret for secret in {CLIENT_SECRET, *tokens_given_out(world)} if secret in shown] == []


WRONG_TYPES = [
    {"client_secret": [CLIENT_SECRET]},
    {"client_secret": {"text": CLIENT_SECRET}},
    {"refresh_token": [CLIENT_SECRET]},
    {"store_url": [CLIENT_SECRET]},
    {"connections": CLIENT_SECRET},
    {"connections": [CLIENT_SECRET]},
    {"connections": {"name": "one", "client_id": "x", "client_secret": CLIENT_SECRET}},
    {"connections": [{"name": "one", "client_id": "x", "client_secret": [CLIENT_SECRET]}]},
]


@pytest.mark.parametrize("settings", WRONG_TYPES, ids=str)
def test_a_secret_of_the_wrong_type_is_not_shown(sandbox: Sandbox, tmp_path: Path, settings: dict[str, Any]) -> None:
    project = Project(sandbox, tmp_path)
    if settings.keys() != {"client_secret"}:
        settings = {"client_secret": "another", **settings}

    for ran in (project.read(**settings), project.load("", **settings)):
        assert ran.status == 1
        assert len(ran.errors) == 1
        assert CLIENT_SECRET not in ran.log + ran.output
