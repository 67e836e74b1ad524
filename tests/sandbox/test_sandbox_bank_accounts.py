"""Bank accounts of accounts made, changed and deleted: dossier E 3.3, 3.14, 3.15."""

from typing import Any

import httpx
import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, small_world

PATH = "100/crm/BankAccounts"
IBAN = "NL91ABNA0417164300"
OTHER = "NL20INGB0001234567"
FOREIGN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def account(exact: Exact) -> str:
    return exact.key(100, "1")


def post(exact: Exact, account: str, **members: Any) -> httpx.Response:
    return exact.send("POST", PATH, {"Account": account, **members})


def made(exact: Exact, account: str, **members: Any) -> str:
    answer = post(exact, account, **members)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["d"]["ID"])


def read(exact: Exact, key: str) -> dict[str, Any]:
    return dict(exact.get(f"{PATH}(guid'{key}')").json()["d"])


def put(exact: Exact, key: str, **members: Any) -> httpx.Response:
    return exact.send("PUT", f"{PATH}(guid'{key}')", members)


def test_an_account_and_a_number_are_enough_and_the_answer_holds_the_id(exact: Exact, account: str) -> None:
    echo = post(exact, account, BankAccount=IBAN).json()["d"]

    row = read(exact, echo["ID"])
    assert {name for name, value in echo.items() if value is not None} == {"__metadata", "ID"}
    assert (row["BankAccount"], row["Type"], row["TypeDescription"], row["Blocked"]) == (IBAN, "A", "Relatie", False)
    assert (row["Main"], row["Format"], row["AccountName"]) == (True, "IBAN", "Klant 1 B.V.")
    assert [row[name] for name in ("IBAN", "Bank", "BankName", "BankDescription")] == [None] * 4


@pytest.mark.parametrize("body", [{}, {"BankAccount": ""}, {"IBAN": IBAN}])
def test_a_missing_number_is_told_in_three_lines_also_where_the_retired_iban_was_sent(
    exact: Exact, account: str, body: dict[str, Any]
) -> None:
    answer = post(exact, account, **body)

    assert answer.status_code == 500
    assert message(answer) == "Verplicht: Bankrekening: Nummer\r\nVerplicht: Bankrekening\r\nVerplicht: Formaat"


def test_english_users_read_the_same_in_english(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(user={"language": "EN"}))
    exact = Exact(sandbox)

    answer = post(exact, exact.key(100, "1"))

    assert message(answer) == "Mandatory: Bank account: Number\r\nMandatory: Bank account\r\nMandatory: Format"


def test_an_unknown_member_is_a_400(exact: Exact, account: str) -> None:
    assert post(exact, account, BankAccountName=IBAN).status_code == 400


@pytest.mark.parametrize("name", ["IBAN", "BankName", "BankDescription", "Format", "Type"])
def test_retired_and_read_only_members_are_dropped_without_a_word(exact: Exact, account: str, name: str) -> None:
    row = read(exact, made(exact, account, BankAccount=IBAN, **{name: "R"}))

    assert row[name] == {"Format": "IBAN", "Type": "A"}.get(name)


def test_a_type_of_another_form_is_dropped_too(exact: Exact, account: str) -> None:
    assert read(exact, made(exact, account, BankAccount=IBAN, Type=10))["Type"] == "A"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Account": None}, "Verplicht: Relatie"),
        ({"Account": FOREIGN}, "Ongeldige referentie: Relatie"),
        ({"BankAccount": "1" * 35}, "Ongeldig: Bankrekening"),
        ({"BankAccountHolderName": "x" * 51}, "Ongeldig: Rekeninghouder"),
        ({"BICCode": "ABNANL2AXXXX"}, "Ongeldig: BIC-code"),
        ({"Description": "x" * 61}, "Ongeldig: Omschrijving"),
    ],
)
def test_a_bank_account_that_cannot_be_is_refused(
    sandbox: Sandbox, exact: Exact, account: str, body: dict[str, Any], words: str
) -> None:
    answer = exact.send("POST", PATH, {"Account": account, "BankAccount": IBAN, **body})

    assert (answer.status_code, message(answer)) == (500, words)
    assert sandbox.children(100, "BankAccounts") == []


def test_the_widest_texts_are_taken(exact: Exact, account: str) -> None:
    members = {"BankAccountHolderName": "x" * 50, "BICCode": "ABNANL2AXXX", "Description": "x" * 60}

    row = read(exact, made(exact, account, BankAccount="1" * 34, **members))

    assert {name: row[name] for name in members} == members


@pytest.mark.parametrize(
    ("sent", "kept", "form"),
    [("nl91 abna 0417 1643 00", IBAN, "IBAN"), ("30004 00003 00010", "300040000300010", "NONE")],
)
def test_a_number_is_kept_without_blanks_and_its_format_follows(
    exact: Exact, account: str, sent: str, kept: str, form: str
) -> None:
    row = read(exact, made(exact, account, BankAccount=sent))

    assert (row["BankAccount"], row["Format"]) == (kept, form)


def test_by_a_switch_an_iban_is_kept_in_groups_of_four(sandbox: Sandbox, exact: Exact, account: str) -> None:
    sandbox.limits(bank_numbers_kept="grouped")

    key = made(exact, account, BankAccount=IBAN)

    assert read(exact, key)["BankAccount"] == "NL91 ABNA 0417 1643 00"
    assert put(exact, key, BankAccount=IBAN, Description="Zakelijk").status_code == 204


@pytest.mark.parametrize(("switch", "bic"), [("stays", None), ("derived", "ABNANL2A")])
def test_a_missing_bic_stays_empty_or_follows_from_the_iban(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, bic: str | None
) -> None:
    sandbox.limits(missing_bic=switch)

    keys = made(exact, account, BankAccount=IBAN), made(exact, account, BankAccount=IBAN, BICCode="OTHENL2A")

    assert [read(exact, key)["BICCode"] for key in keys] == [bic, "OTHENL2A"]


def test_the_number_does_not_change_by_a_put(exact: Exact, account: str) -> None:
    key = made(exact, account, BankAccount=IBAN)

    refused = put(exact, key, BankAccount=OTHER)
    taken = put(exact, key, Account=account, BankAccount="NL91 ABNA 0417 1643 00", BankAccountHolderName="Els Mol")

    assert (refused.status_code, message(refused)) == (500, "Ongeldig: Bankrekening: Nummer")
    assert taken.status_code == 204
    assert [read(exact, key)[name] for name in ("BankAccount", "BankAccountHolderName")] == [IBAN, "Els Mol"]


def test_unless_a_switch_lets_it(sandbox: Sandbox, exact: Exact, account: str) -> None:
    sandbox.limits(bank_number_change="taken")
    key = made(exact, account, BankAccount=IBAN)

    answer = put(exact, key, BankAccount="30004 00003 00010")

    row = read(exact, key)
    assert answer.status_code == 204
    assert (row["BankAccount"], row["Format"]) == ("300040000300010", "NONE")


def test_a_new_number_is_a_new_row_that_becomes_main_and_the_old_one_is_blocked(exact: Exact, account: str) -> None:
    old = made(exact, account, BankAccount=IBAN)
    new = made(exact, account, BankAccount=OTHER, Main=True)

    blocked = put(exact, old, Blocked=True)

    assert blocked.status_code == 204
    assert [(read(exact, key)["Main"], read(exact, key)["Blocked"]) for key in (old, new)] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize(("switch", "main"), [("reset", [False, True]), ("kept", [True, True])])
@pytest.mark.parametrize("by", ["POST", "PUT"])
def test_a_main_bank_account_resets_the_one_before_it_or_not(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, main: list[bool], by: str
) -> None:
    sandbox.limits(main_siblings=switch)
    first = made(exact, account, BankAccount=IBAN)
    second = made(exact, account, BankAccount=OTHER, Main=by == "POST")
    other = made(exact, exact.key(100, "2"), BankAccount=OTHER)

    put(exact, second, Main=True)

    assert [read(exact, key)["Main"] for key in (first, second)] == main
    assert read(exact, other)["Main"] is True


@pytest.mark.parametrize(("switch", "status"), [("taken", 201), ("refused", 500)])
def test_a_number_that_the_account_has_is_taken_again_or_refused(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, status: int
) -> None:
    sandbox.limits(repeated_bank_number=switch)
    made(exact, account, BankAccount=IBAN)

    again = post(exact, account, BankAccount="nl91abna0417164300")
    elsewhere = post(exact, exact.key(100, "2"), BankAccount=IBAN)

    assert (again.status_code, elsewhere.status_code) == (status, 201)
    assert len(sandbox.children(100, "BankAccounts", "1")) == (2 if status == 201 else 1)


def test_a_deleted_bank_account_leaves_no_trace(exact: Exact, account: str) -> None:
    key = made(exact, account, BankAccount=IBAN)

    answer = exact.send("DELETE", f"{PATH}(guid'{key}')")

    assert answer.status_code == 204
    assert exact.rows(PATH) == []
    assert exact.rows("100/sync/Deleted") == []


@pytest.mark.parametrize(("switch", "moves"), [("account_stays", False), ("account_moves", True)])
def test_the_timestamp_of_the_account_stays_or_moves(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, moves: bool
) -> None:
    sandbox.limits(child_changes=switch)
    before = sandbox.account(100, "1")

    made(exact, account, BankAccount=IBAN)

    after = sandbox.account(100, "1")
    assert (after["Timestamp"] > before["Timestamp"]) is moves
    assert after["Modified"] == before["Modified"]


def test_without_the_right_to_write_bank_accounts_contacts_are_written_still(
    sandbox: Sandbox, exact: Exact, account: str
) -> None:
    sandbox.change_division(100, rights={"write_BankAccounts": False})

    refused = post(exact, account, BankAccount=IBAN)
    taken = exact.send("POST", "100/crm/Contacts", {"Account": account, "LastName": "Mol"})

    assert (refused.status_code, taken.status_code) == (403, 201)
