"""First contact, its review beforehand, undo, redo and release on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sandbox_driver import SOURCE, Sandbox, customer, small_world
from singer_driver import Project
from singer_group import NORTH, Group, all_of, store_command

VAT = "BE0403019261"
RULES = {"match_on": ["Code", "VATNumber"]}


class OnPostgres(Project):
    """A project whose store is a database of a server."""

    store_url = ""

    def _config(self, own: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        return super()._config({"store_url": self.store_url, **own}, settings)


@pytest.fixture
def group(sandbox: Sandbox, tmp_path: Path, postgres_url: str) -> Group:
    """A company that has customer 1 under another code, and customer 2 as it was."""
    project = OnPostgres(sandbox, tmp_path)
    project.store_url = postgres_url
    group = Group(project, "fan_out")
    source = [customer(1, VATNumber=VAT), customer(2), customer(3)]
    here = [{**source[0], "Code": "30"}, customer(2, City="Oud", Phone="1")]
    sandbox.reset(small_world(accounts={SOURCE: source, NORTH: here}))
    return group


def said(group: Group, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store_command(group.project, *command, "--json").splitlines()]


def held(group: Group) -> dict[str, tuple[Any, ...]]:
    return {row["Code"]: (row["City"], row["Phone"], row["Blocked"] or False) for row in group.sandbox.accounts(NORTH)}


def tied(group: Group) -> set[tuple[str, str, bool]]:
    found = said(group, "matches", "--state", "tied")
    return {(line["code"], line["target_code"], line["dry_run"]) for line in found}


def test_a_roll_out_goes_back_and_comes_again(group: Group) -> None:
    before = held(group)
    group.run(all_of(NORTH), **RULES, dry_run=True)
    assert tied(group) == {("1", "30", True), ("2", "2", True)}
    said(group, "leave-out", "--division", str(NORTH), "--code", "3", "--by", "A. de Boer")
    said(group, "as-new", "--division", str(NORTH), "--code", "3", "--by", "A. de Boer")
    group.first_reading()
    group.run(all_of(NORTH), **RULES, require_approval=["updates"])
    said(group, "approve", "--run", "last", "--by", "B. Smit")
    group.run(all_of(NORTH), **RULES, require_approval=["updates"])
    after = held(group)
    assert (tied(group), after["2"][0]) == ({("1", "30", False), ("2", "2", False)}, "Utrecht")
    rollouts = [line["id"] for line in said(group, "runs")[:2]]

    for run in rollouts:
        said(group, "undo", "--run", run)
    assert {code: row for code, row in held(group).items() if not row[2]} == before
    assert tied(group) == set()

    for line in said(group, "runs")[:2]:
        said(group, "undo", "--run", line["id"])
    assert (held(group), tied(group)) == (after, {("1", "30", False), ("2", "2", False)})

    said(group, "undo", "--run", rollouts[0], "--field", "Phone")
    assert held(group)["2"] == ("Utrecht", "1", False)
    assert said(group, "release", "--run", rollouts[0]) == [{"released": 1}]
    group.run(all_of(NORTH), **RULES)
    assert held(group) == after
