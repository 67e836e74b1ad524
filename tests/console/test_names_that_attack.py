"""What a name can do: texts that others gave reach files that Meltano reads, and pages, and never show a secret."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timezone
from html import unescape

import pytest
from console_driver import Here, Visitor, clean_environment
from exactonline_console.expansion import escaped, restored
from exactonline_console.hidden import Hidden
from exactonline_console.jobs import Job, job, save
from exactonline_console.launches import Launches
from exactonline_console.project import Project
from hypothesis import given
from hypothesis import strategies as st
from meltano.core.utils import expand_env_vars
from sandbox_driver import CLIENT_SECRET, Sandbox
from stored_plans import SITE
from target_exactonline.store.runs import DivisionCounts, Runs
from warm_start import BIN

SECRET = "EXACTONLINE_HOLDING_CLIENT_SECRET"
NAMES = [f"${{{SECRET}}}", f"${SECRET}", f"\\${{{SECRET}}}", f"\\\\${SECRET} B.V.", f"$${SECRET}", "€ $ {} \\ 100%"]
NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_through_meltano_as_it_is(name: str) -> None:
    assert expand_env_vars({"of": [escaped(name)]}, {SECRET: "shown"}) == {"of": [name]}
    assert restored(escaped(name)) == name


@given(st.text(alphabet="\\$\\{}A1 a"))
def test_no_text_is_changed_on_its_way_through_a_file(text: str) -> None:
    assert expand_env_vars(escaped(text), {"A": "shown", "A1": "shown"}) == text
    assert "shown" not in escaped(text)


@pytest.mark.timeout(120)
def test_a_company_that_is_called_like_a_variable_shows_no_secret(
    page: Here, visitor: Visitor, sandbox: Sandbox
) -> None:
    visitor.connect(sandbox)
    sandbox.change_division(201, description=NAMES[0])
    sandbox.change_division(202, description=NAMES[2])
    visitor.post("/connections/holding/check")
    visitor.save_job()

    command = [BIN / "meltano", "--environment=sandbox", "config", "--unsafe", "print", "target-customers"]
    shown = subprocess.run(
        command, cwd=page.folder, env=clean_environment(), capture_output=True, text=True, check=True
    ).stdout

    config = json.loads(shown)
    assert config["expected_divisions"] == {"100": "Company 100", "201": NAMES[0], "202": NAMES[2]}
    assert config["connections"][0]["client_secret"] == CLIENT_SECRET
    assert job(Project.at(page.folder), "customers").names[202] == NAMES[2]
    assert NAMES[0] in unescape(visitor.get("/jobs/customers").text)


def test_a_field_of_a_form_is_no_variable_either(page: Here) -> None:
    project = Project.at(page.folder)
    save(project, Job("customers", ("holding",), 100, (201,), names={201: NAMES[1]}))

    text = (project.root / "meltano.d" / "customers.yml").read_text(encoding="utf-8")
    assert f"\\${SECRET}" in text
    assert job(project, "customers").names == {201: NAMES[1]}


@pytest.mark.parametrize("secret", ["s3cret-of-exact", 'it\'s <"secret"> & é\\n'])
def test_no_page_download_or_log_shows_a_secret_whoever_says_it(page: Here, visitor: Visitor, secret: str) -> None:
    project = Project.at(page.folder)
    project.env.put({SECRET: secret, "EXACTONLINE_HOLDING_CLIENT_ID": "an-app"})
    with page.store() as store:
        launches = Launches(store)
        launch = launches.add("customers", "sync", "anna")
        launches.end(launch.id, 1, f"Division 201 is called {secret}.")
        number = Runs(store).begin(launch.id, NOW, [SITE], dry_run=False)
        counts = [DivisionCounts(201, f"Called {secret}", 0, 0, {"created": 1})]
        Runs(store).end(number, NOW, 1, "No.", sources=[100], divisions=counts)
    lines = [{"event": f"It says {secret}", "level": "error", "string_id": "target"}]
    project.log(launch.id).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    for path in ("", "/log", "/records", "/records.jsonl", "/records.csv"):
        said = visitor.get(f"/runs/{launch.id}{path}").text
        assert secret not in unescape(said), path
        assert json.dumps(secret)[1:-1] not in said, path
    assert "Division 201 is called *****." in visitor.get(f"/runs/{launch.id}").text
    assert secret not in unescape(visitor.get("/history").text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EXACTONLINE_STORE_URL", "postgresql://anna:hidden-password@127.0.0.1/x"),
        ("EXACTONLINE_CONNECTIONS", '[{"client_id": "app", "client_secret": "hidden-password"}]'),
        ("TARGET_EXACTONLINE_WEBHOOK_URL", "hidden-password"),
        ("EXACTONLINE_STORE_KEY", "hidden-password"),
    ],
)
def test_each_place_where_secrets_are_kept_is_known(name: str, value: str) -> None:
    assert Hidden({name: value}).redact("It is hidden-password!") == "It is *****!"


def test_a_short_value_hides_no_ordinary_words() -> None:
    assert Hidden({SECRET: "s"}).redact("sensible") == "sensible"
