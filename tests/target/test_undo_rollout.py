"""A whole first roll-out into companies that grew apart is taken back: each of them is as it was, field by field."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from matching_world import matching_world
from sandbox_driver import SOURCE, TARGETS, Account, small_world
from singer_driver import Project
from singer_group import Group, all_of, store_command
from warm_start import REAL

RULES = ["Code", "VATNumber", "ChamberOfCommerce", "Name+Postcode"]
MOVING = ("Modified", "Modifier", "ModifierFullName", "Timestamp")
"""What Exact itself says of a row each time that anybody writes to it."""
BLOCK = ("Blocked", "EndDate")
Rows = dict[int, dict[str, Account]]


@pytest.fixture
def group(project: Project) -> Group:
    world = matching_world(14, companies=3, customers=60)
    rows = {code: company.rows for code, company in zip(TARGETS, world.companies, strict=True)}
    group = Group(project, "fan_out")
    group.sandbox.reset(small_world(accounts={SOURCE: world.source, **rows}))
    return group


def run(group: Group, **settings: Any) -> None:
    ran = group.run(all_of(*TARGETS), **{"match_on": RULES, **settings})
    assert ran.status == 0, ran.log


def said(group: Group, *command: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store_command(group.project, *command, "--json").splitlines()]


def newest_run(group: Group) -> str:
    return str(said(group, "runs")[0]["id"])


def rows(group: Group) -> Rows:
    """All that each company holds, by the IDs of the rows."""
    return {
        division: {
            row["ID"]: {name: value for name, value in row.items() if name not in MOVING}
            for row in group.sandbox.accounts(division)
        }
        for division in TARGETS
    }


def apart(now: Rows, before: Rows) -> list[Account]:
    """The rows that were not there before."""
    return [row for division, held in now.items() for key, row in held.items() if key not in before[division]]


def known(now: Rows, before: Rows) -> Rows:
    return {
        division: {key: row for key, row in held.items() if key in before[division]} for division, held in now.items()
    }


def ties(group: Group) -> set[tuple[int, str, str]]:
    tied = [line for line in said(group, "matches") if line["state"] == "tied"]
    return {(line["division"], line["code"], line["target_id"]) for line in tied}


def test_every_company_is_as_before_and_what_was_created_is_blocked(group: Group) -> None:
    before = rows(group)
    run(group)
    assert rows(group) != before
    assert len(ties(group)) > 100

    said(group, "undo", "--run", newest_run(group))

    now = rows(group)
    assert known(now, before) == before
    created = apart(now, before)
    assert created
    assert all(row["Blocked"] for row in created)
    assert ties(group) == set()


def test_with_delete_every_company_is_just_as_before(group: Group) -> None:
    before = rows(group)
    run(group)

    said(group, "undo", "--run", newest_run(group), "--delete")

    assert rows(group) == before
    assert ties(group) == set()


def test_nothing_of_it_comes_back_with_the_next_run_until_it_is_released(group: Group) -> None:
    run(group)
    after, tied, rollout = rows(group), ties(group), newest_run(group)
    said(group, "undo", "--run", rollout)
    undone = rows(group)

    run(group, reconcile=True)
    assert rows(group) == undone
    assert ties(group) == set()

    said(group, "release", "--run", rollout)
    run(group)
    assert rows(group) == after
    assert ties(group) == tied


def test_a_tie_that_was_undone_is_not_made_again_when_its_source_changes(group: Group) -> None:
    run(group)
    tied = next(line for line in said(group, "matches") if line["matched_on"] == "VATNumber")
    rollout = newest_run(group)
    said(group, "undo", "--run", rollout)
    undone = rows(group)

    group.sandbox.edit(SOURCE, tied["code"], City="Zwolle")
    run(group)

    assert rows(group)[tied["division"]][tied["target_id"]] == undone[tied["division"]][tied["target_id"]]
    held = group.project.outcome_of(tied["code"], tied["division"])
    assert (held["outcome"], held["kind"]) == ("skipped", "held")


def test_what_was_untied_by_hand_stays_so_after_an_undo_and_a_release(group: Group) -> None:
    run(group)
    tied = next(line for line in said(group, "matches") if line["matched_on"] == "VATNumber")
    chosen = ("--division", str(tied["division"]), "--code", tied["code"])
    said(group, "untie", *chosen, "--by", "A. de Boer")
    rollout = newest_run(group)

    said(group, "undo", "--run", rollout)
    said(group, "release", "--run", rollout)
    run(group)

    (line,) = said(group, "matches", *chosen)
    assert (line["state"], line["by"]) == ("ambiguous", "A. de Boer")


def test_an_undo_that_was_killed_is_finished_when_it_is_given_again(group: Group) -> None:
    before = rows(group)
    run(group)
    rollout = newest_run(group)
    group.sandbox.forget_calls()
    config = group.project.folder / "store-settings.json"
    command = [REAL / "target-exactonline-store", "undo", "--run", rollout, "--config", config]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as undo:
        while undo.poll() is None and len(group.project.writes()) < 30:
            pass
        undo.kill()
    half = rows(group)
    assert known(half, before) != before
    run(group)

    said(group, "undo", "--run", rollout)

    now = rows(group)
    assert known(now, before) == before
    assert all(row["Blocked"] for row in apart(now, before))
    assert ties(group) == set()
    run(group, reconcile=True)
    assert rows(group) == now


@pytest.mark.parametrize("outcome", ["updated", "unchanged"])
def test_what_people_decided_since_is_left_by_undo_and_by_its_undo(group: Group, outcome: str) -> None:
    """Of ties that changed the row and of those that did not."""
    before = {division: {one["ID"] for one in group.sandbox.accounts(division)} for division in TARGETS}
    run(group)
    told = {(line["division"], line["code"]) for line in group.project.outcomes if line["outcome"] == outcome}
    tied_on = [line for line in said(group, "matches") if line["matched_on"] == "VATNumber"]
    first, second = [line for line in tied_on if (line["division"], line["code"]) in told][:2]
    rollout = newest_run(group)
    for line in (first, second):
        said(group, "untie", "--division", str(line["division"]), "--code", line["code"], "--by", "A. de Boer")
    mine = ("--division", str(second["division"]), "--code", second["code"])
    free = before[second["division"]] - {line["target_id"] for line in said(group, "matches")}
    other = min(free - {first["target_id"], second["target_id"]})
    said(group, "tie", *mine, "--to", other, "--by", "A. de Boer")
    run(group)
    tied = rows(group)[second["division"]][other]

    said(group, "undo", "--run", rollout)
    undo = newest_run(group)
    assert rows(group)[second["division"]][other] == tied
    said(group, "undo", "--run", undo)

    assert rows(group)[second["division"]][other] == tied
    found = {(line["division"], line["code"]): line for line in said(group, "matches")}
    assert found[first["division"], first["code"]]["state"] == "ambiguous"
    assert found[second["division"], second["code"]]["target_id"] == other
    group.sandbox.edit(SOURCE, second["code"], City="Zwolle")
    run(group)
    assert rows(group)[second["division"]][other]["City"] == "Zwolle"
