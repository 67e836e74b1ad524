"""Addresses: of an account, beside the visit address, which is part of the account itself.

Members are those of the reference of July 2025. A row of a warehouse has no account.
"""

from exactonline_client.entities.model import Elsewhere, Entity, Field, Reference, SameRow, Trait

READ_ONLY = Trait.READ_ONLY
DIVISION = Trait.DIVISION_BOUND
COPY = Trait.SAFE_TO_COPY
FILTER = Trait.FILTERABLE
DAY = Trait.DAY

FIELDS = (
    Field("ID", "Guid", "key of the address", DIVISION | FILTER),
    Field("Account", "Guid", "account it belongs to; empty when a warehouse is linked", DIVISION | FILTER),
    Field("AccountIsSupplier", "Boolean", "that account is a supplier", READ_ONLY),
    Field("AccountName", "String", "name of that account (no account code on this entity)", READ_ONLY),
    Field("AddressLine1", "String", "line 1", COPY | FILTER),
    Field("AddressLine2", "String", "line 2", COPY),
    Field("AddressLine3", "String", "line 3", COPY | FILTER),
    Field("City", "String", "city", COPY),
    Field("Contact", "Guid", "person linked to the address", DIVISION | FILTER),
    Field("ContactName", "String", "name of that person", READ_ONLY),
    Field("Country", "String", "country code", COPY, width=3),
    Field("CountryName", "String", "country in words", READ_ONLY),
    Field("Created", "DateTime", "creation moment, local wall time", READ_ONLY | DIVISION),
    Field("Creator", "Guid", "user who created it", READ_ONLY | DIVISION),
    Field("CreatorFullName", "String", "name of that user", READ_ONLY | DIVISION),
    Field("CustomField", "String", "link to custom fields (Premium)", READ_ONLY | DIVISION),
    Field("Division", "Int32", "company the row lives in", READ_ONLY | DIVISION),
    Field("Fax", "String", "fax", COPY),
    Field("FreeBoolField_01", "Boolean", "own yes/no field 1; its caption differs per company"),
    Field("FreeBoolField_02", "Boolean", "own yes/no field 2; its caption differs per company"),
    Field("FreeBoolField_03", "Boolean", "own yes/no field 3; its caption differs per company"),
    Field("FreeBoolField_04", "Boolean", "own yes/no field 4; its caption differs per company"),
    Field("FreeBoolField_05", "Boolean", "own yes/no field 5; its caption differs per company"),
    Field("FreeDateField_01", "DateTime", "own date field 1; its caption differs per company", DAY),
    Field("FreeDateField_02", "DateTime", "own date field 2; its caption differs per company", DAY),
    Field("FreeDateField_03", "DateTime", "own date field 3; its caption differs per company", DAY),
    Field("FreeDateField_04", "DateTime", "own date field 4; its caption differs per company", DAY),
    Field("FreeDateField_05", "DateTime", "own date field 5; its caption differs per company", DAY),
    Field("FreeNumberField_01", "Double", "own number field 1; its caption differs per company"),
    Field("FreeNumberField_02", "Double", "own number field 2; its caption differs per company"),
    Field("FreeNumberField_03", "Double", "own number field 3; its caption differs per company"),
    Field("FreeNumberField_04", "Double", "own number field 4; its caption differs per company"),
    Field("FreeNumberField_05", "Double", "own number field 5; its caption differs per company"),
    Field("FreeTextField_01", "String", "own text field 1; its caption differs per company"),
    Field("FreeTextField_02", "String", "own text field 2; its caption differs per company"),
    Field("FreeTextField_03", "String", "own text field 3; its caption differs per company"),
    Field("FreeTextField_04", "String", "own text field 4; its caption differs per company"),
    Field("FreeTextField_05", "String", "own text field 5; its caption differs per company"),
    Field("Mailbox", "String", "mailbox address; needs the mailbox feature in the licence"),
    Field("Main", "Boolean", "main address of its type for this account", COPY | FILTER),
    Field("Modified", "DateTime", "last change, local wall time", READ_ONLY | DIVISION),
    Field("Modifier", "Guid", "user who changed it last", READ_ONLY | DIVISION),
    Field("ModifierFullName", "String", "name of that user", READ_ONLY | DIVISION),
    Field("NicNumber", "String", "French site number (last part of SIRET)", COPY),
    Field("Notes", "String", "remarks"),
    Field("Phone", "String", "phone", COPY),
    Field("PhoneExtension", "String", "extension", COPY),
    Field("Postcode", "String", "postcode", COPY | FILTER),
    Field("Source", "Byte", "channel that made the row", READ_ONLY),
    Field("State", "String", "state or province code, must fit the country", COPY),
    Field("StateDescription", "String", "state in words", READ_ONLY),
    Field("Type", "Int16", "1 visit, 2 postal, 3 invoice, 4 delivery", COPY | FILTER),
    Field("Warehouse", "Guid", "warehouse linked (delivery type only; then Account is empty)", DIVISION | FILTER),
    Field("WarehouseCode", "String", "its code", READ_ONLY | DIVISION),
    Field("WarehouseDescription", "String", "its text", READ_ONLY | DIVISION),
    Field("Timestamp", "Int64", "row version, sync feed only", READ_ONLY | DIVISION | FILTER),
    Field(
        "AccountCode",
        "String",
        "code of the account that it belongs to; the tap adds it",
        READ_ONLY | DIVISION | Trait.COMPANION,
    ),
)

VISIT = 1
"""Type of the address where an account is visited."""

ADDRESSES = Entity(
    name="address",
    stream="addresses",
    path="crm/Addresses",
    bulk_path="bulk/CRM/Addresses",
    sync_path="sync/CRM/Addresses",
    docs="https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=CRMAddresses",
    declared=FIELDS,
    required=("Type",),
    deleted_type=3,
    parent=Reference("Account", "accounts", "AccountCode"),
    same_row=(
        SameRow(("Type", "AddressLine1", "AddressLine2", "AddressLine3", "Postcode", "City", "Country")),
        SameRow(("Type",), where="Main"),
    ),
    last="Main",
    elsewhere=Elsewhere("Type", VISIT, "Main"),
    travel_together={"Country": "State"},
)
