"""Dossier 2, 3, 4.3, 9: create, change, delete, and why not."""

from typing import Any

import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, customer, small_world

FOREIGN = "11111111-2222-3333-4444-555555555555"


def test_a_create_is_a_201_with_its_address_and_a_nearly_empty_echo(sandbox: Sandbox, exact: Exact) -> None:
    answer = exact.post(201, {"Name": "Nieuw", "Status": "C"})

    echo = answer.json()["d"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == echo["__metadata"]["uri"]
    assert echo["ID"] == sandbox.accounts(201)[0]["ID"]
    assert len(echo) == 167
    assert {name: value for name, value in echo.items() if value is not None} == {
        "__metadata": echo["__metadata"],
        "ID": echo["ID"],
        "BankAccounts": {"__deferred": {"uri": f"{echo['__metadata']['uri']}/BankAccounts"}},
        "IgnoreDatevWarningMessage": False,
        **dict.fromkeys(("CostPaid", "IsAccountant", "IsAgency", "IsAnonymised", "IsCompetitor", "IsMailing"), 0),
        **dict.fromkeys(("SeparateInvPerProject", "SeparateInvPerSubscription"), 0),
    }


def test_prefer_gives_all_values(exact: Exact) -> None:
    echo = exact.post(201, {"Name": "Nieuw", "Country": "NL"}, Prefer="return=representation").json()["d"]

    assert (echo["Name"], echo["Country"], echo["Code"]) == ("Nieuw", "NL ", "1".rjust(18))


def test_a_new_account_gets_the_recorded_defaults(sandbox: Sandbox) -> None:
    day = "2026-03-01T00:00:00"
    sandbox.reset(small_world(now="2026-03-01T12:00:00Z"))
    Exact(sandbox).post(201, {"Name": "Nieuw", "Status": "C"})

    (row,) = sandbox.accounts(201)

    expected: dict[str, Any] = {
        "IsSales": True,
        "IsPurchase": True,
        "IsSupplier": False,
        "Blocked": False,
        "CreditLineSales": 0,
        "InvoicingMethod": 0,
        "InvoiceAttachmentType": 1,
        "SecurityLevel": 10,
        "Type": "A",
        "Source": 2,
        "GlnNumber": "",
        "OINNumber": "",
        "SalesCurrency": "EUR",
        "PurchaseCurrency": "EUR",
        "StartDate": day,
        "StatusSince": day,
        "CustomerSince": day,
        "SearchCode": None,
        "Language": None,
        "Created": "2026-03-01T13:00:00",
        "Code": "1",
        "Division": 201,
    }
    assert {name: row[name] for name in expected} | {"Created": row["Created"][:19]} == expected


def test_sales_and_purchase_follow_the_status(sandbox: Sandbox, exact: Exact) -> None:
    exact.post(201, {"Name": "Nieuw", "Status": "A", "IsSales": True, "IsPurchase": True, "Type": "D"})

    (row,) = sandbox.accounts(201)

    assert (row["IsSales"], row["IsPurchase"], row["Type"]) == (False, False, "A")


def test_an_empty_code_becomes_the_highest_plus_one(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.seed(201, [customer(41), customer(7)])

    exact.post(201, {"Name": "Nieuw", "Code": ""})

    assert sandbox.codes(201) == ["41", "42", "7"]


def test_a_division_may_pad_its_codes_with_zeros(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={201: {"code_digits": 7}}))

    Exact(sandbox).post(201, {"Name": "Nieuw"})

    assert sandbox.codes(201) == ["0000001"]


@pytest.mark.parametrize("code", ["2", "                 2"])
def test_a_used_code_is_refused_plain_or_padded(sandbox: Sandbox, exact: Exact, code: str) -> None:
    answer = exact.post(100, {"Name": "Nieuw", "Code": code})

    assert (answer.status_code, message(answer)) == (500, "Gegeven bestaat reeds.")
    assert len(sandbox.codes(100)) == 3


def test_codes_with_zeros_in_front_are_other_codes(sandbox: Sandbox, exact: Exact) -> None:
    assert exact.post(100, {"Name": "Nieuw", "Code": "002"}).status_code == 201
    assert sandbox.codes(100) == ["002", "1", "2", "3"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Name": None}, "Verplicht: Naam"),
        ({"Name": " "}, "Verplicht: Naam"),
        ({"Email": "jan@@bakker"}, "Ongeldig: Email"),
        ({"Country": "ZZ"}, "Ongeldig: Land"),
        ({"State": "BY"}, "Ongeldig: Provincie"),
        ({"Status": "X"}, "Ongeldig: Status"),
        ({"Code": "K12"}, "Ongeldig: Code"),
        ({"Code": "1" * 19}, "Ongeldig: Code"),
        ({"Parent": FOREIGN}, "Ongeldige referentie: Hoofdrelatie"),
        ({"PriceList": FOREIGN}, "Ongeldige referentie: Prijslijst"),
        ({"PaymentConditionSales": "30"}, "Ongeldige referentie: Betalingsconditie"),
        ({"SalesVATCode": "02"}, "Ongeldige referentie: Btw-code"),
        ({"Parent": "nonsense"}, "Niet herkende GUID-indeling."),
        ({"Name": "", "Email": "x", "Country": "ZZ"}, "Verplicht: Naam\r\nOngeldig: Email\r\nOngeldig: Land"),
    ],
)
def test_a_row_against_the_rules_is_a_500_and_writes_nothing(
    sandbox: Sandbox, exact: Exact, changed: dict[str, Any], words: str
) -> None:
    answer = exact.post(201, {**customer(1), **changed})

    assert (answer.status_code, message(answer)) == (500, words)
    assert sandbox.accounts(201) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Name": ""}, "Mandatory: Name"),
        ({"Email": "x"}, "Invalid: Email []"),
        ({"Code": "2"}, "Data already exists."),
        ({"SalesVATCode": "02"}, "Invalid reference: VAT code"),
    ],
)
def test_an_english_user_is_told_in_english(sandbox: Sandbox, changed: dict[str, Any], words: str) -> None:
    sandbox.reset(small_world(user={"language": "EN"}))

    answer = Exact(sandbox).post(100, {**customer(9), **changed})

    assert message(answer) == words


@pytest.mark.parametrize(
    "changed",
    [
        {"Code": True},
        {"Blocked": "false"},
        {"SecurityLevel": 10.5},
        {"IsMailing": 300},
        {"Latitude": "52"},
        {"Zomaar": 1},
    ],
)
def test_wrong_types_and_unknown_members_are_a_400(sandbox: Sandbox, exact: Exact, changed: dict[str, Any]) -> None:
    answer = exact.post(201, {**customer(1), **changed})

    assert answer.status_code == 400
    assert next(iter(changed)) in message(answer)
    assert sandbox.accounts(201) == []


def test_a_number_for_a_text_is_read_as_its_text(sandbox: Sandbox, exact: Exact) -> None:
    exact.post(201, {**customer(1), "Phone": 15})

    assert sandbox.account(201, "1")["Phone"] == "15"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"", b'{"Name": "x", "Latitude": NaN}', rb'{"Name": "\ud800"}'])
def test_a_body_that_is_no_object_is_a_400(exact: Exact, body: bytes) -> None:
    answer = exact.http.post("/api/v1/201/crm/Accounts", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400


@pytest.mark.parametrize("date", ["2024-01-31", "2024-01-31T00:00:00", "/Date(1706659200000)/"])
def test_dates_come_in_either_form(sandbox: Sandbox, exact: Exact, date: str) -> None:
    exact.post(201, {"Name": "Nieuw", "EstablishedDate": date})

    assert sandbox.accounts(201)[0]["EstablishedDate"] == "2024-01-31T00:00:00"
    assert exact.row(201, "1")["EstablishedDate"] == "/Date(1706659200000)/"


def test_a_currency_that_is_not_active_is_blanked(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={201: {"currencies": ["EUR", "GBP"]}}))
    exact = Exact(sandbox)

    answer = exact.post(201, {"Name": "Nieuw", "SalesCurrency": "USD", "PurchaseCurrency": "GBP"})

    (row,) = sandbox.accounts(201)
    assert answer.status_code == 201
    assert (row["SalesCurrency"], row["PurchaseCurrency"]) == (None, "GBP")


def test_a_change_touches_only_what_was_sent(sandbox: Sandbox, exact: Exact) -> None:
    before = sandbox.account(100, "1")
    sandbox.advance(60)

    answer = exact.put(100, before["ID"], {"City": "Ede"}, Prefer="return=representation")

    after = sandbox.account(100, "1")
    changed = {name for name, value in after.items() if before[name] != value}
    assert (answer.status_code, answer.content) == (204, b"")
    assert changed == {"City", "Modified", "Modifier", "Timestamp"}


def test_a_change_of_nothing_still_moves_modified_and_timestamp(sandbox: Sandbox, exact: Exact) -> None:
    before = sandbox.account(100, "1")
    sandbox.advance(60)

    exact.put(100, before["ID"], {"Name": before["Name"]})

    after = sandbox.account(100, "1")
    assert after["Modified"] > before["Modified"]
    assert after["Timestamp"] > max(row["Timestamp"] for row in sandbox.accounts(100)[1:])


def test_a_code_in_a_change_is_refused_even_if_the_same(sandbox: Sandbox, exact: Exact) -> None:
    before = sandbox.account(100, "1")

    answer = exact.put(100, before["ID"], {"Code": "1", "City": "Ede"})

    assert (answer.status_code, message(answer)) == (500, "Gegeven bestaat reeds.")
    assert sandbox.account(100, "1") == before


def test_its_own_id_may_come_along_in_a_change(exact: Exact) -> None:
    key = exact.key(100, "1")

    assert exact.put(100, key, {"ID": key, "City": "Ede"}).status_code == 204
    assert exact.put(100, key, {"ID": FOREIGN, "City": "Ede"}).status_code == 501


def test_a_field_is_emptied_with_null(sandbox: Sandbox, exact: Exact) -> None:
    exact.put(100, exact.key(100, "1"), {"Phone": None})

    assert sandbox.account(100, "1")["Phone"] is None


def test_a_state_must_move_with_its_country(sandbox: Sandbox, exact: Exact) -> None:
    key = exact.key(100, "1")
    sandbox.edit(100, "1", State="UT")

    alone = exact.put(100, key, {"Country": "BE"})
    emptied = exact.put(100, key, {"Country": "BE", "State": None})
    fitting = exact.put(100, key, {"Country": "DE", "State": "BY"})

    assert message(alone) == "Ongeldig: Provincie"
    assert (emptied.status_code, fitting.status_code) == (204, 204)


def test_a_change_is_judged_too(sandbox: Sandbox, exact: Exact) -> None:
    before = sandbox.account(100, "1")

    answer = exact.put(100, before["ID"], {"Email": "x", "Name": None})

    assert message(answer) == "Verplicht: Naam\r\nOngeldig: Email"
    assert sandbox.account(100, "1") == before


def test_an_unknown_account_cannot_be_changed_or_deleted(exact: Exact) -> None:
    assert exact.put(100, FOREIGN, {"City": "Ede"}).status_code == 404
    assert exact.delete(100, FOREIGN).status_code == 404


def test_an_id_in_a_create_is_used_or_by_a_switch_ignored(sandbox: Sandbox, exact: Exact) -> None:
    used = exact.post(201, {"Name": "Een", "ID": FOREIGN}).json()["d"]["ID"]
    twice = exact.post(201, {"Name": "Twee", "ID": FOREIGN})
    sandbox.limits(post_id="ignore")

    ignored = exact.post(201, {"Name": "Drie", "ID": FOREIGN}).json()["d"]["ID"]

    assert used == FOREIGN
    assert message(twice) == "Gegeven bestaat reeds."
    assert ignored != FOREIGN


def test_letters_in_codes_are_a_switch(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(codes="any")

    assert exact.post(201, {"Name": "Een", "Code": "K12"}).status_code == 201


def test_the_same_code_may_be_used_in_each_division(sandbox: Sandbox, exact: Exact) -> None:
    for division in (201, 202):
        assert exact.post(division, customer(1)).status_code == 201

    assert sandbox.codes(201) == sandbox.codes(202) == ["1"]
