"""current/Me (dossier 1.4). It has no division in its path: here it costs no budget and carries no limit headers."""

from exactonline_sandbox.call import Reply
from exactonline_sandbox.clock import iso, utc_offset_seconds
from exactonline_sandbox.context import Context, Row
from exactonline_sandbox.properties import ME
from exactonline_sandbox.reading import answer_list, query_of

_NO_EMPLOYEE = "00000000-0000-0000-0000-000000000000"
# Exact's number for a legislation; 128 was seen for France, the others are made up here.
_LEGISLATIONS = {"NL": 1, "BE": 2, "DE": 4, "FR": 128}


def get_me(context: Context) -> Reply:
    """One row about the user; the dossier saw it as `d.results`."""
    return answer_list(context, ME, query_of(context, ME), [_me(context)])


def _me(context: Context) -> Row:
    user = context.caller.user
    current = context.current_division()
    division = context.world.divisions.get(current) if current is not None else None
    first, _, last = user.name.partition(" ")
    country = division.country if division else "NL"
    return {
        "UserID": user.id,
        "CurrentDivision": current,
        "AccountingDivision": current,
        "CustomerCode": "1",
        "DivisionCustomer": user.id,
        "DivisionCustomerCode": "1",
        "DivisionCustomerName": division.description if division else None,
        "DivisionCustomerSiretNumber": "",
        "Email": user.email,
        "EmployeeID": _NO_EMPLOYEE,
        "FirstName": first,
        "FullName": user.name,
        "LastName": last or None,
        "Gender": "O",
        "IsClientUser": False,
        "IsEmployeeSelfServiceUser": False,
        "IsMyFirmLiteUser": False,
        "IsMyFirmPortalUser": False,
        "IsOEIMigrationMandatory": False,
        "IsStarterUser": False,
        "Language": user.language[:2].upper(),
        "LanguageCode": {"NL": "nl-NL", "EN": "en-GB"}.get(user.language[:2].upper(), user.language),
        "Legislation": _LEGISLATIONS.get(country, 1),
        "PackageCode": "EOLAPPCENTER",
        "PictureUrl": f"{context.call.origin}//docs/images/user.png",
        "ServerTime": iso(context.wall - context.wall % 1000),
        "ServerUtcOffset": utc_offset_seconds(context.now, context.world.timezone),
        "UserName": user.email or user.name,
    }
