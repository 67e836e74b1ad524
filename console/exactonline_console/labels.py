"""What people call the fields, outcomes and states that programs call otherwise."""

from __future__ import annotations

from typing import Any

from exactonline_console.texts import Texts, marked

FIELDS = {
    "Code": marked("Code"),
    "Name": marked("Name"),
    "AddressLine1": marked("Address line 1"),
    "AddressLine2": marked("Address line 2"),
    "AddressLine3": marked("Address line 3"),
    "Postcode": marked("Postcode"),
    "City": marked("City"),
    "State": marked("State or province"),
    "Country": marked("Country"),
    "Language": marked("Language"),
    "Status": marked("Status"),
    "Email": marked("E-mail"),
    "Phone": marked("Phone"),
    "PhoneExtension": marked("Phone extension"),
    "Fax": marked("Fax"),
    "Website": marked("Website"),
    "ChamberOfCommerce": marked("Chamber of commerce number"),
    "VATNumber": marked("VAT number"),
    "TradeName": marked("Trade name"),
    "SearchCode": marked("Search code"),
    "IsSupplier": marked("Is a supplier"),
    "EstablishedDate": marked("Date of registration"),
    "RSIN": marked("RSIN (fiscal number)"),
    "EORINumber": marked("EORI number (customs)"),
    "OINNumber": marked("OIN (government number)"),
    "GlnNumber": marked("GLN (location number)"),
    "PeppolIdentifier": marked("Peppol address"),
    "PeppolIdentifierType": marked("Kind of Peppol address"),
}
"""Labels of the fields that people meet; the others keep Exact's own name."""

USUAL = tuple(name for name in FIELDS if name != "Code")


def field_label(name: str, texts: Texts) -> str:
    """What a person calls a field."""
    return texts(FIELDS[name]) if name in FIELDS else name


OUTCOMES = {
    "created": (marked("created"), marked("would be created")),
    "updated": (marked("changed"), marked("would be changed")),
    "unchanged": (marked("already the same"), marked("already the same")),
    "refused": (marked("refused"), marked("would be refused")),
    "parked": (marked("waiting"), marked("would wait")),
    "skipped": (marked("left out"), marked("would be left out")),
    "deleted": (marked("deleted"), marked("would be deleted")),
}


def outcome_label(outcome: str, texts: Texts, *, dry_run: bool) -> str:
    """What a person calls the end of a record."""
    return texts(OUTCOMES[outcome][dry_run]) if outcome in OUTCOMES else outcome


ACTIONS = {
    "login": marked("logged in"),
    "logout": marked("logged out"),
    "connection-registered": marked("registered the connection"),
    "connection-removed": marked("removed the connection"),
    "consent-begun": marked("began to give consent for"),
    "consent-given": marked("gave consent for"),
    "connection-checked": marked("checked the connection"),
    "job-saved": marked("saved the job"),
    "job-removed": marked("removed the job"),
    "job-checked": marked("checked the job"),
    "login-failed": marked("gave a wrong password"),
    "preview": marked("previewed"),
    "sync": marked("synchronized"),
    "sync-unlimited": marked("synchronized without the safety limits"),
    "stop": marked("stopped"),
    "retry": marked("wants tried again"),
    "forget": marked("dropped"),
    "approve": marked("approved"),
    "reject": marked("rejected"),
    "tie": marked("tied"),
    "as-new": marked("wants created"),
    "leave-out": marked("left out"),
    "release": marked("released"),
    "download": marked("downloaded"),
}


def shown(value: Any, texts: Texts) -> str:
    """A value of a field as a person reads it."""
    if value is None or value == "":
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return texts("yes") if value else texts("no")
    return str(value)


GROUPS = {
    "approve": marked("To approve"),
    "decide": marked("Same customer or not?"),
    "code": marked("Code changed"),
    "correct": marked("Refused by Exact"),
    "references": marked("Something missing"),
    "reach": marked("Company out of reach"),
    "long": marked("Waiting for days"),
    "soon": marked("Goes on by itself"),
    "held": marked("Held back"),
}
"""What a person does about what waits."""
WAYS = {
    "approve": marked("Approve"),
    "reject": marked("Reject"),
    "tie": marked("Same customer"),
    "as-new": marked("Create as new"),
    "leave-out": marked("Leave out"),
    "retry": marked("Try again"),
    "release": marked("Release"),
    "forget": marked("Forget"),
}
"""What can be said of it."""
