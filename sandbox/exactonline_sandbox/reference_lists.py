"""The lists of a company that accounts refer to: one declaration each (dossier E 1, 3.4 to 3.12).

The members come from list_properties.csv (reference 2022 and 2025, users of December 2025). The names of the types are
made up after those that were recorded. Where no source says which members filter, all do.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from exactonline_sandbox.properties import Entity, PageSize, Property

GUID, CODE = "ID", "Code"

# Types of ledger accounts and their names (dossier E 3.6); in English for all users, which is an assumption.
LEDGER_TYPES = {
    10: "Cash",
    12: "Bank",
    14: "Credit card",
    16: "Payment services",
    20: "Accounts receivable",
    21: "Prepayment accounts receivable",
    22: "Accounts payable",
    24: "VAT",
    25: "Employees payable",
    26: "Prepaid expenses",
    27: "Accrued expenses",
    29: "Income taxes payable",
    30: "Fixed assets",
    32: "Other assets",
    35: "Accumulated depreciations",
    40: "Inventory",
    50: "Capital stock",
    52: "Retained earnings",
    55: "Long-term debt",
    60: "Current portion of debt",
    90: "General",
    100: "Tax payable",
    110: "Revenue",
    111: "Cost of goods",
    120: "Other costs",
    121: "Sales, general and administrative expenses",
    122: "Depreciation costs",
    123: "Research and development",
    125: "Employee costs",
    126: "Employment costs",
    130: "Exceptional costs",
    140: "Exceptional income",
    150: "Income taxes",
    160: "Interest income",
    300: "Year end reflection",
    301: "Indirect year end costing",
    302: "Direct year end costing",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """What a member refers to: a list or `Accounts`, by GUID or by code.

    `companions` are the members that Exact fills in from the row referred to, each with that row's member. `slot` is
    the SequenceNumber of the classifications that fit; `kinds` a member of the row and the values of it that fit.
    """

    to: str
    by: str = GUID
    companions: Mapping[str, str] = field(default_factory=dict)
    slot: int | None = None
    kinds: tuple[str, frozenset[Any]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceList:
    """A list: where it is read, with which scope, and what tells its rows apart for a person (`natural`)."""

    name: str
    path: str
    scope: str
    natural: tuple[str, ...] = (CODE,)
    key: str = GUID
    also_at: tuple[str, ...] = ()
    sync: str | None = None
    bulk: str | None = None
    deleted_as: int | None = None
    shared: bool = False
    padding: Mapping[str, int] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)

    @property
    def right(self) -> str:
        """The right that a user needs to read it."""
        return f"read_{self.name}"

    @property
    def paths(self) -> list[tuple[str, PageSize]]:
        """Where it is read, and the pages it comes in there."""
        paths: list[tuple[str, PageSize]] = [(path, "crm") for path in (self.path, *self.also_at)]
        if self.sync and self.bulk:
            paths += [(self.sync, "sync"), (self.bulk, "bulk")]
        return paths

    @property
    def entity(self) -> Entity:
        """What its own path serves."""
        return ENTITIES[self.path]


def _described(member: str, by: str = GUID, **more: str) -> dict[str, str]:
    """Companions of a member: its description, and for a GUID its code."""
    named = {f"{member}Description": "Description", **more}
    return {f"{member}Code": "Code", **named} if by == GUID else named


def _ledger(member: str) -> Reference:
    return Reference("GLAccounts", companions=_described(member))


_BLOCKABLE = {"IsBlocked": False}
_LEDGER_DEFAULTS = {**_BLOCKABLE, "Compress": False, "Matching": False, "UseCostcenter": 0, "UseCostunit": 0}

# In an order in which each refers to those before it.
LISTS = {
    known.name: known
    for known in (
        ReferenceList("Currencies", "general/Currencies", "financial.currencies", key=CODE, shared=True),
        ReferenceList(
            "Users", "users/Users", "organization.administration", natural=("UserName",), key="UserID", shared=True
        ),
        ReferenceList("PaymentConditions", "cashflow/PaymentConditions", "financial.cashflow"),
        ReferenceList("Costcenters", "hrm/Costcenters", "financial.costcenters"),
        ReferenceList("Costunits", "hrm/Costunits", "financial.costcenters"),
        ReferenceList(
            "GLAccounts",
            "financial/GLAccounts",
            "financial.generalledgers",
            sync="sync/Financial/GLAccounts",
            bulk="bulk/Financial/GLAccounts",
            deleted_as=7,
            defaults=_LEDGER_DEFAULTS,
            references={
                "Costcenter": Reference("Costcenters", CODE, _described("Costcenter", CODE)),
                "Costunit": Reference("Costunits", CODE, _described("Costunit", CODE)),
                "VATCode": Reference("VATCodes", CODE, {"VATDescription": "Description"}),
                "PrivateGLAccount": Reference("GLAccounts"),
                "VATNonDeductibleGLAccount": Reference("GLAccounts"),
                "YearEndCostGLAccount": Reference("GLAccounts"),
                "YearEndReflectionGLAccount": Reference("GLAccounts"),
            },
        ),
        ReferenceList(
            "VATCodes",
            "vat/VATCodes",
            "financial.accounting",
            padding={"Code": 3, "AccountCode": -18},
            defaults={**_BLOCKABLE, "EUSalesListing": "N", "VatDocType": "P"},
            references={
                "Account": Reference("Accounts", companions={"AccountCode": "Code", "AccountName": "Name"}),
                **{name: _ledger(name) for name in ("GLDiscountPurchase", "GLDiscountSales", "GLToClaim", "GLToPay")},
            },
        ),
        ReferenceList(
            "AccountClassificationNames", "crm/AccountClassificationNames", "crm.accounts", natural=("SequenceNumber",)
        ),
        ReferenceList(
            "AccountClassifications",
            "crm/AccountClassifications",
            "crm.accounts",
            natural=("AccountClassificationName", CODE),
            references={
                "AccountClassificationName": Reference(
                    "AccountClassificationNames", companions={"AccountClassificationNameDescription": "Description"}
                )
            },
        ),
        ReferenceList("SalesPriceLists", "sales/SalesPriceLists", "sales.prices", also_at=("sales/PriceLists",)),
        ReferenceList(
            "ShippingMethods",
            "sales/ShippingMethods",
            "sales.orders",
            defaults={"Active": True},
            references={
                "VATCode": Reference(
                    "VATCodes", CODE, {"VATCodeDescription": "Description", "VATPercentage": "Percentage"}
                )
            },
        ),
        ReferenceList("LeadSources", "crm/LeadSources", "crm.accounts"),
        ReferenceList("LeadPurposes", "crm/LeadPurposes", "crm.accounts"),
    )
}


def _members() -> dict[str, list[dict[str, str]]]:
    text = (files("exactonline_sandbox") / "list_properties.csv").read_text(encoding="utf-8")
    members: dict[str, list[dict[str, str]]] = {name: [] for name in LISTS}
    for row in csv.DictReader(text.splitlines()):
        members[row["list"]].append(row)
    return members


_MEMBERS = _members()


def _entity(known: ReferenceList, path: str, page: PageSize) -> Entity:
    properties = {
        row["name"]: Property(
            row["name"],
            row["edm_type"],
            known.padding.get(row["name"], 0),
            filterable=row["name"] == "Timestamp" if page == "sync" else row["filterable"] == "yes",
        )
        for row in _MEMBERS[known.name]
        if (page == "crm" and row["name"] != "Timestamp") or row.get(f"in_{page}") == "yes"
    }
    folder, _, name = path.rpartition("/")
    words = [word[0].upper() + word[1:] for word in folder.split("/")]
    kind = ".".join(["Exact.Web.Api.Models", *words, name.removesuffix("s")])
    return Entity(path, kind, "Timestamp" if page == "sync" else known.key, page, properties)


ENTITIES = {path: _entity(known, path, page) for known in LISTS.values() for path, page in known.paths}
