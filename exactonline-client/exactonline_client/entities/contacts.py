"""Contacts: people of an account.

Members are those of the reference of July 2025, which the live answers of June 2026 had too. The twins of mail and
telephone and the retired birth names overwrite others when they are sent, so they do not travel.
"""

from exactonline_client.entities.model import Blocking, Entity, Field, MainRow, Reference, SameRow, Trait

READ_ONLY = Trait.READ_ONLY
DIVISION = Trait.DIVISION_BOUND
COPY = Trait.SAFE_TO_COPY
RETIRED = Trait.RETIRED
FILTER = Trait.FILTERABLE
DAY = Trait.DAY
PERSONAL = Trait.PERSONAL
OVERWRITES = Trait.OVERWRITES
SENSITIVE = Trait.SENSITIVE

FIELDS = (
    Field("ID", "Guid", "key of the contact", DIVISION | FILTER),
    Field("Account", "Guid", "account the person belongs to", DIVISION | FILTER),
    Field("AccountIsCustomer", "Boolean", "that account is a customer", READ_ONLY),
    Field("AccountIsSupplier", "Boolean", "that account is a supplier", READ_ONLY),
    Field("AccountMainContact", "Guid", "main contact of that account", READ_ONLY | DIVISION),
    Field("AccountName", "String", "name of that account", READ_ONLY),
    Field("AddressLine2", "String", "address shown with the person, line 2 (comes from an address row)", READ_ONLY),
    Field("AddressStreet", "String", "same, street", READ_ONLY),
    Field("AddressStreetNumber", "String", "same, house number", READ_ONLY),
    Field("AddressStreetNumberSuffix", "String", "same, addition to the number", READ_ONLY),
    Field("AllowMailing", "Int32", "retired", READ_ONLY | RETIRED),
    Field("BirthDate", "DateTime", "date of birth", DAY | PERSONAL | SENSITIVE),
    Field("BirthName", "String", "retired; writing it may overwrite LastName", RETIRED | PERSONAL | OVERWRITES),
    Field("BirthNamePrefix", "String", "retired; writing it may overwrite MiddleName", RETIRED | PERSONAL | OVERWRITES),
    Field("BirthPlace", "String", "place of birth", PERSONAL | SENSITIVE),
    Field(
        "BusinessEmail",
        "String",
        "same value as Email in the recording; send one of the two, Email",
        PERSONAL | OVERWRITES,
    ),
    Field("BusinessFax", "String", "fax", COPY | PERSONAL),
    Field("BusinessMobile", "String", "twin of Mobile", PERSONAL | OVERWRITES),
    Field("BusinessPhone", "String", "twin of Phone", PERSONAL | OVERWRITES),
    Field("BusinessPhoneExtension", "String", "extension of the business phone", COPY | PERSONAL),
    Field("City", "String", "address shown with the person, city", READ_ONLY),
    Field(
        "Code",
        "String",
        "code of the account the person belongs to, padded to 18; the bridge to another company",
        READ_ONLY | DIVISION | FILTER,
        width=18,
    ),
    Field("Country", "String", "country of that address or account, padded to 3", READ_ONLY, width=3),
    Field("Created", "DateTime", "creation moment, local wall time", READ_ONLY | DIVISION),
    Field("Creator", "Guid", "user who created it", READ_ONLY | DIVISION),
    Field("CreatorFullName", "String", "name of that user", READ_ONLY | DIVISION),
    Field("CustomField", "String", "link to custom fields (Premium)", READ_ONLY | DIVISION),
    Field("Division", "Int32", "company the row lives in", READ_ONLY | DIVISION),
    Field("Email", "String", "mail address", COPY | PERSONAL),
    Field("EndDate", "DateTime", "last day the contact is active", DAY),
    Field("FirstName", "String", "first name", COPY | FILTER | PERSONAL),
    Field("FullName", "String", "first, middle and last name joined", READ_ONLY),
    Field("Gender", "String", "M, V or O; O seen when not given", COPY | PERSONAL),
    Field(
        "HID",
        "Int32",
        "running number of the person, a range of each company, unique looking (11149, 11150 seen)",
        DIVISION | PERSONAL | OVERWRITES,
    ),
    Field("IdentificationDate", "DateTime", "date an identity paper was checked", DAY | PERSONAL | SENSITIVE),
    Field(
        "IdentificationDocument", "Guid", "document with the identity paper", DIVISION | FILTER | PERSONAL | SENSITIVE
    ),
    Field("IdentificationUser", "Guid", "user who checked it", DIVISION | FILTER | PERSONAL | SENSITIVE),
    Field("Initials", "String", "initials", COPY | PERSONAL),
    Field("IsAnonymised", "Byte", "row was anonymised (1)", READ_ONLY),
    Field("IsMailingExcluded", "Boolean", "left out of marketing mail", COPY),
    Field(
        "IsMainContact",
        "Boolean",
        "is the main contact of the account; read-only here, set Accounts.MainContact instead",
        READ_ONLY | DIVISION,
    ),
    Field("JobTitleDescription", "String", "job title as text", COPY | PERSONAL),
    Field(
        "Language", "String", "language code, padded to 10; takes the country default when not given", COPY, width=10
    ),
    Field("LastName", "String", "last name", COPY | FILTER | PERSONAL),
    Field("LeadPurpose", "Guid", "lead purpose", DIVISION),
    Field("LeadSource", "Guid", "lead source", DIVISION),
    Field("MarketingNotes", "String", "notes meant for campaign search", PERSONAL),
    Field("MiddleName", "String", "name infix", COPY | PERSONAL),
    Field("Mobile", "String", "mobile phone", COPY | PERSONAL),
    Field("Modified", "DateTime", "last change, local wall time", READ_ONLY | DIVISION),
    Field("Modifier", "Guid", "user who changed it last", READ_ONLY | DIVISION),
    Field("ModifierFullName", "String", "name of that user", READ_ONLY | DIVISION),
    Field("Nationality", "String", "nationality code", PERSONAL | SENSITIVE),
    Field("Notes", "String", "free remarks", PERSONAL),
    Field("PartnerName", "String", "last name of the partner", READ_ONLY),
    Field("PartnerNamePrefix", "String", "infix of that name", READ_ONLY),
    Field(
        "Person",
        "Guid",
        "person record behind the contact; made automatically on create",
        DIVISION | FILTER | PERSONAL | OVERWRITES,
    ),
    Field("Phone", "String", "phone", COPY | PERSONAL),
    Field("PhoneExtension", "String", "extension (read-only; write BusinessPhoneExtension)", READ_ONLY),
    Field("Picture", "Binary", "image bytes, only for writing", PERSONAL),
    Field("PictureName", "String", "file name of the image", PERSONAL),
    Field("PictureThumbnailUrl", "String", "link to the small image", READ_ONLY | DIVISION),
    Field("PictureUrl", "String", "link to the image", READ_ONLY | DIVISION),
    Field("Postcode", "String", "address shown with the person, postcode", READ_ONLY),
    Field("SocialSecurityNumber", "String", "citizen number", PERSONAL | SENSITIVE),
    Field("StartDate", "DateTime", "first day active; today at midnight when not given", DAY),
    Field("State", "String", "address shown with the person, state", READ_ONLY),
    Field("Title", "String", "title code (Mr., DR and the like)", PERSONAL),
    Field("TitleAbbreviation", "String", "short form of the title", READ_ONLY),
    Field("TitleDescription", "String", "title in words", READ_ONLY),
    Field("Timestamp", "Int64", "row version, sync feed only", READ_ONLY | DIVISION | FILTER),
    Field(
        "AccountCode",
        "String",
        "code of the account that it belongs to; the tap adds it",
        READ_ONLY | DIVISION | Trait.COMPANION,
    ),
)

CONTACTS = Entity(
    name="contact",
    stream="contacts",
    path="crm/Contacts",
    bulk_path="bulk/CRM/Contacts",
    sync_path="sync/CRM/Contacts",
    docs="https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=CRMContacts",
    declared=FIELDS,
    deleted_type=5,
    blocking=Blocking(None, "EndDate"),
    anonymised="IsAnonymised",
    parent=Reference("Account", "accounts", "AccountCode"),
    same_row=(SameRow(("FirstName", "MiddleName", "LastName"), also="Email"),),
    one_of=("FirstName", "LastName"),
    main=MainRow("IsMainContact", "MainContact"),
    first="IsMainContact",
)
