"""The copies of a source record that was deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from exactonline_client.errors import ConfigurationError
from planning_driver import ID, NEW_ID, OTHER_SOURCE, Row, copy, plan, row
from target_exactonline.planning.model import Delete, Desired, Refuse, Situation, Skip, Unchanged, Update
from target_exactonline.planning.source_deletions import SourceDeletions

JAN: Row = {"Name": "Jan", "VATNumber": "NL1", "Email": "a@jan.example"}
PIET: Row = {"Name": "Piet", "VATNumber": "NL2", "Email": "b@piet.example"}


def situation(known: Any = None, **values: Any) -> Situation:
    return Situation(known or copy(**JAN), row(**{**JAN, **values}), last_seen=JAN)


def gone(there: Situation, how: str, **rules: Any) -> Any:
    return plan(None, there, on_source_deletion=how, **rules)


def test_what_has_no_copy_here_is_skipped() -> None:
    for there in (Situation(), Situation(copy(target_id=None))):
        decision = gone(there, "delete")
        assert isinstance(decision, Skip)
        assert decision.kind == "source_deleted"


def test_by_default_the_copy_stays_as_it_is() -> None:
    assert plan(None, situation()) == Unchanged(ID)


def test_block_blocks_as_of_today() -> None:
    assert gone(situation(), "block") == Update(
        ID, {"Blocked": (None, True), "EndDate": (None, "2026-06-25T00:00:00")}, "block"
    )


@pytest.mark.parametrize(
    ("end", "kept"),
    [("2026-01-01T00:00:00+01:00", True), ("2026-06-25T00:00:00+02:00", True), ("2030-01-01T00:00:00+01:00", False)],
)
def test_an_earlier_last_day_is_kept(end: str, kept: bool) -> None:
    decision = gone(situation(EndDate=end), "block")

    assert isinstance(decision, Update)
    assert ("EndDate" not in decision.changes) is kept


def test_what_is_blocked_already_needs_no_change() -> None:
    assert gone(situation(Blocked=True, EndDate="2026-01-01"), "block") == Unchanged(ID)


def test_delete_deletes_the_tied_row() -> None:
    assert gone(situation(), "delete") == Delete(ID)


def test_a_row_that_is_gone_already_needs_no_change() -> None:
    assert gone(Situation(copy(**JAN), last_seen=JAN), "delete") == Unchanged(ID)


@pytest.mark.parametrize(
    "edit",
    [
        {"Name": "Heel Iemand Anders", "VATNumber": "NL2"},
        {"Name": "Piet", "VATNumber": None, "Email": "b@piet.example"},
    ],
    ids=["another number", "nothing agrees"],
)
@pytest.mark.parametrize("how", ["block", "delete"])
def test_a_copy_that_became_another_party_s_stays_and_is_reported(edit: Row, how: str) -> None:
    decision = gone(situation(**edit), how)

    assert isinstance(decision, Refuse)
    assert decision.kind == "collision"
    assert "has become another party's" in decision.reason


def test_a_copy_that_still_holds_what_we_wrote_is_no_other_party_s_though_the_source_record_changed_since() -> None:
    there = replace(situation(), last_seen=PIET)

    assert gone(there, "delete") == Delete(ID)


@pytest.mark.parametrize(
    ("how", "load_method"), [("block", "append-only"), ("delete", "append-only"), ("delete", "update-only")]
)
def test_the_load_method_may_keep_a_copy(how: str, load_method: Any) -> None:
    decision = gone(situation(), how, load_method=load_method)

    assert isinstance(decision, Skip)
    assert decision.kind == "load_method"


def test_update_only_may_block() -> None:
    assert isinstance(gone(situation(), "block", load_method="update-only"), Update)


DONE: Row = {"Blocked": (False, True), "EndDate": (None, "2026-06-01T00:00:00")}


@pytest.mark.parametrize("blocked", [True, False], ids=["as we left it", "unblocked by somebody"])
def test_a_deletion_that_is_reported_again_does_nothing(blocked: bool) -> None:
    there = situation(replace(copy(**JAN), gone=DONE), Blocked=blocked, EndDate="2026-06-01")

    assert gone(there, "block") == Unchanged(ID)


def test_a_deletion_that_was_ignored_is_acted_upon_once_the_setting_says_so() -> None:
    """Law 2: today's settings decide, not those of the day of the deletion."""
    assert isinstance(gone(situation(), "block"), Update)
    assert gone(situation(replace(copy(**JAN), gone=DONE), Blocked=True, EndDate="2026-06-01"), "delete") == Delete(ID)


def test_what_somebody_unblocked_is_not_deleted_after_all() -> None:
    there = situation(replace(copy(**JAN), gone=DONE), Blocked=False, EndDate="2026-06-01")

    assert gone(there, "delete") == Unchanged(ID)


def test_a_row_that_goes_over_to_a_record_entered_again_is_neither_blocked_nor_deleted() -> None:
    again = Desired(OTHER_SOURCE, "5", JAN, JAN)

    for how in ("block", "delete"):
        assert gone(replace(situation(), successor=again), how) == Unchanged(None)


@pytest.mark.parametrize(
    "successor",
    [Desired(OTHER_SOURCE, "5", PIET, PIET), Desired(OTHER_SOURCE, "6", JAN, JAN)],
    ids=["another party", "another code"],
)
def test_a_row_that_does_not_go_over_is_deleted(successor: Desired) -> None:
    assert gone(replace(situation(), successor=successor), "delete") == Delete(ID)


def test_the_tied_row_goes_and_not_the_one_that_bears_the_code_now() -> None:
    there = replace(situation(), at_code=row("5", NEW_ID, **JAN), tied=row("9", **JAN))

    assert gone(there, "delete") == Delete(ID)


def test_each_company_may_have_its_own_way() -> None:
    chosen = SourceDeletions.from_config(
        {"on_source_deletion": "block", "on_source_deletion_overrides": {"202": "delete"}}
    )

    assert [chosen.of(division) for division in (201, 202)] == ["block", "delete"]
    assert chosen.blocks
    assert not SourceDeletions.from_config({}).blocks


@pytest.mark.parametrize("overrides", [{"north": "block"}, {"201": "archive"}])
def test_a_wrong_override_is_reported_with_an_example(overrides: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r'Give \{"201": "block"\}'):
        SourceDeletions.from_config({"on_source_deletion_overrides": overrides})
