"""First contact is reviewed before anything is written: what a dry run would tie is listed, and can be decided on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from matching_figures import MATCH_ON, figures
from matching_world import matching_world
from sandbox_driver import SOURCE, Account, customer, small_world
from singer_driver import Project
from singer_group import NORTH, SOUTH, Group, all_of, store_command
from target_exactonline.cli.store_command import main

VAT = {1: "BE0403019261", 2: "BE0417497106", 3: "BE0400378485"}


def known(number: int, **fields: Any) -> Account:
    return customer(number, **{"VATNumber": VAT.get(number), "Phone": None, **fields})


@pytest.fixture(params=["fan_out", "mapping step"])
def group(request: pytest.FixtureRequest, project: Project) -> Group:
    """A company that has customer 1 under code 30, 2 twice, somebody else under code 3, and 4 as it is."""
    group = Group(project, request.param)
    here = [
        known(1, Code="30", City="Oud"),
        known(2, Code="31"),
        known(2, Code="32"),
        {"Code": "3", "Name": "Bakkerij De Zon", "Status": "C", "Email": "brood@dezon.example"},
        known(4),
    ]
    source = [known(number) for number in (1, 2, 3, 4, 5)]
    group.sandbox.reset(small_world(accounts={SOURCE: source, NORTH: here}))
    run(group, dry_run=True)
    group.first_reading()
    return group


def run(group: Group, **settings: Any) -> None:
    ran = group.run(all_of(NORTH), **{"match_on": list(MATCH_ON), **settings})
    assert ran.status == 0, ran.log


def lines(group: Group, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store_command(group.project, *command, "--json").splitlines()]


def states(group: Group) -> dict[str, tuple[Any, ...]]:
    names = ("state", "matched_on", "target_code", "dry_run")
    return {line["code"]: tuple(line[name] for name in names) for line in lines(group, "matches")}


def decide(group: Group, decision: str, code: str, *options: str) -> dict[str, Any]:
    chosen = ("--division", str(NORTH), "--code", code, "--by", "A. de Boer")
    (line,) = lines(group, decision, *chosen, *options)
    return line


def test_what_a_dry_run_would_tie_is_listed_and_marked(group: Group) -> None:
    assert states(group) == {
        "1": ("tied", "VATNumber", "30", True),
        "2": ("ambiguous", None, None, True),
        "3": ("collision", None, None, True),
        "4": ("tied", "Code", "4", True),
    }
    listed = {line["code"]: line for line in lines(group, "matches")}
    assert (listed["1"]["name"], listed["4"]["name"]) == ("Klant 1 B.V.", "Klant 4 B.V.")
    candidates = {one["code"]: "VATNumber" in one["agrees"] for one in listed["2"]["candidates"]}
    assert candidates == {"31": True, "32": True}
    assert [one["code"] for one in listed["3"]["candidates"]] == ["3"]
    assert listed["1"]["run"] == lines(group, "runs")[0]["id"]
    assert "dry run" in store_command(group.project, "matches")
    assert [line["code"] for line in lines(group, "matches", "--state", "tied")] == ["1", "4"]
    assert group.project.writes() == []


def test_a_real_run_takes_the_place_of_the_dry_run(group: Group) -> None:
    run(group)

    assert states(group) == {
        "1": ("tied", "VATNumber", "30", False),
        "2": ("ambiguous", None, None, False),
        "3": ("collision", None, None, False),
        "4": ("tied", "Code", "4", False),
    }


def test_decisions_before_the_first_write_are_obeyed_by_it(group: Group) -> None:
    assert decide(group, "leave-out", "1")["state"] == "left_out"
    assert decide(group, "tie", "2", "--to", "32")["target_code"] == "32"
    assert decide(group, "as-new", "4")["state"] == "as_new"
    assert decide(group, "leave-out", "5")["state"] == "left_out"
    shown = states(group)
    assert {code: one[0] for code, one in shown.items()} == {
        "1": "left_out", "2": "tied", "3": "collision", "4": "as_new", "5": "left_out",
    }  # fmt: skip

    run(group)

    assert group.sandbox.account(NORTH, "30")["City"] == "Oud"
    assert group.kinds(NORTH) == {"1": "held", "2": "unchanged", "3": "collision", "4": "collision", "5": "held"}
    assert group.project.outcome_of("2", NORTH)["target_code"] == "32"
    assert {code: (one[0], one[3]) for code, one in states(group).items()} == {
        "1": ("left_out", False), "2": ("tied", False), "3": ("collision", False), "4": ("collision", False),
        "5": ("left_out", False),
    }  # fmt: skip


def test_what_was_untied_before_the_first_write_is_not_tied_by_it(group: Group) -> None:
    assert decide(group, "untie", "1")["state"] == "ambiguous"

    run(group)

    assert (group.sandbox.account(NORTH, "30")["City"], group.kinds(NORTH)["1"]) == ("Oud", "ambiguous")


def test_one_row_cannot_be_promised_to_two(group: Group) -> None:
    decide(group, "tie", "2", "--to", "32")
    config = group.project.folder / "store-settings.json"
    again = ["tie", "--division", str(NORTH), "--code", "5", "--to", "32", "--config", str(config)]

    refused = CliRunner().invoke(main, again)

    assert (refused.exit_code, "is the copy of account 2" in refused.output) == (1, True)
    unknown = ["tie", "--division", str(NORTH), "--code", "77", "--to", "32", "--config", str(config)]
    assert "No account of the source has the code 77" in CliRunner().invoke(main, unknown).output


def test_another_dry_run_shows_what_was_decided(group: Group) -> None:
    decide(group, "tie", "2", "--to", "32")

    run(group, dry_run=True)

    assert states(group)["2"] == ("tied", "person", "32", True)
    assert group.project.outcome_of("2", NORTH)["target_code"] == "32"


def test_rules_that_are_tried_on_what_is_in_doubt_since_the_first_run_are_shown(group: Group) -> None:
    run(group, match_on=["Code"], load_method="update-only")
    group.first_reading()
    assert "1" not in states(group)

    run(group, load_method="update-only", dry_run=True)

    assert states(group)["1"] == ("tied", "VATNumber", "30", True)
    assert states(group)["4"] == ("tied", "Code", "4", False)


def test_a_whole_list_goes_out_and_comes_back_as_a_sheet_before_the_first_write(project: Project) -> None:
    world = matching_world(14, companies=2, customers=60)
    north, south = (company.rows for company in world.companies)
    project.sandbox.reset(small_world(accounts={SOURCE: world.source, NORTH: north, SOUTH: south}))
    group = Group(project, "fan_out")
    settings: dict[str, Any] = {"match_on": list(MATCH_ON), "dry_run": True}
    assert group.run(all_of(NORTH, SOUTH), **settings).status == 0
    path = project.folder / "matches.csv"

    store_command(project, "matches", "export", str(path))

    tied = [line for line in lines(group, "matches") if line["state"] == "tied"]
    assert len(tied) == sum(figures(world).right.values())
    edited = _left_out(path, 10)
    store_command(project, "matches", "import", str(path), "--by", "A. de Boer")
    left = {(line["division"], line["code"]) for line in lines(group, "matches", "--state", "left_out")}
    assert left == edited


def _left_out(path: Path, count: int) -> set[tuple[int, str]]:
    """Leave the first tied lines of a sheet out; return which they are."""
    first, *rest = path.read_text(encoding="utf-8-sig").splitlines()
    edited = set()
    for place, line in enumerate(rest):
        cells = line.split(",")
        if "tied" in cells and len(edited) < count:
            edited.add((int(cells[1]), cells[2]))
            rest[place] = f"leave-out{line}"
    path.write_text("\n".join([first, *rest]), encoding="utf-8")
    return edited
