"""Members that Exact derives when it answers: names of countries, codes and descriptions of rows referred to."""

from collections.abc import Callable, Mapping
from functools import lru_cache

from exactonline_sandbox.account_references import REFERENCES
from exactonline_sandbox.child_entities import BANK_ACCOUNTS, CONTACTS, ChildEntity
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.places import described
from exactonline_sandbox.reading import Completed, wanted
from exactonline_sandbox.reference_lists import LEDGER_TYPES, Reference, ReferenceList
from exactonline_sandbox.rows_referred_to import RowsReferredTo

Derive = Callable[[Visit, Row], str | None]

_NO_PICTURE = "//docs/images/placeholder_contact_myeol.png"  # as recorded (NANGO get-contact)


def _in_words(kind: str, member: str) -> Derive:
    return lambda visit, row: described(kind, row.get(member), dutch=_reads_dutch(visit))


def _of_user(member: str) -> Derive:
    def derive(visit: Visit, row: Row) -> str | None:
        key = row.get(member)
        return next((user.name for user in visit.world.users.values() if user.id == key), None) if key else None

    return derive


_DERIVED: dict[str, Derive] = {
    "CountryName": _in_words("country", "Country"),
    "CreatorFullName": _of_user("Creator"),
    "LanguageDescription": _in_words("language", "Language"),
    "ModifierFullName": _of_user("Modifier"),
    "PurchaseCurrencyDescription": _in_words("currency", "PurchaseCurrency"),
    "SalesCurrencyDescription": _in_words("currency", "SalesCurrency"),
}


def completed(visit: Visit) -> Completed:
    """A function that fills in the derived members among those selected, where the row does not state them."""
    companions = _companions_completed(visit, REFERENCES)

    def complete(row: Row, select: tuple[str, ...] | None) -> Row:
        row["Division"] = visit.division.code
        for name, derive in _derived_among(select):
            if row.get(name) is None:
                row[name] = derive(visit, row)
        return companions(row, select)

    return complete


def row_completed(visit: Visit, known: ReferenceList) -> Completed:
    """The same for the rows of a list."""
    companions = _companions_completed(visit, known.references)

    def complete(row: Row, select: tuple[str, ...] | None) -> Row:
        row["Division"] = visit.division.code
        if known.name == "GLAccounts" and row.get("TypeDescription") is None:
            row["TypeDescription"] = LEDGER_TYPES.get(row.get("Type") or 0)
        return companions(row, select)

    return complete


def child_completed(visit: Visit, known: ChildEntity) -> Completed:
    """The same for contacts, addresses and bank accounts."""
    companions = _companions_completed(visit, known.references)
    members = known.entity.properties
    picture = f"{visit.call.origin}{_NO_PICTURE}"
    account_type = "Relatie" if _reads_dutch(visit) else "Account"

    def complete(row: Row, select: tuple[str, ...] | None) -> Row:
        row["Division"] = visit.division.code
        for name, derive in _derived_among(select):
            if name in members and row.get(name) is None:
                row[name] = derive(visit, row)
        if known is CONTACTS:
            main = companions({"Account": row.get("Account")}, None).get("AccountMainContact")
            row["IsMainContact"] = main == row["ID"]
            row["PhoneExtension"] = row.get("BusinessPhoneExtension")
            row["PictureUrl"] = row["PictureThumbnailUrl"] = picture
        if known is BANK_ACCOUNTS:
            row["TypeDescription"] = account_type
        return companions(row, select)

    return complete


def _companions_completed(visit: Visit, references: Mapping[str, Reference]) -> Completed:
    led_to = RowsReferredTo(visit.db, visit.division.code)
    companions = [
        (companion, name, reference, member)
        for name, reference in references.items()
        for companion, member in reference.companions.items()
    ]

    def complete(row: Row, select: tuple[str, ...] | None) -> Row:
        for companion, name, reference, member in companions:
            if row.get(name) and wanted(companion, select) and row.get(companion) is None:
                row[companion] = (led_to.row(reference, row[name]) or {}).get(member)
        return row

    return complete


@lru_cache(maxsize=512)
def _derived_among(select: tuple[str, ...] | None) -> tuple[tuple[str, Derive], ...]:
    return tuple(_DERIVED.items() if select is None else ((n, _DERIVED[n]) for n in select if n in _DERIVED))


def _reads_dutch(visit: Visit) -> bool:
    """`CustomDescriptionLanguage` changes the language of descriptions (FRETJE), else it is the user's."""
    language = visit.call.headers.get("customdescriptionlanguage")
    return language[:2].upper() == "NL" if language else visit.caller.user.dutch
