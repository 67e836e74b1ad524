"""Whether Exact takes a row: a function of the row, what was there, and what the company knows (dossier 2.4, 9).

Nothing is written here. Messages come in the order of the checks; Exact joins several with CR LF.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from exactonline_sandbox.account_references import CURRENCY, REFERENCES, WITHOUT_LIST
from exactonline_sandbox.options import Switches
from exactonline_sandbox.places import COUNTRIES, may_be_state
from exactonline_sandbox.reference_lists import CODE, Reference
from exactonline_sandbox.rows_referred_to import RowsReferredTo
from exactonline_sandbox.texts import Texts
from exactonline_sandbox.world import Division

Row = Mapping[str, Any]

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a company knows: its lists and other accounts, the moment there, and the rules of this world."""

    division: Division
    switches: Switches
    texts: Texts
    led_to: RowsReferredTo
    wall: int


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
        *state_messages(values, before, merged, around.texts),
        *_references(values, before, around),
    ]
    for name in ("SalesCurrency", "PurchaseCurrency"):
        if values.get(name) is not None and around.led_to.row(CURRENCY, values[name]) is None:
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
    if values.get("Email") and not EMAIL.fullmatch(values["Email"]):
        messages.append(texts.invalid("Email"))
    if values.get("Country") and values["Country"] not in COUNTRIES.union(around.division.countries):
        messages.append(texts.invalid("Country"))
    for name, allowed in _ONE_OF.items():
        if values.get(name) is not None and values[name] not in allowed:
            messages.append(texts.invalid(name))
    return messages


def state_messages(values: Row, before: Row | None, merged: Row, texts: Texts) -> list[str]:
    """A State must fit its Country; when the country changes, it must come along or be emptied (dossier 2.4)."""
    state = merged.get("State")
    moved = before is not None and "Country" in values and values["Country"] != before.get("Country")
    if not state or not (moved or "State" in values or before is None):
        return []
    fits = may_be_state(merged.get("Country"), state)
    if fits is None:
        fits = "State" in values or not moved
    return [] if fits else [texts.invalid("State")]


def _references(values: dict[str, Any], before: Row | None, around: Surroundings) -> list[str]:
    messages = []
    for name in (*REFERENCES, *WITHOUT_LIST):
        if values.get(name) in {None, ""}:
            continue
        match _found(name, values[name], before, around):
            case "unknown" if _dropped(name, around.switches):
                values[name] = None
            case "unknown":
                messages.append(around.texts.bad_reference(name))
            case "wrong type":
                messages.append(around.texts.invalid("GLAccountType"))
            case "unfit":
                messages.append(around.texts.invalid(name))
    return messages


def _dropped(name: str, switches: Switches) -> bool:
    """Whether a reference that leads nowhere becomes null without a word."""
    by_code = name in REFERENCES and REFERENCES[name].by == CODE
    return (switches.unknown_code if by_code else switches.foreign_guid) == "null"


def _found(
    name: str, value: str, before: Row | None, around: Surroundings
) -> Literal["fit", "unfit", "wrong type", "unknown"]:
    if name in WITHOUT_LIST:
        return "fit" if value in around.division.references.get(name, ()) else "unknown"
    reference = REFERENCES[name]
    row = around.led_to.row(reference, value)
    if reference.to == "Contacts":
        own = row is not None and before is not None and row.get("Account") == before["ID"]
        return "fit" if own else "unknown"
    if row is None or _ended(row, reference, around):
        return "unknown"
    if reference.to == "Accounts":
        fit = {"Accountant": (row.get("IsAccountant") or 0) > 0, "Reseller": bool(row.get("IsReseller"))}
        return "fit" if fit.get(name, True) else "unfit"
    if reference.slot is not None and around.led_to.slot_of(row) != reference.slot:
        return "unknown"
    if reference.kinds is None or row.get(reference.kinds[0]) in {None, *reference.kinds[1]}:
        return "fit"
    if reference.to == "GLAccounts":
        return "wrong type" if around.switches.ledger_types == "checked" else "fit"
    return "unfit"


def _ended(row: Row, reference: Reference, around: Surroundings) -> bool:
    """Whether a row of a list may not be used any more: that Exact then answers as if it were not there is assumed."""
    if reference.to == "Accounts":
        return False
    ended = row.get("EndDate") is not None and row["EndDate"] <= around.wall
    return bool(row.get("IsBlocked")) or row.get("Active") is False or ended
