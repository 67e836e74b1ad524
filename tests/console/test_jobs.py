"""Jobs: what a person chose, as a file that Meltano understands and that people may edit too."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import yaml
from console_driver import Here, Visitor, clean_environment
from exactonline_client.errors import ConfigurationError
from exactonline_console.job_form import job_of
from exactonline_console.jobs import Job, job, saved
from exactonline_console.looks import Company
from exactonline_console.project import Project
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, Sandbox
from warm_start import BIN


def company(code: int, connection: str = "holding", **more: Any) -> Company:
    values = {"name": f"Company {code}", "country": "NL", "status": 1, "is_blocked": False, **more}
    return Company(code=code, connection=connection, site="https://start.exactonline.nl", **values)


COMPANIES = [company(100), company(201), company(202), company(203, status=2), company(301, "belgium")]


def form(*targets: int, fields: tuple[str, ...] = (), **given: str) -> Job:
    chosen = {"targets": [str(code) for code in targets], "fields": list(fields)}
    return job_of({"name": "customers", "source": "100", **given}, chosen, COMPANIES)


# Out of a form


def test_a_form_becomes_a_job() -> None:
    made = form(201, 202, limit="50", max_creates="10", max_updates_percent="25", on_collision="overwrite")

    assert (made.source, made.targets, made.limit, made.max_creates) == (100, (201, 202), 50, 10)
    assert (made.max_updates_share, made.on_collision, made.connections) == (0.25, "overwrite", ("holding",))
    assert made.names == {100: "Company 100", 201: "Company 201", 202: "Company 202"}


def test_the_source_gets_no_copy_even_if_it_is_ticked() -> None:
    assert form(100, 201).targets == (201,)


def test_with_later_companies_too_those_that_are_not_ticked_are_left_out() -> None:
    made = form(201, later_too="yes")

    assert (made.targets, made.excluded) == ((), (202, 301))


def test_a_job_over_two_connections_names_both() -> None:
    assert form(201, 301).connections == ("holding", "belgium")


@pytest.mark.parametrize(
    ("targets", "given", "said"),
    [
        ((), {}, "at least one company that gets"),
        ((100,), {}, "at least one company that gets"),
        ((999,), {}, "at least one company that gets"),
        ((201,), {"source": ""}, "Choose the company whose customers"),
        ((201,), {"source": "999"}, "Choose the company whose customers"),
        ((201,), {"limit": "0"}, "trial limit"),
        ((201,), {"limit": "-1"}, "trial limit"),
        ((201,), {"limit": "1e9"}, "trial limit"),
        ((201,), {"limit": "1" * 400}, "trial limit"),
        ((201,), {"max_updates_percent": "101"}, "0 to 100"),
        ((201,), {"which_fields": "some"}, "at least one field"),
    ],
)
def test_what_is_missing_or_wrong_is_told(targets: tuple[int, ...], given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        form(*targets, **given)


# As a file


@pytest.fixture
def project(page: Here, visitor: Visitor, sandbox: Sandbox) -> Project:
    """With a connection and the job `customers` to 201 and 202."""
    visitor.connect(sandbox)
    visitor.save_job(limit="5", which_fields="some", fields=["Name", "City"])
    return Project.at(page.folder)


def test_a_job_is_read_back_as_it_was_saved(project: Project) -> None:
    (kept,) = saved(project)

    assert (kept.name, kept.source, kept.targets, kept.limit, kept.fields) == (
        "customers",
        100,
        (201, 202),
        5,
        ("Name", "City"),
    )


def test_no_secret_stands_in_the_file(project: Project) -> None:
    text = (project.root / "meltano.d" / "customers.yml").read_text(encoding="utf-8")

    assert CLIENT_SECRET not in text
    assert CLIENT_ID not in text
    assert "${EXACTONLINE_HOLDING_CLIENT_SECRET}" in text


def test_what_people_add_to_the_file_stays(project: Project, visitor: Visitor) -> None:
    file = project.root / "meltano.d" / "customers.yml"
    text = file.read_text(encoding="utf-8")
    text = text.replace("      dry_run: false", "      nulls: keep  # since the audit\n      dry_run: false  # never")
    file.write_text(text, encoding="utf-8")

    visitor.post("/jobs/customers", source="100", targets="203", limit="7")

    after = file.read_text(encoding="utf-8")
    assert "nulls: keep  # since the audit" in after
    assert "dry_run: false  # never" in after
    assert (job(project, "customers").targets, job(project, "customers").limit) == ((203,), 7)


@pytest.mark.timeout(120)
def test_meltano_gives_the_job_its_own_settings_and_the_secrets_of_the_env_file(
    project: Project, sandbox: Sandbox
) -> None:
    others = {"TARGET_EXACTONLINE_FAN_OUT": '{"target_divisions": [666]}', "TARGET_EXACTONLINE_NULLS": "keep"}
    env = clean_environment() | others
    command = [BIN / "meltano", "--environment=sandbox", "config", "--unsafe", "print", "target-customers"]

    shown = subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True, check=True).stdout

    config = json.loads(shown)
    assert config["fan_out"] == {"target_divisions": [201, 202], "fields": ["Name", "City"], "limit": 5}
    assert config["connections"] == [
        {"name": "holding", "base_url": sandbox.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    ]
    assert config["nulls"] == "keep"
    assert config["dry_run"] is False
    assert config["expected_divisions"]["201"] == "Company 201"


def test_a_name_that_meltano_has_already_is_refused(project: Project, visitor: Visitor) -> None:
    for name in ("accounts", "exactonline", "customers"):
        answer = visitor.save_job(name)
        assert answer.status_code == 400
        assert "taken in meltano.yml" in answer.text or "already; choose another" in answer.text


def test_a_project_that_takes_in_no_such_files_is_told_what_to_add(
    visitor: Visitor, page: Here, sandbox: Sandbox
) -> None:
    plan = yaml.safe_load((page.folder / "meltano.yml").read_text(encoding="utf-8"))
    del plan["include_paths"]
    (page.folder / "meltano.yml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    visitor.connect(sandbox)

    answer = visitor.save_job()

    assert "include_paths: [meltano.d/*.yml]" in answer.text


def test_a_file_that_is_no_job_of_the_page_is_left_alone(project: Project, visitor: Visitor) -> None:
    (project.root / "meltano.d" / "mine.yml").write_text("jobs: [{name: x, tasks: []}]\n", encoding="utf-8")
    (project.root / "meltano.d" / "broken.yml").write_text("{[", encoding="utf-8")

    assert [one.name for one in saved(project)] == ["customers"]
    assert visitor.get("/").status_code == 200


def test_a_removed_job_is_gone(project: Project, visitor: Visitor) -> None:
    visitor.post("/jobs/customers/remove")

    assert saved(project) == []
    assert list((project.root / "meltano.d").iterdir()) == []


def test_a_check_says_what_can_be_used_and_remembers_the_rights(
    project: Project, visitor: Visitor, sandbox: Sandbox
) -> None:
    sandbox.change_division(202, status=2)

    shown = visitor.post("/jobs/customers/check").text

    assert "A run cannot start yet" in shown
    assert "(Company 202) is archived" in shown
    assert ">read</" in visitor.get("/connections/holding").text.replace("\n", "")
    assert sandbox.codes(201) == []
