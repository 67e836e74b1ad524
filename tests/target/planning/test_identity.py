"""Evidence that two records are of one party, and the first-contact rule (cases B7 and C3)."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS, DIVISIONS, IdentityRule
from hypothesis import given
from hypothesis import strategies as st
from target_exactonline.planning.collisions import at_first_contact, became_another, other_party
from target_exactonline.planning.identity import ADDRESS, evidence, plain_name

Row = dict[str, Any]


def rule() -> IdentityRule:
    assert ACCOUNTS.identity is not None
    return ACCOUNTS.identity


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jan BV", "JAN B.V."),
        ("Jan b. v.", "Jan"),
        ("Bakkerij De Zon", "bakkerij de-zon"),
        ("Café Zürich GmbH & Co. KG", "cafe zurich"),
        ("Müller Straße AG", "MULLER STRASSE"),
        ("Søren Ødegård ApS", "Soren Odegard"),
        ("Stichting 't Hart", "t Hart"),
        ("Dupont S.A.R.L.", "DUPONT"),
        ("O\u2019Brien Ltd.", "OBrien Limited"),
        ("Jansen & Zn.", "Jansen Zn"),
    ],
)
def test_names_agree_case_punctuation_diacritics_and_legal_form_aside(one: str, other: str) -> None:
    assert plain_name(one) == plain_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Bakkerij De Zon", "Bakkerij De Maan"), ("Jan BV", "Piet BV"), ("BV", "NV"), ("Jansen 1", "Jansen 2")],
)
def test_names_that_differ_otherwise_are_two(one: str, other: str) -> None:
    assert plain_name(one) != plain_name(other)


@pytest.mark.parametrize(
    ("field", "one", "other", "agrees"),
    [
        ("VATNumber", {"VATNumber": "NL 0012.34.567.B01"}, {"VATNumber": "nl1234567b01"}, True),
        ("VATNumber", {"VATNumber": "001234567B01", "Country": "NL"}, {"VATNumber": "NL001234567B01"}, True),
        ("VATNumber", {"VATNumber": "BE 0403.019.261"}, {"VATNumber": "403019261", "Country": "BE"}, True),
        ("VATNumber", {"VATNumber": "EL094259216"}, {"VATNumber": "094259216", "Country": "GR"}, True),
        ("VATNumber", {"VATNumber": "NL001234567B01"}, {"VATNumber": "NL001234567B02"}, False),
        ("VATNumber", {"VATNumber": "BE0403019261"}, {"VATNumber": "NL403019261B01"}, False),
        ("ChamberOfCommerce", {"ChamberOfCommerce": "01234567"}, {"ChamberOfCommerce": "1234567"}, True),
        ("ChamberOfCommerce", {"ChamberOfCommerce": "12 34 56 78"}, {"ChamberOfCommerce": "12345679"}, False),
        ("RSIN", {"RSIN": "0012.34.567"}, {"RSIN": "001234567"}, True),
        ("Email", {"Email": "Info@Jan.example"}, {"Email": "info@jan.example "}, True),
        ("Email", {"Email": "info@jan.example"}, {"Email": "in.fo@jan.example"}, False),
        ("Phone", {"Phone": "030-1234567", "Country": "NL"}, {"Phone": "+31 (0)30 123 45 67"}, True),
        ("Phone", {"Phone": "030-1234567", "Country": "NL"}, {"Phone": "030 1234567"}, True),
        ("Phone", {"Phone": "0031301234567", "Country": "NL"}, {"Phone": "030 1234567", "Country": "NL"}, True),
        ("Phone", {"Phone": "030-1234567"}, {"Phone": "0301234567"}, True),
        ("Phone", {"Phone": "030-1234567", "Country": "NL"}, {"Phone": "030-1234567", "Country": "DE"}, False),
        ("Website", {"Website": "https://www.Jan.example/"}, {"Website": "jan.example"}, True),
        ("Website", {"Website": "https://jan.example/nl"}, {"Website": "https://jan.example/be"}, False),
        (
            ADDRESS,
            {"Postcode": "3511 AB", "AddressLine1": "Oudegracht 12 a"},
            {"Postcode": "3511ab", "AddressLine1": "Oude Gracht 12A"},
            True,
        ),
        (
            ADDRESS,
            {"Postcode": "3511 AB", "AddressLine1": "Gebouw Zuid", "AddressLine2": "Oudegracht 12"},
            {"Postcode": "3511AB", "AddressLine1": "Oudegracht 12"},
            True,
        ),
        (
            ADDRESS,
            {"Postcode": "3511AB", "AddressLine1": "Oudegracht 12"},
            {"Postcode": "3511AB", "AddressLine1": "Oudegracht 14"},
            False,
        ),
    ],
)
def test_evidence_agrees_however_it_is_written(field: str, one: Row, other: Row, agrees: bool) -> None:
    found = evidence(rule(), one, other)

    assert (field in found.agrees, field in found.differs) == (agrees, not agrees)
    assert evidence(rule(), other, one) == found


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"Email": None, "Phone": ""},
        {"VATNumber": "-", "Phone": "112", "RSIN": "000", "Email": "x", "Website": "http://"},
        {"Postcode": "3511AB"},
    ],
    ids=["missing", "empty", "placeholders", "no house number"],
)
def test_what_is_not_filled_on_both_sides_is_no_evidence(row: Row) -> None:
    full = {
        "VATNumber": "NL1",
        "Email": "a@b.c",
        "Website": "b.c",
        "Phone": "030-1234567",
        "RSIN": "1",
        "Postcode": "3511AB",
        "AddressLine1": "A 1",
    }

    found = evidence(rule(), row, full)

    assert (found.agrees, found.differs) == ((), ())


CUSTOMER = {"Status": "C", "IsSupplier": False}
SUPPLIER = {"Status": "A", "IsSupplier": True}
BOTH = {"Status": "C", "IsSupplier": True}
NEITHER = {"Status": "P", "IsSupplier": False}


@pytest.mark.parametrize(
    ("source", "row"),
    [
        ({"Name": "Jan BV", "VATNumber": "NL1"}, {"Name": "JAN B.V.", "VATNumber": "NL2"}),
        ({"Name": "Jan", "Email": "a@jan.example"}, {"Name": "Piet", "Email": "A@JAN.example"}),
        ({"Name": "Jan", "VATNumber": "NL 12.34"}, {"Name": "Piet", "VATNumber": "nl1234"}),
        ({"Name": "Jan", "Website": "jan.example", "Phone": "1111111"}, {"Name": "P", "Website": "www.jan.example"}),
        ({"City": "Gent"}, {"Name": "Jan"}),
    ],
    ids=["same name", "same e-mail", "same number", "same website", "nothing to compare"],
)
def test_one_piece_of_evidence_that_agrees_is_enough(source: Row, row: Row) -> None:
    assert at_first_contact(ACCOUNTS, source, row) is None


@pytest.mark.parametrize(
    ("source", "row", "shown"),
    [
        (
            {"Name": "Jan BV", "VATNumber": "NL001234567B01", "Email": "a@b.example"},
            {"Name": "Piet NV", "VATNumber": "BE0123456749", "Email": "a@b.example"},
            ["Jan BV", "Piet NV", "VATNumber", "NL001234567B01", "BE0123456749"],
        ),
        (
            {"Name": "Jan BV", "ChamberOfCommerce": "12345678"},
            {"Name": "Piet NV", "ChamberOfCommerce": "87654321"},
            ["Jan BV", "Piet NV", "ChamberOfCommerce", "12345678", "87654321"],
        ),
        (
            {"Name": "Bakkerij De Zon", "City": "Utrecht", "Phone": "030-1234567"},
            {"Name": "Bakkerij De Maan", "City": "Utrecht", "Phone": "040-1234567"},
            ["Bakkerij De Zon", "Bakkerij De Maan", "nothing that identifies them agrees (Name and Phone differ)"],
        ),
        ({"Name": "Jan", "VATNumber": "NL1"}, {"Name": "Piet", "VATNumber": None}, ["Jan", "Piet", "Name differs"]),
        ({"Email": "a@b.example"}, {"Name": "Jan", "Email": "c@d.example"}, ["Jan", "without a name", "Email differs"]),
    ],
    ids=["VAT number", "chamber of commerce", "nothing agrees", "only names", "only e-mail"],
)
def test_another_party_under_the_code_is_refused_with_the_evidence(source: Row, row: Row, shown: list[str]) -> None:
    reason = at_first_contact(ACCOUNTS, source, row)

    assert reason is not None
    assert [part for part in (*shown, "on_collision") if part not in reason] == []


@pytest.mark.parametrize(("ours", "theirs"), [(CUSTOMER, SUPPLIER), (SUPPLIER, CUSTOMER)], ids=["ours", "theirs"])
def test_only_a_customer_and_only_a_supplier_are_two_parties(ours: Row, theirs: Row) -> None:
    reason = at_first_contact(ACCOUNTS, {"Name": "Jan", **ours}, {"Name": "Jan", **theirs})

    assert reason is not None
    words = ("only a supplier", "only a customer") if theirs is SUPPLIER else ("only a customer", "only a supplier")
    assert words[1] in reason.partition(words[0])[2]  # theirs first, then ours


@pytest.mark.parametrize("ours", [CUSTOMER, SUPPLIER, BOTH, NEITHER, {}], ids=str)
@pytest.mark.parametrize("theirs", [BOTH, NEITHER, {}, {"Status": "C"}], ids=str)
def test_a_role_that_overlaps_or_is_not_known_makes_no_other_party(ours: Row, theirs: Row) -> None:
    assert at_first_contact(ACCOUNTS, {"Name": "Jan", **ours}, {"Name": "Jan", **theirs}) is None


def test_a_tied_row_is_another_party_only_when_a_number_says_so_and_nothing_agrees() -> None:
    source = {"Name": "Jan", "VATNumber": "NL1", "Email": "a@jan.example"}

    assert became_another(ACCOUNTS, source, {"Name": "Piet", "VATNumber": "NL2"}) is not None
    assert became_another(ACCOUNTS, source, {"Name": "Piet", "VATNumber": "NL2", "Email": "a@jan.example"}) is None
    assert became_another(ACCOUNTS, source, {"Name": "Piet", "Email": "b@piet.example"}) is None


def test_an_entity_without_an_identity_rule_is_known_by_its_key_alone() -> None:
    assert other_party(DIVISIONS, {"Description": "A"}, {"Description": "B"}) is None


def test_deciding_loads_no_library_of_numbers_until_two_of_them_differ() -> None:
    script = (
        "import sys\n"
        "from exactonline_client.entities import ACCOUNTS\n"
        "import target_exactonline.planning.decide as planning\n"
        "ONE = {'Name': 'Jan', 'Phone': '030-1234567', 'VATNumber': 'NL001234567B01'}\n"
        "planning.collisions.other_party(ACCOUNTS, ONE, ONE)\n"
        "print(sorted({'stdnum', 'phonenumbers', 'pycountry'} & set(sys.modules)))\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


TEXTS = st.text("ab1 .-/@+é", max_size=8)
PARTIES = st.fixed_dictionaries(
    {},
    optional={
        name: st.none() | TEXTS
        for name in ("Name", "Country", "Postcode", "AddressLine1", *(rule().evidence), "Status")
    }
    | {"IsSupplier": st.booleans()},
)


@given(PARTIES, PARTIES)
def test_evidence_is_the_same_from_either_side(one: Row, other: Row) -> None:
    found = evidence(rule(), one, other)

    assert evidence(rule(), other, one) == found
    assert set(found.agrees).isdisjoint(found.differs)
    assert (other_party(ACCOUNTS, one, other) is None) == (other_party(ACCOUNTS, other, one) is None)


@given(PARTIES)
def test_a_party_is_never_another_than_itself(one: Row) -> None:
    assert evidence(rule(), one, one).differs == ()
    assert other_party(ACCOUNTS, one, one) is None
