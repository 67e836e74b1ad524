"""The values an account gets that nobody sent: defaults, what follows from Status, who and when (dossier 2.3)."""

from typing import Any

from exactonline_sandbox.clock import midnight
from exactonline_sandbox.world import Division

Row = dict[str, Any]

_FALSE = (
    *("Blocked", "CanDropShip", "IsBank", "IsMember", "IsPilot", "IsReseller", "IsSupplier"),
    *("RecepientOfCommissions", "IgnoreDatevWarningMessage"),
)
_ZERO = (
    *("CreditLinePurchase", "CreditLineSales", "DiscountPurchase", "DiscountSales", "InvoicingMethod"),
    *("IsAccountant", "IsAgency", "IsAnonymised", "IsCompetitor", "IsMailing", "CostPaid"),
    *("PurchaseLeadDays", "ShippingLeadDays", "SeparateInvPerProject", "SeparateInvPerSubscription"),
    "AutomaticProcessProposedEntry",
)
_API = 2  # what Source held for a row made over the API (R, NANGO)
_OTHERWISE = 4

# What a POST without `Prefer` gives back besides the ID: nine members, as recorded (dossier 12.1, NANGO).
BARE_ECHO: Row = {
    "CostPaid": 0,
    "IgnoreDatevWarningMessage": False,
    **dict.fromkeys(("IsAccountant", "IsAgency", "IsAnonymised", "IsCompetitor", "IsMailing"), 0),
    **dict.fromkeys(("SeparateInvPerProject", "SeparateInvPerSubscription"), 0),
}


def new_row(values: Row, division: Division, wall: int, *, over_api: bool) -> Row:
    """A complete new row from the values sent; Status is A where none was sent, which is an assumption."""
    today = midnight(wall)
    row: Row = {
        **dict.fromkeys(_FALSE, False),
        **dict.fromkeys(_ZERO, 0),
        "ConsolidationScenario": 6 if division.country == "FR" else 2,
        "InvoiceAttachmentType": 1,
        "SecurityLevel": 10,
        "Type": "A",
        "Source": _API if over_api else _OTHERWISE,
        "GlnNumber": "",
        "OINNumber": "",
        "SalesCurrency": division.currency,
        "PurchaseCurrency": division.currency,
        "StartDate": today,
        "StatusSince": today,
        "Status": "A",
        **values,
        "Division": division.code,
    }
    return with_status(row, None, wall)


def with_status(row: Row, before: Row | None, wall: int) -> Row:
    """The row with what follows from its Status: a customer may be sold to and bought from (dossier 2.2)."""
    status = row.get("Status")
    derived: Row = {"IsSales": status == "C", "IsPurchase": status == "C"}
    if before is not None and before.get("Status") != status:
        derived["StatusSince"] = midnight(wall)
    if status == "C" and row.get("CustomerSince") is None:
        derived["CustomerSince"] = midnight(wall)
    return {**row, **derived}


def stamped(row: Row, wall: int, user_id: str | None, *, new: bool) -> Row:
    """The row with its moment and maker."""
    stamps: Row = {"Modified": wall, "Modifier": user_id}
    if new:
        stamps |= {"Created": wall, "Creator": user_id}
    return {**row, **stamps}
