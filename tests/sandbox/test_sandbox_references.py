"""Accounts that refer to lists, to users and to each other: dossier 2.4, 2.5, E 3.15 and references.csv."""

from typing import Any

import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, small_world

FOREIGN = "11111111-2222-3333-4444-555555555555"
LISTS: dict[str, list[dict[str, Any]]] = {
    "PaymentConditions": [{"Code": "30", "Description": "30 dagen"}],
    "GLAccounts": [
        {"Code": "1300", "Description": "Debiteuren", "Type": 20},
        {"Code": "1600", "Description": "Crediteuren", "Type": 22},
        {"Code": "4000", "Description": "Inkoop", "Type": 120},
        {"Code": "8000", "Description": "Omzet", "Type": 110},
        {"Code": "8999", "Description": "Oud", "Type": 110, "IsBlocked": True},
    ],
    "VATCodes": [
        {"Code": "2", "Description": "21 %", "VATTransactionType": "B"},
        {"Code": "5", "Description": "Voorbelasting", "VATTransactionType": "P"},
        {"Code": "9", "Description": "19 %", "VATTransactionType": "B", "IsBlocked": True},
    ],
    "AccountClassificationNames": [{"SequenceNumber": 1}, {"SequenceNumber": 2}],
    "AccountClassifications": [
        {"AccountClassificationName": 1, "Code": "A"},
        {"AccountClassificationName": 2, "Code": "B"},
    ],
    "SalesPriceLists": [{"Code": "GROOT"}],
    "ShippingMethods": [{"Code": "PK"}, {"Code": "OUD", "Active": False}],
    "LeadSources": [{"Code": "WEB"}],
    "LeadPurposes": [{"Code": "NW"}],
}
BY_CODE = {
    "PaymentConditionSales": ("30", "Betalingsconditie"),
    "PaymentConditionPurchase": ("30", "Betalingsconditie"),
    "SalesVATCode": ("2", "Btw-code"),
    "PurchaseVATCode": ("5", "Btw-code"),
}
BY_GUID = {
    "GLAccountSales": ("GLAccounts", ("8000",), "Grootboekrekening: Verkoop"),
    "GLAccountPurchase": ("GLAccounts", ("4000",), "Grootboekrekening: Inkoop"),
    "GLAR": ("GLAccounts", ("1300",), "Debiteurenrekening"),
    "GLAP": ("GLAccounts", ("1600",), "Crediteurenrekening"),
    "Classification1": ("AccountClassifications", ("1", "A"), "Classificatie 1"),
    "Classification2": ("AccountClassifications", ("2", "B"), "Classificatie 2"),
    "PriceList": ("SalesPriceLists", ("GROOT",), "Prijslijst"),
    "ShippingMethod": ("ShippingMethods", ("PK",), "Verzendwijze"),
    "LeadSource": ("LeadSources", ("WEB",), "Bron"),
    "LeadPurpose": ("LeadPurposes", ("NW",), "Doel"),
}
TO_ACCOUNTS = {
    "Parent": "Hoofdrelatie",
    "InvoiceAccount": "Factuur voor",
    "Reseller": "Reseller",
    "Accountant": "Accountant",
}


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    """The source and company 201 with the same lists, under GUIDs of their own."""
    sandbox.reset(small_world(lists={100: LISTS, 201: LISTS}))
    return sandbox


@pytest.mark.parametrize("name", BY_CODE)
def test_a_code_that_the_company_has_is_kept(sandbox: Sandbox, exact: Exact, name: str) -> None:
    code, _ = BY_CODE[name]

    made = exact.post(201, {"Name": "Nieuw", name: code})
    changed = exact.put(100, exact.key(100, "1"), {name: code})

    assert (made.status_code, changed.status_code) == (201, 204)
    assert sandbox.accounts(201)[0][name] == sandbox.account(100, "1")[name] == code


@pytest.mark.parametrize("name", BY_CODE)
def test_a_code_that_the_company_lacks_is_refused_in_the_words_of_the_user(
    sandbox: Sandbox, exact: Exact, name: str
) -> None:
    answer = exact.post(202, {"Name": "Nieuw", name: BY_CODE[name][0]})

    assert (answer.status_code, message(answer)) == (500, f"Ongeldige referentie: {BY_CODE[name][1]}")
    assert sandbox.accounts(202) == []


@pytest.mark.parametrize("name", BY_GUID)
def test_a_guid_of_the_company_is_kept_and_that_of_another_refused(sandbox: Sandbox, exact: Exact, name: str) -> None:
    kind, natural, label = BY_GUID[name]
    own, foreign = (sandbox.list_row(division, kind, *natural)["ID"] for division in (201, 100))

    refused = exact.post(201, {"Name": "Vreemd", name: foreign})
    made = exact.post(201, {"Name": "Eigen", name: own.upper()})

    assert (refused.status_code, message(refused)) == (500, f"Ongeldige referentie: {label}")
    assert made.status_code == 201
    assert [row[name] for row in sandbox.accounts(201)] == [own]


@pytest.mark.parametrize("name", TO_ACCOUNTS)
def test_an_account_refers_to_accounts_of_its_company_only(sandbox: Sandbox, exact: Exact, name: str) -> None:
    sandbox.seed(201, [{"Code": "7", "Name": "Zeven", "IsReseller": True, "IsAccountant": 1}])

    refused = exact.post(201, {"Name": "Vreemd", name: exact.key(100, "1")})
    made = exact.post(201, {"Name": "Eigen", name: exact.key(201, "7")})

    assert (refused.status_code, message(refused)) == (500, f"Ongeldige referentie: {TO_ACCOUNTS[name]}")
    assert made.status_code == 201


def test_several_bad_references_are_told_together_and_nothing_is_changed(sandbox: Sandbox, exact: Exact) -> None:
    before = sandbox.account(100, "1")

    answer = exact.put(100, before["ID"], {"City": "Ede", "Parent": FOREIGN, "SalesVATCode": "77"})

    assert message(answer) == "Ongeldige referentie: Hoofdrelatie\r\nOngeldige referentie: Btw-code"
    assert sandbox.account(100, "1") == before


def test_english_users_read_of_an_invalid_reference(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(user={"language": "EN"}))

    answer = Exact(sandbox).post(201, {"Name": "New", "PaymentConditionSales": "30"})

    assert message(answer) == "Invalid reference: Payment condition"


def test_by_a_switch_foreign_guids_are_dropped_without_a_word(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(foreign_guid="null")
    foreign = sandbox.list_row(100, "GLAccounts", "8000")["ID"]

    answer = exact.post(201, {"Name": "Nieuw", "Parent": FOREIGN, "GLAccountSales": foreign, "GLAR": FOREIGN})
    refused = exact.post(202, {"Name": "Nieuw", "SalesVATCode": "2"})

    (row,) = sandbox.accounts(201)
    assert (answer.status_code, refused.status_code) == (201, 500)
    assert (row["Parent"], row["GLAccountSales"], row["GLAR"]) == (None, None, None)


def test_by_another_switch_unknown_codes_are(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(unknown_code="null")
    sandbox.edit(100, "1", SalesVATCode="2")

    changed = exact.put(100, exact.key(100, "1"), {"SalesVATCode": "77", "City": "Ede"})
    refused = exact.put(100, exact.key(100, "1"), {"Parent": FOREIGN})

    row = sandbox.account(100, "1")
    assert (changed.status_code, refused.status_code) == (204, 500)
    assert (row["SalesVATCode"], row["City"]) == (None, "Ede")


@pytest.mark.parametrize(
    ("name", "code"), [("GLAccountSales", "1300"), ("GLAccountPurchase", "8000"), ("GLAR", "1600"), ("GLAP", "1300")]
)
def test_a_ledger_account_of_the_wrong_type_is_refused_unless_switched(
    sandbox: Sandbox, exact: Exact, name: str, code: str
) -> None:
    key = sandbox.list_row(201, "GLAccounts", code)["ID"]

    refused = exact.post(201, {"Name": "Nieuw", name: key})
    sandbox.limits(ledger_types="any")
    taken = exact.post(201, {"Name": "Nieuw", name: key})

    assert (refused.status_code, message(refused)) == (500, "Ongeldig: Grootboekrekeningtype")
    assert taken.status_code == 201


def test_a_vat_code_for_purchases_is_none_for_sales(exact: Exact) -> None:
    answer = exact.post(201, {"Name": "Nieuw", "SalesVATCode": "5"})

    assert (answer.status_code, message(answer)) == (500, "Ongeldig: Btw-code")


def test_a_classification_of_another_slot_is_refused(sandbox: Sandbox, exact: Exact) -> None:
    key = sandbox.list_row(201, "AccountClassifications", "2", "B")["ID"]

    assert (
        message(exact.post(201, {"Name": "Nieuw", "Classification1": key})) == "Ongeldige referentie: Classificatie 1"
    )


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("GLAccountSales", "GLAccounts", "8999"),
        ("ShippingMethod", "ShippingMethods", "OUD"),
        ("SalesVATCode", "VATCodes", "9"),
    ],
)
def test_what_is_blocked_or_inactive_counts_as_missing(
    sandbox: Sandbox, exact: Exact, name: str, kind: str, code: str
) -> None:
    value = code if kind == "VATCodes" else sandbox.list_row(201, kind, code)["ID"]

    assert message(exact.post(201, {"Name": "Nieuw", name: value})).startswith("Ongeldige referentie: ")


def test_a_manager_is_a_user_whose_login_has_not_ended(sandbox: Sandbox, exact: Exact) -> None:
    user = exact.rows("current/Me")[0]["UserID"]
    key = exact.key(100, "1")

    unknown = exact.put(100, key, {"AccountManager": FOREIGN})
    known = exact.put(100, key, {"AccountManager": user})
    manager = exact.row(100, "1", select="AccountManagerFullName")["AccountManagerFullName"]
    sandbox.edit_list_row(100, "Users", "anna@example.com", EndDate="2020-01-01")
    ended = exact.put(100, key, {"AccountManager": user})

    assert message(unknown) == message(ended) == "Ongeldige referentie: Accountmanager"
    assert (known.status_code, manager) == (204, "Anna de Boer")


def test_a_row_tells_of_what_it_refers_to(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.edit(100, "1", IsReseller=True)
    sandbox.edit(100, "2", SalesVATCode="2", PurchaseVATCode="5", PaymentConditionSales="30", InvoiceAccount="3")
    sandbox.edit(100, "2", PaymentConditionPurchase="30", Reseller="1", AccountManager="anna@example.com")

    row = exact.row(100, "2")

    assert (row["SalesVATCode"], row["SalesVATCodeDescription"]) == ("2  ", "21 %")
    assert (row["PurchaseVATCode"], row["PurchaseVATCodeDescription"]) == ("5  ", "Voorbelasting")
    assert row["PaymentConditionSalesDescription"] == row["PaymentConditionPurchaseDescription"] == "30 dagen"
    assert (row["ResellerCode"].strip(), row["ResellerName"]) == ("1", "Klant 1 B.V.")
    assert (row["InvoiceAccountCode"].strip(), row["InvoiceAccountName"]) == ("3", "Klant 3 B.V.")
    assert row["AccountManagerFullName"] == "Anna de Boer"


def test_a_reference_is_emptied_by_null(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.edit(100, "2", Parent="1", PaymentConditionSales="30")

    exact.put(100, exact.key(100, "2"), {"Parent": None, "PaymentConditionSales": None})

    row = sandbox.account(100, "2")
    assert (row["Parent"], row["PaymentConditionSales"]) == (None, None)


@pytest.mark.parametrize(("name", "flag"), [("Accountant", {"IsAccountant": 1}), ("Reseller", {"IsReseller": True})])
def test_an_accountant_or_reseller_must_be_one(sandbox: Sandbox, exact: Exact, name: str, flag: dict[str, Any]) -> None:
    key = exact.key(100, "1")

    refused = exact.put(100, exact.key(100, "2"), {name: key})
    sandbox.edit(100, "1", **flag)
    taken = exact.put(100, exact.key(100, "2"), {name: key})

    assert (message(refused), taken.status_code) == (f"Ongeldig: {name}", 204)


def test_references_without_a_list_are_guids_that_the_world_states(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={201: {"references": {"CompanySize": [FOREIGN]}}}))
    exact = Exact(sandbox)

    assert exact.post(201, {"Name": "Nieuw", "CompanySize": FOREIGN}).status_code == 201
    assert exact.post(202, {"Name": "Nieuw", "CompanySize": FOREIGN}).status_code == 500


def test_a_world_states_references_by_code(sandbox: Sandbox, exact: Exact) -> None:
    changed = sandbox.edit(100, "2", GLAccountSales="8000", Classification2="B", Parent="3")

    assert changed["GLAccountSales"] == sandbox.list_row(100, "GLAccounts", "8000")["ID"]
    assert changed["Classification2"] == sandbox.list_row(100, "AccountClassifications", "2", "B")["ID"]
    assert changed["Parent"] == exact.key(100, "3")
    with pytest.raises(AssertionError, match="GLAccounts of division 100 has no 9999"):
        sandbox.edit(100, "2", GLAccountSales="9999")


def test_a_currency_that_becomes_active_is_taken(sandbox: Sandbox, exact: Exact) -> None:
    exact.post(201, {"Code": "1", "Name": "Voor", "SalesCurrency": "USD"})
    sandbox.edit_list_row(201, "Currencies", "USD")

    exact.post(201, {"Code": "2", "Name": "Na", "SalesCurrency": "USD"})

    assert [row["SalesCurrency"] for row in sandbox.accounts(201)] == [None, "USD"]
