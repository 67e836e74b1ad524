"""Whether Exact takes a contact, an address or a bank account (dossier E 3.1 to 3.3, 3.15). Nothing is written here."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from exactonline_sandbox.child_entities import ADDRESSES, BANK_ACCOUNTS, CONTACTS, ChildEntity
from exactonline_sandbox.judging import EMAIL, Judgement, Surroundings, state_messages
from exactonline_sandbox.places import COUNTRIES

Row = Mapping[str, Any]

# Official for the bank accounts of employees; taken over here.
_WIDTHS = {"BankAccount": 34, "BankAccountHolderName": 50, "BICCode": 11, "Description": 60}
_TYPES = range(1, 5)


def judge_child(known: ChildEntity, sent: Row, before: Row | None, around: Surroundings) -> Judgement:
    """Judge a new row (`before` is None) or a change."""
    values = dict(sent)
    messages = _references(known, values, {**(before or {}), **values}, around)
    if not any(name == "Account" for name, _ in messages) and not {**(before or {}), **values}.get("Account"):
        messages.append(("Account", around.texts.mandatory("Account")))
    rule = _RULES[known.name]
    return Judgement(values, (*(text for _, text in messages), *rule(values, before, around)))


def compact(number: str) -> str:
    """A bank account number without blanks, in capitals."""
    return re.sub(r"\s", "", number).upper()


def is_same_address(one: Row, other: Row, *, whole: bool) -> bool:
    """Whether a POST takes two addresses of an account for one. Blanks at the ends do not count."""
    names = ["Type", "AddressLine1", "Postcode", "City", "Country"]
    names += ["AddressLine2", "AddressLine3", "State"] if whole else []
    return all(str(one.get(name) or "").strip() == str(other.get(name) or "").strip() for name in names)


def _references(known: ChildEntity, values: dict[str, Any], merged: Row, around: Surroundings) -> list[tuple[str, str]]:
    """The members that name a row which this company, or for a contact this account, does not have."""
    found = []
    for name, reference in known.references.items():
        if values.get(name) is None:
            continue
        row = around.led_to.row(reference, values[name])
        if row is not None and (name != "Contact" or row.get("Account") == merged.get("Account")):
            continue
        if around.switches.foreign_guid == "null":
            values[name] = None
        else:
            found.append((name, around.texts.bad_reference(name)))
    return found


def _contact(values: Row, before: Row | None, around: Surroundings) -> list[str]:
    merged, texts = {**(before or {}), **values}, around.texts
    messages = []
    if not (merged.get("FirstName") or merged.get("LastName") or merged.get("BirthName")):
        messages.append(texts.mandatory("LastName"))
    if any(values.get(name) and not EMAIL.fullmatch(values[name]) for name in ("Email", "BusinessEmail")):
        messages.append(texts.invalid("Email"))
    if values.get("Gender") is not None and values["Gender"] not in set("MVO"):
        messages.append(texts.invalid("Gender"))
    return messages


def _address(values: Row, before: Row | None, around: Surroundings) -> list[str]:
    merged, texts = {**(before or {}), **values}, around.texts
    messages = [texts.mandatory(name) for name in ("Type", "AddressLine1") if not merged.get(name)]
    if values.get("Type") and values["Type"] not in _TYPES:
        messages.append(texts.invalid("Type"))
    if values.get("Country") and values["Country"] not in COUNTRIES.union(around.division.countries):
        messages.append(texts.invalid("Country"))
    return [*messages, *state_messages(values, before, merged, texts)]


def _bank_account(values: Row, before: Row | None, around: Surroundings) -> list[str]:
    number, texts = {**(before or {}), **values}.get("BankAccount"), around.texts
    if not number:
        return [texts.mandatory(name) for name in ("BankAccountNumber", "BankAccount", "Format")]
    messages = [texts.invalid(name) for name, width in _WIDTHS.items() if len(values.get(name) or "") > width]
    moved = before is not None and compact(number) != compact(before["BankAccount"])
    if moved and around.switches.bank_number_change == "refused":
        messages.append(texts.invalid("BankAccountNumber"))
    return messages


_RULES: dict[str, Callable[[Row, Row | None, Surroundings], list[str]]] = {
    CONTACTS.name: _contact,
    ADDRESSES.name: _address,
    BANK_ACCOUNTS.name: _bank_account,
}
