"""Members that Exact derives when it answers: names of countries, codes of other accounts, descriptions."""

from collections.abc import Callable
from functools import lru_cache

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.places import described

Derive = Callable[[Visit, Row], str | None]


def _in_words(kind: str, member: str) -> Derive:
    return lambda visit, row: described(kind, row.get(member), dutch=_reads_dutch(visit))


def _of_account(member: str, wanted: str) -> Derive:
    def derive(visit: Visit, row: Row) -> str | None:
        key = row.get(member)
        other = table.by_id(visit.db, visit.division.code, key) if key else None
        return other[wanted] if other else None

    return derive


def _of_user(member: str) -> Derive:
    def derive(visit: Visit, row: Row) -> str | None:
        key = row.get(member)
        return next((user.name for user in visit.world.users.values() if user.id == key), None) if key else None

    return derive


def _vat(member: str) -> Derive:
    return lambda visit, row: visit.division.vat_codes.get(row.get(member) or "")


def _condition(member: str) -> Derive:
    return lambda visit, row: visit.division.payment_conditions.get(row.get(member) or "")


_DERIVED: dict[str, Derive] = {
    "AccountManagerFullName": _of_user("AccountManager"),
    "CountryName": _in_words("country", "Country"),
    "CreatorFullName": _of_user("Creator"),
    "InvoiceAccountCode": _of_account("InvoiceAccount", "Code"),
    "InvoiceAccountName": _of_account("InvoiceAccount", "Name"),
    "LanguageDescription": _in_words("language", "Language"),
    "ModifierFullName": _of_user("Modifier"),
    "PaymentConditionPurchaseDescription": _condition("PaymentConditionPurchase"),
    "PaymentConditionSalesDescription": _condition("PaymentConditionSales"),
    "PurchaseCurrencyDescription": _in_words("currency", "PurchaseCurrency"),
    "PurchaseVATCodeDescription": _vat("PurchaseVATCode"),
    "ResellerCode": _of_account("Reseller", "Code"),
    "ResellerName": _of_account("Reseller", "Name"),
    "SalesCurrencyDescription": _in_words("currency", "SalesCurrency"),
    "SalesVATCodeDescription": _vat("SalesVATCode"),
}


def completed(visit: Visit) -> Callable[[Row, tuple[str, ...] | None], Row]:
    """A function that fills in the derived members among those selected, where the row does not state them."""

    def complete(row: Row, select: tuple[str, ...] | None) -> Row:
        row["Division"] = visit.division.code
        for name, derive in _derived_among(select):
            if row.get(name) is None:
                row[name] = derive(visit, row)
        return row

    return complete


@lru_cache(maxsize=512)
def _derived_among(select: tuple[str, ...] | None) -> tuple[tuple[str, Derive], ...]:
    return tuple(_DERIVED.items() if select is None else ((n, _DERIVED[n]) for n in select if n in _DERIVED))


def _reads_dutch(visit: Visit) -> bool:
    """`CustomDescriptionLanguage` changes the language of descriptions (FRETJE), else it is the user's."""
    language = visit.call.headers.get("customdescriptionlanguage")
    return language[:2].upper() == "NL" if language else visit.caller.user.dutch
