"""The form of answers: envelopes, paddings, dates, headers (API 2.6, 4, 7.2)."""

from __future__ import annotations

from exactonline_probe.question import Answer, Ask, Question
from exactonline_probe.replies import Reply, Seen, json_type, milliseconds, padding

EVER = "Modified ge datetime'1990-01-01'"
"""A filter that lets everything through, where a list may not be asked for without one."""
SOME = "ID,Code,Name,Country,Modified,Blocked,CreditLineSales"
FEW = Ask("crm/Accounts", {"$select": SOME, "$filter": EVER, "$top": "2"})
ONE_WHOLE = Ask("crm/Accounts", {"$filter": EVER, "$top": "1"})
_SECONDS_END = 10_000_000_000


def rounding(reply: Reply) -> str | None:
    """Whether the milliseconds of all moments end in 0, 3 or 7."""
    endings = {milliseconds(row["Modified"]) % 10 for row in reply.rows}
    if not endings:
        return None
    return "sql_server" if endings <= {0, 3, 7} else "any"


def date_form(reply: Reply) -> str:
    """How a moment is written."""
    value = str(reply.first["Modified"])
    if value.startswith("/Date("):
        return "milliseconds" if value.endswith(")/") and "+" not in value else "milliseconds_with_zone"
    return "iso"


def unit_of(value: str) -> str:
    """The unit of a moment since 1970."""
    return "milliseconds" if int(value) > _SECONDS_END else "seconds"


def limits_of(reply: Reply) -> str:
    """Calls a minute and a day that the headers tell."""
    minute, day = reply.headers["x-ratelimit-minutely-limit"], reply.headers["x-ratelimit-limit"]
    return "60_and_5000" if (minute, day) == ("60", "5000") else "other"


def form_of_body(reply: Reply) -> str:
    """JSON, Atom, or something else."""
    if reply.json is not None:
        return "json"
    return "atom" if "<feed" in reply.text else "other"


def envelope(seen: Seen) -> str:
    """The form of the first answer."""
    return seen[0].envelope


QUESTIONS = (
    Question(
        "list_with_top",
        "reading",
        "Is a list a bare array where $top fits a page?",
        "API 4.1: 112 recordings, one exception",
        (FEW,),
        envelope,
        (Answer("array", "read both forms"), Answer("results", "read both forms all the same")),
    ),
    Question(
        "list_without_top",
        "reading",
        "Is a list without $top in d.results?",
        "API 4.1",
        (Ask("crm/Accounts", {"$select": "ID", "$filter": EVER}),),
        envelope,
        (Answer("results", "read both forms"), Answer("array", "there is no next page then")),
    ),
    Question(
        "inline_count",
        "reading",
        "Is __count a text?",
        "API 4.1: coded in clients",
        (Ask("crm/Accounts", {"$select": "ID", "$filter": EVER, "$top": "1", "$inlinecount": "allpages"}),),
        lambda seen: json_type(seen[0].d.get("__count")) if isinstance(seen[0].d, dict) else "missing",
        (
            Answer("string", "read the number from the text"),
            Answer("number", "read it as it is"),
            Answer("null", "do not count by it"),
            Answer("missing", "do not count by it"),
        ),
    ),
    Question(
        "count_path",
        "reading",
        "Is /$count a plain number?",
        "API 5.1: a forum",
        (Ask("crm/Accounts/$count", {"$filter": EVER}, headers={"Accept": ""}),),
        lambda seen: "number" if seen[0].text.strip("\ufeff \r\n").isdecimal() else "other",
        (Answer("number", "count without reading"), Answer("other", "do not count by it")),
    ),
    Question(
        "no_accept",
        "reading",
        "Is the answer Atom where no Accept header asks for JSON?",
        "API 4.3, 4.5",
        (Ask("crm/Accounts", {"$select": "ID", "$filter": EVER, "$top": "1"}, headers={"Accept": ""}),),
        lambda seen: form_of_body(seen[0]),
        (Answer("atom", "always ask for JSON"), Answer("json", "asking for JSON does no harm")),
    ),
    Question(
        "code_padding",
        "reading",
        "Is an account's Code filled to 18 characters, on the left?",
        "API 2.6: recorded",
        (FEW,),
        lambda seen: padding(seen[0].first["Code"]),
        (Answer("left_18", "trim it, and pad it in filters"), Answer("none", "trimming does no harm")),
    ),
    Question(
        "country_padding",
        "reading",
        "Is an account's Country filled to three characters?",
        "API 2.6: recorded",
        (FEW,),
        lambda seen: padding(seen[0].first["Country"]) if seen[0].first["Country"] else None,
        (Answer("right_3", "trim it"), Answer("none", "trimming does no harm")),
    ),
    Question(
        "modified_form",
        "reading",
        "Is a moment written as /Date(milliseconds)/, without a zone?",
        "API 4.2: recorded",
        (FEW,),
        lambda seen: date_form(seen[0]),
        (
            Answer("milliseconds", "read it as wall time of the site"),
            Answer("milliseconds_with_zone", "read the zone"),
            Answer("iso", "read ISO"),
        ),
    ),
    Question(
        "modified_rounding",
        "reading",
        "Do milliseconds end in 0, 3 or 7?",
        "API 4.2: recorded",
        (Ask("crm/Accounts", {"$select": "ID,Modified", "$filter": EVER, "$top": "60"}),),
        lambda seen: rounding(seen[0]),
        (Answer("sql_server", "moments are rounded when written"), Answer("any", "they are not")),
    ),
    Question(
        "boolean_type",
        "reading",
        "Is a Boolean true or false in JSON?",
        "API 4.2",
        (FEW,),
        lambda seen: json_type(seen[0].first["Blocked"]),
        (Answer("boolean", "as assumed"), Answer("string", "read the word"), Answer("number", "read 0 and 1")),
    ),
    Question(
        "double_type",
        "reading",
        "Is a Double a number in JSON?",
        "API 4.2",
        (FEW,),
        lambda seen: json_type(seen[0].first["CreditLineSales"]),
        (Answer("number", "as assumed"), Answer("string", "read the number from the text")),
    ),
    Question(
        "entity_type",
        "reading",
        "Is the type in __metadata Exact.Web.Api.Models.Account?",
        "API 4.2: recorded",
        (FEW,),
        lambda seen: (
            "as_recorded" if seen[0].first["__metadata"]["type"] == "Exact.Web.Api.Models.Account" else "other"
        ),
        (Answer("as_recorded", "rely on nothing in it"), Answer("other", "rely on nothing in it")),
    ),
    Question(
        "address_in_metadata",
        "reading",
        "Does the uri in __metadata name the company that was asked?",
        "API 12.1: answers of another company were seen; the uri told",
        (FEW,),
        lambda seen: "named" if f"/{seen.values['division']}/" in seen[0].first["__metadata"]["uri"] else "not_named",
        (Answer("named", "hold every answer against it"), Answer("not_named", "hold Division against it")),
    ),
    Question(
        "minute_reset",
        "reading",
        "Do the headers tell when the minute ends?",
        "API 7.1: recorded in 2023, not documented",
        (FEW,),
        lambda seen: "sent" if "x-ratelimit-minutely-reset" in seen[0].headers else "missing",
        (
            Answer("sent", "wait until then", ("minutely_reset", "sent")),
            Answer("missing", "wait until the next full minute", ("minutely_reset", "missing")),
        ),
    ),
    Question(
        "reset_unit",
        "reading",
        "Is the end of the day in the headers in milliseconds?",
        "API 7.2: recorded; one client assumes seconds",
        (FEW,),
        lambda seen: unit_of(seen[0].headers["x-ratelimit-reset"]),
        (Answer("milliseconds", "as assumed"), Answer("seconds", "multiply by 1000")),
    ),
    Question(
        "limit_numbers",
        "reading",
        "Are 60 calls a minute and 5,000 a day allowed in a company?",
        "API 7.1",
        (FEW,),
        lambda seen: limits_of(seen[0]),
        (Answer("60_and_5000", "as assumed"), Answer("other", "believe the headers, as ever")),
    ),
)
