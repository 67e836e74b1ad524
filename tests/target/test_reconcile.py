"""Copies that people changed or deleted in a target are put right, in a run that nothing came into."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran

NORTH, SOUTH, WEST = 201, 202, 203
TARGETS = (NORTH, SOUTH, WEST)


@pytest.fixture
def state(project: Project) -> dict[str, Any]:
    """Of a run that made three copies in each of three divisions, and one that saw them."""
    first = project.read()
    assert project.load(first.output, fan_out={}).status == 0
    second = project.read(state=first.state)
    project.load(second.output, fan_out={}, reconcile=True)
    project.sandbox.forget_calls()
    assert second.state is not None
    return second.state


def reconcile(project: Project, state: dict[str, Any], **settings: Any) -> Ran:
    read = project.read(state=state)
    assert read.records("accounts") == []
    return project.load(read.output, **{"fan_out": {}, "reconcile": True, **settings})


def test_nothing_changed_costs_two_calls_a_division_at_most(project: Project, state: dict[str, Any]) -> None:
    ran = reconcile(project, state)

    calls = [call for call in project.sandbox.journal() if call["division"] in TARGETS]
    reads = [call for call in calls if call["endpoint"] != "system/Divisions"]
    assert (project.writes(), project.outcomes) == ([], [])
    assert len(reads) <= 2 * len(TARGETS)
    assert f"Division {NORTH}: 3 copies compared, 0 differ" in ran.log


def test_a_copy_that_was_edited_is_put_right_and_told_with_its_time(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.edit(NORTH, "2", City="Ede", Phone="0318-1")

    ran = reconcile(project, state)

    line = project.outcome_of("2", NORTH)
    assert project.sandbox.account(NORTH, "2")["City"] == "Utrecht"
    assert (line["outcome"], line["changes"]["City"]) == ("updated", ["Ede", "Utrecht"])
    assert line["reason"].startswith("It was not as it was written before: modified 20")
    assert f"Division {NORTH}: 3 copies compared, 1 differ" in ran.log


def test_a_copy_that_was_deleted_is_created_again(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.remove(SOUTH, "3")

    reconcile(project, state)

    assert project.sandbox.codes(SOUTH) == ["1", "2", "3"]
    assert project.outcome_of("3", SOUTH)["reason"] == "It was not as it was written before: deleted."


def test_without_it_a_run_into_which_nothing_comes_asks_no_target(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.edit(NORTH, "2", City="Ede")

    reconcile(project, state, reconcile=False)

    assert project.sandbox.journal(division=NORTH) == []


def test_a_field_that_was_equal_at_first_contact_is_put_right_too(project: Project) -> None:
    project.sandbox.reset(small_world(accounts={SOURCE: [customer(2)], NORTH: [customer(2)]}))
    first = project.read()
    project.load(first.output, fan_out={})
    project.sandbox.edit(NORTH, "2", City="Ede")

    project.load(project.read(state=first.state).output, fan_out={}, reconcile=True)

    assert project.sandbox.account(NORTH, "2")["City"] == "Utrecht"


def test_a_field_that_the_source_leaves_empty_is_peoples_own(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.edit(NORTH, "2", AddressLine3="Achterom")

    reconcile(project, state)

    assert project.writes() == []


def test_with_nulls_clear_it_is_emptied(project: Project) -> None:
    first = project.read()
    project.load(first.output, fan_out={}, nulls="clear")
    project.sandbox.edit(NORTH, "2", AddressLine3="Achterom")

    project.load(project.read(state=first.state).output, fan_out={}, reconcile=True, nulls="clear")

    assert project.sandbox.account(NORTH, "2")["AddressLine3"] is None


def test_another_party_under_the_code_is_refused_and_told(project: Project) -> None:
    project.sandbox.reset(small_world(accounts={SOURCE: [customer(2, VATNumber="NL123456782B90")]}))
    first = project.read()
    project.load(first.output, fan_out={})
    project.sandbox.remove(NORTH, "2")
    stranger = customer(2, ID="5e2d5a3c-0000-4000-8000-000000000001", Name="Ander", VATNumber="NL806233412B01")
    project.sandbox.seed(NORTH, [stranger])

    reconcile(project, first.state or {})

    assert project.outcome_of("2", NORTH)["outcome"] == "refused"


def test_a_copy_whose_source_is_gone_is_left_alone(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.remove(SOURCE, "2")
    read = project.read(state=state)
    project.load(read.output, fan_out={})
    project.sandbox.remove(NORTH, "2")

    reconcile(project, read.state or {})

    assert project.sandbox.codes(NORTH) == ["1", "3"]


def test_a_division_that_fan_out_names_no_more_is_left_alone(project: Project, state: dict[str, Any]) -> None:
    for division in TARGETS:
        project.sandbox.edit(division, "2", City="Ede")

    reconcile(project, state, fan_out={"target_divisions": [SOUTH]})

    assert [call["division"] for call in project.writes()] == [SOUTH]


def test_a_dry_run_tells_what_it_would_put_right(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.edit(NORTH, "2", City="Ede")

    reconcile(project, state, dry_run=True)

    assert project.writes() == []
    assert project.outcome_of("2", NORTH)["outcome"] == "updated"


def test_the_newest_wish_counts_when_a_record_comes_as_well(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.edit(NORTH, "2", City="Ede")
    project.sandbox.edit(SOURCE, "2", City="Gouda")

    project.load(project.read(state=state).output, fan_out={}, reconcile=True)

    assert project.sandbox.account(NORTH, "2")["City"] == "Gouda"
    assert len(project.writes(NORTH)) == 1


def test_a_division_that_is_out_of_reach_does_not_stop_the_others(project: Project, state: dict[str, Any]) -> None:
    project.sandbox.change_division(WEST, status=2)
    project.sandbox.edit(NORTH, "2", City="Ede")

    ran = reconcile(project, state)

    assert ran.status == 0
    assert project.sandbox.account(NORTH, "2")["City"] == "Utrecht"
