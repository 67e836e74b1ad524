"""What to do with one record, given what the division holds and what we wrote there before."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, get_args

import pytest
from exactonline_client.entities import ACCOUNTS
from hypothesis import example, given
from hypothesis import strategies as st
from target_exactonline.departures import Delete, depart
from target_exactonline.plan import (
    Create,
    LastWritten,
    Leave,
    LoadMethod,
    Nulls,
    OnCollision,
    Policy,
    Present,
    Refuse,
    Skip,
    Update,
    decide,
    recovered,
    remembered,
    same,
    wanted_of,
)
from target_exactonline.sources import Source, source_in

AT = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
ID = "5e2d5a3c-0000-4000-8000-000000000001"
OTHER_ID = "5e2d5a3c-0000-4000-8000-000000000002"
UPSERT = Policy()


def present(account_id: str = ID, modified_at: datetime | None = None, **values: Any) -> Present:
    return Present(account_id, values, modified_at)


def written(account_id: str = ID, written_at: datetime | None = AT, **values: Any) -> LastWritten:
    return LastWritten(account_id, values, written_at)


def plan(wanted: dict[str, Any], there: Present | None, before: LastWritten | None = None, **policy: Any) -> Any:
    return decide(ACCOUNTS, wanted, there, before, Policy(**policy))


# Create, update, leave, skip


def test_a_code_that_is_free_is_created_without_what_is_empty() -> None:
    assert plan({"Name": "Jan", "City": None, "IsSupplier": False}, None) == Create(
        {"Name": "Jan", "IsSupplier": False}
    )


@pytest.mark.parametrize("wanted", [{"City": "Gent"}, {"City": "Gent", "Name": None}], ids=["missing", "null"])
def test_an_account_without_a_name_is_not_created(wanted: dict[str, Any]) -> None:
    decision = plan(wanted, None)

    assert isinstance(decision, Refuse)
    assert decision.reason.startswith("Name is empty, and Exact creates no account without it.")


def test_only_the_fields_that_differ_are_updated() -> None:
    decision = plan({"Name": "Jan", "City": "Gent", "Fax": None}, present(Name="Jan", City="Delft", Phone="1"))

    assert decision == Update(ID, {"City": ("Delft", "Gent")})
    assert decision.values == {"City": "Gent"}


def test_what_is_equal_is_left_alone() -> None:
    assert plan({"Name": "Jan"}, present(Name="Jan", City="Delft")) == Leave(ID)


def test_append_only_writes_nothing_to_what_is_there() -> None:
    there = plan({"Name": "Jan"}, present(Name="Piet"), load_method="append-only")

    assert isinstance(there, Skip)
    assert "append-only" in there.reason
    assert plan({"Name": "Jan"}, None, load_method="append-only") == Create({"Name": "Jan"})


def test_update_only_creates_nothing() -> None:
    free = plan({"Name": "Jan"}, None, load_method="update-only")

    assert isinstance(free, Skip)
    assert "update-only" in free.reason
    assert plan({"Name": "Jan"}, present(Name="Piet"), load_method="update-only") == Update(
        ID, {"Name": ("Piet", "Jan")}
    )


def test_an_account_that_was_deleted_and_made_anew_is_compared_as_if_never_seen() -> None:
    decision = plan({"City": None}, present(City="Delft"), written(OTHER_ID, City="Delft"))

    assert decision == Leave(ID)


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
def test_an_empty_source_field_clears_what_the_setting_says(
    nulls: Nulls, ours: dict[str, Any] | None, cleared: bool
) -> None:
    before = None if ours is None else written(**ours)

    decision = plan({"City": None}, present(City="Delft"), before, nulls=nulls)

    assert decision == (Update(ID, {"City": ("Delft", None)}) if cleared else Leave(ID))


@pytest.mark.parametrize("nulls", get_args(Nulls))
@pytest.mark.parametrize("there", [{}, {"City": None}, {"City": ""}], ids=["missing", "null", "empty"])
def test_what_is_empty_on_both_sides_is_equal(nulls: Nulls, there: dict[str, Any]) -> None:
    assert plan({"City": None}, present(**there), written(City="Gent"), nulls=nulls) == Leave(ID)


# Another party under the same code


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [("ChamberOfCommerce", "12345678", "87654321"), ("VATNumber", "NL001234567B01", "BE0123456749")],
)
def test_another_name_with_another_number_is_another_party(field: str, ours: str, theirs: str) -> None:
    decision = plan({"Name": "Jan BV", field: ours}, present(Name="Piet NV", **{field: theirs}))

    assert isinstance(decision, Refuse)
    assert all(part in decision.reason for part in ("Jan BV", "Piet NV", field, ours, theirs, "on_collision"))


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ({"Name": "Jan BV", "VATNumber": "NL1"}, {"Name": "JAN B.V.", "VATNumber": "NL2"}),
        ({"Name": "Jan BV", "VATNumber": "NL1"}, {"Name": "Piet NV", "VATNumber": None}),
        ({"Name": "Jan BV", "VATNumber": None}, {"Name": "Piet NV", "VATNumber": "NL2"}),
        ({"Name": "Jan BV", "VATNumber": "NL 12.34"}, {"Name": "Piet NV", "VATNumber": "nl1234"}),
        ({"Name": "Jan BV"}, {"Name": "Piet NV"}),
    ],
    ids=["same name", "no number here", "no number there", "same number", "only the name"],
)
def test_a_difference_that_proves_nothing_is_an_update(wanted: dict[str, Any], there: dict[str, Any]) -> None:
    assert isinstance(plan(wanted, present(**there)), Update)


CUSTOMER = {"Status": "C", "IsSupplier": False}
SUPPLIER = {"Status": "A", "IsSupplier": True}
BOTH = {"Status": "C", "IsSupplier": True}
NEITHER = {"Status": "P", "IsSupplier": False}


@pytest.mark.parametrize(("ours", "theirs"), [(CUSTOMER, SUPPLIER), (SUPPLIER, CUSTOMER)], ids=["ours", "theirs"])
def test_only_a_customer_and_only_a_supplier_are_two_parties(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    decision = plan({"Name": "Jan", **ours}, present(Name="Jan", **theirs))

    assert isinstance(decision, Refuse)
    words = ("only a supplier", "only a customer") if theirs is SUPPLIER else ("only a customer", "only a supplier")
    assert words[1] in decision.reason.partition(words[0])[2]  # theirs first, then ours


@pytest.mark.parametrize("ours", [CUSTOMER, SUPPLIER, BOTH, NEITHER, {}], ids=str)
@pytest.mark.parametrize("theirs", [BOTH, NEITHER, {}, {"Status": "C"}], ids=str)
def test_a_role_that_overlaps_or_is_not_known_makes_no_other_party(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    assert not isinstance(plan({"Name": "Jan", **ours}, present(Name="Jan", **theirs)), Refuse)


@pytest.mark.parametrize("before", [written(), written(Name="Jan")], ids=["adopted", "written"])
def test_what_we_wrote_or_adopted_is_the_same_party_whatever_it_is_called_now(before: LastWritten) -> None:
    wanted = {"Name": "Jan BV", "VATNumber": "NL1", **CUSTOMER}

    decision = plan(wanted, present(Name="Piet NV", VATNumber="NL2", **SUPPLIER), before)

    assert isinstance(decision, Update)


def test_an_account_made_anew_by_someone_else_is_looked_at_anew() -> None:
    decision = plan(
        {"Name": "Jan", "VATNumber": "1"}, present(Name="Piet", VATNumber="2"), written(OTHER_ID, Name="Jan")
    )

    assert isinstance(decision, Refuse)


def test_a_collision_is_overwritten_when_the_setting_says_so() -> None:
    decision = plan({"Name": "Jan", **CUSTOMER}, present(Name="Piet", **SUPPLIER), on_collision="overwrite")

    assert isinstance(decision, Update)
    assert decision.values == {"Name": "Jan", **CUSTOMER}


def test_a_record_that_brings_no_name_does_not_carry_another_one() -> None:
    decision = plan({"VATNumber": "NL001234567B01"}, present(Name="Jan BV", VATNumber="NL1234567B01"))

    assert isinstance(decision, Update)


# A State with its Country


def test_a_state_of_the_old_country_is_emptied_together_with_it() -> None:
    decision = plan({"Country": "DE"}, present(Country="NL", State="UT"), nulls="keep")

    assert decision == Update(ID, {"Country": ("NL", "DE"), "State": ("UT", None)})


def test_a_state_of_the_new_country_goes_together_with_it() -> None:
    decision = plan({"Country": "DE", "State": "NI"}, present(Country="NL", State="UT"))

    assert decision == Update(ID, {"Country": ("NL", "DE"), "State": ("UT", "NI")})


@pytest.mark.parametrize("there", [{}, {"State": None}, {"State": ""}], ids=["missing", "null", "empty"])
def test_no_state_is_sent_with_a_country_where_none_is_filled(there: dict[str, Any]) -> None:
    assert plan({"Country": "DE"}, present(Country="NL", **there)) == Update(ID, {"Country": ("NL", "DE")})


def test_a_state_alone_is_a_field_like_any_other() -> None:
    decision = plan({"Country": "NL", "State": "UT"}, present(Country="NL", State="NH"))

    assert decision == Update(ID, {"State": ("NH", "UT")})


# What Exact made of a value


@pytest.mark.parametrize("seconds", [-60, 0])
def test_what_exact_made_of_our_value_is_left_alone(seconds: int) -> None:
    modified_at = AT + timedelta(seconds=seconds)

    decision = plan({"SalesCurrency": "USD"}, present(modified_at=modified_at), written(SalesCurrency="USD"))

    assert decision == Leave(ID)


def test_what_someone_made_of_our_value_later_is_set_right() -> None:
    later = AT + timedelta(milliseconds=7)

    decision = plan({"City": "Gent"}, present(modified_at=later, City="Delft"), written(City="Gent"))

    assert decision == Update(ID, {"City": ("Delft", "Gent")})


def test_a_new_value_of_the_source_is_written_whatever_exact_made_of_the_old_one() -> None:
    decision = plan({"SalesCurrency": "GBP"}, present(modified_at=AT), written(SalesCurrency="USD"))

    assert decision == Update(ID, {"SalesCurrency": (None, "GBP")})


@pytest.mark.parametrize(
    ("modified_at", "written_at"), [(None, AT), (AT, None)], ids=["row without Modified", "write without time"]
)
def test_when_it_is_not_known_who_was_last_the_field_is_written(
    modified_at: datetime | None, written_at: datetime | None
) -> None:
    decision = plan({"City": "Gent"}, present(modified_at=modified_at), written(written_at=written_at, City="Gent"))

    assert decision == Update(ID, {"City": (None, "Gent")})


# What a killed run wrote and could not note


def test_a_row_that_holds_all_that_was_about_to_be_written_was_written_by_us() -> None:
    there = present(modified_at=AT, Name="Jan", City="Gent", Fax="1")

    noted = recovered(ACCOUNTS, {"Name": "Jan ", "City": "Gent"}, there, written(Phone="2"))

    assert noted == written(Phone="2", Name="Jan ", City="Gent")


def test_a_row_that_lacks_some_of_it_was_not() -> None:
    before = written(Phone="2")

    assert recovered(ACCOUNTS, {"Name": "Jan", "City": "Gent"}, present(Name="Jan", City="Delft"), before) == before
    assert recovered(ACCOUNTS, {"Name": "Jan"}, None, before) == before
    assert recovered(ACCOUNTS, {}, present(Name="Jan"), before) == before


def test_what_was_written_to_an_account_that_is_gone_is_no_part_of_it() -> None:
    noted = recovered(ACCOUNTS, {"Name": "Jan"}, present(modified_at=AT, Name="Jan"), written(OTHER_ID, Phone="2"))

    assert noted == written(Name="Jan")


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
        ("EndDate", "2026-01-31T00:00:00", "2026-01-31T00:00:00+01:00", True),
        ("EndDate", "2026-01-30T23:00:00+00:00", "2026-01-31T00:00:00+01:00", True),
        ("EndDate", "2026-01-31T12:00:00.003+01:00", "2026-01-31T12:00:00.001+01:00", True),
        ("EndDate", "2026-01-31T12:00:00.003+01:00", "2026-01-31T12:00:00.013+01:00", False),
        ("EndDate", "2026-01-31T00:00:00", "2026-02-01T00:00:00+01:00", False),
    ],
)
def test_values_that_mean_the_same_to_exact_are_the_same(name: str, one: Any, other: Any, equal: bool) -> None:
    assert same(ACCOUNTS.fields[name], one, other) is equal
    assert same(ACCOUNTS.fields[name], other, one) is equal


# Laws

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Name": st.sampled_from(["Jan BV", "JAN B.V.", "Piet NV", "Jan BV "]),
    "City": st.text("Gent ", max_size=3),
    "Country": st.sampled_from(["NL", "BE"]),
    "State": st.sampled_from(["UT", "NH"]),
    "Status": st.sampled_from("ASPC"),
    "IsSupplier": st.booleans(),
    "VATNumber": st.sampled_from(["NL1", "nl 1", "BE2"]),
    "ChamberOfCommerce": st.sampled_from(["12345678", "87654321"]),
    "Latitude": st.floats(-90, 90),
    "IsMailing": st.integers(0, 1),
    "EndDate": (INSTANTS | INSTANTS.map(lambda at: at.replace(tzinfo=timezone.utc))).map(datetime.isoformat),
}
ROWS = st.fixed_dictionaries({}, optional={name: st.none() | value for name, value in VALUES.items()})
TIMES = st.none() | st.sampled_from([AT - timedelta(minutes=1), AT, AT + timedelta(minutes=1)])
PRESENT = st.builds(Present, st.just(ID), ROWS, TIMES)
WRITTEN = st.none() | st.builds(LastWritten, st.sampled_from([ID, OTHER_ID]), ROWS, TIMES)
POLICIES = st.builds(
    Policy,
    st.sampled_from(get_args(LoadMethod)),
    st.sampled_from(get_args(Nulls)),
    st.sampled_from(get_args(OnCollision)),
)


def after(there: Present, before: LastWritten | None, update: Update) -> tuple[Present, LastWritten]:
    """What the division holds, and what we know of our writing, once the update is carried out."""
    ours = before.values if before is not None and before.account_id == there.account_id else {}
    return (
        Present(there.account_id, {**there.values, **update.values}, AT),
        LastWritten(there.account_id, {**ours, **update.values}, AT),
    )


@given(ROWS, PRESENT, WRITTEN, POLICIES)
def test_once_an_update_is_carried_out_nothing_is_left_to_do(
    wanted: dict[str, Any], there: Present, before: LastWritten | None, policy: Policy
) -> None:
    decision = decide(ACCOUNTS, wanted, there, before, policy)
    if not isinstance(decision, Update):
        return

    assert decide(ACCOUNTS, wanted, *after(there, before, decision), policy) == Leave(ID)


@given(ROWS, PRESENT, WRITTEN, POLICIES)
def test_once_an_update_is_carried_out_nothing_is_left_to_do_even_if_it_could_not_be_noted(
    wanted: dict[str, Any], there: Present, before: LastWritten | None, policy: Policy
) -> None:
    decision = decide(ACCOUNTS, wanted, there, before, policy)
    if not isinstance(decision, Update):
        return
    now_there, noted = after(there, before, decision)

    found_out = recovered(ACCOUNTS, decision.values, now_there, before)

    assert found_out == noted
    assert decide(ACCOUNTS, wanted, now_there, found_out, policy) == Leave(ID)


@given(ROWS, WRITTEN, POLICIES)
def test_once_a_create_is_carried_out_nothing_is_left_to_do(
    wanted: dict[str, Any], before: LastWritten | None, policy: Policy
) -> None:
    decision = decide(ACCOUNTS, wanted, None, before, policy)
    if not isinstance(decision, Create):
        return

    again = decide(ACCOUNTS, wanted, Present(ID, decision.values, AT), LastWritten(ID, decision.values, AT), policy)

    assert again == Leave(ID) or (policy.load_method == "append-only" and isinstance(again, Skip))


@given(ROWS, PRESENT, WRITTEN, POLICIES)
@example({"Country": "BE", "State": "UT"}, Present(ID, {"Country": "NL", "State": "UT"}), None, UPSERT)
def test_an_update_carries_only_what_differs_and_a_state_only_else_beside_its_country(
    wanted: dict[str, Any], there: Present, before: LastWritten | None, policy: Policy
) -> None:
    decision = decide(ACCOUNTS, wanted, there, before, policy)
    if not isinstance(decision, Update):
        return

    assert decision.changes
    for name, (was, becomes) in decision.changes.items():
        assert was == there.values.get(name)
        assert becomes == wanted.get(name)
        beside_country = name == "State" and "Country" in decision.changes
        assert beside_country or not same(ACCOUNTS.fields[name], was, becomes)


@given(ROWS, PRESENT, WRITTEN, st.sampled_from(get_args(OnCollision)))
def test_keep_empties_nothing_but_the_state_of_a_country_that_changes(
    wanted: dict[str, Any], there: Present, before: LastWritten | None, on_collision: OnCollision
) -> None:
    decision = decide(ACCOUNTS, wanted, there, before, Policy(nulls="keep", on_collision=on_collision))
    if not isinstance(decision, Update):
        return

    emptied = {name for name, value in decision.values.items() if value in (None, "")}
    assert emptied <= ({"State"} if "Country" in decision.changes else set())


@given(ROWS, st.none() | PRESENT, WRITTEN, POLICIES)
def test_deciding_changes_nothing_and_keeps_to_the_load_method(
    wanted: dict[str, Any], there: Present | None, before: LastWritten | None, policy: Policy
) -> None:
    untouched = dict(wanted), dict(there.values) if there else None

    decision = decide(ACCOUNTS, wanted, there, before, policy)

    assert (wanted, there.values if there else None) == untouched
    assert not (policy.load_method == "update-only" and isinstance(decision, Create))
    assert not (policy.load_method == "append-only" and isinstance(decision, Update))


# What is remembered of a copy, and its departure

SOURCE = Source(100, OTHER_ID)
TODAY = "2026-06-25T00:00:00"


def leave_and_remember(wanted: dict[str, Any], link: LastWritten, **policy: Any) -> LastWritten:
    return remembered(ACCOUNTS, wanted, link, SOURCE, Policy(**policy))


def test_what_was_equal_is_wanted_as_much_as_what_was_written() -> None:
    link = leave_and_remember({"Name": "Jan", "City": "Gent", "Fax": None}, written(Name="Jan"))

    assert (link.values, link.besides) == ({"Name": "Jan"}, {"City": "Gent"})
    assert wanted_of(link, UPSERT) == {"Name": "Jan", "City": "Gent"}


def test_a_value_that_was_overtaken_in_the_target_is_wanted_in_its_new_form() -> None:
    link = leave_and_remember({"City": "Gent"}, written(City="Delft"))

    assert wanted_of(link, UPSERT) == {"City": "Gent"}


@pytest.mark.parametrize("wanted", [{"Name": "Jan", "Phone": None}, {"Name": "Jan"}], ids=["emptied", "deselected"])
def test_what_the_source_gives_no_more_is_not_wanted_back(wanted: dict[str, Any]) -> None:
    link = leave_and_remember(wanted, written(Name="Jan", Phone="1"))

    assert wanted_of(link, UPSERT) == {"Name": "Jan"}


def test_what_is_always_cleared_stays_wanted_empty() -> None:
    link = leave_and_remember({"Name": "Jan", "Fax": None}, written(Name="Jan", City="Gent"), nulls="clear")

    assert wanted_of(link, Policy(nulls="clear")) == {"Name": "Jan", "Fax": None}


def copy_of(source: Source | None = SOURCE, **values: Any) -> LastWritten:
    return LastWritten(ID, values, AT, source=source)


def departed(there: Present | None, before: LastWritten | None, how: Any = "block", **policy: Any) -> Any:
    return depart(ACCOUNTS, SOURCE, there, before, how, TODAY, Policy(**policy))


def test_a_copy_is_blocked_as_of_today_unless_it_ended_before() -> None:
    there = present(Name="Jan", Blocked=False, EndDate=None)

    assert departed(there, copy_of()) == Update(ID, {"Blocked": (False, True), "EndDate": (None, TODAY)})
    assert departed(present(Blocked=False, EndDate="2020-01-01T00:00:00"), copy_of()) == Update(
        ID, {"Blocked": (False, True)}
    )
    assert departed(present(Blocked=True, EndDate=TODAY), copy_of()) == Leave(ID)


def test_only_copies_of_the_deleted_account_depart() -> None:
    assert departed(present(), copy_of(), "delete") == Delete(ID)
    assert isinstance(departed(present(), copy_of(Source(100, ID)), "delete"), Skip)
    assert isinstance(departed(present(), None, "delete"), Skip)
    assert departed(None, copy_of(), "delete") == Leave(ID)


def test_a_killed_block_is_known_again_and_taken_back_when_the_account_returns() -> None:
    intended = {"Blocked": [False, True], "EndDate": [None, TODAY]}
    there = present(Name="Jan", Blocked=True, EndDate="2026-06-25T00:00:00+02:00")

    link = recovered(ACCOUNTS, intended, there, copy_of(Name="Jan"))

    assert link is not None
    assert link.gone == {"Blocked": (False, True), "EndDate": (None, TODAY)}
    assert plan({"Name": "Jan"}, there, link) == Update(ID, {"Blocked": (True, False), "EndDate": (TODAY, None)})


def test_a_killed_block_that_did_not_get_through_leaves_no_trace() -> None:
    before = copy_of(Name="Jan")

    assert recovered(ACCOUNTS, {"Blocked": [False, True]}, present(Blocked=False), before) == before


@pytest.mark.parametrize("told", [None, {}, {"Division": "x", "ID": "1"}, {"Division": 100}, {"Division": 1, "ID": ""}])
def test_a_source_that_is_not_told_is_none(told: Any) -> None:
    assert source_in(told) is None
