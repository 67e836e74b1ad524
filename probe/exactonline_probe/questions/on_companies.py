"""Who is logged in, and which companies there are (API 1.4, 1.5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from exactonline_probe.question import Answer, Ask, Question
from exactonline_probe.replies import Reply, Seen, json_type, padding

ME = Ask("/api/v1/current/Me", expects=frozenset({200}))
DIVISIONS = Ask("system/Divisions", {"$filter": "Code eq {division}"}, expects=frozenset({200, 400}))
_FEW_SECONDS = timedelta(seconds=120)


def utc_offset(reply: Reply) -> str:
    """Whether server time less the offset is the moment of the answer: `seconds`, `minutes`, or `other`."""
    server_time = datetime.fromisoformat(reply.first["ServerTime"])
    sent_at = parsedate_to_datetime(reply.headers["date"]).replace(tzinfo=None)
    offset = float(reply.first["ServerUtcOffset"])
    for unit, seconds in (("seconds", 1), ("minutes", 60), ("hours", 3600)):
        if abs(server_time - timedelta(seconds=offset * seconds) - sent_at) < _FEW_SECONDS:
            return unit
    return "other"


def has_zone(reply: Reply) -> str:
    """Whether the server time carries a zone."""
    return "with_zone" if datetime.fromisoformat(reply.first["ServerTime"]).tzinfo else "local"


def one_division(seen: Seen) -> str:
    """Whether the filter by code let only that company through."""
    if seen[0].status == 400:
        return "refused"
    return "filtered" if [str(row["Code"]) for row in seen[0].rows] == [seen.values["division"]] else "ignored"


QUESTIONS = (
    Question(
        "me_envelope",
        "reading",
        "Is current/Me a list with one row?",
        "API 1.4: recorded so once, in France",
        (ME,),
        lambda seen: seen[0].envelope,
        (
            Answer("results", "read d.results"),
            Answer("object", "read d itself"),
            Answer("array", "read the first of d"),
        ),
    ),
    Question(
        "me_server_time",
        "reading",
        "Is ServerTime the site's wall time, without a zone?",
        "API 1.4",
        (ME,),
        lambda seen: has_zone(seen[0]),
        (Answer("local", "add no zone of one's own"), Answer("with_zone", "the zone need not be guessed")),
    ),
    Question(
        "me_utc_offset",
        "reading",
        "Is ServerUtcOffset what ServerTime is ahead of UTC, in seconds?",
        "API 1.4, 4.2: seen in one zone",
        (ME,),
        lambda seen: utc_offset(seen[0]),
        (
            Answer("seconds", "it settles the zone of every date"),
            Answer("minutes", "multiply it by 60"),
            Answer("hours", "multiply it by 3600"),
            Answer("other", "trust the country of the site, not this number"),
        ),
    ),
    Question(
        "me_legislation",
        "reading",
        "Is an Int64, Me's Legislation, a text?",
        "API 4.2",
        (ME,),
        lambda seen: json_type(seen[0].first["Legislation"]),
        (Answer("string", "read numbers from texts"), Answer("number", "read it as it is")),
    ),
    Question(
        "me_limit_headers",
        "reading",
        "Does current/Me carry headers of a limit?",
        "API 7.1: calls without a company are said not to count",
        (ME,),
        lambda seen: "sent" if any(name.startswith("x-ratelimit") for name in seen[0].headers) else "none",
        (Answer("none", "it costs nothing"), Answer("sent", "count it")),
    ),
    Question(
        "division_filter",
        "reading",
        "Can system/Divisions be filtered by Code?",
        "a client in production does; no text of Exact says so",
        (DIVISIONS,),
        one_division,
        (
            Answer("filtered", "ask for the companies that are needed"),
            Answer("refused", "read the whole list"),
            Answer("ignored", "read the whole list"),
        ),
    ),
    Question(
        "division_number",
        "reading",
        "Is a company's Hid a text, although it is a number?",
        "API 1.5",
        (DIVISIONS,),
        lambda seen: json_type(seen[0].first["Hid"]),
        (Answer("string", "read numbers from texts"), Answer("number", "read it as it is")),
    ),
    Question(
        "division_country",
        "reading",
        "Is a company's Country filled to three characters?",
        "API 1.5, 2.6: recorded in France",
        (DIVISIONS,),
        lambda seen: padding(seen[0].first["Country"]),
        (Answer("right_3", "trim it"), Answer("none", "trimming does no harm")),
    ),
    Question(
        "division_code",
        "reading",
        "Is a company's Code a number?",
        "API 1.5",
        (DIVISIONS,),
        lambda seen: json_type(seen[0].first["Code"]),
        (Answer("number", "as assumed"), Answer("string", "read the number from the text")),
    ),
    Question(
        "divisions_hrm",
        "reading",
        "Does hrm/Divisions write HID in capitals?",
        "API 1.5",
        (Ask("hrm/Divisions", {"$top": "1"}),),
        lambda seen: next((name for name in ("HID", "Hid") if name in seen[0].first), "neither"),
        (Answer("HID", "the older list has its own names"), Answer("Hid", "one reader serves both lists")),
    ),
    Question(
        "divisions_all",
        "reading",
        "Does system/AllDivisions show the companies of the licence?",
        "API 1.2",
        (Ask("system/AllDivisions", {"$select": "Code", "$top": "1"}),),
        lambda seen: "listed" if seen[0].rows else "empty",
        (Answer("listed", "companies that the app was not granted can be told"), Answer("empty", "they cannot")),
    ),
    Question(
        "divisions_recent",
        "reading",
        "Are the companies that were used last at most five?",
        "API 1.2",
        (Ask("system/GetMostRecentlyUsedDivisions", {"$select": "Code"}),),
        lambda seen: "five" if len(seen[0].rows) <= 5 else "more",
        (Answer("five", "no list to rely on"), Answer("more", "no list to rely on")),
    ),
    Question(
        "user_has_rights",
        "reading",
        "Does UserHasRights say true or false?",
        "API 6.x: coded in one client",
        (Ask("users/UserHasRights", {"endpoint": "'crm/Accounts'", "action": "'POST'"}),),
        lambda seen: json_type(seen[0].d["UserHasRights"]),
        (Answer("boolean", "ask it before a first write"), Answer("string", "read the word in the text")),
    ),
)
