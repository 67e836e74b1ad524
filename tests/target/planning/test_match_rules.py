"""How a source record finds its row at first contact: values in one form, ranked rules, what speaks against a hit."""

from __future__ import annotations

import re
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS, DIVISIONS
from exactonline_client.errors import ConfigurationError
from hypothesis import given
from hypothesis import strategies as st
from planning_driver import OTHER_ID, desired, row
from target_exactonline.planning.match_keys import RULES, KeyIndex, key_of, match_rules
from target_exactonline.planning.matching import Ambiguous, Match, Tied, agreeing, better_claims, match, rows_of
from target_exactonline.planning.model import Desired, Existing

Row = dict[str, Any]
VAT, OTHER_VAT = "NL123456782B90", "NL001234567B01"
VALID, ALSO_VALID = "BE0403019261", "BE0417497106"


def found(wanted: Desired, *rows: Existing, rules: tuple[str, ...] = RULES, **options: Any) -> Match:
    return match(ACCOUNTS, rules, wanted, dict.fromkeys(rules, rows), **options)


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("VATNumber", {"VATNumber": "NL 1234.56.782.B90"}, {"VATNumber": "nl123456782b90"}),
        ("VATNumber", {"VATNumber": "123456782B90", "Country": "NL"}, {"VATNumber": "NL123456782B90"}),
        ("VATNumber", {"VATNumber": "BE 0403.019.261"}, {"VATNumber": "BE403019261"}),
        ("ChamberOfCommerce", {"ChamberOfCommerce": "01234568"}, {"ChamberOfCommerce": "1234 568"}),
        (
            "ChamberOfCommerce",
            {"ChamberOfCommerce": "BE0403.019.261", "Country": "BE"},
            {"ChamberOfCommerce": "0403019261", "Country": "BE"},
        ),
        ("RSIN", {"RSIN": "0012.34.567"}, {"RSIN": "1234567"}),
        ("Email", {"Email": " Info@Jan.example"}, {"Email": "info@jan.EXAMPLE"}),
        ("Name+Postcode", {"Name": "Jansen B.V.", "Postcode": "3511 AB"}, {"Name": "JANSEN", "Postcode": "NL-3511ab"}),
        ("Name+Postcode", {"Name": "Café Zürich", "Postcode": "B-2000"}, {"Name": "cafe zurich", "Postcode": "2000"}),
        (
            "Name+Postcode",
            {"Name": "Kohl GmbH", "Postcode": "1067", "Country": "DE"},
            {"Name": "Kohl", "Postcode": "D-01067", "Country": "DE"},
        ),
        ("Name+City", {"Name": "Jansen", "City": "'s-Gravenhage"}, {"Name": "Jansen VOF", "City": "Den Haag (NL)"}),
    ],
)
def test_a_value_has_one_key_however_it_is_written(rule: str, one: Row, other: Row) -> None:
    assert key_of(ACCOUNTS, rule, None, one) == key_of(ACCOUNTS, rule, None, other) is not None


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("VATNumber", {"VATNumber": "NL123456782B90"}, {"VATNumber": "NL123456782B91"}),
        ("Email", {"Email": "a.b@c.example"}, {"Email": "ab@c.example"}),
        ("Name+Postcode", {"Name": "Jan", "Postcode": "M1 1AE"}, {"Name": "Jan", "Postcode": "L1 1AE"}),
        ("Name+Postcode", {"Name": "Jan 1", "Postcode": "2000"}, {"Name": "Jan", "Postcode": "12000"}),
        ("Name+City", {"Name": "Jan", "City": "Ede"}, {"Name": "Jane", "City": "De"}),
    ],
)
def test_values_that_differ_have_keys_that_differ(rule: str, one: Row, other: Row) -> None:
    assert key_of(ACCOUNTS, rule, None, one) != key_of(ACCOUNTS, rule, None, other)


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("VATNumber", {"VATNumber": "NL000000000B00"}),
        ("VATNumber", {"VATNumber": "n.v.t."}),
        ("VATNumber", {"VATNumber": "NL999999999"}),
        ("ChamberOfCommerce", {"ChamberOfCommerce": "99999999"}),
        ("ChamberOfCommerce", {"ChamberOfCommerce": "HRB 40213", "Country": "DE"}),
        ("RSIN", {"RSIN": "-"}),
        ("Email", {"Email": "geen"}),
        ("Name+Postcode", {"Name": "Jansen"}),
        ("Name+Postcode", {"Name": "Jansen", "Postcode": "0000"}),
        ("Name+City", {"City": "Ede", "Name": None}),
        ("Code", {}),
    ],
)
def test_what_holds_a_place_or_is_missing_identifies_nobody(rule: str, values: Row) -> None:
    assert key_of(ACCOUNTS, rule, "", values) is None


def test_an_entity_without_an_identity_rule_is_looked_for_by_its_key_alone() -> None:
    assert key_of(DIVISIONS, "VATNumber", "5", {"VATNumber": VAT}) is None
    assert key_of(DIVISIONS, "Code", "5", {}) == "5"


def test_all_that_rules_look_at_is_always_read_of_every_row() -> None:
    looked_at = {name for rule in RULES for name in rule.split("+")} - {"Code"} | {"Country", "Status", "IsSupplier"}

    assert looked_at <= set(ACCOUNTS.safe_to_copy)


def test_without_the_setting_the_code_is_the_only_rule() -> None:
    assert match_rules(None) == ("Code",)
    assert match_rules(["VATNumber", "Code"]) == ("VATNumber", "Code")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "match_on is empty"),
        (["Code", "VAT"], "'VAT' is no rule. Did you mean VATNumber?"),
        (["name+postcode"], "Did you mean Name+Postcode?"),
        (["Beard"], "There are Code, VATNumber"),
        (["Code", "Email", "Code"], "match_on names Code more than once"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(given: list[str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        match_rules(given)


def test_one_hit_is_tied_by_the_first_rule_that_hits() -> None:
    there = row("30", VATNumber=VAT, Name="Jansen", Postcode="3511AB")

    assert found(desired("5", VATNumber=VAT, Name="Jansen", Postcode="3511 AB"), there) == Tied(there, "VATNumber")
    assert found(desired("5", Name="Jansen", Postcode="3511 AB"), there) == Tied(there, "Name+Postcode")
    assert found(desired("5", Name="Pietersen", Postcode="3511 AB"), there) is None


def test_several_hits_are_ambiguous_and_each_is_named_with_what_agrees() -> None:
    one = row("30", VATNumber=VAT, Name="Jansen")
    other = row("31", OTHER_ID, VATNumber=VAT, Name="Jansen Beheer")

    result = found(desired("5", VATNumber=VAT, Name="Jansen BV"), one, other)

    assert isinstance(result, Ambiguous)
    assert [(one.row.code, one.agrees) for one in result.candidates] == [
        ("30", ("Name", "VATNumber")),
        ("31", ("VATNumber",)),
    ]
    assert [
        part for part in ("30 'Jansen'", "31 'Jansen Beheer'", "VATNumber", "as-new") if part not in result.reason
    ] == []


@pytest.mark.parametrize(
    ("ours", "theirs", "doubt"),
    [
        (
            {"VATNumber": VAT, "ChamberOfCommerce": "30123456"},
            {"VATNumber": VAT, "ChamberOfCommerce": "30123457"},
            "ChamberOfCommerce",
        ),
        (
            {"ChamberOfCommerce": "30123456", "VATNumber": VALID},
            {"ChamberOfCommerce": "30123456", "VATNumber": ALSO_VALID},
            "VATNumber",
        ),
        (
            {"Name": "Jan", "Postcode": "3511AB", "VATNumber": VALID},
            {"Name": "Jan", "Postcode": "3511AB", "VATNumber": ALSO_VALID},
            "VATNumber",
        ),
        (
            {"Name": "Jan", "Postcode": "2000", "Country": "BE"},
            {"Name": "Jan", "Postcode": "2000", "Country": "CH"},
            "Country",
        ),
        (
            {"Name": "Jan", "Postcode": "2000", "AddressLine1": "Meir 1"},
            {"Name": "Jan", "Postcode": "2000", "AddressLine1": "Meir 99"},
            "house number",
        ),
        (
            {"Email": "a@jan.example", "Status": "C", "IsSupplier": False},
            {"Email": "a@jan.example", "Status": "A", "IsSupplier": True},
            "only a supplier here",
        ),
    ],
)
def test_one_hit_that_something_speaks_against_is_ambiguous(ours: Row, theirs: Row, doubt: str) -> None:
    result = found(desired("5", **ours), row("30", **theirs))

    assert isinstance(result, Ambiguous)
    assert doubt in result.reason


def test_a_slip_of_the_keys_in_a_vat_number_speaks_against_nothing() -> None:
    party = {"Name": "Jan", "Postcode": "2000", "AddressLine1": "Meir 1"}
    for typed in ("BE0403019216", "BE040301926", "BE0403019361", "BE04030192611"):
        there = row("30", **party, VATNumber=typed)

        assert found(desired("5", **party, VATNumber=VALID), there) == Tied(there, "Name+Postcode")


def test_a_row_under_the_code_of_another_party_is_no_hit_and_the_other_rules_go_on() -> None:
    another = row("5", OTHER_ID, Name="Piet NV", VATNumber=ALSO_VALID)
    there = row("30", Name="Jansen", VATNumber=VALID)
    wanted = desired("5", Name="Jansen", VATNumber=VALID)

    assert found(wanted, another, there) == Tied(there, "VATNumber")
    assert found(wanted, another) is None
    assert found(wanted, another, there, overwrites=True) == Tied(another, "Code")


def test_a_namesake_under_the_code_with_another_number_is_ambiguous_unless_another_rule_finds_the_row() -> None:
    namesake = row("5", OTHER_ID, Name="Jansen NV", VATNumber=ALSO_VALID)
    there = row("30", Name="Jansen Transport", VATNumber=VALID)
    wanted = desired("5", Name="Jansen", VATNumber=VALID)

    result = found(wanted, namesake)

    assert isinstance(result, Ambiguous)
    assert result.candidates[0].row == namesake
    assert found(wanted, namesake, there) == Tied(there, "VATNumber")
    assert found(wanted, namesake, rules=("Code",)) == Tied(namesake, "Code")


def test_the_order_of_the_rules_decides() -> None:
    at_code = row("5", OTHER_ID, Name="Jansen")
    there = row("30", Name="Jansen Transport", VATNumber=VALID)
    wanted = desired("5", Name="Jansen", VATNumber=VALID)

    assert found(wanted, at_code, there, rules=("Code", "VATNumber")) == Tied(at_code, "Code")
    assert found(wanted, at_code, there, rules=("VATNumber", "Code")) == Tied(there, "VATNumber")


def test_another_source_record_with_a_better_rule_has_the_better_claim() -> None:
    there = row("30", Name="Jansen", Postcode="2000", VATNumber=VALID)
    sources = KeyIndex()
    sources.add("Name+Postcode", key_of(ACCOUNTS, "Name+Postcode", "5", there.values), 1)
    sources.add("VATNumber", key_of(ACCOUNTS, "VATNumber", "30", there.values), 2)
    sources.add("Code", "30", 3)
    tied = Tied(there, "Name+Postcode")

    assert list(better_claims(ACCOUNTS, RULES, tied, sources, 1)) == [(3, "Code"), (2, "VATNumber")]
    sources.add("VATNumber", key_of(ACCOUNTS, "VATNumber", "30", there.values), 4)  # shared, so it is nobody's
    assert list(better_claims(ACCOUNTS, RULES, tied, sources, 1)) == [(3, "Code")]


TEXTS = st.text("ab1 .-/@+é", max_size=6)
NUMBERS = st.sampled_from([None, "", "-", VAT, OTHER_VAT, VALID, ALSO_VALID, "BE0403019262", "30123456", "30123457"])
NAMES = ("Name", "Postcode", "City", "AddressLine1", "Email")
PARTIES = st.fixed_dictionaries(
    {},
    optional={name: st.none() | TEXTS for name in NAMES}
    | dict.fromkeys(("VATNumber", "ChamberOfCommerce", "RSIN"), NUMBERS)
    | {"Country": st.sampled_from([None, "NL", "BE", " DE"])}
    | {"IsSupplier": st.booleans(), "Status": st.sampled_from("ACSP")},
)
CODES = st.sampled_from(["5", "6", "30"])


@given(PARTIES, st.lists(st.tuples(CODES, PARTIES), max_size=4), st.permutations(RULES))
def test_what_is_tied_has_the_value_of_its_rule_alone_and_no_better_rule_hits(
    party: Row, others: list[tuple[str, Row]], rules: list[str]
) -> None:
    rows = [row(code, f"id-{place}", **values) for place, (code, values) in enumerate(others)]
    wanted = desired("5", **party)

    result = found(wanted, *rows, rules=tuple(rules))

    if isinstance(result, Tied) and result.rule != "Code":
        for rule in rules[: rules.index(result.rule) + 1]:
            key = key_of(ACCOUNTS, rule, "5", party)
            hits = [one for one in rows if key and key_of(ACCOUNTS, rule, one.code, one.values) == key]
            assert hits == ([result.row] if rule == result.rule else []) or rule == "Code"
    assert set(map(id, rows_of(result))) <= set(map(id, rows))


@given(PARTIES, PARTIES)
def test_a_tie_by_a_rule_never_turns_one_registered_party_into_another(ours: Row, theirs: Row) -> None:
    result = found(desired("5", **ours), row("30", **theirs))

    if isinstance(result, Tied):
        for name in ("VATNumber", "ChamberOfCommerce"):
            both = key_of(ACCOUNTS, name, None, ours), key_of(ACCOUNTS, name, None, theirs)
            assert None in both or both[0] == both[1] or name == "VATNumber"
        assert {ours.get("VATNumber"), theirs.get("VATNumber")} != {VALID, ALSO_VALID}


@given(PARTIES)
def test_a_party_finds_itself_by_every_rule_that_it_has_a_value_for(party: Row) -> None:
    there = row("30", **party)

    for rule in RULES[1:]:
        has_value = key_of(ACCOUNTS, rule, None, party) is not None
        assert found(desired("5", **party), there, rules=(rule,)) == (Tied(there, rule) if has_value else None)
        assert has_value <= (set(rule.split("+")) <= set(agreeing(ACCOUNTS, party, party)))


@given(st.lists(st.tuples(st.sampled_from(RULES), st.sampled_from("abc"), st.integers(0, 9)), max_size=30))
def test_the_index_finds_all_that_were_added_and_nobody_else(added: list[tuple[str, str, int]]) -> None:
    index = KeyIndex()
    for place, (rule, key, number) in enumerate(added):
        index.add(rule, key, number)
        if place % 7 == 0:
            index.find(rule, key)

    for rule in RULES:
        for key in "abcd":
            expected = sorted({number for one, value, number in added if (one, value) == (rule, key)})
            assert list(index.find(rule, key)) == expected
