"""What a run did is taken back: where the companies still hold what it wrote, and until somebody says otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran
from target_exactonline.cli.store_command import main as store_command

NORTH, SOUTH, WEST = 201, 202, 203
FIELDS = ("Name", "City", "Email", "Phone", "Blocked")


def store(project: Project, *command: str) -> list[dict[str, Any]]:
    config = project.folder / "store.json"
    config.write_text(json.dumps(project.target_config()))
    done = CliRunner().invoke(store_command, [*command, "--json", "--config", str(config)])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.output.splitlines()]


def held(project: Project) -> dict[int, dict[str, list[Any]]]:
    """The accounts that are in use, by company and code."""
    return {
        division: {
            row["Code"].strip(): [row.get(name) for name in FIELDS[:-1]]
            for row in project.sandbox.accounts(division)
            if not row.get("Blocked")
        }
        for division in (NORTH, SOUTH, WEST)
    }


@pytest.fixture
def grown(project: Project) -> Project:
    """Three companies, of which one knows a customer of the source already, by an old address."""
    project.sandbox.reset(small_world(accounts={NORTH: [customer(2, City="Oud"), customer(9)]}))
    return project


def first_load(project: Project) -> Ran:
    read = project.read()
    project.load(read.output, fan_out={})
    return read


def test_a_run_that_created_and_updated_is_taken_back_and_not_repeated(grown: Project) -> None:
    before = held(grown)
    read = first_load(grown)
    (run,) = store(grown, "runs")

    lines = store(grown, "undo", "--run", run["id"], "--by", "controller")

    assert held(grown) == before
    assert {line["action"] for line in lines} == {"update", "block"}
    grown.load(read.output, fan_out={})
    assert held(grown) == before
    assert {line["kind"] for line in grown.outcomes} == {"held"}
    assert store(grown, "runs")[1]["started_by"] == "controller"


def test_what_a_person_changed_since_stays_and_is_told(grown: Project) -> None:
    first_load(grown)
    grown.sandbox.edit(NORTH, "2", City="Met de hand")
    grown.sandbox.edit(SOUTH, "1", Phone="0900-1")
    (run,) = store(grown, "runs")

    store(grown, "undo", "--run", run["id"])

    assert grown.sandbox.account(NORTH, "2")["City"] == "Met de hand"
    assert not grown.sandbox.account(SOUTH, "1")["Blocked"]
    told = {(line["division"], line["code"]): line["reason"] for line in grown.outcomes if line["outcome"] == "skipped"}
    assert "Changed since it was written: Phone." in told[SOUTH, "1"]
    grown.sandbox.advance(3600)
    grown.load(grown.read().output, fan_out={}, reconcile=True)
    assert grown.sandbox.account(SOUTH, "1")["Phone"] == "030-1234567"  # it was not taken back, so it is not held


def test_with_delete_what_was_created_is_deleted(grown: Project) -> None:
    first_load(grown)
    (run,) = store(grown, "runs")

    store(grown, "undo", "--run", run["id"], "--delete", "--division", str(WEST))

    assert grown.sandbox.codes(WEST) == []
    assert grown.sandbox.codes(SOUTH) == ["1", "2", "3"]


def test_a_trial_shows_what_would_be_taken_back_and_writes_nothing(grown: Project) -> None:
    first_load(grown)
    (run,) = store(grown, "runs")
    grown.sandbox.forget_calls()

    lines = store(grown, "undo", "--run", run["id"], "--dry-run")

    assert len(lines) == 9
    assert grown.writes() == []


def test_what_was_released_is_done_again(grown: Project) -> None:
    read = first_load(grown)
    after = held(grown)
    (run,) = store(grown, "runs")
    store(grown, "undo", "--run", run["id"])

    assert store(grown, "release", "--run", run["id"]) == [{"released": 9}]
    grown.load(read.output, fan_out={})

    assert held(grown) == after


def test_a_change_at_the_source_ends_the_hold(grown: Project) -> None:
    read = first_load(grown)
    (run,) = store(grown, "runs")
    store(grown, "undo", "--run", run["id"])
    grown.sandbox.edit(SOURCE, "3", City="Ede")

    grown.load(grown.read(state=read.state).output, fan_out={})

    assert held(grown)[SOUTH]["3"][1] == "Ede"
    assert "1" not in held(grown)[SOUTH]


def test_a_tie_that_a_rule_made_goes_with_what_was_written_by_it(project: Project) -> None:
    known = {"VATNumber": "BE0403019261", "Phone": None}
    project.sandbox.reset(
        small_world(
            accounts={SOURCE: [customer(1, **known)], NORTH: [{**customer(1, **known), "Code": "30", "City": "Oud"}]}
        )
    )
    fan_out, rules = {"target_divisions": [NORTH]}, ["Code", "VATNumber"]
    project.load(project.read().output, fan_out=fan_out, match_on=rules)
    assert [(line["code"], line["target_code"]) for line in store(project, "matches")] == [("1", "30")]
    (run,) = store(project, "runs")

    store(project, "undo", "--run", run["id"])

    assert project.sandbox.account(NORTH, "30")["City"] == "Oud"
    assert [line for line in store(project, "matches") if line["state"] == "tied"] == []


def test_the_number_of_a_source_record_that_is_gone_is_given_to_no_other(project: Project) -> None:
    settings: dict[str, Any] = {"fan_out": {"target_divisions": [NORTH]}, "on_source_deletion": "delete"}
    first = project.read()
    project.load(first.output, **settings)
    project.sandbox.remove(SOURCE, "3")
    second = project.read(state=first.state)
    project.load(second.output, **settings)
    project.sandbox.seed(SOURCE, [customer(4)])
    project.load(project.read(state=second.state).output, **settings)
    runs = store(project, "runs")
    before = project.sandbox.account(NORTH, "4")

    store(project, "undo", "--run", runs[1]["id"])

    assert project.sandbox.codes(NORTH) == ["1", "2", "3", "4"]
    assert project.sandbox.account(NORTH, "4") == before
    assert store(project, "refused") == []
