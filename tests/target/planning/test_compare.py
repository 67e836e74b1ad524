"""The fields of a row that differ from what is desired, and are ours to write."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS
from planning_driver import AT, ID, Row, copy, desired, found, plan, row, tied
from target_exactonline.planning.compare import same
from target_exactonline.planning.model import Create, Nulls, Situation, Unchanged, Update

LATER = AT + timedelta(hours=1)

# What counts as the same value


@pytest.mark.parametrize(
    ("name", "one", "other", "equal"),
    [
        ("Name", " Jan ", "Jan", True),
        ("Name", "Jan", "jan", False),
        ("Name", None, "", True),
        ("IsMailing", 0, None, False),
        ("IsSupplier", False, None, False),
        ("Latitude", 52.1, 52.1 + 1e-12, True),
        ("Latitude", 0.0, 1e-12, True),
        ("Latitude", 52.1, 52.1001, False),
        ("ControlledDate", "2026-01-31T00:00:00", "2026-01-31T00:00:00+01:00", True),
        ("ControlledDate", "2026-01-30T23:00:00+00:00", "2026-01-31T00:00:00+01:00", True),
        ("ControlledDate", "2026-01-31T12:00:00.003+01:00", "2026-01-31T12:00:00.001+01:00", True),
        ("ControlledDate", "2026-01-31T12:00:00.003+01:00", "2026-01-31T12:00:00.013+01:00", False),
        ("EndDate", "2026-01-31T00:00:00", "2026-01-31T00:00:00+01:00", True),
        ("EndDate", "2026-01-31T00:00:00+01:00", "2026-01-31T00:00:00+00:00", True),
        ("EndDate", "2026-01-31", "2026-01-31T00:00:00-05:00", True),
        ("EndDate", "2026-01-30T23:00:00+00:00", "2026-01-31T00:00:00+01:00", True),
        ("EndDate", "2026-06-30T22:00:00+00:00", "2026-07-01T00:00:00+02:00", True),
        ("EndDate", "2026-01-31T00:00:00", "2026-02-01T00:00:00+01:00", False),
        ("EndDate", "2026-01-31T23:00:00+01:00", "2026-02-01T00:00:00+01:00", False),
    ],
)
def test_values_that_mean_the_same_to_exact_are_the_same(name: str, one: Any, other: Any, equal: bool) -> None:
    assert same(ACCOUNTS.fields[name], one, other) is equal
    assert same(ACCOUNTS.fields[name], other, one) is equal


@pytest.mark.parametrize("read", ["2005-01-01T00:00:00+01:00", "2005-01-01", "2004-12-31T23:00:00+00:00"])
def test_a_day_is_written_as_the_day_that_was_read_whatever_the_clock_of_the_company(read: str) -> None:
    """A15: of a Dutch company, written to a British one."""
    british = row(Name="Jan", EstablishedDate="2004-12-31T00:00:00+00:00")
    wanted = desired(Name="Jan", EstablishedDate=read)

    updated = plan(wanted, tied(british))

    assert updated == Update(ID, {"EstablishedDate": ("2004-12-31T00:00:00+00:00", "2005-01-01T00:00:00")})
    assert plan(wanted, found()) == Create({"Name": "Jan", "EstablishedDate": "2005-01-01T00:00:00"})
    assert plan(wanted, tied(row(Name="Jan", EstablishedDate="2005-01-01T00:00:00+00:00"))) == Unchanged(ID)


# A State with its Country


def test_a_state_of_the_old_country_is_emptied_together_with_it() -> None:
    decision = plan(desired(Country="DE"), tied(row(Country="NL", State="UT")), nulls="keep")

    assert decision == Update(ID, {"Country": ("NL", "DE"), "State": ("UT", None)})


@pytest.mark.parametrize("state", ["NI", "UT"])
def test_a_state_of_the_new_country_goes_together_with_it(state: str) -> None:
    decision = plan(desired(Country="DE", State=state), tied(row(Country="NL", State="UT")))

    assert decision == Update(ID, {"Country": ("NL", "DE"), "State": ("UT", state)})


@pytest.mark.parametrize("there", [{}, {"State": None}, {"State": ""}], ids=["missing", "null", "empty"])
def test_no_state_is_sent_with_a_country_where_none_is_filled(there: Row) -> None:
    assert plan(desired(Country="DE"), tied(row(Country="NL", **there))) == Update(ID, {"Country": ("NL", "DE")})


def test_a_state_alone_is_a_field_like_any_other() -> None:
    decision = plan(desired(Country="NL", State="UT"), tied(row(Country="NL", State="NH")))

    assert decision == Update(ID, {"State": ("NH", "UT")})


# What Exact made of a value


@pytest.mark.parametrize("seconds", [-60, 0])
def test_what_exact_made_of_our_value_is_left_alone(seconds: int) -> None:
    there = row(modified_at=AT + timedelta(seconds=seconds))

    assert plan(desired(SalesCurrency="USD"), tied(there, copy(SalesCurrency="USD"))) == Unchanged(ID)


def test_what_someone_made_of_our_value_later_is_set_right() -> None:
    there = row(modified_at=AT + timedelta(milliseconds=7), City="Delft")

    assert plan(desired(City="Gent"), tied(there, copy(City="Gent"))) == Update(ID, {"City": ("Delft", "Gent")})


def test_a_new_value_of_the_source_is_written_whatever_exact_made_of_the_old_one() -> None:
    decision = plan(desired(SalesCurrency="GBP"), tied(row(modified_at=AT), copy(SalesCurrency="USD")))

    assert decision == Update(ID, {"SalesCurrency": (None, "GBP")})


@pytest.mark.parametrize(
    ("modified_at", "written_at"), [(None, AT), (AT, None)], ids=["row without Modified", "write without time"]
)
def test_when_it_is_not_known_who_was_last_the_field_is_written(
    modified_at: datetime | None, written_at: datetime | None
) -> None:
    known = copy(written_at=written_at, City="Gent")

    assert plan(desired(City="Gent"), tied(row(modified_at=modified_at), known)) == Update(ID, {"City": (None, "Gent")})


# Anonymised source records

CARD: Row = {"Name": "Jan", "Email": "a@jan.example", "Phone": "030-1234567", "Fax": "1", "Language": "NL"}
ANONYMOUS = desired(identity={"IsAnonymised": 1}, Name="Anonymous 12", Email=None, Phone=None, Fax=None, Language=None)


@pytest.mark.parametrize("nulls", ["follow", "keep"])
@pytest.mark.parametrize("rule", ["source", "initial", "target"])
def test_what_was_anonymised_is_cleared_in_adopted_copies_too(nulls: Nulls, rule: str) -> None:
    """A14: of an adopted copy we wrote nothing, and the target may own its fields."""
    adopted = replace(copy(written_at=None), matched_on="Code", theirs=frozenset({"Phone"}))

    decision = plan(ANONYMOUS, tied(row(modified_at=LATER, **CARD), adopted), nulls=nulls, field_rules={"*": rule})

    assert isinstance(decision, Update)
    assert decision.values == {"Name": "Anonymous 12", "Email": None, "Phone": None, "Fax": None}


def test_an_empty_field_of_a_person_who_was_not_anonymised_follows_the_setting() -> None:
    alive = replace(ANONYMOUS, identity={"IsAnonymised": 0})

    decision = plan(alive, tied(row(**CARD)))

    assert isinstance(decision, Update)
    assert decision.values == {"Name": "Anonymous 12"}


# Fields that the target owns

INITIAL = {"City": "initial"}
TARGET = {"City": "target"}
UNTOUCHED = AT


def test_an_initial_field_is_written_at_create_and_belongs_to_the_target_afterwards() -> None:
    assert plan(desired(Name="Jan", City="Gent"), found(), field_rules=INITIAL) == Create(
        {"Name": "Jan", "City": "Gent"}
    )

    for there in ("Delft", None):
        kept = plan(
            desired(Name="Jan", City="Ede"), tied(row(Name="Jan", City=there), copy(City="Gent")), field_rules=INITIAL
        )
        assert kept == Unchanged(ID, theirs=frozenset({"City"}))


def test_an_initial_field_that_was_empty_at_create_belongs_to_the_target() -> None:
    created = plan(desired(Name="Jan", City=None), found(), field_rules=INITIAL)
    assert created == Create({"Name": "Jan"}, frozenset({"City"}))

    known = replace(copy(Name="Jan"), theirs=frozenset({"City"}))
    later = plan(desired(Name="Jan", City="Gent"), tied(row(Name="Jan"), known), field_rules=INITIAL)

    assert later == Unchanged(ID, theirs=frozenset({"City"}))


def test_an_initial_field_is_written_at_first_contact_only_where_the_target_is_empty() -> None:
    rules = {"*": "initial"}
    filled = found(row(Name="Jan", City="Delft", Phone=None))

    decision = plan(desired(Name="Jan BV", City="Gent", Phone="1"), filled, field_rules=rules)

    theirs = frozenset({"Name", "City"})
    assert decision == Update(ID, {"Phone": (None, "1")}, matched_on="Code", theirs=theirs)


def test_an_initial_field_that_travels_from_now_on_is_filled_where_the_target_is_empty() -> None:
    """B2: a new field reaches the copies that are there."""
    known = replace(copy(Name="Jan"), theirs=frozenset({"City"}))
    there = tied(row(Name="Jan", City="Delft"), known)

    decision = plan(desired(Name="Jan", City="Gent", Fax="1"), there, field_rules={"*": "initial"})

    assert decision == Update(ID, {"Fax": (None, "1")}, theirs=frozenset({"City"}))


def test_a_target_field_is_written_until_somebody_in_the_target_changes_it() -> None:
    wanted = desired(City="Ede")

    follows = plan(wanted, tied(row(City="Gent", modified_at=LATER), copy(City="Gent")), field_rules=TARGET)
    changed = plan(wanted, tied(row(City="Delft", modified_at=LATER), copy(City="Gent")), field_rules=TARGET)

    assert follows == Update(ID, {"City": ("Gent", "Ede")})
    assert changed == Unchanged(ID, theirs=frozenset({"City"}))


def test_a_target_field_stays_the_target_s() -> None:
    known = replace(copy(City="Gent"), theirs=frozenset({"City"}))

    for there in ("Delft", "Gent", None):
        decision = plan(desired(City="Ede"), tied(row(City=there, modified_at=LATER), known), field_rules=TARGET)
        assert decision == Unchanged(ID, theirs=frozenset({"City"}))


def test_what_exact_made_of_a_target_field_is_no_change_by_the_target() -> None:
    known = copy(City="Gent")
    settled = plan(desired(City="Gent"), tied(row(City="GENT", modified_at=UNTOUCHED), known), field_rules=TARGET)
    assert settled == Unchanged(ID, seen={"City": "GENT"})

    touched_elsewhere = tied(row(City="GENT", modified_at=LATER), replace(known, seen={"City": "GENT"}))
    followed = plan(desired(City="Ede"), touched_elsewhere, field_rules=TARGET)

    assert followed == Update(ID, {"City": ("GENT", "Ede")})


def test_a_target_field_of_an_adopted_row_is_followed_until_somebody_changes_it() -> None:
    adopted = plan(desired(Name="Jan", City="Gent"), found(row(Name="Jan", City="Gent")), field_rules=TARGET)
    assert adopted == Unchanged(ID, "Code", seen={"City": "Gent"})

    known = replace(copy(written_at=None), matched_on="Code", seen={"City": "Gent"})
    source_changed = plan(
        desired(Name="Jan", City="Ede"), tied(row(Name="Jan", City="Gent"), known), field_rules=TARGET
    )
    target_changed = plan(
        desired(Name="Jan", City="Ede"), tied(row(Name="Jan", City="Delft"), known), field_rules=TARGET
    )

    assert source_changed == Update(ID, {"City": ("Gent", "Ede")})
    assert target_changed == Unchanged(ID, theirs=frozenset({"City"}))


def test_a_target_field_that_we_created_empty_belongs_to_whoever_fills_it() -> None:
    there = tied(row(Name="Jan", City="Delft", modified_at=LATER), copy(Name="Jan"))

    decision = plan(desired(Name="Jan", City="Gent"), there, field_rules=TARGET)

    assert decision == Unchanged(ID, theirs=frozenset({"City"}))


def test_a_field_goes_by_its_own_rule_before_that_of_all_others() -> None:
    there = tied(row(City="Delft", Fax="1", modified_at=LATER), copy(City="Gent", Fax="2"))

    decision = plan(desired(City="Gent", Fax="2"), there, field_rules={"*": "target", "City": "source"})

    assert decision == Update(ID, {"City": ("Delft", "Gent")}, theirs=frozenset({"Fax"}))


def test_a_field_whose_rule_is_source_again_is_the_source_s_again() -> None:
    known = replace(copy(City="Gent"), theirs=frozenset({"City"}))
    there = tied(row(City="Delft", modified_at=LATER), known)

    assert plan(desired(City="Gent"), there) == Update(ID, {"City": ("Delft", "Gent")})
    assert plan(desired(City="Gent"), there, field_rules={"Fax": "target"}) == Update(ID, {"City": ("Delft", "Gent")})


# The return of a source record after its deletion

BLOCKED = {"Blocked": (False, True), "EndDate": ("2030-01-01T00:00:00+01:00", "2026-06-01T00:00:00")}


def test_what_we_changed_for_a_deletion_is_taken_back_when_the_source_record_returns() -> None:
    known = replace(copy(), gone=BLOCKED)
    there = row(Name="Jan", Blocked=True, EndDate="2026-06-01T00:00:00+02:00")

    assert plan(desired(Name="Jan"), tied(there, known)) == Update(
        ID,
        {"Blocked": (True, False), "EndDate": ("2026-06-01T00:00:00+02:00", "2030-01-01T00:00:00+01:00")},
    )


def test_what_somebody_changed_since_the_deletion_stays() -> None:
    known = replace(copy(), gone=BLOCKED)
    there = row(Name="Jan", Blocked=True, EndDate="2026-12-31T00:00:00+01:00")

    assert plan(desired(Name="Jan"), tied(there, known)) == Update(ID, {"Blocked": (True, False)})


def test_what_the_source_says_of_a_blocking_field_goes_before_what_was_there() -> None:
    known = replace(copy(), gone=BLOCKED)
    there = row(Blocked=True, EndDate="2026-06-01T00:00:00+02:00")

    returned = plan(desired(Blocked=True, EndDate=None), tied(there, known))

    assert returned == Update(ID, {"EndDate": ("2026-06-01T00:00:00+02:00", "2030-01-01T00:00:00+01:00")})


def test_a_copy_that_nothing_is_known_of_is_compared_as_at_first_contact() -> None:
    there = row(id=ID, City="Delft")

    assert plan(desired(City=None), Situation(copy(target_id=None, City="Delft"), at_code=there)) == Unchanged(
        ID, "Code"
    )
