"""The declarations of entities, against the tables of what Exact's reference says of them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from exactonline_client.entities import (
    ACCOUNTS,
    ADDRESSES,
    BANK_ACCOUNTS,
    CHILDREN,
    CONTACTS,
    COPIED,
    DELETIONS,
    DIVISIONS,
    Entity,
    Field,
    Trait,
)

Line = dict[str, str]


def table(entity: Entity) -> dict[str, Line]:
    """What the reference says of each property, in its order."""
    path = Path(__file__).with_name(f"{entity.stream.replace('_', '-')}-properties.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        return {line["name"]: line for line in csv.DictReader(lines)}


TABLES = {entity: table(entity) for entity in COPIED.values()}
of_each = pytest.mark.parametrize("entity", COPIED.values(), ids=list(COPIED))

NOT_BY_DEFAULT = {
    ACCOUNTS: {"PurchaseCurrency", "SalesCurrency"},
    ADDRESSES: {name for name in TABLES[ADDRESSES] if name.startswith("Free")},
    CONTACTS: {"Title"},
}
"""Marked `copy … if`: how a company uses it is its own policy."""
WITH_CARE = {ACCOUNTS: {"State", "Status"}}
"""Marked with a condition; here they are safe: a State goes with its Country, a Status with the party."""
SAYS_THE_SAME = {
    CONTACTS: {
        "BirthName",
        "BirthNamePrefix",
        "BusinessEmail",
        "BusinessMobile",
        "BusinessPhone",
        "HID",
        "Person",
    }
}
"""Marked writable, and never sent: they overwrite another field, or are numbers that Exact gives."""
ON_REQUEST = {
    CONTACTS: {
        "BirthDate",
        "BirthPlace",
        "IdentificationDate",
        "IdentificationDocument",
        "IdentificationUser",
        "Nationality",
        "SocialSecurityNumber",
    }
}
"""Who a person is, beyond the name and how to reach them."""


def of_exact(entity: Entity) -> dict[str, Field]:
    return {field.name: field for field in entity.declared if Trait.COMPANION not in field.traits}


def names_with(entity: Entity, column: str, *values: str) -> set[str]:
    return {name for name, line in TABLES[entity].items() if line[column].startswith(values or ("yes",))}


def names_of(entity: Entity, trait: Trait) -> set[str]:
    return {name for name, field in of_exact(entity).items() if trait in field.traits}


@of_each
def test_an_entity_has_the_properties_of_the_reference_in_their_order(entity: Entity) -> None:
    assert list(of_exact(entity)) == list(TABLES[entity])


@of_each
def test_every_property_has_the_type_of_the_reference(entity: Entity) -> None:
    plain = {name: line["edm_type"].removeprefix("Edm.") for name, line in TABLES[entity].items()}
    types = {name: edm.partition("(")[0].strip() for name, edm in plain.items()}

    assert {name: field.edm for name, field in of_exact(entity).items()} == types


@of_each
@pytest.mark.parametrize(
    ("column", "trait"),
    [
        ("readonly", Trait.READ_ONLY),
        ("division_bound", Trait.DIVISION_BOUND),
        ("obsolete", Trait.RETIRED),
    ],
)
def test_every_property_has_the_traits_of_the_reference(entity: Entity, column: str, trait: Trait) -> None:
    assert names_of(entity, trait) == names_with(entity, column)


@of_each
def test_what_filters_is_listed_by_the_reference_or_used_by_clients(entity: Entity) -> None:
    listed = names_with(entity, "filterable", "yes", "bulk list", "clients do", "the only filter on sync")

    assert names_of(entity, Trait.FILTERABLE) == listed


@of_each
def test_what_is_safe_to_copy_is_what_the_reference_advises_to_copy(entity: Entity) -> None:
    advised = names_with(entity, "copy_advice", "copy")

    assert set(entity.safe_to_copy) == advised - NOT_BY_DEFAULT.get(entity, set()) | WITH_CARE.get(entity, set())


@of_each
def test_what_is_required_is_what_the_reference_demands_beside_the_parent(entity: Entity) -> None:
    demanded = names_with(entity, "mandatory") - {entity.parent and entity.parent.field}
    in_practice = {ADDRESSES: {"Type"}}  # the reference demands nothing of an address; clients send it always

    assert set(entity.required) == in_practice.get(entity, demanded)


@of_each
def test_what_is_safe_to_copy_can_be_written_and_is_tied_to_no_division(entity: Entity) -> None:
    for name in entity.safe_to_copy:
        assert entity.fields[name].writable
        assert not entity.fields[name].division_bound


@of_each
def test_nothing_that_exact_fills_itself_or_that_overwrites_another_field_is_written(entity: Entity) -> None:
    never = names_with(entity, "readonly") | {"ID"} | SAYS_THE_SAME.get(entity, set())

    assert names_of(entity, Trait.OVERWRITES) == SAYS_THE_SAME.get(entity, set())
    assert set(entity.writable) == set(TABLES[entity]) - never


@of_each
def test_what_says_who_a_person_is_is_read_on_request_only(entity: Entity) -> None:
    assert names_of(entity, Trait.SENSITIVE) == ON_REQUEST.get(entity, set())


@of_each
def test_what_the_reference_does_not_know_is_not_asked_for_by_name(entity: Entity) -> None:
    unknown = {ACCOUNTS: {"BankAccounts", "ClientGroup", "ClientGroupDescription"}}

    assert set(TABLES[entity]) - set(entity.selectable) == unknown.get(entity, set())


@of_each
def test_what_exact_pads_is_as_wide_as_the_reference_says(entity: Entity) -> None:
    padded = {ACCOUNTS: {"Code"}, CONTACTS: {"Code", "Country", "Language"}, ADDRESSES: {"Country"}}
    widths = {field.name: field.width for field in entity.declared if field.width}

    assert widths == {name: int(TABLES[entity][name]["max_length"]) for name in padded.get(entity, ())}


@pytest.mark.parametrize("entity", CHILDREN.values(), ids=list(CHILDREN))
def test_what_belongs_to_an_account_travels_with_its_code_which_is_no_property_of_exacts(entity: Entity) -> None:
    companions = {field.name for field in entity.declared if Trait.COMPANION in field.traits}

    assert companions == {"AccountCode"}
    assert entity.key_properties == ("Division", "AccountCode", "SourceKey")
    assert not companions & {*entity.selectable, *entity.writable}


@pytest.mark.parametrize("entity", [*COPIED.values(), DIVISIONS, DELETIONS], ids=lambda entity: entity.name)
def test_a_declaration_holds_together(entity: Entity) -> None:
    names = [field.name for field in entity.declared]

    assert len(names) == len(set(names))
    assert {entity.key, entity.natural_key or entity.key, *entity.required} <= set(names)
    assert set(entity.safe_to_copy) <= set(entity.writable)
    assert entity.docs.startswith("https://start.exactonline.nl/docs/")


def test_divisions_and_deletions_are_only_read() -> None:
    assert (DIVISIONS.writable, DELETIONS.writable) == ((), ())


def test_paths_have_the_casing_of_the_reference() -> None:
    assert (ACCOUNTS.path, ACCOUNTS.bulk_path, ACCOUNTS.sync_path) == (
        "crm/Accounts",
        "bulk/CRM/Accounts",
        "sync/CRM/Accounts",
    )
    assert (CONTACTS.path, CONTACTS.bulk_path, CONTACTS.sync_path, CONTACTS.deleted_type) == (
        "crm/Contacts",
        "bulk/CRM/Contacts",
        "sync/CRM/Contacts",
        5,
    )
    assert (ADDRESSES.path, ADDRESSES.bulk_path, ADDRESSES.sync_path, ADDRESSES.deleted_type) == (
        "crm/Addresses",
        "bulk/CRM/Addresses",
        "sync/CRM/Addresses",
        3,
    )
    assert (BANK_ACCOUNTS.path, BANK_ACCOUNTS.bulk_path, BANK_ACCOUNTS.sync_path, BANK_ACCOUNTS.deleted_type) == (
        "crm/BankAccounts",
        None,
        None,
        None,
    )
    assert (DIVISIONS.path, DELETIONS.sync_path, ACCOUNTS.deleted_type) == ("system/Divisions", "sync/Deleted", 2)
