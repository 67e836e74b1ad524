"""One decision for one source record in one company."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from exactonline_client.entities import ACCOUNTS
from planning_driver import ID, NEW_ID, OTHER_ID, Row, copy, desired, found, holder, plan, row, tied
from target_exactonline.planning.decide import digest
from target_exactonline.planning.model import (
    Create,
    Delete,
    Nulls,
    OnCodeChange,
    Refuse,
    Replace,
    Situation,
    Skip,
    Unchanged,
    Update,
)

JAN: Row = {"Name": "Jan", "Email": "a@jan.example"}
PIET: Row = {"Name": "Piet", "Email": "b@piet.example"}


def refused(decision: object, kind: str, *shown: str) -> None:
    assert isinstance(decision, Refuse)
    assert decision.kind == kind
    assert [part for part in shown if part not in decision.reason] == []


def skipped(decision: object, kind: str, *shown: str) -> None:
    assert isinstance(decision, Skip)
    assert decision.kind == kind
    assert [part for part in shown if part not in decision.reason] == []


# Create, update, unchanged, skip


def test_a_code_that_is_free_is_created_without_what_is_empty() -> None:
    assert plan(desired(Name="Jan", City=None, IsSupplier=False), found()) == Create(
        {"Name": "Jan", "IsSupplier": False}
    )


@pytest.mark.parametrize("values", [{"City": "Gent"}, {"City": "Gent", "Name": None}], ids=["missing", "null"])
def test_an_account_without_a_name_is_not_created(values: Row) -> None:
    refused(plan(desired(**values), found()), "invalid", "Name is empty, and Exact creates no account without it.")


def test_a_record_with_problems_is_refused_with_all_of_them() -> None:
    wrong = replace(desired(**JAN), problems=("Country is 'X'", "Email is '@'"))

    refused(plan(wrong, found()), "invalid", "Country is 'X'; Email is '@'")


def test_only_the_fields_that_differ_are_updated() -> None:
    decision = plan(desired(Name="Jan", City="Gent", Fax=None), found(row(Name="Jan", City="Delft", Phone="1")))

    assert decision == Update(ID, {"City": ("Delft", "Gent")}, matched_on="Code")


def test_what_is_equal_is_left_alone() -> None:
    assert plan(desired(**JAN), tied(row(**JAN, City="Delft"))) == Unchanged(ID)
    assert plan(desired(**JAN), found(row(**JAN, City="Delft"))) == Unchanged(ID, "Code")


@pytest.mark.parametrize("situation", [found(row(Name="Jan")), tied(row(Name="Jan"))], ids=["found", "tied"])
def test_append_only_writes_nothing_to_what_is_there(situation: Situation) -> None:
    skipped(plan(desired(**JAN), situation, load_method="append-only"), "load_method", "append-only")
    assert plan(desired(**JAN), found(), load_method="append-only") == Create(JAN)


def test_update_only_creates_nothing() -> None:
    skipped(plan(desired(**JAN), found(), load_method="update-only"), "load_method", "update-only")
    assert plan(desired(Name="Jan", City="Gent"), found(row(Name="Jan")), load_method="update-only") == Update(
        ID, {"City": (None, "Gent")}, matched_on="Code"
    )


def test_an_undone_change_is_held_until_its_source_record_changes() -> None:
    held = replace(copy(), held_at=7)
    there = tied(row(Name="Piet"), held)

    skipped(plan(desired(**JAN), replace(there, version=7)), "held")
    skipped(plan(None, replace(there, version=7), on_source_deletion="block"), "held")
    assert isinstance(plan(desired(**JAN), replace(there, version=8)), Update)


# A copy is known by its source (law 3)


def test_a_row_that_was_renamed_in_the_target_is_still_the_copy() -> None:
    """B8: a code that was changed by hand."""
    decision = plan(desired(**JAN, City="Gent"), tied(row("6", **JAN), at_code=None))

    assert decision == Update(ID, {"City": (None, "Gent")})


def test_a_row_that_was_tied_under_another_code_keeps_it_whatever_the_source_calls_it() -> None:
    adopted = replace(copy(), matched_on="VATNumber")

    assert plan(desired("7", **JAN), tied(row("900", **JAN), adopted, at_code=None)) == Unchanged(ID)


def test_a_code_that_changes_at_the_source_is_refused_until_the_row_bears_it() -> None:
    """B6: no second account, and it is said."""
    wanted = desired("6", **JAN, City="Gent")

    refused(plan(wanted, tied(row("5", **JAN), at_code=None)), "code_changed", "from 5 to 6", "on_code_change")
    assert plan(wanted, tied(row("6", **JAN))) == Update(ID, {"City": (None, "Gent")})


def test_a_changed_code_may_be_ignored() -> None:
    decision = plan(desired("6", **JAN, City="Gent"), tied(row("5", **JAN), at_code=None), on_code_change="ignore")

    assert decision == Update(ID, {"City": (None, "Gent")})


def test_a_changed_code_may_block_the_old_row_and_create_a_new_one() -> None:
    decision = plan(desired("6", **JAN), tied(row("5", **JAN), at_code=None), on_code_change="block")

    blocked = {"Blocked": (None, True), "EndDate": (None, "2026-06-25T00:00:00")}
    assert decision == Replace(Update(ID, blocked, "block"), Create(JAN))


def test_a_row_that_is_blocked_already_is_only_replaced() -> None:
    there = row("5", **JAN, Blocked=True, EndDate="2026-01-01T00:00:00+01:00")

    assert plan(desired("6", **JAN), tied(there, at_code=None), on_code_change="block") == Replace(None, Create(JAN))


@pytest.mark.parametrize("owner", [None, holder("6 of 101")], ids=["nobody's", "another's"])
def test_a_row_is_not_replaced_by_one_whose_code_is_taken(owner: Any) -> None:
    there = tied(row("5", **JAN), at_code=row("6", OTHER_ID, **JAN), holder=owner)

    refused(plan(desired("6", **JAN), there, on_code_change="block"), "collision", "from 5 to 6")


def test_a_row_is_not_replaced_where_nothing_may_be_created() -> None:
    there = tied(row("5", **JAN), at_code=None)

    for load_method in ("append-only", "update-only"):
        decision = plan(desired("6", **JAN), there, on_code_change="block", load_method=load_method)
        skipped(decision, "load_method", load_method)


@pytest.mark.parametrize("on_code_change", get_args(OnCodeChange))
def test_codes_that_change_hands_move_no_party(on_code_change: OnCodeChange) -> None:
    """B5: of two customers that swap their codes, each stays in its own row."""
    there = tied(row("5", **JAN), at_code=row("6", OTHER_ID, **PIET), holder=holder("5 of 100"))

    decision = plan(desired("6", **JAN, City="Gent"), there, on_code_change=on_code_change)

    if on_code_change == "ignore":
        assert decision == Update(ID, {"City": (None, "Gent")})
    else:
        refused(decision, "code_changed" if on_code_change == "refuse" else "collision")


def test_a_row_that_is_another_source_record_s_copy_is_refused_even_when_collisions_are_overwritten() -> None:
    """B5: two sources with one code."""
    there = found(row(**JAN), holder=holder("5 of 101"))

    for on_collision in ("refuse", "overwrite"):
        refused(plan(desired(**JAN), there, on_collision=on_collision), "collision", "5", "5 of 101")


@pytest.mark.parametrize("there", [None, row(**JAN)], ids=["free", "nobody's row"])
def test_of_two_source_records_with_one_code_the_later_one_is_refused(there: Any) -> None:
    refused(plan(desired(**JAN), found(there, rival=holder("5 of 101"))), "collision", "5 of 101")


def test_a_row_whose_source_record_was_deleted_goes_over_to_the_one_that_was_entered_again() -> None:
    before = replace(copy(**JAN, City="Delft"), gone={"Blocked": (False, True), "EndDate": (None, "2026-06-01")})
    there = row(**JAN, City="Delft", Blocked=True, EndDate="2026-06-01T00:00:00+02:00")
    situation = found(there, holder=holder(is_deleted=True, copy=before))

    decision = plan(desired(**JAN, City=None), situation)

    assert decision == Update(
        ID,
        {
            "City": ("Delft", None),
            "Blocked": (True, False),
            "EndDate": ("2026-06-01T00:00:00+02:00", None),
        },
        matched_on="Code",
    )


def test_a_row_whose_source_record_was_deleted_does_not_go_over_to_another_party() -> None:
    refused(plan(desired(**PIET), found(row(**JAN), holder=holder(is_deleted=True))), "collision", "Jan", "Piet")


def test_a_copy_whose_row_is_gone_is_created_again() -> None:
    assert plan(desired(**JAN), Situation(copy(**JAN))) == Create(JAN)


def test_a_copy_whose_row_is_gone_meets_the_row_under_its_code_for_the_first_time() -> None:
    there = row(id=OTHER_ID, **JAN, City="Delft")

    assert plan(desired(**JAN, City=None), Situation(copy(**JAN, City="Delft"), at_code=there)) == Unchanged(
        OTHER_ID, "Code"
    )
    refused(plan(desired(**PIET), Situation(copy(**PIET), at_code=there)), "collision")
    taken = Situation(copy(**JAN), at_code=there, holder=holder())
    refused(plan(desired(**JAN), taken), "collision", "5 of 101")


# First contact


def test_the_first_contact_sees_the_whole_source_record_and_not_only_what_travels() -> None:
    """B7: only Email travels, and the code is another party's."""
    there = found(row(**PIET))

    refused(plan(desired(identity={"Name": "Jan"}, Email="a@jan.example"), there), "collision", "Jan", "Piet")
    assert plan(desired(identity={"Name": "Piet BV"}, Email="c@piet.example"), there) == Update(
        ID, {"Email": ("b@piet.example", "c@piet.example")}, matched_on="Code"
    )


def test_another_party_of_a_foreign_list_is_refused() -> None:
    """C3: 90001 is another bakery."""
    decision = plan(
        desired("90001", Name="Bakkerij De Zon", City="Utrecht"), found(row("90001", Name="Bakkerij Smit", City="Ede"))
    )

    refused(decision, "collision", "Bakkerij De Zon", "Bakkerij Smit")


def test_a_collision_is_overwritten_when_the_setting_says_so() -> None:
    assert plan(desired(**JAN), found(row(**PIET)), on_collision="overwrite") == Update(
        ID, {"Name": ("Piet", "Jan"), "Email": ("b@piet.example", "a@jan.example")}, matched_on="Code"
    )


def test_a_tied_row_is_the_same_party_whatever_it_is_called_now() -> None:
    there = row(Name="Piet", VATNumber="NL2", Email="a@jan.example")

    assert plan(desired(**JAN, VATNumber="NL1"), tied(there)) == Update(
        ID, {"Name": ("Piet", "Jan"), "VATNumber": ("NL2", "NL1")}
    )


def test_a_write_that_would_turn_one_party_into_another_is_refused() -> None:
    situation = tied(row(**PIET, VATNumber="NL2"))
    wanted = desired(**JAN, VATNumber="NL1")

    refused(plan(wanted, situation), "collision", "turn one party into another", "NL1", "NL2")
    assert isinstance(plan(wanted, situation, on_collision="overwrite"), Update)
    to_block = plan(desired("6", **JAN, VATNumber="NL1"), replace(situation, at_code=None), on_code_change="block")
    refused(to_block, "collision", "turn one party into another")


# Empty source fields


@pytest.mark.parametrize(
    ("nulls", "ours", "cleared"),
    [
        ("follow", None, False),
        ("follow", {}, False),
        ("follow", {"City": None}, False),
        ("follow", {"City": "Gent"}, True),
        ("clear", None, True),
        ("clear", {}, True),
        ("clear", {"City": "Gent"}, True),
        ("keep", None, False),
        ("keep", {"City": "Gent"}, False),
    ],
)
def test_an_empty_source_field_clears_what_the_setting_says(nulls: Nulls, ours: Row | None, cleared: bool) -> None:
    there = row(City="Delft")

    decision = plan(desired(City=None), found(there) if ours is None else tied(there, copy(**ours)), nulls=nulls)

    matched_on = "Code" if ours is None else None
    assert decision == (
        Update(ID, {"City": ("Delft", None)}, matched_on=matched_on) if cleared else Unchanged(ID, matched_on)
    )


@pytest.mark.parametrize("nulls", get_args(Nulls))
@pytest.mark.parametrize("there", [{}, {"City": None}, {"City": ""}], ids=["missing", "null", "empty"])
def test_what_is_empty_on_both_sides_is_equal(nulls: Nulls, there: Row) -> None:
    assert plan(desired(City=None), tied(row(**there), copy(City="Gent")), nulls=nulls) == Unchanged(ID)


def test_what_exact_cannot_do_without_is_never_cleared() -> None:
    assert plan(desired(Name=None), tied(row(Name="Jan"), copy(Name="Jan")), nulls="clear") == Unchanged(ID)


# Digests


def test_the_digest_of_a_change_is_that_of_what_is_sent() -> None:
    one = digest(Update(ID, {"City": ("Delft", "Gent"), "Fax": (None, "1")}))

    assert digest(Update(ID, {"Fax": ("2", "1"), "City": ("Ede", "Gent")}, matched_on="Code")) == one
    others = [
        Update(ID, {"City": ("Delft", "Gent")}),
        Update(ID, {"City": ("Delft", "Gent"), "Fax": (None, "1")}, "block"),
        Create({"City": "Gent", "Fax": "1"}),
        Replace(None, Create({"City": "Gent", "Fax": "1"})),
        Delete(ID),
        Delete(NEW_ID),
    ]
    assert len({one, *map(digest, others)}) == len(others) + 1


def test_a_declaration_names_only_fields_that_the_entity_has() -> None:
    assert ACCOUNTS.blocking is not None
    names = {*ACCOUNTS.blocking.fields, *ACCOUNTS.travel_together}
    names |= {*ACCOUNTS.travel_together.values(), *ACCOUNTS.personal, str(ACCOUNTS.anonymised)}
    assert ACCOUNTS.identity is not None
    names |= {ACCOUNTS.identity.name, *ACCOUNTS.identity.evidence, *ACCOUNTS.identity.address_lines}
    names |= {role.field for role in ACCOUNTS.identity.roles}

    assert names <= set(ACCOUNTS.fields)
    assert set(ACCOUNTS.identity.decisive) <= set(ACCOUNTS.identity.evidence)
