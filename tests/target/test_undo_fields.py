"""Only some fields of what a run wrote go back; all else stays, and no later run writes these values again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from sandbox_driver import SOURCE, small_world
from singer_driver import Project
from singer_group import NORTH, SOUTH, Group, all_of, store_command
from target_exactonline.cli.store_command import main

TARGETS = all_of(NORTH, SOUTH)


@pytest.fixture
def group(project: Project) -> Group:
    """Two companies with three customers each, of which a second run changed telephone, town and name."""
    group = Group(project, "fan_out")
    group.sandbox.reset(small_world(3))
    group.run(TARGETS)
    for code in ("1", "2", "3"):
        group.sandbox.edit(SOURCE, code, Phone="020-7654321", City="Zeist", Name=f"Nieuw {code}")
    group.run(TARGETS)
    return group


def said(group: Group, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store_command(group.project, *command, "--json").splitlines()]


def newest_run(group: Group) -> str:
    return str(said(group, "runs")[0]["id"])


def held(group: Group, division: int = NORTH) -> dict[str, tuple[Any, ...]]:
    return {row["Code"]: (row["Name"], row["City"], row["Phone"]) for row in group.sandbox.accounts(division)}


NEW = {code: (f"Nieuw {code}", "Zeist", "020-7654321") for code in ("1", "2", "3")}


def test_only_these_fields_go_back(group: Group) -> None:
    lines = said(group, "undo", "--run", newest_run(group), "--field", "Phone", "--field", "City")

    assert {tuple(sorted(line["changes"])) for line in lines} == {("City", "Phone")}
    back = {code: (name, "Utrecht", "030-1234567") for code, (name, _, _) in NEW.items()}
    assert held(group) == held(group, SOUTH) == back


def test_they_may_be_those_of_one_company_and_account(group: Group) -> None:
    chosen = ("--division", str(NORTH), "--code", "2")
    said(group, "undo", "--run", newest_run(group), "--field", "Phone", *chosen)

    assert held(group) == {**NEW, "2": ("Nieuw 2", "Zeist", "030-1234567")}
    assert held(group, SOUTH) == NEW


def test_what_went_back_is_not_written_again_while_the_source_says_the_same(group: Group) -> None:
    said(group, "undo", "--run", newest_run(group), "--field", "Phone")
    group.sandbox.edit(SOURCE, "1", City="Bunnik")

    group.run(TARGETS, reconcile=True)

    assert held(group)["1"] == ("Nieuw 1", "Bunnik", "030-1234567")
    assert held(group)["2"] == ("Nieuw 2", "Zeist", "030-1234567")
    group.sandbox.edit(SOURCE, "1", Phone="010-1")
    group.run(TARGETS)
    assert held(group)["1"] == ("Nieuw 1", "Bunnik", "010-1")
    group.sandbox.edit(SOURCE, "1", Phone="020-7654321")
    group.run(TARGETS)
    assert held(group)["1"] == ("Nieuw 1", "Bunnik", "020-7654321")


@pytest.mark.parametrize("is_named", [True, False])
def test_what_is_released_is_written_again(group: Group, is_named: bool) -> None:
    run = newest_run(group)
    said(group, "undo", "--run", run, "--field", "Phone")
    group.sandbox.edit(SOURCE, "1", City="Bunnik")
    group.run(TARGETS)

    assert said(group, "release", "--run", "another") == [{"released": 0}]
    assert said(group, "release", *(["--run", run] if is_named else [])) == [{"released": 6}]
    group.run(TARGETS)

    assert held(group) == {**NEW, "1": ("Nieuw 1", "Bunnik", "020-7654321")}


def test_a_second_undo_writes_them_again(group: Group) -> None:
    said(group, "undo", "--run", newest_run(group), "--field", "Phone")

    said(group, "undo", "--run", newest_run(group))

    assert held(group) == NEW
    group.sandbox.forget_calls()
    group.run(TARGETS, reconcile=True)
    assert group.project.writes() == []


def test_of_what_was_created_they_are_emptied_but_for_what_an_account_must_have(group: Group) -> None:
    first = said(group, "runs")[1]["id"]
    group.sandbox.edit(NORTH, "3", Email="met@de.hand")

    said(group, "undo", "--run", first, "--field", "Email", "--field", "Language")
    refused = said(group, "undo", "--run", first, "--field", "Name", "--dry-run")

    emails = [(row["Email"], row["Language"]) for row in group.sandbox.accounts(NORTH)]
    assert emails == [(None, None), (None, None), ("met@de.hand", None)]
    assert {row["Blocked"] for row in group.sandbox.accounts(NORTH)} == {False}
    assert [line for line in refused if line["action"]] == []
    assert "without Name" in refused[0]["reason"]


def test_a_field_that_cannot_be_written_is_one_clear_line(group: Group) -> None:
    path = group.project.folder / "store-settings.json"
    command = ["undo", "--run", newest_run(group), "--field", "Nam", "--config", str(path)]

    result = CliRunner().invoke(main, command)

    assert (result.exit_code, "Nam is no property of an account" in result.output) == (1, True)
