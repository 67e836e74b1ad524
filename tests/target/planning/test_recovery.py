"""Copies as they are once a change was carried out, also by a run that was killed before it could note it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS
from planning_driver import AT, ID, NEW_ID, OTHER_SOURCE, SOURCE, copy, row
from target_exactonline.planning.model import Copy, Create, Delete, Replace, Unchanged, Update
from target_exactonline.planning.recovery import Unfinished, Written, noted, recovered

LATER = AT + timedelta(hours=1)


def note(decision: Any, known: Copy | None, desired: Any = None, code: str = "5", row_code: str = "5") -> Copy:
    return noted(SOURCE, code, desired, known, decision, Written(ID, LATER, row_code))


# Noted


def test_a_create_ties_the_new_row() -> None:
    created = note(Create({"Name": "Jan"}, frozenset({"City"})), None, {"Name": "Jan", "City": None})

    assert created == Copy(SOURCE, "5", ID, {"Name": "Jan"}, LATER, theirs=frozenset({"City"}), state="tied")


def test_an_update_adds_what_was_written_to_what_was_written_before() -> None:
    known = replace(copy(Name="Jan", City="Delft"), refused="x", kind="rejected", reason="Ongeldig")

    updated = note(Update(ID, {"City": ("Delft", "Gent")}), known, {"Name": "Jan", "City": "Gent"})

    assert updated == replace(copy(Name="Jan", City="Gent"), written_at=LATER)


def test_an_adopted_row_that_equals_has_no_baseline() -> None:
    assert note(Unchanged(ID, "Code"), None, {"Name": "Jan"}) == Copy(SOURCE, "5", ID, matched_on="Code", state="tied")


def test_a_row_that_was_made_again_has_nothing_of_the_old_one() -> None:
    old = copy(target_id=NEW_ID, Fax="1")

    assert note(Update(ID, {"City": (None, "Gent")}, matched_on="Code"), old, {"City": "Gent"}) == Copy(
        SOURCE, "5", ID, {"City": "Gent"}, LATER, "Code", state="tied"
    )


def test_a_row_that_is_taken_over_brings_what_its_former_holder_wrote() -> None:
    former = replace(copy(Name="Jan"), source=OTHER_SOURCE, gone={"Blocked": (False, True)})

    taken = note(Update(ID, {"Blocked": (True, False)}, matched_on="Code"), former, {"Name": "Jan"})

    assert taken == Copy(SOURCE, "5", ID, {"Name": "Jan"}, LATER, "Code", state="tied")


def test_what_was_changed_for_a_deletion_is_kept_apart_from_what_the_source_said() -> None:
    changes = {"Blocked": (False, True)}

    assert note(Update(ID, changes, "block"), copy(Name="Jan")) == replace(copy(Name="Jan"), gone=changes)


def test_a_deleted_row_is_no_longer_tied() -> None:
    assert note(Delete(ID), copy(Name="Jan")) == Copy(SOURCE, "5", None, gone={}, state="tied")


def test_a_replaced_row_gives_its_place_to_the_new_one() -> None:
    replaced = Replace(Update(NEW_ID, {"Blocked": (False, True)}, "block"), Create({"Name": "Jan"}))

    assert note(replaced, copy(target_id=NEW_ID, Fax="1"), {"Name": "Jan"}, "6", "6") == Copy(
        SOURCE, "6", ID, {"Name": "Jan"}, LATER, state="tied"
    )


@pytest.mark.parametrize(("row_code", "kept"), [("5", "5"), ("6", "6"), (None, "6")])
def test_a_code_that_changed_at_the_source_is_remembered_once_the_row_bears_it(row_code: Any, kept: str) -> None:
    """B6: until then it is said in every run, whatever on_code_change was in between."""
    for decision in (Unchanged(ID), Update(ID, {"City": (None, "Gent")})):
        assert note(decision, copy("5"), {"City": "Gent"}, "6", row_code).code == kept


# Recovered

UPDATE = Update(ID, {"City": ("Delft", "Gent")})
BLOCK = Update(ID, {"Blocked": (False, True)}, "block")


def unfinished(decision: Any) -> Unfinished:
    return Unfinished(SOURCE, "5", decision)


def test_a_row_that_holds_all_that_was_about_to_be_created_was_created_by_us() -> None:
    change = unfinished(Create({"Name": "Jan ", "City": "Gent"}, frozenset({"Fax"})))
    there = row(modified_at=AT, Name="Jan", City="Gent", Fax="1")

    assert recovered(ACCOUNTS, change, there, None) == Copy(
        SOURCE, "5", ID, {"Name": "Jan ", "City": "Gent"}, AT, theirs=frozenset({"Fax"}), state="tied"
    )


def test_a_row_that_holds_all_that_was_about_to_be_written_was_written_by_us() -> None:
    known = replace(copy(Phone="2", City="Delft"), seen={"City": "Delft", "Fax": "1"})
    theirs = frozenset({"Website"})
    change = unfinished(Update(ID, {"City": ("Delft", "Gent")}, theirs=theirs, seen={"Fax": "1"}))

    found = recovered(ACCOUNTS, change, row(modified_at=LATER, City="Gent", Fax="1"), known)

    written = {"Phone": "2", "City": "Gent"}
    assert found == replace(known, baseline=written, written_at=LATER, theirs=theirs, seen={"Fax": "1"})


def test_a_row_that_was_adopted_by_its_first_update_is_tied() -> None:
    change = unfinished(Update(ID, {"City": ("Delft", "Gent")}, matched_on="Code"))

    assert recovered(ACCOUNTS, change, row(modified_at=AT, City="Gent"), None) == Copy(
        SOURCE, "5", ID, {"City": "Gent"}, AT, "Code", state="tied"
    )


def test_a_row_that_was_blocked_is_known_to_have_been_blocked_by_us() -> None:
    change = unfinished(BLOCK)

    assert recovered(ACCOUNTS, change, row(Blocked=True), copy(Name="Jan")) == replace(
        copy(Name="Jan"), gone={"Blocked": (False, True)}
    )


def test_a_row_that_is_gone_was_deleted_by_us() -> None:
    assert recovered(ACCOUNTS, unfinished(Delete(ID)), None, copy()) == Copy(SOURCE, "5", None, gone={}, state="tied")


@pytest.mark.parametrize(
    ("change", "there", "known"),
    [
        (unfinished(Create({"Name": "Jan", "City": "Gent"})), row(Name="Jan", City="Delft"), None),
        (unfinished(Create({"Name": "Jan"})), None, None),
        (unfinished(UPDATE), row(City="Delft"), copy()),
        (unfinished(UPDATE), None, copy()),
        (unfinished(Update(ID, {})), row(City="Gent"), copy()),
        (unfinished(UPDATE), row(id=NEW_ID, City="Gent"), copy()),
        (unfinished(Delete(ID)), row(), copy()),
        (unfinished(Delete(ID)), None, copy(target_id=NEW_ID)),
        (unfinished(BLOCK), row(Blocked=True), None),
    ],
    ids=[
        "create, in part",
        "no create",
        "no update",
        "gone",
        "nothing",
        "another row",
        "not deleted",
        "not ours",
        "not blocked by us",
    ],
)
def test_what_was_not_carried_out_is_not_noted(change: Unfinished, there: Any, known: Copy | None) -> None:
    assert recovered(ACCOUNTS, change, there, known) is None


def test_what_was_taken_back_is_not_taken_for_what_the_source_said() -> None:
    known = replace(copy(Name="Jan"), gone={"EndDate": ("2030-01-01", "2026-06-01")})
    change = unfinished(Update(ID, {"EndDate": ("2026-06-01", "2030-01-01"), "Name": ("Jan", "Piet")}))

    found = recovered(ACCOUNTS, change, row(modified_at=LATER, EndDate="2030-01-01", Name="Piet"), known)

    assert found == replace(copy(Name="Piet"), written_at=LATER)
