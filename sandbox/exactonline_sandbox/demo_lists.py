"""The demo world's reference lists, the same but where they differ on purpose, and what the customers refer to.

Zuid lacks a payment condition, a ledger account and a class. In Belgium the low VAT rate is 6 % and the first
classification has another name. Germany has ledger accounts and VAT codes of its own, and 14 means ten days there.
"""

from typing import Any

from exactonline_sandbox.demo_numbers import Dice
from exactonline_sandbox.world import user_id

Rows = list[dict[str, Any]]
Lists = dict[str, Rows]
Table = tuple[tuple[Any, ...], ...]

_CONDITIONS: Table = (
    # Code, description, days, ends of month, method: K cash, B on credit, I collection
    ("00", "Contant", 0, 0, "K"),
    ("08", "Binnen 8 dagen", 8, 0, "B"),
    ("14", "Binnen 14 dagen", 14, 0, "B"),
    ("30", "Binnen 30 dagen", 30, 0, "B"),
    ("60", "Binnen 60 dagen", 60, 0, "B"),
    ("EM", "30 dagen einde maand", 30, 1, "B"),
    ("IN", "Automatische incasso", 14, 0, "I"),
)
_TEN_DAYS = ("14", "Binnen 10 Tagen", 10, 0, "B")
_VAT_CODES: Table = (
    # Code, description, share, type: E excluding, I including, N none, B base only; for: S sales, P purchase, B both
    ("0", "Geen btw", 0.0, "N", "B", None),
    ("1", "Btw laag", 0.09, "E", "B", "1501"),
    ("2", "Btw hoog", 0.21, "E", "B", "1500"),
    ("4", "Btw hoog, inclusief", 0.21, "I", "B", "1500"),
    ("5", "Btw verlegd, inkoop", 0.21, "E", "P", "1500"),
    ("7", "Leveringen binnen de EU", 0.0, "B", "S", None),
    ("8", "Export buiten de EU", 0.0, "B", "S", None),
)
_BELGIAN_LOW = ("1", "Btw 6 %", 0.06, "E", "B", "1501")
_GERMAN_VAT: Table = (
    ("0", "Ohne Steuer", 0.0, "N", "B", None),
    ("U7", "Umsatzsteuer 7 %", 0.07, "E", "S", "1771"),
    ("U19", "Umsatzsteuer 19 %", 0.19, "E", "S", "1776"),
    ("V19", "Vorsteuer 19 %", 0.19, "E", "P", "1776"),
    ("7", "Innergemeinschaftliche Lieferung", 0.0, "B", "S", None),
)
_LEDGER: Table = (
    # Code, description, type: 20 receivable, 22 payable, 24 VAT, 110 revenue, 111 cost of goods, 121 costs
    ("1300", "Debiteuren", 20),
    ("1500", "Af te dragen btw hoog", 24),
    ("1501", "Af te dragen btw laag", 24),
    ("1600", "Crediteuren", 22),
    ("4000", "Algemene kosten", 121),
    ("7000", "Inkoopwaarde omzet", 111),
    ("8000", "Omzet hoog tarief", 110),
    ("8010", "Omzet laag tarief", 110),
    ("8020", "Omzet binnen de EU", 110),
    ("8030", "Omzet buiten de EU", 110),
)
_GERMAN_LEDGER: Table = (
    ("1400", "Forderungen aus Lieferungen und Leistungen", 20),
    ("1600", "Verbindlichkeiten aus Lieferungen und Leistungen", 22),
    ("1771", "Umsatzsteuer 7 %", 24),
    ("1776", "Umsatzsteuer 19 %", 24),
    ("3400", "Wareneingang 19 %", 111),
    ("4900", "Sonstige Aufwendungen", 121),
    ("8125", "Steuerfreie innergemeinschaftliche Lieferungen", 110),
    ("8300", "Erlöse 7 %", 110),
    ("8400", "Erlöse 19 %", 110),
)
_BRANCHES: tuple[str, ...] = ("BOUW", "DIENST", "HANDEL", "HORECA", "TRANSP")
_SMALL: Lists = {
    "Costcenters": [{"Code": "VERKOOP", "Description": "Verkoop"}, {"Code": "BUITEN", "Description": "Buitendienst"}],
    "Costunits": [{"Code": "ALG", "Description": "Algemeen"}],
    "SalesPriceLists": [{"Code": "GROOT", "Description": "Groothandel", "Currency": "EUR", "Type": 1}],
    "ShippingMethods": [{"Code": "AFH", "Description": "Afhalen"}, {"Code": "PAK", "Description": "Pakketdienst"}],
    "LeadSources": [{"Code": "BEURS", "Description": "Beurs"}, {"Code": "WEB", "Description": "Website"}],
    "LeadPurposes": [{"Code": "NIEUW", "Description": "Nieuwe klant"}],
}
_PEOPLE: Table = (("Anneke de Vries", "anneke.devries"), ("Bart Jansen", "bart.jansen"), ("Sofie Claes", "sofie.claes"))

_NO_PARENTS = {"10017", "10239", "10240"}  # another party's code in one company, and those that Exact refuses
_SHARE_WITH_PARENT = 0.06


def lists_of(company: str) -> Lists:
    """The lists of a company: `south`, `belgium` or `germany`, or those of the holding."""
    conditions, vat_codes, ledger, branches = _CONDITIONS, _VAT_CODES, _LEDGER, _BRANCHES
    first_name, people = "Branche", _PEOPLE
    match company:
        case "south":
            conditions, ledger = _without("60", conditions), _without("8010", ledger)
            branches = tuple(code for code in branches if code != "TRANSP")
        case "belgium":
            vat_codes = (_BELGIAN_LOW, *_without("1", vat_codes))
            first_name = "Sector"
        case "germany":
            conditions = (_TEN_DAYS, *_without("14", conditions))
            vat_codes, ledger, people = _GERMAN_VAT, _GERMAN_LEDGER, _PEOPLE[:1]
            branches = ("BOUW", "HANDEL", "HORECA")
    return {
        "PaymentConditions": [_condition(*row) for row in conditions],
        "VATCodes": [_vat_code(*row) for row in vat_codes],
        "GLAccounts": [_ledger_account(*row) for row in ledger],
        "AccountClassificationNames": [
            {"SequenceNumber": 1, "Description": first_name},
            {"SequenceNumber": 2, "Description": "Regio"},
        ],
        "AccountClassifications": [
            *({"AccountClassificationName": 1, "Code": code, "Description": code.capitalize()} for code in branches),
            *({"AccountClassificationName": 2, "Code": code, "Description": code} for code in ("HANDEL", "NOORD")),
        ],
        "Users": [_person(*one) for one in people],
        **{name: [dict(row) for row in rows] for name, rows in _SMALL.items()},
    }


def refer(customers: Rows, seed: int) -> None:
    """Have customers refer to the lists of the holding, and some to a customer above them."""
    dice = Dice(seed)
    codes = [customer["Code"] for customer in customers if customer["Code"] not in _NO_PARENTS]
    for customer in customers:
        condition = dice.pick(("30", "30", "30", "30", "14", "14", "08", "60", "EM", "IN", None))
        low = dice.chance(0.15)
        vat_code, ledger = ("7", "8020") if customer["Country"] != "NL" else ("1", "8010") if low else ("2", "8000")
        customer.update(SalesVATCode=vat_code, GLAccountSales=ledger)
        if condition is not None:
            customer["PaymentConditionSales"] = condition
        if dice.chance(0.7):
            customer["Classification1"] = dice.pick(_BRANCHES)
        if dice.chance(_SHARE_WITH_PARENT):
            above = dice.pick(codes)
            if above != customer["Code"] and "Parent" not in customers[codes.index(above)]:
                customer["Parent"] = above


def _without(code: str, rows: Table) -> Table:
    return tuple(row for row in rows if row[0] != code)


def _condition(code: str, description: str, days: int, months: int, method: str) -> dict[str, Any]:
    return {
        "Code": code,
        "Description": description,
        "PaymentDays": days,
        "PaymentEndOfMonths": months,
        "PaymentMethod": method,
    }


def _vat_code(code: str, description: str, share: float, kind: str, side: str, ledger: str | None) -> dict[str, Any]:
    return {
        "Code": code,
        "Description": description,
        "Percentage": share,
        "Type": kind,
        "VATTransactionType": side,
        "GLToPay": ledger,
    }


def _ledger_account(code: str, description: str, kind: int) -> dict[str, Any]:
    on_balance = kind <= 100
    return {
        "Code": code,
        "Description": description,
        "Type": kind,
        "BalanceType": "B" if on_balance else "W",
        "BalanceSide": "C" if kind in {22, 24, 110} else "D",
    }


def _person(name: str, mailbox: str) -> dict[str, Any]:
    first, _, last = name.partition(" ")
    mail = f"{mailbox}@example.com"
    return {
        "UserID": user_id(name),
        "UserName": mail,
        "Email": mail,
        "FullName": name,
        "FirstName": first,
        "LastName": last,
    }
