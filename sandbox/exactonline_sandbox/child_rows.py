"""The values that a contact, address or bank account gets that nobody sent, and such rows as a world states them."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from exactonline_sandbox import accounts_table as accounts
from exactonline_sandbox import children, list_rows, visit_addresses
from exactonline_sandbox import children_table as table
from exactonline_sandbox.child_entities import ADDRESSES, BANK_ACCOUNTS, CHILDREN, CONTACTS, ChildEntity
from exactonline_sandbox.clock import midnight
from exactonline_sandbox.context import Row
from exactonline_sandbox.edm import kept_from_person
from exactonline_sandbox.judging_children import compact
from exactonline_sandbox.places import LANGUAGE_OF
from exactonline_sandbox.saving import WriteContext, save_child, set_main_contact

# Filling one member overwrites the other (C, PICQER; for Email at a POST R, NANGO).
_TWINS = (("Email", "BusinessEmail"), ("Phone", "BusinessPhone"), ("Mobile", "BusinessMobile"))
# The retired member overwrites the name when it is sent (O), and else follows it (R at a POST).
_BIRTH_NAMES = (("BirthName", "LastName"), ("BirthNamePrefix", "MiddleName"))
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
# BICs of four banks, for worlds in which Exact derives them.
_BICS = {"ABNA": "ABNANL2A", "INGB": "INGBNL2A", "RABO": "RABONL2U", "TRIO": "TRIONL2U"}
_API, _OTHERWISE = 2, 4  # Source, as on accounts


def load(at: WriteContext, given: Mapping[str, Any]) -> None:
    """Write the contacts, addresses and bank accounts of a company as a world states them.

    Raises:
        ValueError: An entity, a member or a row referred to that does not exist.
    """
    strange = given.keys() - CHILDREN.keys()
    if strange:
        raise ValueError(f"accounts have no {', '.join(sorted(strange))}; they have {', '.join(CHILDREN)}")
    for name, known in CHILDREN.items():
        counted: Counter[Any] = Counter()
        for row in given.get(name, ()):
            counted[row.get("Account")] += 1
            text = f"{row.get('Account')}:{counted[row.get('Account')]}"
            put_by_hand(at, known, row, key=table.key_for(at.division.code, known, text))


def put_by_hand(at: WriteContext, known: ChildEntity, given: Mapping[str, Any], *, key: str | None = None) -> str:
    """Add or change a row as a person would in the screen: no rules; return its ID.

    The row is that of the ID given, else of `key`, else a new one. An account may be stated by its code. A contact with
    IsMainContact becomes the main one. An address of Type 1 that is Main is the account's own.
    """
    values = _kept(at, known, given)
    main_contact = values.pop("IsMainContact", False)
    key = values.pop("ID", key) or accounts.new_key()
    if known is ADDRESSES and values.get("Type") == visit_addresses.VISIT and values.get("Main"):
        key = visit_addresses.twin(values["Account"]) if values.get("Account") else key
    before = children.by_key(at.db, at.division.code, known, key)
    values = with_what_follows(at, known, values, before)
    row = new_row(at, known, {**values, "ID": key}, over_api=False) if before is None else {**before, **values}
    save_child(at, known, row, before)
    if main_contact:
        set_main_contact(at, row["Account"], row["ID"])
    return str(row["ID"])


def new_row(at: WriteContext, known: ChildEntity, values: Row, *, over_api: bool) -> Row:
    """A complete new row from the values sent. That the first of its kind is the main one is an assumption."""
    row: Row = {**known.defaults, **values, "Division": at.division.code}
    if known.main_within and values.get("Main") is None:
        row["Main"] = not any(
            all(other.get(name) == row.get(name) for name in known.main_within)
            for other in children.of_account(at.db, at.division.code, known, row.get("Account") or "")
        )
    if known is ADDRESSES:
        row["Source"] = _API if over_api else _OTHERWISE
    if known is CONTACTS:
        account = accounts.by_id(at.db, at.division.code, row.get("Account") or "") or {}
        country = account.get("Country") or at.division.country
        number = table.next_number(at.db, at.division.code, known)
        person = table.key_for(at.division.code, known, f"person:{row['ID']}")
        made: Row = {"HID": number, "Person": person, "StartDate": midnight(at.wall)}
        row = {**made, "Language": LANGUAGE_OF.get(country, "EN"), **row}
    return row


def with_what_follows(at: WriteContext, known: ChildEntity, values: Row, before: Row | None) -> Row:
    """The values sent with those that follow from them."""
    if known is CONTACTS:
        return _names_and_twins(values, before)
    if known is BANK_ACCOUNTS and values.get("BankAccount"):
        return _of_number(at, values, before)
    return values


def _names_and_twins(values: Row, before: Row | None) -> Row:
    row = dict(values)
    for plain, business in _TWINS:
        if plain in values or business in values:
            row[plain] = row[business] = values[plain] if plain in values else values[business]
    for retired, name in _BIRTH_NAMES:
        if retired in values:
            row[name] = values[retired]
        elif name in values:
            row[retired] = values[name]
    merged = {**(before or {}), **row}
    names = [merged.get(name) for name in ("FirstName", "MiddleName", "LastName")]
    row.setdefault("FullName", " ".join(name for name in names if name) or None)
    return row


def _of_number(at: WriteContext, values: Row, before: Row | None) -> Row:
    """The number in the form that Exact keeps, and what it tells: the format's names are made up here."""
    number = compact(values["BankAccount"])
    is_iban = _IBAN.fullmatch(number) is not None
    grouped = is_iban and at.switches.bank_numbers_kept == "grouped"
    row = {
        **values,
        "BankAccount": " ".join(re.findall(".{1,4}", number)) if grouped else number,
        "Format": "IBAN" if is_iban else "NONE",
    }
    bic = values.get("BICCode") or (before or {}).get("BICCode")
    if is_iban and not bic and at.switches.missing_bic == "derived":
        row["BICCode"] = _BICS.get(number[4:8])
    return row


def _kept(at: WriteContext, known: ChildEntity, given: Mapping[str, Any]) -> Row:
    values: Row = {}
    for name, value in given.items():
        member = known.entity.properties.get(name)
        if member is None:
            raise ValueError(f"{known.name} have no member called {name}")
        reference = known.references.get(name)
        if name == "Account" and value is not None:
            values[name] = accounts.id_of(at.db, at.division.code, str(value))
            if values[name] is None:
                raise ValueError(f"division {at.division.code} has no account {value}")
        elif reference is not None and value is not None:
            values[name] = list_rows.guid_of(at.db, at.division.code, reference, str(value))
        else:
            values[name] = kept_from_person(member, value)
    return values
