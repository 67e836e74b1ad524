"""What tap-exactonline reads, with and without the mapping step, in targets that others wrote."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from arrivals import Other, Row, Sent
from environments import bin_of
from psycopg.rows import dict_row
from sandbox_driver import SOURCE, Sandbox, customer, small_world
from singer_driver import Project
from sqlalchemy import make_url

ROWS_OF_DUCKDB = Path(__file__).parent / "programs" / "duckdb_rows.py"
IN_UTC = {"TZ": "UTC", "PGTZ": "UTC"}
SOURCE_CUSTOMERS = 4
STREAMS = ("accounts", "divisions")


@pytest.fixture(scope="module")
def ways(_running_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sent]:
    """The messages of the tap, and what the mapping step makes of them."""
    source = [
        customer(1),
        customer(2, Name="Café Ísafjörður, Ærø & Zoë N.V.", Latitude=52.370216, EndDate="2027-01-31T00:00:00"),
        customer(3, Remarks='Zegt: "bel eerst",\nen dan pas; \\N', IsSupplier=True, Email=None),
        customer(4, Name="Ω " + "x" * 40, CreditLineSales=1234.5),
    ]
    _running_sandbox.reset(small_world(targets=(201, 202), accounts={SOURCE: source}))
    project = Project(_running_sandbox, tmp_path_factory.mktemp("ways"))
    read = project.read()
    mapped = project.mapper.run_here({}, given=read.output)
    assert (read.status, mapped.status) == (0, 0)
    return {"as read": Sent(read), "fanned out": Sent(mapped)}


@pytest.fixture(params=["as read", "fanned out"])
def sent(request: pytest.FixtureRequest, ways: dict[str, Sent]) -> Sent:
    way = ways[request.param]
    copies = {"as read": 1, "fanned out": 2}[request.param]
    assert len(way.rows("accounts")) == SOURCE_CUSTOMERS * copies
    return way


def last_state(sent: Sent) -> Row:
    return dict(json.loads(sent.lines.splitlines()[-1])["value"])


def test_target_jsonl_holds_what_was_sent(other: Other, sent: Sent, tmp_path: Path) -> None:
    settings = {"destination_path": str(tmp_path / "out"), "do_timestamp_file": False}

    ran = other("target-jsonl").run(settings, given=sent.lines)

    assert (ran.status, ran.state) == (0, last_state(sent)), ran.log
    for stream in STREAMS:
        lines = (tmp_path / "out" / f"{stream}.jsonl").read_text(encoding="utf-8").splitlines()
        assert sent.differences(stream, map(json.loads, lines)) == []


def test_target_csv_holds_what_was_sent(other: Other, sent: Sent, tmp_path: Path) -> None:
    ran = other("target-csv").run({"output_path": str(tmp_path)}, given=sent.lines)

    assert (ran.status, ran.state) == (0, last_state(sent)), ran.log
    for stream in STREAMS:
        with (tmp_path / f"{stream}.csv").open(encoding="utf-8", newline="") as file:
            assert sent.differences(stream, csv.DictReader(file), lost={"empty text"}) == []


def test_target_duckdb_holds_what_was_sent(other: Other, sent: Sent, tmp_path: Path) -> None:
    database = tmp_path / "exactonline.duckdb"
    settings = {"path": str(database), "default_target_schema": "exact"}

    ran = other("target-duckdb").run(settings, given=sent.lines, env=IN_UTC)

    assert (ran.status, ran.state) == (0, last_state(sent)), ran.log
    for stream in STREAMS:
        command = [bin_of("target-duckdb") / "python", ROWS_OF_DUCKDB, database, f"exact.{stream}"]
        rows = subprocess.run(command, check=True, capture_output=True, text=True, env=IN_UTC).stdout
        assert sent.differences(stream, map(json.loads, rows.splitlines()), lost={"empty text", "offset"}) == []


def test_target_postgres_holds_what_was_sent(other: Other, sent: Sent, postgres_url: str) -> None:
    settings = {"sqlalchemy_url": postgres_url, "default_target_schema": "exact", "load_method": "upsert"}
    plain = {"add_record_metadata": False, "activate_version": False}

    ran = [other("target-postgres").run({**settings, **plain}, given=sent.lines, env=IN_UTC) for _ in range(2)]

    assert [(one.status, one.state) for one in ran] == [(0, last_state(sent))] * 2, ran[0].log
    with psycopg.connect(postgres_url.replace("+psycopg", ""), row_factory=dict_row) as database:
        for stream in STREAMS:
            rows = database.execute(f"TABLE exact.{stream}").fetchall()
            assert sent.differences(stream, rows) == []


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="its psycopg2 has no wheel for a newer Python")
def test_the_target_of_pipelinewise_holds_what_was_sent(other: Other, sent: Sent, postgres_url: str) -> None:
    address = make_url(postgres_url)
    login = {"host": address.query["host"], "port": 5432, "user": "postgres", "password": "none"}
    settings = {**login, "dbname": address.database, "default_target_schema": "exact"}

    ran = [other("pipelinewise-target-postgres").run(settings, given=sent.lines, env=IN_UTC) for _ in range(2)]

    assert [(one.status, one.state) for one in ran] == [(0, last_state(sent))] * 2, ran[0].log
    with psycopg.connect(postgres_url.replace("+psycopg", ""), row_factory=dict_row) as database:
        for stream in STREAMS:
            rows = database.execute(f"TABLE exact.{stream}").fetchall()
            assert sent.differences(stream, rows, lost={"empty text", "offset", "line break"}) == []
