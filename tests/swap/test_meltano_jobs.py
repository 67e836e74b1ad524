"""The plugins that others wrote, as meltano.yml has them ready: pinned, custom, and with a job each that runs."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import psycopg
import pytest
from environments import REQUIREMENTS
from meltano_driver import OUR_OWN, MeltanoProject, manifest, plugins
from sandbox_driver import SOURCE, Sandbox

ALL = {plugin["name"]: plugin for plugin in plugins(manifest())}
OTHERS = {name: plugin for name, plugin in ALL.items() if not plugin.get("pip_url", OUR_OWN).startswith(OUR_OWN)}
HEIRS = {name: plugin for name, plugin in ALL.items() if "inherit_from" in plugin}
TARGETS = (201, 202, 203)


def test_nothing_in_the_project_is_asked_of_the_hub() -> None:
    custom = {name for name, plugin in ALL.items() if "namespace" in plugin}

    assert [name for name in ALL if HEIRS.get(name, {"inherit_from": name})["inherit_from"] not in custom] == []


@pytest.mark.parametrize("name", OTHERS)
def test_the_version_that_a_user_gets_is_the_one_that_is_tested(name: str) -> None:
    tested = re.findall(r"^([\w-]+==[\w.]+)", (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8"), re.MULTILINE)

    assert set(OTHERS[name]["pip_url"].split()) <= set(tested)


@pytest.mark.parametrize("name", [*OTHERS, *HEIRS])
def test_every_plugin_has_a_job(name: str) -> None:
    blocks = {name, *(mapping["name"] for mapping in ALL[name].get("mappings", ()))}

    assert [job["name"] for job in manifest()["jobs"] for task in job["tasks"] if blocks & set(task.split())]


def test_jobs_run_one_after_the_other_with_plugins_of_others(
    sandbox: Sandbox, postgres_url: str, tmp_path: Path
) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as database:
        names = ("number", "name", "street", "postcode", "city", "country", "email", "supplier")
        database.execute(f"CREATE TABLE customers ({', '.join(f'{name} text' for name in names)})")
        database.execute(
            "INSERT INTO customers VALUES ('10042', 'Café Ærø', 'Kade 1', '9000', 'Gent', 'be', '', 'nee')"
        )
    project = MeltanoProject(
        sandbox,
        tmp_path / "project",
        *("tap-postgres", "map-transform", "target-csv", "target-jsonl"),
        TAP_POSTGRES_SQLALCHEMY_URL=postgres_url.replace("postgres@/", "postgres:none@localhost/"),
        TARGET_COMPANIES_FAN_OUT=json.dumps({"target_divisions": TARGETS}),
        TARGET_JSONL_DO_TIMESTAMP_FILE="false",
        TARGET_CSV_FILE_NAMING_SCHEME="{stream_name}.csv",
    )
    output = project.folder / "output"
    output.mkdir()

    project.run("accounts-from-postgres", "accounts-to-jsonl", "accounts-to-csv")

    assert [sandbox.account(target, "10042")["Name"] for target in TARGETS] == ["Café Ærø"] * 3
    codes = sandbox.codes(SOURCE)
    lines = (output / "jsonl" / "accounts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["Code"] for line in lines] == codes
    with (output / "accounts.csv").open(encoding="utf-8", newline="") as file:
        assert [row["Code"] for row in csv.DictReader(file)] == codes
