"""What belongs to an account: contacts, addresses and bank accounts, one declaration each (dossier E 1, 3.1 to 3.3).

The members come from child_properties.csv: reference 2022 and 2025, and for the order of a contact's a recording of
2026. The type of a contact was recorded; the other two are named after it.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from exactonline_sandbox.properties import Entity, PageSize, Property
from exactonline_sandbox.reference_lists import Reference

SCOPE = "crm.accounts"


@dataclass(frozen=True, slots=True, eq=False)
class ChildEntity:
    """An entity whose rows belong to accounts.

    `sync` and `bulk` are its further paths, `deleted_as` its number in sync/Deleted. `main_within` are the members
    that rows have in common of which one is the main one. `echo` is what a POST gives back besides the ID. `fixed`
    members cannot be changed by a PUT, and those `not_imitated` cannot be sent at all: nothing is known of either.
    """

    name: str
    kind: str
    sync: str | None = None
    bulk: str | None = None
    deleted_as: int | None = None
    padding: Mapping[str, int] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)
    main_within: tuple[str, ...] = ()
    selects_all: bool = True
    defaults: Mapping[str, Any] = field(default_factory=dict)
    echo: Mapping[str, Any] = field(default_factory=dict)
    fixed: tuple[str, ...] = ("Account",)
    not_imitated: frozenset[str] = frozenset()

    @property
    def path(self) -> str:
        """Where it is read and written."""
        return f"crm/{self.name}"

    @property
    def paths(self) -> list[tuple[str, PageSize]]:
        """Where it is read, and the pages it comes in there."""
        further: list[tuple[str | None, PageSize]] = [(self.sync, "sync"), (self.bulk, "bulk")]
        return [(self.path, "crm"), *((path, page) for path, page in further if path)]

    @property
    def entity(self) -> Entity:
        """What its own path serves."""
        return ENTITIES[self.path]

    @property
    def rights(self) -> tuple[str, str]:
        """The rights that a user needs to read and to write it, besides those on accounts."""
        return f"read_{self.name}", f"write_{self.name}"


CONTACTS = ChildEntity(
    "Contacts",
    "Contact",
    sync="sync/CRM/Contacts",
    bulk="bulk/CRM/Contacts",
    deleted_as=5,
    padding={"Code": -18, "Country": 3, "State": 3, "Language": 10},
    references={
        "Account": Reference(
            "Accounts",
            companions={
                "AccountIsCustomer": "IsSales",  # true for Status C only, as was recorded
                "AccountIsSupplier": "IsSupplier",
                "AccountMainContact": "MainContact",
                "AccountName": "Name",
                "Code": "Code",
                "Country": "Country",
            },
        ),
        "LeadPurpose": Reference("LeadPurposes"),
        "LeadSource": Reference("LeadSources"),
    },
    selects_all=False,
    defaults={"Gender": "O", "IsAnonymised": 0, "IsMailingExcluded": False},
    echo={"AccountIsCustomer": False, "IsAnonymised": 0},  # R, NANGO create-contact
    not_imitated=frozenset({"HID", "Person", "IdentificationDocument", "IdentificationUser", "Picture", "PictureName"}),
)
ADDRESSES = ChildEntity(
    "Addresses",
    "Address",
    sync="sync/CRM/Addresses",
    bulk="bulk/CRM/Addresses",
    deleted_as=3,
    padding={"Country": 3, "State": 3},
    references={
        "Account": Reference("Accounts", companions={"AccountIsSupplier": "IsSupplier", "AccountName": "Name"}),
        "Contact": Reference("Contacts", companions={"ContactName": "FullName"}),
    },
    main_within=("Account", "Type"),
    defaults={"Main": False},
    fixed=("Account", "Type"),
    not_imitated=frozenset({"Warehouse"}),
)
BANK_ACCOUNTS = ChildEntity(
    "BankAccounts",
    "BankAccount",
    references={"Account": Reference("Accounts", companions={"AccountName": "Name"})},
    main_within=("Account",),
    defaults={"Blocked": False, "Main": False, "Type": "A"},
)
CHILDREN = {known.name: known for known in (CONTACTS, ADDRESSES, BANK_ACCOUNTS)}


def _members() -> dict[str, list[dict[str, str]]]:
    text = (files("exactonline_sandbox") / "child_properties.csv").read_text(encoding="utf-8")
    members: dict[str, list[dict[str, str]]] = {name: [] for name in CHILDREN}
    for row in csv.DictReader(text.splitlines()):
        members[row["entity"]].append(row)
    return members


_MEMBERS = _members()


def _filterable(known: ChildEntity, page: PageSize, row: Mapping[str, str]) -> bool:
    """Whether a member filters: on bulk those listed, on crm those that clients use as well, without a feed all."""
    if page == "sync":
        return row["name"] == "Timestamp"
    return known.sync is None or row["filterable"] == "bulk" or (page == "crm" and row["filterable"] == "clients")


def _entity(known: ChildEntity, path: str, page: PageSize) -> Entity:
    properties = {
        row["name"]: Property(
            row["name"],
            row["edm_type"],
            known.padding.get(row["name"], 0),
            writable=row["readonly"] == "no",
            filterable=_filterable(known, page, row),
        )
        for row in _MEMBERS[known.name]
        if (page == "crm" and row["name"] != "Timestamp") or row.get(f"in_{page}") == "yes"
    }
    folder = {"crm": "", "bulk": "Bulk.CRM.", "sync": "Sync.CRM."}[page]
    key = "Timestamp" if page == "sync" else "ID"
    return Entity(path, f"Exact.Web.Api.Models.{folder}{known.kind}", key, page, properties)


ENTITIES = {path: _entity(known, path, page) for known in CHILDREN.values() for path, page in known.paths}
