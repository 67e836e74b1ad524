"""Members that Exact derives when it answers: names of countries, codes and descriptions of rows referred to."""

from collections.abc import Callable
from functools import lru_cache

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox import lists_table
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.places import described
from exactonline_sandbox.reading import wanted
from exactonline_sandbox.reference_lists import CODE, LEDGER_TYPES, LISTS, Reference, ReferenceList

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


class RowsReferredTo:
    """The rows that references of one company lead to; a list is read once a call."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._lists: dict[tuple[str, str], dict[str, Row]] = {}

    def row(self, reference: Reference, value: str | None) -> Row | None:
        """The row that a reference with this value leads to, or None."""
        if not value:
            return None
        division = self._visit.division.code
        if reference.to == "Accounts":
            return table.by_id(self._visit.db, division, value)
        known = LISTS[reference.to]
        member = CODE if reference.by == CODE else known.key
        rows = self._lists.get((known.name, member))
        if rows is None:
            listed = lists_table.all_rows(self._visit.db, division, known)
            rows = self._lists[known.name, member] = {row[member]: row for row in listed}
        return rows.get(value)


def row_completed(visit: Visit, known: ReferenceList) -> Callable[[Row, tuple[str, ...] | None], Row]:
    """The same for the rows of a list."""
    led_to = RowsReferredTo(visit)

    def complete(row: Row, select: tuple[str, ...] | None) -> Row:
        row["Division"] = visit.division.code
        for name, reference in known.references.items():
            for companion, member in reference.companions.items():
                if wanted(companion, select) and row.get(companion) is None:
                    row[companion] = (led_to.row(reference, row.get(name)) or {}).get(member)
        if known.name == "GLAccounts" and row.get("TypeDescription") is None:
            row["TypeDescription"] = LEDGER_TYPES.get(row.get("Type") or 0)
        return row

    return complete
