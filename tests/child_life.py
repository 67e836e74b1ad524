"""A source company whose customers get, change and lose contacts, addresses and bank accounts, as a seed draws it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from sandbox_driver import SOURCE, Sandbox, World, customer, small_world

FIRST_NAMES = ("Jan", "Piet", "Anna")
LAST_NAMES = ("Pot", "Smit")
"""Few, so that one account has people of one name."""
BANKS = ("ABNA", "INGB", "RABO")


def iban(number: int) -> str:
    """A Dutch account number whose check digits are right."""
    bank, account = BANKS[number % len(BANKS)], f"{number:010}"
    digits = "".join(str(int(char, 36)) for char in f"{bank}{account}NL00")
    return f"NL{98 - int(digits) % 97:02}{bank}{account}"


class Life:
    """What people do at the source."""

    def __init__(self, sandbox: Sandbox, seed: object) -> None:
        self.sandbox = sandbox
        self.draw = Random(str(seed))  # noqa: S311 - to be drawn again
        self._number = 0

    def begin(self, accounts: int, targets: Sequence[int], **world: Any) -> World:
        """A world of so many customers, each with two or three people, and most with an address and a bank account."""
        rows: dict[str, list[dict[str, Any]]] = {"Contacts": [], "Addresses": [], "BankAccounts": []}
        for code in map(str, range(1, accounts + 1)):
            rows["Contacts"] += [self.contact(code) for _ in range(self.draw.randint(1, 3))]
            rows["Addresses"] += [self.address(code) for _ in range(self.draw.randint(0, 2))]
            rows["BankAccounts"] += [self.bank_account(code) for _ in range(self.draw.randint(0, 2))]
        held = {SOURCE: [customer(number) for number in range(1, accounts + 1)]}
        limits = {"token_seconds": 30_000_000}
        return small_world(targets=targets, accounts=held, children={SOURCE: rows}, limits=limits, **world)

    def contact(self, code: str) -> dict[str, Any]:
        first, last = self.draw.choice(FIRST_NAMES), self.draw.choice(LAST_NAMES)
        return {"Account": code, "FirstName": first, "LastName": last, "Phone": f"06-{self._next():08}"}

    def address(self, code: str) -> dict[str, Any]:
        line = f"Kade {self._next()}"
        return {"Account": code, "Type": self.draw.choice((2, 3, 4)), "AddressLine1": line, "City": "Ede"}

    def bank_account(self, code: str) -> dict[str, Any]:
        return {"Account": code, "BankAccount": iban(self._next()), "BankAccountHolderName": f"Klant {code}"}

    def change(self, count: int) -> None:
        """So many changes of any kind."""
        for _ in range(count):
            self.draw.choice((self.add, self.edit, self.edit, self.rename, self.new_number, self.remove))()

    def add(self) -> None:
        make = {"Contacts": self.contact, "Addresses": self.address, "BankAccounts": self.bank_account}
        entity = self.draw.choice(sorted(make))
        row = make[entity](self.draw.choice(self.sandbox.codes(SOURCE)))
        self.sandbox.fill_children(SOURCE, entity, [row])

    def edit(self) -> None:
        """One field of one row."""
        entity, name = self.draw.choice(
            (("Contacts", "JobTitleDescription"), ("Addresses", "City"), ("BankAccounts", "Description"))
        )
        if row := self.one_of(entity):
            self.sandbox.edit_child(SOURCE, entity, row["ID"], **{name: f"{name[:4]} {self._next()}"})

    def rename(self) -> None:
        """A person gets another name, which somebody else of the account may have."""
        if row := self.one_of("Contacts"):
            names = {"FirstName": self.draw.choice(FIRST_NAMES), "LastName": self.draw.choice(LAST_NAMES)}
            self.sandbox.edit_child(SOURCE, "Contacts", row["ID"], **names)

    def new_number(self) -> None:
        """A customer changes banks."""
        if row := self.one_of("BankAccounts"):
            self.sandbox.fill_children(
                SOURCE, "BankAccounts", [{"ID": row["ID"], "BankAccount": iban(self._next()), "BICCode": None}]
            )

    def remove(self) -> None:
        entity = self.draw.choice(("Contacts", "Addresses", "BankAccounts"))
        is_last = entity == "BankAccounts" and len(self.sandbox.children(SOURCE, entity)) < 2
        if not is_last and (row := self.one_of(entity)):  # a list that is empty may be one that may not be read
            self.sandbox.remove_child(SOURCE, entity, row["ID"])

    def one_of(self, entity: str) -> dict[str, Any] | None:
        """A row of the source that is written by itself."""
        rows = [row for row in self.sandbox.children(SOURCE, entity) if row.get("Type") != 1]
        return self.draw.choice(rows) if rows else None

    def _next(self) -> int:
        self._number += 1
        return self._number
