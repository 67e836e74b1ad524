"""Changes that wait until a person approves them, and only then are sent, exactly as they were approved."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project
from singer_group import NORTH, SOUTH, Group, all_of
from target_exactonline.cli.store_command import main
from target_exactonline.planning.approvals import Approval, ApprovalRules, digest_of, is_same_person

ANNA, BERT = "Anna de Boer", "Bert Smit"
SPELLINGS = (
    ANNA, "anna de boer", " ANNA  DE BOER ", "Anna\u00a0de Boer", "Ann\u200ba de Boer", "Anna de Bo\u034fer",
    "A\ufe0fnna de Boer", "anna.de-boer", "\uff21\uff4e\uff4e\uff41 de Boer", "\U0001d400nna de Boer", "Anna de Boër",
    "Anna de Boe\u0308r", "Anna de\u3164Boer", "Anna de Boer@laptop",
)  # fmt: skip
"""Case, blanks, invisible characters, full width, bold, accents in one piece and in two, and a machine."""


@pytest.fixture(params=["fan_out", "mapping step"])
def group(request: pytest.FixtureRequest, project: Project, monkeypatch: pytest.MonkeyPatch) -> Group:
    monkeypatch.setenv("EXACTONLINE_RUN_BY", ANNA)
    group = Group(project, request.param)
    group.sandbox.reset(small_world(3))
    return group


@pytest.fixture
def alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> Group:
    monkeypatch.setenv("EXACTONLINE_RUN_BY", ANNA)
    group = Group(project, "fan_out")
    group.sandbox.reset(small_world(3))
    return group


def said(group: Group, *arguments: str, **config: Any) -> Result:
    """What the command says, with the project's settings."""
    path = group.project.folder / "store-settings.json"
    path.write_text(json.dumps(group.project.target_config(**config)), encoding="utf-8")
    return CliRunner().invoke(main, [*arguments, "--config", str(path)], catch_exceptions=False)


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def last_run(group: Group) -> str:
    return str(group.project.outcomes[0]["run"])


def approve(group: Group, *options: str, by: str = BERT, **config: Any) -> Result:
    return said(group, "approve", "--run", last_run(group), "--by", by, "--json", *options, **config)


@pytest.mark.parametrize("kinds", [["creates"], ["all"], ["creates", "deletions"]])
def test_nothing_is_sent_before_it_is_approved_and_then_just_that(group: Group, kinds: list[str]) -> None:
    group.run(all_of(NORTH), require_approval=kinds)
    assert group.project.writes() == []
    assert group.kinds(NORTH) == {"1": "approval", "2": "approval", "3": "approval"}
    assert {line["approval"] for line in lines(said(group, "plans", "--json"))} == {"waiting"}

    told = lines(approve(group, "--code", "2"))

    assert [(one["code"], one["action"], one["approved_by"]) for one in told] == [("2", "create", BERT)]
    group.run(all_of(NORTH), require_approval=kinds)
    assert group.sandbox.codes(NORTH) == ["2"]
    assert {line["code"] for line in group.waiting("parked")} == {"1", "3"}
    plans = [line["plan"] for line in lines(said(group, "plans", "--json"))]
    (create,) = [line for plan in plans for line in changes(group, plan) if line["outcome"] == "created"]
    assert create["approved_by"] == BERT


def changes(group: Group, plan: int) -> list[dict[str, Any]]:
    return lines(said(group, "plans", "--plan", str(plan), "--json"))


def test_what_needs_no_approval_goes_at_once(alone: Group) -> None:
    alone.run(all_of(NORTH))
    alone.sandbox.edit(SOURCE, "1", City="Zeist")
    alone.sandbox.edit(NORTH, "2", Name="Gone", Code="22")

    alone.run(all_of(NORTH), require_approval=["creates"])

    assert alone.sandbox.account(NORTH, "1")["City"] == "Zeist"


def test_an_approval_is_void_once_the_change_is_another_one(alone: Group) -> None:
    alone.run(all_of(NORTH), require_approval=["creates"])
    lines(approve(alone))
    alone.sandbox.edit(SOURCE, "1", City="Zeist")

    alone.run(all_of(NORTH), require_approval=["creates"])

    assert alone.sandbox.codes(NORTH) == ["2", "3"]
    line = alone.project.outcome_of("1", NORTH)
    assert (line["kind"], f"The approval by {BERT} is void" in line["reason"]) == ("approval", True)


def test_an_approval_holds_over_later_plans_as_long_as_the_change_is_the_same(alone: Group) -> None:
    alone.run(all_of(NORTH), require_approval=["updates"])
    alone.sandbox.edit(SOURCE, "1", City="Zeist")
    alone.run(all_of(NORTH), require_approval=["updates"])
    lines(approve(alone))
    alone.sandbox.edit(SOURCE, "2", City="Bunnik")

    alone.run(all_of(NORTH), require_approval=["updates"])

    assert alone.sandbox.account(NORTH, "1")["City"] == "Zeist"
    assert alone.sandbox.account(NORTH, "2")["City"] == "Utrecht"


def test_an_approval_is_used_up_once_its_change_was_carried_out(alone: Group) -> None:
    alone.run(all_of(NORTH))
    alone.sandbox.edit(NORTH, "1", City="Zeist")
    alone.run(all_of(NORTH), require_approval=["updates"], reconcile=True)
    lines(approve(alone))
    alone.run(all_of(NORTH), require_approval=["updates"], reconcile=True)
    assert alone.sandbox.account(NORTH, "1")["City"] == "Utrecht"

    alone.sandbox.advance(60)  # by which the edit is no part of what Exact made of our own write
    alone.sandbox.edit(NORTH, "1", City="Zeist")
    alone.run(all_of(NORTH), require_approval=["updates"], reconcile=True)

    assert alone.sandbox.account(NORTH, "1")["City"] == "Zeist"
    lines(approve(alone))
    alone.run(all_of(NORTH), require_approval=["updates"], reconcile=True)
    assert alone.sandbox.account(NORTH, "1")["City"] == "Utrecht"


def test_an_approval_is_for_one_row_and_for_no_other_that_is_tied_in_its_place(alone: Group) -> None:
    here = [customer(number, City="Oud") for number in (1, 2, 9)]
    alone.sandbox.reset(small_world(2, accounts={NORTH: here}))
    fan_out = {**all_of(NORTH), "fields": ["City"]}
    alone.run(fan_out, require_approval=["updates"])
    lines(approve(alone))
    said(alone, "tie", "--division", str(NORTH), "--code", "1", "--to", "9")

    alone.run(fan_out, require_approval=["updates"])

    assert {code: alone.sandbox.account(NORTH, code)["City"] for code in "129"} == {
        "1": "Oud",
        "2": "Utrecht",
        "9": "Oud",
    }


def test_undo_waits_for_approval_and_goes_once_it_is_given_again(alone: Group) -> None:
    alone.run(all_of(NORTH))
    took_back = ("undo", "--run", "last", "--by", ANNA, "--json")
    waiting = lines(said(alone, *took_back, require_approval=["all"], four_eyes=True))
    assert {line["kind"] for line in waiting} == {"approval"}
    assert [row["Blocked"] for row in alone.sandbox.accounts(NORTH)] == [False, False, False]

    assert approve(alone, by="anna DE boer", four_eyes=True).exit_code == 1
    lines(approve(alone, "--code", "2", four_eyes=True))
    lines(said(alone, *took_back, require_approval=["all"], four_eyes=True))

    assert [row["Blocked"] for row in alone.sandbox.accounts(NORTH)] == [False, True, False]


def test_undo_keeps_the_limits_of_a_run(alone: Group) -> None:
    alone.run(all_of(NORTH))

    said(alone, "undo", "--run", "last", "--delete", max_deletes=2)

    assert alone.sandbox.codes(NORTH) == ["1", "2", "3"]
    assert {line["kind"] for line in alone.project.outcomes} == {"safety_limit"}


def test_who_started_a_run_may_not_approve_it_in_any_spelling(alone: Group) -> None:
    alone.run(all_of(NORTH), require_approval=["creates"], four_eyes=True)

    for name in SPELLINGS:
        refused = approve(alone, by=name, four_eyes=True)
        assert refused.exit_code == 1
        assert "somebody else has to approve" in refused.output
    lines(approve(alone, by=ANNA))  # by a settings file that forgets four_eyes

    alone.run(all_of(NORTH), require_approval=["creates"], four_eyes=True)
    assert alone.sandbox.codes(NORTH) == []
    alone.run(all_of(NORTH), require_approval=["creates"])
    assert alone.sandbox.codes(NORTH) == ["1", "2", "3"]


def test_what_is_rejected_is_held_until_its_source_changes_or_it_is_released(alone: Group) -> None:
    alone.run(all_of(NORTH), require_approval=["creates"])
    told = lines(said(alone, "reject", "--run", last_run(alone), "--by", BERT, "--reason", "not ours", "--json"))
    assert {one["reason"] for one in told} == {f"Rejected by {BERT}: not ours"}

    alone.run(all_of(NORTH))
    assert alone.sandbox.codes(NORTH) == []
    alone.sandbox.edit(SOURCE, "1", City="Zeist")
    assert said(alone, "release", "--code", "2").exit_code == 0
    alone.run(all_of(NORTH))

    assert alone.sandbox.codes(NORTH) == ["1", "2"]


def test_a_dry_runs_plan_can_be_approved_before_the_run(alone: Group) -> None:
    alone.run(all_of(NORTH, SOUTH), require_approval=["creates"], dry_run=True)
    assert set(alone.kinds(NORTH).values()) == {"approval"}
    lines(approve(alone, "--division", str(SOUTH)))
    alone.first_reading()

    alone.run(all_of(NORTH, SOUTH), require_approval=["creates"])

    assert (alone.sandbox.codes(NORTH), alone.sandbox.codes(SOUTH)) == ([], ["1", "2", "3"])


def test_accounts_that_refer_to_each_other_go_once_both_steps_are_approved(alone: Group) -> None:
    alone.sandbox.reset(small_world(accounts={SOURCE: [customer(1, Parent="2"), customer(2)]}))
    fan_out = {**all_of(NORTH), "fields": ["Name", "Parent"]}
    alone.run(fan_out, require_approval=["all"])
    assert {line["action"] for line in lines(approve(alone))} == {"create", "update"}

    alone.run(fan_out, require_approval=["all"])

    assert alone.sandbox.account(NORTH, "1")["Parent"] == alone.sandbox.account(NORTH, "2")["ID"]


def test_a_command_that_lacks_something_is_one_clear_line(alone: Group) -> None:
    alone.run(all_of(NORTH))

    nothing = approve(alone)
    assert (nothing.exit_code, "Nothing waits for approval" in nothing.output) == (1, True)
    which = said(alone, "approve", "--by", BERT)
    assert (which.exit_code, "--run or --plan" in which.output) == (2, True)


CHANGES = st.dictionaries(st.sampled_from(["Name", "City"]), st.tuples(st.none() | st.text(), st.none() | st.text()))


@given(st.sampled_from(["create", "update", "delete", "block"]), CHANGES, CHANGES, st.text(), st.text(), st.booleans())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_only_the_very_change_that_another_approved_counts(
    action: str, approved: Any, now: Any, by: str, planned_by: str, four_eyes: bool
) -> None:
    rules = ApprovalRules(frozenset({action}), four_eyes=four_eyes)
    known = [Approval(digest_of(action, approved, "a"), by, "", planned_by)]

    signed = rules.approved_by(digest_of(action, now, "a"), known)

    is_same = approved == now or action == "delete"
    if action == "create":  # which names no row
        assert digest_of(action, approved, "b") == digest_of(action, approved, None)
    else:
        assert rules.approved_by(digest_of(action, approved, "b"), known) is None
    is_allowed = is_same and not (four_eyes and is_same_person(by, planned_by))
    assert (signed is not None) == is_allowed


def test_a_row_that_replaces_another_is_made_once_both_its_changes_are_approved(alone: Group) -> None:
    """What blocks the old row and what creates the new one are one source record's, which has a row already."""
    fan_out, settings = all_of(NORTH), {"on_code_change": "block"}
    alone.run(fan_out, **settings)
    alone.sandbox.edit(SOURCE, "1", Code="77")
    alone.run(fan_out, **settings, require_approval=["all"])
    assert "77" not in alone.sandbox.codes(NORTH)

    lines(approve(alone))
    alone.run(fan_out, **settings, require_approval=["all"])

    assert "77" in alone.sandbox.codes(NORTH)
    assert alone.sandbox.account(NORTH, "1")["Blocked"] is True
