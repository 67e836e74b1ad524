"""What nobody knows of contacts, addresses and bank accounts, either way: equal afterwards, and then quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from child_life import iban
from child_target import STREAMS, Family
from quick_waits import short_waits
from sandbox_driver import SOURCE, small_world
from singer_children import ENTITIES, held
from singer_group import NORTH, SOUTH
from target_driver import InProcessTarget, Loaded

OTHERWISE = {
    "visit_address": "two_rows",
    "other_addresses": "made",
    "same_address": "first_line",
    "main_siblings": "kept",
    "child_changes": "account_moves",
    "deleted_with_account": "silent",
    "bank_number_change": "taken",
    "repeated_bank_number": "refused",
    "bank_numbers_kept": "grouped",
    "missing_bic": "derived",
}
"""Switches of the sandbox, each with the value that is not its default."""
WORLDS: dict[str, dict[str, str]] = {
    "as assumed": {},
    **{name: {name: value} for name, value in OTHERWISE.items()},
    "all otherwise": OTHERWISE,
}


@pytest.fixture(params=WORLDS)
def family(request: pytest.FixtureRequest, target: InProcessTarget) -> Iterator[Family]:
    """Three accounts with two people, two delivery addresses and two bank accounts each."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ENTITIES.values()}
    for number, code in enumerate("123"):
        rows["Contacts"] += [{"Account": code, "FirstName": name, "LastName": "Pot"} for name in ("Jan", "Piet")]
        lines = [f"Haven {code}", f"Kade {code}"]
        rows["Addresses"] += [
            {"Account": code, "Type": 4, "Main": line == lines[0], "AddressLine1": line, "City": "Ede"}
            for line in lines
        ]
        rows["BankAccounts"] += [
            {"Account": code, "BankAccount": iban(10 * number + n), "Main": n == 1} for n in (1, 2)
        ]
    target.sandbox.reset(small_world(3, children={SOURCE: rows}, switches=WORLDS[request.param]))
    with short_waits():
        yield Family(target)


def change(family: Family, entity: str, which: int, **members: Any) -> None:
    """Change a row of account 1 at the source as a person would."""
    rows = sorted(family.sandbox.children(SOURCE, entity, "1"), key=repr)
    row = [one for one in rows if one.get("Type") != 1][which]
    family.sandbox.fill_children(SOURCE, entity, [{"ID": row["ID"], **members}])


def make_another_main(family: Family, entity: str) -> None:
    """Another row becomes the main one, and the one before it no longer is."""
    rows = [row for row in family.sandbox.children(SOURCE, entity, "2") if row.get("Type") != 1]
    turned = sorted(({"ID": row["ID"], "Main": not row["Main"]} for row in rows), key=lambda one: one["Main"])
    family.sandbox.fill_children(SOURCE, entity, turned)


def open_rows(family: Family, division: int, stream: str) -> Counter[tuple[Any, ...]]:
    """What a company holds of a stream, but for blocked bank accounts; numbers without blanks."""
    rows = family.sandbox.children(division, "BankAccounts") if stream == "bank_accounts" else []
    blocked = {row["BankAccount"] for row in rows if row["Blocked"]}
    return Counter(
        (code, *(number.replace(" ", "") if stream == "bank_accounts" else number for number in (first,)), *others)
        for code, first, *others in held(family.sandbox, division, stream)
        if first not in blocked
    )


def sync(family: Family) -> Loaded:
    """A run that empties what is empty at the source, also in rows that Exact made with an account."""
    return family.sync(nulls="clear")


def assert_settled(family: Family, *, is_first_line_alone: bool = False) -> None:
    """Two more runs write nothing, and every company holds what the source holds."""
    for _ in range(2):
        family.sandbox.forget_calls()
        ran = sync(family)
        assert family.writes() == 0
    refused = [line["reason"] for line in ran.outcomes if line["outcome"] != "unchanged"]
    assert all("Exact takes it for address" in reason for reason in refused)
    for division in (NORTH, SOUTH):
        for stream in STREAMS:
            missing = open_rows(family, SOURCE, stream) - open_rows(family, division, stream)
            assert missing.total() == (len(refused) / 2 if stream == "addresses" else 0)
            assert not open_rows(family, division, stream) - open_rows(family, SOURCE, stream)
    assert bool(refused) == is_first_line_alone


def test_first_contact_then_nothing(family: Family) -> None:
    sync(family)

    assert_settled(family)


def test_a_change_of_every_kind(family: Family, request: pytest.FixtureRequest) -> None:
    sync(family)
    change(family, "Contacts", 0, Phone="010", FirstName="Jan-Piet")
    change(family, "Addresses", 0, AddressLine1="Plein 9", City="Zeist")
    change(family, "BankAccounts", 0, Description="Main", BankAccountHolderName="Klant")
    change(family, "BankAccounts", 1, BankAccount=iban(99))
    for entity in ("Addresses", "BankAccounts"):
        make_another_main(family, entity)
    family.sandbox.fill_children(SOURCE, "Contacts", [{"Account": "3", "FirstName": "Jan", "LastName": "Pot"}])
    family.sandbox.fill_children(SOURCE, "BankAccounts", [{"Account": "3", "BankAccount": iban(98)}])
    family.sandbox.fill_children(
        SOURCE,
        "Addresses",
        [{"Account": "3", "Type": 4, "AddressLine1": "Haven 3", "AddressLine2": "Achter", "City": "Ede"}],
    )
    family.sandbox.edit(SOURCE, "3", AddressLine1="Nieuwstraat 1", City="Ede")

    sync(family)

    assert_settled(family, is_first_line_alone="same_address" in WORLDS[request.node.callspec.params["family"]])
