"""Taking back what took a run back is doing it again: rows, ties and what is known of them are as the run left them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sandbox_driver import SOURCE, Account, customer, small_world
from singer_driver import Project
from singer_group import NORTH, Group, all_of, store_command

VAT = "BE0403019261"
FIELDS = ("Code", "Name", "City", "Phone", "VATNumber", "Blocked", "EndDate", "Parent")
RULES = ["Code", "VATNumber"]
Edit = Callable[[Group], None]


@dataclass(frozen=True)
class Kind:
    """A kind of change: what is there, what changes, and the settings of the run that is taken back."""

    here: tuple[Account, ...] = ()
    edit: Edit | None = None
    """What happens between a first run, which is not taken back, and the one that is."""
    settings: dict[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] = ("*",)
    delete: bool = False


def edited(code: str, **fields: Any) -> Edit:
    return lambda group: group.sandbox.edit(SOURCE, code, **fields) and None


def removed(code: str) -> Edit:
    return lambda group: group.sandbox.remove(SOURCE, code)


KINDS = {
    "creates": Kind(),
    "creates that are deleted": Kind(delete=True),
    "updates": Kind(edit=edited("1", City="Zeist", Phone=None)),
    "a tie by the code that changes the row": Kind((customer(1, City="Oud"),)),
    "a tie by the code that changes nothing": Kind((customer(1, VATNumber=VAT, Phone=None),)),
    "a tie by a rule that changes the row": Kind((customer(1, Code="30", VATNumber=VAT, City="Oud"),)),
    "a tie by a rule that changes nothing": Kind((customer(1, Code="30", VATNumber=VAT, Phone=None),)),
    "deletions at the source that block": Kind(edit=removed("2"), settings={"on_source_deletion": "block"}),
    "a deletion at the source": Kind(edit=removed("2"), settings={"on_source_deletion": "delete"}),
    "a code that changes": Kind(edit=edited("2", Code="22"), settings={"on_code_change": "block"}),
    "accounts that refer to each other": Kind(edit=edited("2", Parent="3"), fields=("*", "Parent")),
    "accounts that are created and refer to each other": Kind(fields=("*", "Parent"), settings={"max_creates": 50}),
}


@pytest.fixture
def group(project: Project) -> Group:
    return Group(project, "fan_out")


def started(group: Group, kind: Kind) -> None:
    source = [customer(1, VATNumber=VAT, Phone=None), customer(2, Parent="3" if "Parent" in kind.fields else None)]
    if kind.edit is not None:
        source[1].pop("Parent")
    group.sandbox.reset(small_world(accounts={SOURCE: [*source, customer(3)], NORTH: list(kind.here)}))
    if kind.edit is not None:
        run(group, kind)
        kind.edit(group)


def run(group: Group, kind: Kind, **settings: Any) -> None:
    fan_out = {**all_of(NORTH), "fields": list(kind.fields)}
    ran = group.run(fan_out, **{"match_on": RULES, **kind.settings, **settings})
    assert ran.status == 0, ran.log


def said(group: Group, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store_command(group.project, *command, "--json").splitlines()]


def undo_newest(group: Group, *options: str) -> list[dict[str, Any]]:
    return said(group, "undo", "--run", said(group, "runs")[0]["id"], *options)


def rows(group: Group) -> list[list[Any]]:
    codes = {row["ID"]: row["Code"] for row in group.sandbox.accounts(NORTH)}
    shown = [{**row, "Parent": codes.get(row["Parent"])} for row in group.sandbox.accounts(NORTH)]
    return [[row[name] or None for name in FIELDS] for row in shown]


def in_use(found: list[list[Any]]) -> list[list[Any]]:
    return [row for row in found if not row[FIELDS.index("Blocked")]]


def ties(group: Group) -> list[Any]:
    return [(line["code"], line["target_code"], line["matched_on"]) for line in said(group, "matches")]


@pytest.mark.parametrize("name", KINDS)
def test_a_second_undo_does_it_again_and_a_third_takes_it_back_again(group: Group, name: str) -> None:
    kind = KINDS[name]
    started(group, kind)
    before, tied_before = rows(group), ties(group)
    run(group, kind)
    after, tied = rows(group), ties(group)
    assert (after, tied) != (before, tied_before)

    undo_newest(group, *(["--delete"] if kind.delete else []))
    undone = rows(group)
    assert (in_use(undone), ties(group)) == (before, tied_before)
    undo_newest(group)

    assert (rows(group), ties(group)) == (after, tied)
    group.sandbox.forget_calls()
    run(group, kind, reconcile=True)
    assert group.project.writes() == []
    assert "held" not in {line["kind"] for line in group.project.outcomes}

    undo_newest(group)  # of the run that came last, which did nothing
    assert rows(group) == after
    undo_newest_but(group, 2, *(["--delete"] if kind.delete else []))
    assert (rows(group), ties(group)) == (undone, tied_before)


def undo_newest_but(group: Group, count: int, *options: str) -> None:
    said(group, "undo", "--run", said(group, "runs")[count]["id"], *options)
