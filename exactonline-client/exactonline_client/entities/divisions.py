"""Divisions: the companies that a user may see and granted to the app."""

from exactonline_client.entities.model import Edm, Entity, Field, Trait

_TYPES: dict[Edm, str] = {
    "Int32": "Code BlockingStatus Status",
    "Int64": "Hid",
    "Double": "ShareCapital",
    "Guid": "Customer",
    "Boolean": "Current IsDossierDivision IsMainDivision IsPracticeDivision",
    "DateTime": "ArchiveDate Created DivisionMoveDate Modified StartDate",
    "String": "Description AddressLine1 AddressLine2 AddressLine3 Postcode City State Country Currency Phone Fax"
    " Email Website VATNumber OBNumber ChamberOfCommerceNumber ChamberOfCommerceEstablishment SiretNumber"
    " TaxOfficeNumber TaxReferenceNumber CustomerCode CustomerName Legislation TemplateCode",
}

_ABOUT = {
    "Code": "the number that addresses the division",
    "Description": "name of the company",
    "Status": "0 inactive, 1 active, 2 archived",
    "BlockingStatus": "0 free; 1 backup or restore, 2 to 4 conversion, 5 and 6 copying data",
    "Current": "the division last used through the API",
    "Hid": "number that the customer gave the division",
    "DivisionMoveDate": "when Exact moved it to another database; row versions start again",
}

DIVISIONS = Entity(
    name="division",
    path="system/Divisions",
    docs="https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name=SystemSystemDivisions",
    declared=tuple(
        Field(name, edm, _ABOUT.get(name, "as Exact's reference says"), Trait.READ_ONLY)
        for edm, names in _TYPES.items()
        for name in names.split()
    ),
    key="Code",
    natural_key="Code",
    is_of_a_company=False,
)
