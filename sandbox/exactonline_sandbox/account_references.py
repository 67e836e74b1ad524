"""What each member of an account refers to (dossier references.csv): a list of the company, its users, its accounts.

Which kinds of ledger account and VAT code a member takes follows from what each is for; that Exact refuses others on an
account is an assumption, for entries the text was seen.
"""

from exactonline_sandbox.reference_lists import CODE, Reference

_PURCHASE_TYPES = {30, 32, 40, 111, 120, 121, 122, 123, 125, 126, 130, 150}
_SLOTS = range(1, 9)


def _condition(name: str) -> Reference:
    return Reference("PaymentConditions", CODE, {f"{name}Description": "Description"})


def _vat(name: str, letter: str) -> Reference:
    kinds = ("VATTransactionType", frozenset({"B", letter}))
    return Reference("VATCodes", CODE, {f"{name}Description": "Description"}, kinds=kinds)


def _ledger(*types: int) -> Reference:
    return Reference("GLAccounts", kinds=("Type", frozenset(types)))


REFERENCES = {
    "Accountant": Reference("Accounts"),
    "AccountManager": Reference("Users", companions={"AccountManagerFullName": "FullName"}),
    **{f"Classification{slot}": Reference("AccountClassifications", slot=slot) for slot in _SLOTS},
    "GLAccountPurchase": _ledger(*_PURCHASE_TYPES),
    "GLAccountSales": _ledger(110),
    "GLAP": _ledger(22),
    "GLAR": _ledger(20),
    "InvoiceAccount": Reference("Accounts", companions={"InvoiceAccountCode": "Code", "InvoiceAccountName": "Name"}),
    "LeadPurpose": Reference("LeadPurposes"),
    "LeadSource": Reference("LeadSources"),
    "MainContact": Reference("Contacts"),
    "Parent": Reference("Accounts"),
    "PaymentConditionPurchase": _condition("PaymentConditionPurchase"),
    "PaymentConditionSales": _condition("PaymentConditionSales"),
    "PriceList": Reference("SalesPriceLists"),
    "PurchaseVATCode": _vat("PurchaseVATCode", "P"),
    "Reseller": Reference("Accounts", companions={"ResellerCode": "Code", "ResellerName": "Name"}),
    "SalesVATCode": _vat("SalesVATCode", "S"),
    "ShippingMethod": Reference("ShippingMethods"),
}
CURRENCY = Reference("Currencies", CODE)

# References to what has no list here: a world states the GUIDs that a company has.
WITHOUT_LIST = (*("ActivitySector", "ActivitySubSector", "BusinessType", "CompanySize", "SalesTaxSchedule"),)
