"""The drift of companies that people worked in for weeks, beside the sandbox's journal of what was written to them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner
from sandbox_driver import SOURCE, Account, customer, small_world
from singer_driver import Project
from singer_group import NORTH, SOUTH, Group, all_of
from target_exactonline.cli.store_command import main

CUSTOMERS, EDITS, WAVES = 40, 60, 3
TARGETS = (NORTH, SOUTH)
TRAVEL = ("Name", "City", "Email", "Phone", "Website", "AddressLine1", "Postcode")
STAY = ("Remarks", "SearchCode", "Fax")
"""Of these some travel by no setting, and of the others nothing is written."""
PEOPLE = ("Anna de Boer", "Bert Smit")
FAN_OUT = {**all_of(*TARGETS), "fields": list(TRAVEL), "field_rules": {"Phone": "target", "Website": "initial"}}
Ours = dict[str, Account]


@pytest.fixture
def group(project: Project) -> Group:
    """Two companies, of which one knew some of the customers, as an older hand wrote them down."""
    group = Group(project, "fan_out")
    source = [customer(number, Website=f"www{number}.example") for number in range(1, CUSTOMERS + 1)]
    known = [{**one, "City": "Oud", "Phone": None, "Email": None} for one in source[::4]]
    group.sandbox.reset(small_world(accounts={SOURCE: source, SOUTH: known}))
    return group


def drift(group: Group) -> list[dict[str, Any]]:
    path = group.project.folder / "store-settings.json"
    path.write_text(json.dumps(group.project.target_config(fan_out=FAN_OUT)), encoding="utf-8")
    result = CliRunner().invoke(main, ["drift", "--json", "--config", str(path)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def run(group: Group, ours: Ours) -> None:
    """A run, and what it wrote, by Exact's IDs."""
    group.sandbox.forget_calls()
    assert group.run(FAN_OUT, reconcile=True).status == 0
    for call in group.project.writes():
        body = dict(call["body"])
        if call["method"] == "POST":
            key = group.sandbox.account(call["division"], body.pop("Code").strip())["ID"]
        else:
            key = call["target"].partition("guid'")[2].partition("'")[0]
        ours.setdefault(key, {}).update(body)


def edit(group: Group, draw: Random) -> None:
    """Somebody changes some fields of a row, or its code, or deletes it."""
    division = draw.choice(TARGETS)
    code = draw.choice(group.sandbox.codes(division))
    chance = draw.random()
    if chance < 0.03:
        group.sandbox.remove(division, code)
        return
    names = draw.sample((*TRAVEL, *STAY), draw.randint(1, 3))
    fields = {name: draw.choice(("Ede", "Zeist", f"{name} {draw.randint(1, 3)}")) for name in names}
    if draw.random() < 0.2:
        fields |= {name: None for name in names if name not in ("Name", "Postcode")}
    if chance > 0.9:
        fields["Code"] = f"9{draw.randint(1000, 9999)}"
    group.sandbox.edit(division, code, **fields, ModifierFullName=draw.choice(PEOPLE))


def expected(group: Group, ours: Ours) -> Iterator[tuple[Any, ...]]:
    """Fields of rows that are not as they were written last."""
    for division in TARGETS:
        for row in group.sandbox.accounts(division):
            for name, value in ours.get(row["ID"], {}).items():
                if (row[name] or None) != (value or None):
                    yield division, row["Code"], name, value or None, row[name] or None, row["ModifierFullName"]


def shown(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("division", "code", "field", "ours", "theirs", "modified_by")
    return sorted((tuple(line[name] for name in names) for line in lines), key=str)


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_just_what_people_changed_of_what_was_written(group: Group, seed: int) -> None:
    draw, ours = Random(seed), Ours()  # noqa: S311 - no secret
    run(group, ours)
    for _ in range(WAVES):
        group.sandbox.advance(3600)
        before = {row["ID"] for division in TARGETS for row in group.sandbox.accounts(division)}
        for _ in range(EDITS):
            edit(group, draw)
        found = drift(group)

        left = {row["ID"] for division in TARGETS for row in group.sandbox.accounts(division)}
        assert shown([one for one in found if one["field"]]) == sorted(expected(group, ours), key=str)
        assert len([one for one in found if one["field"] is None]) == len(before - left)
        assert {one["will"] for one in found if one["field"] in ("Phone", "Website")} <= {"leave"}
        assert {one["will"] for one in found if one["field"] in ("Name", "City")} == {"restore"}
        for code in draw.sample(group.sandbox.codes(SOURCE), 6):
            group.sandbox.edit(SOURCE, code, City=f"Stad {draw.randint(1, 9)}", Phone=f"06-{draw.randint(1, 99)}")
        group.sandbox.advance(3600)
        run(group, ours)
    assert {one["will"] for one in drift(group)} == {"leave"}
