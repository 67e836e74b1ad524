"""The properties of each entity: Edm type, padding, whether they may be written or filtered on.

The account's come from account_properties.csv (reference 2022 and 2025, and one recording of 2026, which also gave the
order on crm; that bulk and sync keep it is an assumption); the others from dossier 1.4, 1.5 and 5.4.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

PageSize = Literal["crm", "bulk", "sync"]

# Width on read (dossier 2.6): negative is filled on the left.
_PADDING = {
    "Code": -18,
    "InvoiceAccountCode": -18,
    "ResellerCode": -18,
    "Country": 3,
    "State": 3,
    "SearchCode": 9,
    "Language": 10,
    "SalesVATCode": 3,
    "PurchaseVATCode": 3,
}


@dataclass(frozen=True, slots=True)
class Property:
    """One property; `padding` is its width on read, negative when filled on the left, 0 for none."""

    name: str
    edm: str
    padding: int = 0
    writable: bool = False
    filterable: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Entity:
    """What a collection serves; compared by identity, so that plans for it may be cached."""

    path: str
    type: str
    key: str
    page: PageSize
    properties: Mapping[str, Property]

    @property
    def filterable(self) -> list[str]:
        """Names that a `$filter` may carry."""
        return [name for name, known in self.properties.items() if known.filterable]


def _account_table() -> tuple[dict[str, str], ...]:
    text = (files("exactonline_sandbox") / "account_properties.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


_TABLE = _account_table()


def _account_properties(rows: Iterable[dict[str, str]], filterable: set[str]) -> dict[str, Property]:
    return {
        row["name"]: Property(
            row["name"],
            row["edm_type"],
            _PADDING.get(row["name"], 0),
            writable=row["readonly"] == "no",
            filterable=row["name"] in filterable,
        )
        for row in rows
    }


def _declared(*columns: tuple[str, str], padded: Mapping[str, int] | None = None) -> dict[str, Property]:
    padding = padded or {}
    return {
        name: Property(name, f"Edm.{edm}", padding.get(name, 0)) for edm, names in columns for name in names.split()
    }


_LISTED = {row["name"] for row in _TABLE if row["filterable"] == "yes"}

ACCOUNT = Entity(
    "crm/Accounts",
    "Exact.Web.Api.Models.Account",
    "ID",
    "crm",
    _account_properties((row for row in _TABLE if row["name"] != "Timestamp"), _LISTED),
)
BULK_ACCOUNT = Entity(
    "bulk/CRM/Accounts",
    "Exact.Web.Api.Models.Bulk.CRM.Account",
    "ID",
    "bulk",
    _account_properties((row for row in _TABLE if row["in_bulk"] == "yes"), _LISTED),
)
SYNC_ACCOUNT = Entity(
    "sync/CRM/Accounts",
    "Exact.Web.Api.Models.Sync.CRM.Account",
    "Timestamp",
    "sync",
    _account_properties((row for row in _TABLE if row["in_sync"] == "yes"), {"Timestamp"}),
)
_DELETED = _declared(
    ("Int64", "Timestamp"),
    ("Guid", "ID EntityKey DeletedBy"),
    ("Int32", "EntityType Division"),
    ("DateTime", "DeletedDate"),
)
DELETED = Entity(
    "sync/Deleted",
    "Exact.Web.Api.Models.Sync.Deleted",
    "Timestamp",
    "sync",
    {
        name: Property(name, known.edm, filterable=name in {"Timestamp", "EntityType"})
        for name, known in _DELETED.items()
    },
)
SYNC_TIMESTAMP = Entity(
    "read/sync/Sync/SyncTimestamp",
    "Exact.Web.Api.Models.Sync.SyncTimestamp",
    "TimeStampAsBigInt",
    "crm",
    _declared(("Int64", "TimeStampAsBigInt"), ("DateTime", "Modified"), ("String", "API")),
)
ME = Entity(
    "current/Me",
    "Exact.Web.Api.Models.System.Me",
    "UserID",
    "crm",
    _declared(  # in the order recorded (NANGO)
        ("Int32", "CurrentDivision"),
        ("Guid", "DivisionCustomer"),
        ("String", "DivisionCustomerCode DivisionCustomerName DivisionCustomerVatNumber DivisionCustomerSiretNumber"),
        ("Int32", "DossierDivision AccountingDivision"),
        ("Boolean", "IsEmployeeSelfServiceUser IsMyFirmLiteUser IsStarterUser IsMyFirmPortalUser IsClientUser"),
        ("String", "FullName PictureUrl"),
        ("Binary", "ThumbnailPicture"),
        ("String", "ThumbnailPictureFormat"),
        ("Guid", "UserID"),
        ("String", "UserName LanguageCode"),
        ("Int64", "Legislation"),
        ("String", "Email Title Initials FirstName MiddleName LastName Gender Nationality Language"),
        ("String", "Phone PhoneExtension Mobile ServerTime"),
        ("Double", "ServerUtcOffset"),
        ("Guid", "EmployeeID"),
        ("String", "CustomerCode PackageCode"),
        ("Boolean", "IsOEIMigrationMandatory"),
        padded={"CustomerCode": -18, "DivisionCustomerCode": -18},
    ),
)
_DIVISION = _declared(  # in the order recorded (NANGO)
    ("String", "AddressLine1 AddressLine2 AddressLine3"),
    ("Int32", "BlockingStatus"),
    ("String", "BusinessTypeCode BusinessTypeDescription"),
    ("Int32", "Code"),
    ("String", "ChamberOfCommerceNumber ChamberOfCommerceEstablishment City CompanySizeCode CompanySizeDescription"),
    ("String", "Country"),
    ("DateTime", "Created"),
    ("Guid", "Creator"),
    ("String", "CreatorFullName Currency"),
    ("Boolean", "Current"),
    ("Guid", "Customer"),
    ("String", "CustomerCode CustomerName DatevAccountantNumber DatevClientNumber Description"),
    ("DateTime", "DivisionMoveDate DivisionHRLinkUnlinkDate"),
    ("String", "Email Fax"),
    ("Int64", "Hid"),
    ("Boolean", "IsDossierDivision IsPracticeDivision IsHRDivision IsMainDivision"),
    ("String", "Legislation"),
    ("DateTime", "Modified"),
    ("Guid", "Modifier"),
    ("String", "ModifierFullName OBNumber Postcode Phone SbiCode SbiDescription SectorCode SectorDescription"),
    ("Double", "ShareCapital"),
    ("String", "SiretNumber"),
    ("DateTime", "StartDate"),
    ("String", "State"),
    ("Int32", "Status"),
    ("String", "SubsectorCode SubsectorDescription TaxOfficeNumber TaxReferenceNumber TemplateCode VATNumber Website"),
    ("DateTime", "ArchiveDate"),
    ("String", "Class_01 Class_02 Class_03 Class_04 Class_05"),
    padded={"Country": 3, "Legislation": 3, "CustomerCode": -18},
)
DIVISION = Entity("system/Divisions", "Exact.Web.Api.Models.System.Division", "Code", "crm", _DIVISION)
EVERY_DIVISION = Entity("system/AllDivisions", "Exact.Web.Api.Models.System.AllDivision", "Code", "crm", _DIVISION)
_NOT_OF_RECENT = {  # PICQER's copy of the official page has none of these
    *("ArchiveDate", "DivisionHRLinkUnlinkDate", "DivisionMoveDate", "IsDossierDivision", "IsHRDivision"),
    *("IsPracticeDivision", "OBNumber", "TemplateCode"),
}
RECENT_DIVISION = Entity(
    "system/GetMostRecentlyUsedDivisions",
    "Exact.Web.Api.Models.System.GetMostRecentlyUsedDivision",  # the type's name is a guess
    "Code",
    "crm",
    {name: known for name, known in _DIVISION.items() if name not in _NOT_OF_RECENT},
)
HRM_DIVISION = Entity(
    "hrm/Divisions",
    "Exact.Web.Api.Models.HRM.Division",
    "Code",
    "crm",
    _declared(("Int32", "Code"), ("String", "Description"), ("Int64", "HID"), ("Boolean", "Main"), ("Int16", "Status")),
)
