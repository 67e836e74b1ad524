"""Accounts from taps that others wrote: other names, text in every column, keys or none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from arrivals import Other
from sandbox_driver import Sandbox
from singer_driver import Project, Ran

NORTH, SOUTH = 201, 202
IN_OUR_NAMES = {
    "klanten": {
        "__alias__": "accounts",
        "__key_properties__": ["Code"],
        "Code": "str(nummer)",
        "Name": "naam",
        "City": "plaats",
        "Country": "land",
        "IsSupplier": "leverancier",
        "EstablishedDate": "opgericht",
        "Latitude": "breedte",
        "__else__": None,
    }
}
KLANTEN = [
    {"nummer": "10042", "naam": "Café Ærø B.V.", "plaats": "Gent", "land": "be", "leverancier": "ja"},
    {"nummer": "10043", "naam": "Noord N.V.", "opgericht": "2019-07-01", "leverancier": "f", "breedte": "52.37"},
]
COLUMNS = sorted({name for klant in KLANTEN for name in klant})


def rows(names: Sequence[str], *given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows with every column, empty where nothing is given."""
    return [{name: row.get(name) for name in names} for row in given]


def from_jsonl(other: Other, folder: Path, records: Sequence[Mapping[str, Any]], **settings: Any) -> Ran:
    """What tap-jsonl makes of a file."""
    path = folder / "klanten.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    ran = other("tap-jsonl").run({"path": str(path), "stream_name": "klanten", **settings})
    assert ran.status == 0, ran.log
    return ran


def from_postgres(other: Other, folder: Path, url: str) -> Ran:
    """What tap-postgres makes of every table of a database; it reads only what its catalog selects."""
    tap = other("tap-postgres")
    # The tap wants a host and a password in the address; the one among the options is what counts.
    settings = {"sqlalchemy_url": url.replace("postgres@/", "postgres:none@localhost/"), "filter_schemas": ["public"]}
    catalog = json.loads(tap.run(settings, "--discover").output)
    for stream in catalog["streams"]:
        (table,) = [one["metadata"] for one in stream["metadata"] if one["breadcrumb"] == []]
        table["selected"] = True
    path = folder / "catalog.json"
    path.write_text(json.dumps(catalog), encoding="utf-8")
    ran = tap.run(settings, "--catalog", str(path))
    assert ran.status == 0, ran.log
    return ran


def written(sandbox: Sandbox, division: int, names: Sequence[str]) -> dict[str, list[Any]]:
    """Some values of each account that a division holds, by its code."""
    return {account["Code"]: [account[name] for name in names] for account in sandbox.accounts(division)}


def test_a_file_with_other_names_and_text_in_every_column_reaches_every_division(
    project: Project, other: Other, tmp_path: Path
) -> None:
    read = from_jsonl(other, tmp_path, rows(COLUMNS, *KLANTEN))

    ran = project.load(read.output, stream_maps=IN_OUR_NAMES, fan_out={"target_divisions": [NORTH, SOUTH]})

    assert (ran.status, ran.state) == (0, read.state), ran.log
    names = ["Name", "City", "Country", "IsSupplier", "EstablishedDate", "Latitude"]
    for division in (NORTH, SOUTH):
        assert written(project.sandbox, division, names) == {
            "10042": ["Café Ærø B.V.", "Gent", "BE", True, None, None],
            "10043": ["Noord N.V.", None, None, False, "2019-07-01T00:00:00", 52.37],
        }


@pytest.mark.parametrize("keys", [[], ["Code"], ["Name"]], ids=str)
def test_a_stream_with_a_code_is_copied_whatever_its_keys_are(
    project: Project, other: Other, tmp_path: Path, keys: list[str]
) -> None:
    read = from_jsonl(other, tmp_path, [{"Code": "7", "Name": "Jan"}], primary_keys=keys)

    ran = project.load(read.output, fan_out={"target_divisions": [NORTH]})

    assert ran.status == 0, ran.log
    assert written(project.sandbox, NORTH, ["Name"]) == {"7": ["Jan"]}


@pytest.mark.parametrize("keys", [[], ["Division", "Code"]], ids=str)
def test_without_fan_out_each_row_goes_to_the_division_in_its_column(
    project: Project, other: Other, tmp_path: Path, keys: list[str]
) -> None:
    records = [{"Division": "201", "Code": 7, "Name": "Jan"}, {"Division": "202", "Code": 8, "Name": "Piet"}]
    read = from_jsonl(other, tmp_path, records, primary_keys=keys)

    ran = project.load(read.output)

    assert ran.status == 0, ran.log
    assert written(project.sandbox, NORTH, ["Name"]) == {"7": ["Jan"]}
    assert written(project.sandbox, SOUTH, ["Name"]) == {"8": ["Piet"]}


def test_with_fan_out_the_column_division_is_where_a_row_comes_from_and_that_is_said(
    project: Project, other: Other, tmp_path: Path
) -> None:
    read = from_jsonl(other, tmp_path, [{"Division": 201, "Code": "7", "Name": "Jan"}])

    ran = project.load(read.output, fan_out={"target_divisions": [NORTH, SOUTH]})

    assert (project.sandbox.codes(NORTH), project.sandbox.codes(SOUTH)) == ([], ["7"])
    assert "klanten has no keys: its column Division is taken for where a record comes from" in ran.log


def test_a_refusal_names_the_column_and_the_row_of_the_input(project: Project, other: Other, tmp_path: Path) -> None:
    wrong = {"nummer": "10044", "naam": "Zuid", "leverancier": "misschien", "opgericht": "01-02-2026"}
    read = from_jsonl(other, tmp_path, rows(COLUMNS, *KLANTEN, wrong))
    maps = {"klanten": {**IN_OUR_NAMES["klanten"], "__filter__": "nummer != '10042'"}}

    ran = project.load(read.output, stream_maps=maps, fan_out={"target_divisions": [NORTH]})

    assert ran.status == 0, ran.log
    reason = project.outcome_of("10044", NORTH)["reason"]
    assert reason.startswith("Account 10044 in division 201: ")
    assert (
        "EstablishedDate is '01-02-2026', which is not a date in ISO 8601, such as 2026-01-31, from 1753 on" in reason
    )
    assert "IsSupplier is 'misschien', which is not true or false" in reason
    assert reason.endswith("(record 3 of the stream klanten). Not sent; correct it in the source and run again.")
    assert project.sandbox.codes(NORTH) == ["10043"]


@pytest.mark.parametrize("key", ["", ", PRIMARY KEY (nummer)"], ids=["no key", "a key"])
def test_a_table_of_postgresql_reaches_every_division_and_costs_nothing_the_second_time(
    project: Project, other: Other, postgres_url: str, tmp_path: Path, key: str
) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as database:
        database.execute(f"CREATE TABLE klanten ({', '.join(f'{name} text' for name in COLUMNS)}{key})")
        with database.cursor().copy("COPY klanten FROM STDIN") as copy:
            for klant in rows(COLUMNS, *KLANTEN):
                copy.write_row(list(klant.values()))
    maps = {"public-klanten": IN_OUR_NAMES["klanten"]}
    settings = {"stream_maps": maps, "fan_out": {"target_divisions": [NORTH, SOUTH]}}

    read = from_postgres(other, tmp_path, postgres_url)
    ran = project.load(read.output, **settings)

    assert ran.status == 0, ran.log
    names = ["Name", "City", "Country", "IsSupplier", "EstablishedDate", "Latitude"]
    for division in (NORTH, SOUTH):
        assert written(project.sandbox, division, names) == {
            "10042": ["Café Ærø B.V.", "Gent", "BE", True, None, None],
            "10043": ["Noord N.V.", None, None, False, "2019-07-01T00:00:00", 52.37],
        }

    project.sandbox.forget_calls()
    again = project.load(read.output, **settings)

    assert again.status == 0
    assert project.writes() == []


def test_a_table_with_real_types_arrives_as_it_is(
    project: Project, other: Other, postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as database:
        database.execute(
            'CREATE TABLE accounts ("Division" int, "Code" bigint, "Name" varchar(50), "IsSupplier" boolean, '
            '"EstablishedDate" date, "Latitude" double precision, "IsMailing" smallint, '
            'PRIMARY KEY ("Division", "Code"))'
        )
        database.execute("INSERT INTO accounts VALUES (201, 7, 'Jan', true, '2019-07-01', 52.370216, 1)")

    read = from_postgres(other, tmp_path, postgres_url)
    ran = project.load(read.output)

    assert ran.status == 0, ran.log
    names = ["Name", "IsSupplier", "EstablishedDate", "Latitude", "IsMailing"]
    assert written(project.sandbox, NORTH, names) == {"7": ["Jan", True, "2019-07-01T00:00:00", 52.370216, 1]}
