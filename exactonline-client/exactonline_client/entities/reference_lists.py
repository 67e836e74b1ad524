"""The lists of a company that its accounts refer to, and those that are read beside them.

Members are those of the reference of July 2025; of the live answers of June 2026, VAT codes had exactly these. Which
attributes make what an entry means is a judgement of this project: two entries with one code and different ones of
these are two things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from exactonline_client.entities.model import Edm, Entity, Field, Trait

_ABOUT = {
    "ID": "key of the entry (GUID)",
    "UserID": "key of the user (GUID), the same in all companies of a licence as far as was seen",
    "Code": "what people know the entry by",
    "Division": "division the row lives in",
    "PaymentDays": "days added for the due date",
    "PaymentEndOfMonths": "month ends added for the due date",
    "PaymentMethod": "B on credit, I collection, K cash, Q collection by a payment provider",
    "Percentage": "as a fraction",
    "VATTransactionType": "B both, P purchase, S sales",
    "IsBlocked": "may not be used any more",
    "SequenceNumber": "1 to 8: the slot of an account that holds codes of this list",
    "AccountClassificationName": "the list that the code belongs to",
    "Currency": "of all its prices",
}
_WIDTHS = {"VATCodes": {"Code": 3}}
"""Exact pads these on read (recorded, June 2026)."""


def _entity(
    name: str, stream: str, path: str, *, key: str = "ID", natural_key: str | None = "Code", **members: str
) -> Entity:
    """A list that is only read here: its members by type."""
    page = path.replace("/", "").replace("crm", "CRM", 1)
    sync = members.pop("sync", None)
    widths = _WIDTHS.get(path.rpartition("/")[2], {})
    kinds = cast("dict[Edm, str]", members)
    return Entity(
        name=name,
        stream=stream,
        path=path,
        sync_path=sync,
        docs=f"https://start.exactonline.nl/docs/HlpRestAPIResourcesDetails.aspx?name={page}",
        declared=tuple(
            Field(one, edm, _ABOUT.get(one, "as Exact's reference says"), Trait.READ_ONLY, widths.get(one))
            for edm, names in kinds.items()
            for one in names.split()
        ),
        key=key,
        natural_key=natural_key,
        is_of_a_company="Division" in members.get("Int32", "").split(),
        deleted_type=7 if stream == "gl_accounts" else None,
    )


PAYMENT_CONDITIONS = _entity(
    "payment condition",
    "payment_conditions",
    "cashflow/PaymentConditions",
    Guid="ID Creator CreditManagementScenario Modifier",
    String="Code CreatorFullName CreditManagementScenarioCode CreditManagementScenarioDescription Description"
    " DiscountCalculation ModifierFullName PaymentDiscountType PaymentMethod VATCalculation",
    DateTime="Created Modified",
    Int32="DiscountPaymentDays Division PaymentDays PaymentEndOfMonths",
    Double="DiscountPercentage Percentage",
)
VAT_CODES = _entity(
    "VAT code",
    "vat_codes",
    "vat/VATCodes",
    Guid="ID Account Creator GLDiscountPurchase GLDiscountSales GLToClaim GLToPay Modifier",
    String="AccountCode AccountName Code Country CreatorFullName CustomField Description EUSalesListing"
    " GLDiscountPurchaseCode GLDiscountPurchaseDescription GLDiscountSalesCode GLDiscountSalesDescription"
    " GLToClaimCode GLToClaimDescription GLToPayCode GLToPayDescription IntrastatType LegalText ModifierFullName"
    " OssCountry Type VatDocType VATTransactionType",
    Byte="CalculationBasis ExcludeVATListing VatMargin",
    Boolean="Charged IntraStat IsBlocked",
    DateTime="Created Modified",
    Int32="Division",
    Int16="TaxReturnType VATPartialRatio",
    Double="Percentage",
)
GL_ACCOUNTS = _entity(
    "ledger account",
    "gl_accounts",
    "financial/GLAccounts",
    sync="sync/Financial/GLAccounts",
    Guid="ID Creator Modifier PrivateGLAccount VATNonDeductibleGLAccount YearEndCostGLAccount"
    " YearEndReflectionGLAccount",
    String="BalanceSide BalanceType Code Costcenter CostcenterDescription Costunit CostunitDescription CreatorFullName"
    " CustomField Description ModifierFullName ReportingCode SearchCode TypeDescription VATCode VATDescription"
    " VATGLAccountType VATSystem",
    Byte="AllowCostsInSales ExcludeVATListing UseCostcenter UseCostunit",
    Boolean="Compress IsBlocked Matching RevalueCurrency",
    DateTime="Created Modified",
    Int16="AssimilatedVATBox",
    Int32="BelcotaxType DescriptionTermID Division Type",
    Int64="Timestamp",
    Double="ExpenseNonDeductiblePercentage PrivatePercentage VATNonDeductiblePercentage",
)
ACCOUNT_CLASSIFICATIONS = _entity(
    "classification",
    "account_classifications",
    "crm/AccountClassifications",
    Guid="ID AccountClassificationName Creator Modifier",
    String="AccountClassificationNameDescription Code CreatorFullName Description ModifierFullName",
    DateTime="Created Modified",
    Int32="Division",
)
ACCOUNT_CLASSIFICATION_NAMES = _entity(
    "list of classifications",
    "account_classification_names",
    "crm/AccountClassificationNames",
    natural_key=None,
    Guid="ID Creator Modifier",
    String="CreatorFullName Description ModifierFullName",
    DateTime="Created Modified",
    Int32="Division SequenceNumber",
)
PRICE_LISTS = _entity(
    "price list",
    "price_lists",
    "sales/SalesPriceLists",
    Guid="ID Creator Modifier",
    String="Code CreatorFullName Currency Description ModifierFullName Notes",
    DateTime="Created Modified",
    Int32="Division",
    Int16="Entity Type",
)
SHIPPING_METHODS = _entity(
    "shipping method",
    "shipping_methods",
    "sales/ShippingMethods",
    Guid="ID Creator Modifier",
    String="Code CreatorFullName Description ModifierFullName Notes ShippingRatesURL TrackingURL VATCode"
    " VATCodeDescription",
    Boolean="Active",
    DateTime="Created Modified",
    Int32="Division",
    Double="Amount VATPercentage",
)
LEAD_SOURCES = _entity("lead source", "lead_sources", "crm/LeadSources", Guid="ID", String="Code Description")
LEAD_PURPOSES = _entity("lead purpose", "lead_purposes", "crm/LeadPurposes", Guid="ID", String="Code Description")
CURRENCIES = _entity(
    "currency",
    "currencies",
    "general/Currencies",
    key="Code",
    String="Code Description",
    Double="AmountPrecision PricePrecision",
    DateTime="Created Modified",
)
COST_CENTERS = _entity(
    "cost centre",
    "cost_centers",
    "hrm/Costcenters",
    Guid="ID Creator Modifier",
    String="Code CreatorFullName CustomField Description ModifierFullName",
    Boolean="Active",
    DateTime="Created EndDate Modified",
    Int32="Division",
)
COST_UNITS = _entity(
    "cost unit",
    "cost_units",
    "hrm/Costunits",
    Guid="ID Creator Modifier",
    String="Code CreatorFullName CustomField Description ModifierFullName",
    DateTime="Created EndDate Modified",
    Int32="Division",
)
USERS = _entity(
    "user",
    "users",
    "users/Users",
    key="UserID",
    natural_key="Email",
    Guid="UserID Customer",
    String="CustomerName Email FullName UserName",
    DateTime="Created EndDate Modified StartDate",
    Boolean="IsAnonymised",
)


@dataclass(frozen=True)
class ReferenceList:
    """What is known of a list that accounts refer to."""

    entity: Entity
    code: str = "Code"
    """What an entry is known by in every company."""
    meaning: tuple[str, ...] = ()
    """Attributes that make what an entry means; two that differ in one of them are two things under one code."""
    unusable: Mapping[str, object] = field(default_factory=dict)
    """Attribute → the value of entries that may not be used any more."""
    last_day: str | None = None
    """The attribute that holds the day after which an entry is no longer used."""
    is_worldwide: bool = False
    """Whether a code means the same everywhere, so that it may go where the list cannot be read."""
    names: Entity | None = None
    """The list of lists that its codes belong to, where there are several; its SequenceNumber is their slot."""

    @property
    def title(self) -> str:
        """What a person calls one entry."""
        return self.entity.name


REFERENCE_LISTS: Mapping[str, ReferenceList] = {
    one.entity.stream: one
    for one in (
        ReferenceList(PAYMENT_CONDITIONS, meaning=("PaymentDays", "PaymentEndOfMonths", "PaymentMethod")),
        ReferenceList(VAT_CODES, meaning=("Percentage", "Type", "VATTransactionType"), unusable={"IsBlocked": True}),
        ReferenceList(GL_ACCOUNTS, meaning=("Type",), unusable={"IsBlocked": True}),
        ReferenceList(ACCOUNT_CLASSIFICATIONS, names=ACCOUNT_CLASSIFICATION_NAMES),
        ReferenceList(PRICE_LISTS, meaning=("Currency",)),
        ReferenceList(SHIPPING_METHODS, unusable={"Active": False}),
        ReferenceList(LEAD_SOURCES),
        ReferenceList(LEAD_PURPOSES),
        ReferenceList(CURRENCIES, is_worldwide=True),
        ReferenceList(USERS, code="Email", unusable={"IsAnonymised": True}, last_day="EndDate"),
    )
}
"""By stream."""
READ_ALONG = (COST_CENTERS, COST_UNITS, ACCOUNT_CLASSIFICATION_NAMES)
"""Lists that no field of an account refers to; the tap offers them too."""
