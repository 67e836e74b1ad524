"""Nothing is done that the plan did not show: a dry run and the run after it have the same changes."""

from __future__ import annotations

from typing import Any

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project
from target.test_undo import store

NORTH, SOUTH, WEST = 201, 202, 203


def shown(project: Project, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The changes of a plan without what only carrying it out can say."""
    lines = store(project, "plans", "--plan", str(plan["plan"]))
    kept = ("entity", "division", "code", "action", "changes", "source", "target_code")
    return [{name: line[name] for name in kept} for line in lines]


def settings(project: Project, **more: Any) -> dict[str, Any]:
    return {"fan_out": {"target_divisions": [NORTH, SOUTH, WEST]}, "on_source_deletion": "block", **more}


@pytest.fixture
def lived(project: Project) -> Project:
    """A group that was kept equal, and in which something of every kind is to be done now."""
    project.sandbox.reset(small_world(8, accounts={NORTH: [customer(2, City="Oud"), customer(9)]}))
    project.copy(**settings(project))
    project.sandbox.seed(SOURCE, [customer(20), customer(21)])
    project.sandbox.edit(SOURCE, "3", City="Ede", Phone=None)
    project.sandbox.remove(SOURCE, "4")
    project.sandbox.edit(SOURCE, "5", Code="55")
    project.sandbox.edit(SOUTH, "6", City="Met de hand")
    return project


def test_what_a_dry_run_shows_is_what_the_run_after_it_does(lived: Project) -> None:
    read = lived.read()
    everything = settings(lived, on_code_change="block", reconcile=True)
    lived.sandbox.forget_calls()
    lived.load(read.output, dry_run=True, **everything)
    assert lived.writes() == []
    trial = {plan["division"]: plan for plan in store(lived, "plans") if plan["dry_run"]}

    lived.load(read.output, **everything)

    done = {plan["division"]: plan for plan in store(lived, "plans")[:3]}
    assert trial.keys() == done.keys() == {NORTH, SOUTH, WEST}
    actions = set()
    for division, plan in done.items():
        changes = shown(lived, plan)
        assert changes == shown(lived, trial[division])
        assert plan["counts"] == trial[division]["counts"]
        actions |= {change["action"] for change in changes}
    assert actions == {"create", "update", "block"}


def test_every_write_is_a_row_of_a_plan_and_every_row_a_write(lived: Project) -> None:
    read = lived.read()
    lived.sandbox.forget_calls()

    lived.load(read.output, **settings(lived, on_code_change="block", reconcile=True))

    planned = [
        change for plan in store(lived, "plans")[:3] for change in store(lived, "plans", "--plan", str(plan["plan"]))
    ]
    methods = {"create": "POST", "update": "PUT", "block": "PUT", "delete": "DELETE"}
    written = [(call["division"], call["method"]) for call in lived.writes()]
    assert sorted(written) == sorted((change["division"], methods[change["action"]]) for change in planned)
    assert {change["outcome"] for change in planned} == {"created", "updated"}
    told = {(line["division"], line["code"]): line["changes"] for line in lived.outcomes if line["changes"]}
    for change in planned:
        if change["action"] == "update":
            assert told[change["division"], change["code"]] == change["changes"]


def test_a_plan_that_a_safety_limit_stops_is_shown_with_the_reason(lived: Project) -> None:
    lived.load(lived.read().output, **settings(lived, max_creates=1))

    plans = store(lived, "plans")[:3]
    assert all("more than max_creates (1)" in plan["unsafe"] for plan in plans)
    assert all(plan["counts"]["create"] == 2 for plan in plans)


def test_a_plan_stays_as_long_as_its_sync_is_the_newest(lived: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes may share EXACTONLINE_RUN_ID: none throws the others' plans away."""
    read = lived.read()
    monkeypatch.setenv("EXACTONLINE_RUN_ID", "sync-7")

    for division in (NORTH, SOUTH, WEST):
        lived.load(read.output, dry_run=True, fan_out={"target_divisions": [division]})

    plans = store(lived, "plans", "--run", "sync-7")
    assert {plan["division"] for plan in plans} == {NORTH, SOUTH, WEST}
    assert all(shown(lived, plan) for plan in plans)


def test_a_dry_run_says_that_the_contract_decides_and_when_all_is_done(project: Project) -> None:
    """The companies of one connection share its contract: the last plan's line is about all of them."""
    project.sandbox.reset(small_world(30, now="2026-11-27T12:00:00+00:00"))

    ran = project.load(
        project.read(requests_per_day_contract=40).output,
        dry_run=True,
        requests_per_day_contract=40,
        fan_out={"target_divisions": [NORTH, SOUTH, WEST]},
    )

    assert ran.status == 0
    lines = [line["forecast"] for line in store(project, "plans")]
    assert any("30 calls: contract limit, done on " in line for line in lines), lines
