"""Every command of docs/other-plugins.md, run by a shell as it is written there, in a copy of the project."""

from __future__ import annotations

import csv
import functools
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from meltano_driver import MeltanoProject, manifest
from page import CHECKOUT, commands, messages
from postgres_driver import PostgresServer
from psycopg.rows import dict_row
from sandbox_driver import Sandbox, small_world
from singer_driver import Ran
from sqlalchemy import make_url
from warm_start import BIN

HOLDING, NORTH, SOUTH = 2000100, 2000101, 2000102
OPERATING_COMPANIES = 4
TAPS = ("tap-jsonl", "tap-spreadsheets", "tap-rest-api-msdk", "tap-postgres", "map-transform")
TARGETS = ("target-jsonl", "target-csv", "target-duckdb", "target-postgres", "pipelinewise-target-postgres")
OF_TARGETS = [command for command in commands() if "accounts-to-" in command or "tap-exactonline" in command]
OF_LISTS = [command for command in commands() if command not in OF_TARGETS]
LISTS = [job["name"] for job in manifest()["jobs"] if job["name"].startswith("accounts-from-")]

ARRIVED: dict[str, dict[str, Any]] = {
    "70002": {"Name": "Café Zoë", "City": "Gent", "Country": "BE", "Phone": "+32 9 555 01 02"},
    "00071": {"Name": "Bloemen Siërra", "IsSupplier": True, "EstablishedDate": "2019-07-01T00:00:00"},
    "00072": {"Name": "Café Ærø", "IsSupplier": False, "EstablishedDate": None, "Email": None},
    "00074": {"Name": "Wijnhuis €uropa", "IsSupplier": True},
    "71001": {"ChamberOfCommerce": "98192111", "IsSupplier": True, "EstablishedDate": "2019-07-01T00:00:00"},
    "71002": {"Name": "Brouwerij 't Anker", "ChamberOfCommerce": None},
    "71003": {"Postcode": "50667", "City": "Köln", "IsSupplier": False, "ChamberOfCommerce": "61234568"},
    "72001": {"AddressLine1": "Spui 14", "City": "Amsterdam", "Email": "info@athenaeum.example"},
    "73002": {"Name": "Visgroothandel Oostende", "Country": "BE", "IsSupplier": True},
}
"""Some of what the lists hold, by code."""


def rehearsal_world() -> dict[str, Any]:
    """The world of `make run`, with the login of the tests and without limits."""
    said = subprocess.run([BIN / "exactonline-sandbox", "world"], check=True, capture_output=True, text=True).stdout
    world, plain = json.loads(said), small_world()
    login = {name: plain["users"][0][name] for name in ("refresh_token", "authorization_code")}
    users = [{**world["users"][0], **login}]
    return {**world, "apps": plain["apps"], "users": users, "limits": plain["limits"]}


@pytest.fixture
def world(sandbox: Sandbox) -> Sandbox:
    """A sandbox that serves the rehearsal world."""
    sandbox.reset(rehearsal_world())
    return sandbox


@pytest.fixture
def api() -> Iterator[str]:
    """The address at which the examples are served, as the page says."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(CHECKOUT / "input"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def project_of(sandbox: Sandbox, folder: Path, *others: str, **settings: str) -> MeltanoProject:
    """A copy of the project with the examples."""
    project = MeltanoProject(sandbox, folder, *others, TAP_EXACTONLINE_DIVISIONS=f"[{HOLDING}]", **settings)
    shutil.copytree(CHECKOUT / "input", folder / "input")
    (folder / "output").mkdir()
    return project


def say(project: MeltanoProject, command: str) -> Ran:
    """What a shell says to a block of the page, where `meltano` is the one that `make setup` brings."""
    env = {**project.env, "PATH": f"{BIN}:{project.env['PATH']}"}
    done = subprocess.run(
        ["sh", "-e"],
        input=command,
        cwd=project.folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    ran = Ran(done.returncode, done.stdout, done.stderr)
    assert ran.status == 0, f"{command}\n{ran.log}"
    return ran


def writes(sandbox: Sandbox) -> list[str]:
    """The calls that changed something."""
    calls = [call for call in sandbox.journal() if call["method"] != "GET" and call["endpoint"] != "oauth2/token"]
    return [f"{call['method']} {call['endpoint']}" for call in calls]


def test_every_list_reaches_the_companies_by_the_command_of_the_page(
    world: Sandbox, api: str, postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url) as database:
        database.execute((CHECKOUT / "input" / "customers.sql").read_text(encoding="utf-8"))
    project = project_of(
        world,
        tmp_path / "project",
        *TAPS,
        TAP_REST_API_MSDK_API_URL=api,
        TAP_POSTGRES_SQLALCHEMY_URL=postgres_url.replace("postgres@/", "postgres:none@localhost/"),
    )

    *first, again = OF_LISTS
    assert [job for job in LISTS if f"meltano run {job}" not in "\n".join(first)] == []

    said = [say(project, command) for command in first]

    summary = said[0].output
    assert next(message for message in messages() if "another party" in message) in summary
    for company in (NORTH, SOUTH):
        held = {account["Code"]: account for account in world.accounts(company)}
        found = {code: {name: held[code][name] for name in wanted} for code, wanted in ARRIVED.items()}
        assert found == ARRIVED
        assert held["90001"]["Name"] != "Zeilmakerij Noorderwind"

    world.forget_calls()
    say(project, again)
    assert writes(world) == []


def test_every_other_target_is_fed_by_the_command_of_the_page(
    world: Sandbox, postgres: PostgresServer, tmp_path: Path
) -> None:
    plain, pipelinewise = postgres.new_database(), postgres.new_database()
    address = make_url(pipelinewise)
    project = project_of(
        world,
        tmp_path / "project",
        *TARGETS,
        TARGET_POSTGRES_SQLALCHEMY_URL=plain.replace("postgresql://", "postgresql+psycopg://"),
        PIPELINEWISE_TARGET_POSTGRES_HOST=str(address.query["host"]),
        PIPELINEWISE_TARGET_POSTGRES_USER="postgres",
        PIPELINEWISE_TARGET_POSTGRES_PASSWORD="none",
        PIPELINEWISE_TARGET_POSTGRES_DBNAME=str(address.database),
    )
    output = project.folder / "output"

    for command in OF_TARGETS:
        say(project, command)

    codes = sorted(world.codes(HOLDING))
    files = [file.read_text(encoding="utf-8").splitlines() for file in output.glob("jsonl/accounts-*.jsonl")]
    plain_rows, copies = [[json.loads(line)["Code"] for line in lines] for lines in sorted(files, key=len)]
    assert (sorted(plain_rows), sorted(copies)) == (codes, sorted(codes * OPERATING_COMPANIES))
    with next(output.glob("accounts-*.csv")).open(encoding="utf-8", newline="") as file:
        assert sorted(row["Code"] for row in csv.DictReader(file)) == codes
    for url, column in ((plain, "Code"), (pipelinewise, "code")):
        with psycopg.connect(url, row_factory=dict_row) as database:
            found = database.execute("TABLE exactonline.accounts").fetchall()
        assert sorted(row[column] for row in found) == codes
