"""What first contact found or people decided → one decision."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from planning_driver import ID, Company, copy, desired, found, holder, plan, row
from target_exactonline.planning.model import Refuse, Situation, Skip, Unchanged, Update

THERE = row("30", Name="Jansen", City="Gent")
BY_VAT = Situation(at_code=THERE, matched_on="VATNumber")
WANTED = desired("5", Name="Jansen", City="Ede")


def test_a_row_that_a_rule_found_is_updated_under_its_own_code_and_tied_by_that_rule() -> None:
    assert plan(WANTED, BY_VAT) == Update(ID, {"City": ("Gent", "Ede")}, matched_on="VATNumber")
    assert plan(desired("5", City="Gent"), BY_VAT) == Unchanged(ID, "VATNumber")


def test_what_a_rule_found_needs_no_other_evidence() -> None:
    wanted = desired("5", {"Email": "a@jan.example"}, Name="Pietersen")
    there = replace(THERE, values={"Name": "Jansen", "Email": "b@jan.example"})

    assert plan(wanted, Situation(at_code=there, matched_on="VATNumber")) != plan(wanted, found(there))
    assert isinstance(plan(wanted, Situation(at_code=there, matched_on="VATNumber")), Update)


def test_a_row_that_a_rule_found_and_that_is_another_ones_copy_is_a_collision_unless_that_one_was_deleted() -> None:
    result = plan(WANTED, replace(BY_VAT, holder=holder("Piet")))

    assert isinstance(result, Refuse)
    assert (result.kind, result.candidates) == ("collision", (ID,))
    assert "VATNumber finds account 30 here, which is the copy of Piet" in result.reason
    assert isinstance(plan(WANTED, replace(BY_VAT, holder=holder(is_deleted=True))), Update)


def test_the_load_method_holds_for_what_a_rule_found() -> None:
    assert isinstance(plan(WANTED, BY_VAT, load_method="append-only"), Skip)
    assert isinstance(plan(WANTED, BY_VAT, load_method="update-only"), Update)


def test_a_tie_under_another_code_says_nothing_of_a_code_that_changes() -> None:
    after = Company(BY_VAT).after(WANTED, plan(WANTED, BY_VAT))
    assert after.situation.copy is not None
    assert after.situation.copy.matched_on == "VATNumber"

    for choice in ("refuse", "ignore", "block"):
        result = plan(desired("6", Name="Jansen", City="Ede"), after.situation, on_code_change=choice)
        assert isinstance(result, Unchanged)


def test_what_was_left_out_is_left_alone_whatever_comes_in() -> None:
    left_out = Skip("held", "Left out.")

    for wanted in (WANTED, None, replace(WANTED, problems=("Name is empty",))):
        for known in (None, copy()):
            assert plan(wanted, Situation(known, refusal=left_out), on_source_deletion="delete") == left_out


def test_a_doubt_is_told_but_not_of_a_record_that_is_wrong_in_itself() -> None:
    doubt = Refuse("ambiguous", "Several.", ("a", "b"))

    assert plan(WANTED, Situation(refusal=doubt)) == doubt
    wrong = plan(replace(WANTED, problems=("Name is empty",)), Situation(refusal=doubt))
    assert isinstance(wrong, Refuse)
    assert wrong.kind == "invalid"


@given(st.sampled_from(["VATNumber", "Email", "Name+City", "person"]), st.sampled_from(["Ede", "Gent", None]))
def test_a_second_plan_has_nothing_to_do(rule: str, city: str | None) -> None:
    wanted = desired("5", Name="Jansen", City=city)
    company = Company(Situation(at_code=THERE, matched_on=rule))

    after = company.after(wanted, plan(wanted, company.situation))

    assert isinstance(plan(wanted, after.situation), Unchanged)
