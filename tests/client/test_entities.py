"""The declarations of entities, against the table of what Exact's reference says of an account."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from exactonline_client.entities import ACCOUNTS, DELETIONS, DIVISIONS, Entity, Trait

with Path(__file__).with_name("accounts-properties.csv").open(encoding="utf-8", newline="") as lines:
    REFERENCE = {line["name"]: line for line in csv.DictReader(lines)}

OF_EXACT = {field.name: field for field in ACCOUNTS.declared if Trait.COMPANION not in field.traits}

COMPANY_POLICY = {"PurchaseCurrency", "SalesCurrency"}
"""Marked `copy only if`; here that means: not by default."""
COPIED_WITH_CARE = {"State", "Status"}
"""Marked with a condition; here they are safe: a State goes with its Country, a Status with the party."""


def names_with(column: str) -> set[str]:
    return {name for name, line in REFERENCE.items() if line[column].startswith("yes")}


def names_of(trait: Trait) -> set[str]:
    return {field.name for field in OF_EXACT.values() if trait in field.traits}


def test_an_account_has_the_properties_of_the_reference_in_their_order() -> None:
    assert list(OF_EXACT) == list(REFERENCE)


def test_every_property_has_the_type_of_the_reference() -> None:
    types = {name: line["edm_type"].removeprefix("Edm.").split(" (")[0] for name, line in REFERENCE.items()}
    types["BankAccounts"] = types["BankAccounts"].partition("(")[0]

    assert {name: field.edm for name, field in OF_EXACT.items()} == types


@pytest.mark.parametrize(
    ("column", "trait"),
    [
        ("readonly", Trait.READ_ONLY),
        ("division_bound", Trait.DIVISION_BOUND),
        ("filterable", Trait.FILTERABLE),
        ("obsolete", Trait.RETIRED),
    ],
)
def test_every_property_has_the_traits_of_the_reference(column: str, trait: Trait) -> None:
    assert names_of(trait) == names_with(column)


def test_what_is_safe_to_copy_is_what_the_reference_advises_to_copy() -> None:
    advised = {name for name, line in REFERENCE.items() if line["copy_advice"].startswith("copy")}

    assert set(ACCOUNTS.safe_to_copy) == advised - COMPANY_POLICY | COPIED_WITH_CARE


def test_only_the_name_is_required() -> None:
    assert set(ACCOUNTS.required) == names_with("mandatory")


def test_what_is_safe_to_copy_can_be_written_and_is_tied_to_no_division() -> None:
    for name in ACCOUNTS.safe_to_copy:
        assert ACCOUNTS.fields[name].writable
        assert not ACCOUNTS.fields[name].division_bound


def test_nothing_that_exact_fills_itself_is_written() -> None:
    never = names_with("readonly") | {"ID"}

    assert set(ACCOUNTS.writable) == set(REFERENCE) - never


def test_what_the_reference_does_not_know_is_not_asked_for_by_name() -> None:
    assert set(REFERENCE) - set(ACCOUNTS.selectable) == {"BankAccounts", "ClientGroup", "ClientGroupDescription"}


def test_a_code_is_as_wide_as_the_reference_says() -> None:
    widths = {field.name: field.width for field in ACCOUNTS.declared if field.width}

    assert widths == {"Code": int(REFERENCE["Code"]["max_length"])}


@pytest.mark.parametrize("entity", [ACCOUNTS, DIVISIONS, DELETIONS], ids=lambda entity: entity.name)
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
    assert (DIVISIONS.path, DELETIONS.sync_path, ACCOUNTS.deleted_type) == ("system/Divisions", "sync/Deleted", 2)
