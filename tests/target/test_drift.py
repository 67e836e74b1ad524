"""What people changed in the companies is shown with who and when, and what becomes of it, and nothing is written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sandbox_driver import SOURCE, small_world
from singer_driver import Project
from singer_group import NORTH, SOUTH, Group, all_of
from target_exactonline.cli.store_command import main


@pytest.fixture
def group(project: Project) -> Group:
    group = Group(project, "fan_out")
    group.sandbox.reset(small_world(3))
    group.run(all_of(NORTH, SOUTH))
    group.sandbox.forget_calls()
    return group


def said(group: Group, *arguments: str, **fan_out: Any) -> Result:
    path = group.project.folder / "store-settings.json"
    config = group.project.target_config(fan_out={**all_of(NORTH, SOUTH), **fan_out})
    path.write_text(json.dumps(config), encoding="utf-8")
    return CliRunner().invoke(main, [*arguments, "--config", str(path)], catch_exceptions=False)


def drift(group: Group, *options: str, **fan_out: Any) -> list[dict[str, Any]]:
    result = said(group, "drift", "--json", *options, **fan_out)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def test_what_nobody_changed_is_no_drift(group: Group) -> None:
    assert drift(group) == []
    assert group.project.writes() == []


def test_it_is_what_people_changed_by_hand(group: Group) -> None:
    edits = [
        (NORTH, "1", "City", "Zeist"),
        (NORTH, "1", "Phone", "1"),
        (SOUTH, "3", "Name", "Other"),
        (SOUTH, "2", "Email", None),
    ]
    for division, code, name, value in edits:
        group.sandbox.edit(division, code, **{name: value, "ModifierFullName": "Bert Smit"})

    found = drift(group)

    assert {(one["division"], one["code"], one["field"], one["theirs"]) for one in found} == set(edits)
    ours = {(one["code"], one["field"]): one["ours"] for one in found}
    assert ours["1", "City"] == "Utrecht"
    assert {one["will"] for one in found} == {"restore"}
    assert {one["rule"] for one in found} == {"source"}
    assert all(one["modified_at"] and one["modified_by"] == "Bert Smit" for one in found)
    assert group.project.writes() == []
    assert {one["division"] for one in drift(group, "--division", str(NORTH))} == {NORTH}


@pytest.mark.parametrize("rule", ["initial", "target"])
def test_what_the_target_owns_is_left(group: Group, rule: str) -> None:
    group.sandbox.edit(NORTH, "1", City="Zeist")

    (found,) = drift(group, field_rules={"City": rule})

    assert (found["rule"], found["will"]) == (rule, "leave")


def test_a_row_that_was_deleted_is_told(group: Group) -> None:
    group.sandbox.remove(NORTH, "2")

    (found,) = drift(group)

    assert (found["division"], found["code"], found["field"]) == (NORTH, "2", None)


def test_an_adopted_field_stays_whatever_the_source_says_until_it_is_given_back(group: Group) -> None:
    group.sandbox.edit(NORTH, "1", City="Zeist")
    chosen = ("--division", str(NORTH), "--code", "1", "--field", "City")
    assert said(group, "adopt", *chosen).exit_code == 0
    (found,) = drift(group)
    assert (found["rule"], found["will"]) == ("target", "leave")
    group.sandbox.edit(SOURCE, "1", City="Bunnik", Phone="2")

    group.run(all_of(NORTH, SOUTH))

    assert (group.sandbox.account(NORTH, "1")["City"], group.sandbox.account(SOUTH, "1")["City"]) == ("Zeist", "Bunnik")
    assert group.sandbox.account(NORTH, "1")["Phone"] == "2"
    assert said(group, "give-back", *chosen).exit_code == 0
    group.run(all_of(NORTH, SOUTH))
    assert group.sandbox.account(NORTH, "1")["City"] == "Bunnik"


def test_what_cannot_be_adopted_is_one_clear_line(group: Group) -> None:
    result = said(group, "adopt", "--division", str(NORTH), "--code", "99", "--field", "City")

    assert (result.exit_code, "No copy has the code 99" in result.output) == (1, True)
