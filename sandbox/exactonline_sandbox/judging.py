"""Whether Exact takes a row: a function of the row, what was there, and what the company knows (dossier 2.4, 9).

Nothing is written here. Messages come in the order of the checks; Exact joins several with CR LF.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from exactonline_sandbox.options import Switches
from exactonline_sandbox.places import COUNTRIES, may_be_state
from exactonline_sandbox.texts import Texts
from exactonline_sandbox.world import Division

Row = Mapping[str, Any]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CODE_LENGTH = 18
_ONE_OF: dict[str, frozenset[Any]] = {
    "Status": frozenset("ASPC"),
    "IsAccountant": frozenset({0, 1, 2}),
    "InvoicingMethod": frozenset({0, 1, 2, 4, 8, 32}),
    "DeliveryAdvice": frozenset({0, 1, 2}),
    "ConsolidationScenario": frozenset(range(7)),
    "SecurityLevel": frozenset(range(101)),
    "IncotermVersionSales": frozenset({2010, 2020}),
    "IncotermVersionPurchase": frozenset({2010, 2020}),
}
_TO_ACCOUNTS = ("Parent", "InvoiceAccount", "Accountant", "Reseller")
_TO_LISTS = (
    *("AccountManager", "ActivitySector", "ActivitySubSector", "BusinessType", "CompanySize", "GLAccountPurchase"),
    *("GLAccountSales", "GLAP", "GLAR", "LeadPurpose", "LeadSource", "MainContact", "PriceList", "SalesTaxSchedule"),
    *("ShippingMethod", *(f"Classification{number}" for number in range(1, 9))),
)
_BY_CODE = {
    "PaymentConditionSales": "payment_conditions",
    "PaymentConditionPurchase": "payment_conditions",
    "SalesVATCode": "vat_codes",
    "PurchaseVATCode": "vat_codes",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a company knows: its lists, its other accounts by ID, the users' IDs, and the rules of this world."""

    division: Division
    switches: Switches
    texts: Texts
    account: Callable[[str], Row | None]
    users: frozenset[str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The row's values as Exact would keep them, and why it may not be kept."""

    values: dict[str, Any]
    messages: tuple[str, ...]


def judge(sent: Row, before: Row | None, around: Surroundings) -> Judgement:
    """Judge a new row (`before` is None) or a change."""
    values = dict(sent)
    merged = {**(before or {}), **values}
    messages = [
        *_code(values, around),
        *_plain(values, merged, around),
        *_state(values, before, merged, around.texts),
        *_references(values, around),
    ]
    for name in ("SalesCurrency", "PurchaseCurrency"):
        if values.get(name) is not None and values[name] not in around.division.currencies:
            values[name] = None  # blanked without an error (dossier 2.4)
    return Judgement(values, tuple(messages))


def _code(values: Row, around: Surroundings) -> list[str]:
    code = values.get("Code")
    if not code:
        return []
    letters_allowed = around.switches.codes == "any"
    digits_only = code.isascii() and code.isdigit()
    return [] if len(code) <= _CODE_LENGTH and (digits_only or letters_allowed) else [around.texts.invalid("Code")]


def _plain(values: Row, merged: Row, around: Surroundings) -> list[str]:
    messages, texts = [], around.texts
    if not (merged.get("Name") or "").strip():
        messages.append(texts.mandatory("Name"))
    if values.get("Email") and not _EMAIL.fullmatch(values["Email"]):
        messages.append(texts.invalid("Email"))
    if values.get("Country") and values["Country"] not in COUNTRIES.union(around.division.countries):
        messages.append(texts.invalid("Country"))
    for name, allowed in _ONE_OF.items():
        if values.get(name) is not None and values[name] not in allowed:
            messages.append(texts.invalid(name))
    return messages


def _state(values: Row, before: Row | None, merged: Row, texts: Texts) -> list[str]:
    """A State must fit its Country; when the country changes, it must come along or be emptied (dossier 2.4)."""
    state = merged.get("State")
    moved = before is not None and "Country" in values and values["Country"] != before.get("Country")
    if not state or not (moved or "State" in values or before is None):
        return []
    fits = may_be_state(merged.get("Country"), state)
    if fits is None:
        fits = "State" in values or not moved
    return [] if fits else [texts.invalid("State")]


def _references(values: dict[str, Any], around: Surroundings) -> list[str]:
    messages = []
    for name in (*_TO_ACCOUNTS, *_TO_LISTS):
        if values.get(name) is None:
            continue
        found = _found(name, values[name], around)
        if found == "unknown" and around.switches.foreign_guid == "null":
            values[name] = None
        elif found == "unknown":
            messages.append(around.texts.bad_reference(name))
        elif found == "unfit":
            messages.append(around.texts.invalid(name))
    for name, listed in _BY_CODE.items():
        if values.get(name) and values[name] not in getattr(around.division, listed):
            messages.append(around.texts.bad_reference(name))
    return messages


def _found(name: str, key: str, around: Surroundings) -> Literal["fit", "unfit", "unknown"]:
    if name == "AccountManager":
        return "fit" if key in around.users else "unknown"
    if name not in _TO_ACCOUNTS:
        return "fit" if key in around.division.references.get(name, ()) else "unknown"
    other = around.account(key)
    if other is None:
        return "unknown"
    fit = {"Accountant": (other.get("IsAccountant") or 0) > 0, "Reseller": bool(other.get("IsReseller"))}
    return "fit" if fit.get(name, True) else "unfit"
