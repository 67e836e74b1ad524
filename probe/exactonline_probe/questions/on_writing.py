"""What becomes of an account that is made or changed (API 2.2, 2.3, 4.3, 9, 13.8, 13.10)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from exactonline_probe.question import FULL, Answer, Ask, Question
from exactonline_probe.replies import Reply, Seen, json_type, milliseconds

JUDGED = frozenset({200, 201, 204, 400, 500})
"""Taken, or refused by a rule."""
_A_MOMENT = 0.05
"""Seconds after which Modified differs, if it moves."""
ADDRESS = "crm/Accounts(guid'{made}')"
SYNC = Ask("sync/CRM/Accounts", {"$select": "ID,Timestamp", "$filter": "Timestamp gt 1L"}, after_seconds=_A_MOMENT)
_A_WHILE = timedelta(minutes=10)


def post(more: dict[str, Any] | None = None, *, full: bool = False, judged: bool = False) -> Ask:
    """Make an account of the probe."""
    return Ask(
        "crm/Accounts",
        method="POST",
        body={"Name": "{mark}", **(more or {})},
        headers=FULL if full else {"Accept": "application/json"},
        keeps={"made": "ID"},
        expects=JUDGED if judged else frozenset({200, 201}),
        makes=True,
    )


def put(body: dict[str, Any]) -> Ask:
    """Change it."""
    return Ask(ADDRESS, method="PUT", body=body, expects=JUDGED, after_seconds=_A_MOMENT)


def get(*members: str) -> Ask:
    """Read it."""
    return Ask(ADDRESS, {"$select": ",".join(members)})


def taken(reply: Reply) -> str:
    """Whether a write was taken."""
    return "taken" if reply.status < 400 else f"refused_{reply.status}"


def put_then(seen: Seen, label: str) -> str:
    """Refused, or what the look says of it."""
    return label if seen[1].status < 400 else f"refused_{seen[1].status}"


def moved(before: Any, after: Any) -> str:
    """Whether a value changed."""
    return "stays" if before == after else "moves"


def version_of(reply: Reply, key: str) -> int:
    """The row version of an account in a sync."""
    return next(int(row["Timestamp"]) for row in reply.rows if row["ID"] == key)


def echo(reply: Reply) -> str:
    """How much of a new account its answer tells."""
    filled = {name for name, value in reply.first.items() if value not in (None, 0, False, "")} - {"__metadata"}
    if filled <= {"ID", "BankAccounts"}:
        return "id_only"
    return "whole" if "Name" in filled else "some"


def local_time(reply: Reply) -> str | None:
    """Whether Created is ahead of the moment of the answer by whole quarters of an hour, as wall time is."""
    created = datetime.fromtimestamp(milliseconds(reply.first["Created"]) / 1000, timezone.utc)
    ahead = created - parsedate_to_datetime(reply.headers["date"])
    return "utc" if abs(ahead) < _A_WHILE else "wall_time"


def length_kept(reply: Reply, sent: int) -> str:
    """What became of a long text."""
    if reply.status >= 400:
        return f"refused_{reply.status}"
    kept = len(str(reply.first["Name"]))
    return "kept" if kept >= sent else "cut"


def date_kept(reply: Reply) -> str:
    """How a plain date came back."""
    return "midnight" if milliseconds(reply.first["EndDate"]) % 86_400_000 == 0 else "shifted"


LONG = 400
NEW = (post({"Status": "C", "City": "Utrecht"}),)
NEW_FULL = (post({"Status": "C", "IsSales": False, "EndDate": "2099-12-31"}, full=True),)
BARE = (post(full=True),)
UNCHANGED = (post(full=True), SYNC, put({"Name": "{mark}"}), get("Modified"), SYNC)
_TWO_WAYS = (Answer("taken", "check nothing"), Answer("refused_500", "check it before it is sent"))
_ALSO_400 = Answer("refused_400", "it costs an error: check it before it is sent")


def _form(name: str, member: str, value: str, title: str) -> Question:
    """Whether a value of an odd form is taken."""
    return Question(
        name,
        "writing",
        f"Is {title} taken?",
        "API 13.8: no source has the rules of form",
        (post({"Country": "NL", member: value}, judged=True),),
        lambda seen: taken(seen[0]),
        (*_TWO_WAYS, _ALSO_400),
    )


def _refused(name: str, body: dict[str, Any], title: str) -> Question:
    """Whether a value that cannot be is refused as a business error."""
    return Question(
        name,
        "writing",
        f"Is {title} refused with a 500?",
        "API 9: texts of forums; the evidence holds Exact's words",
        (post(body, judged=True),),
        lambda seen: taken(seen[0]),
        (Answer("refused_500", "it costs no error"), _ALSO_400, Answer("taken", "check it before it is sent")),
    )


QUESTIONS = (
    Question(
        "post_status",
        "writing",
        "Is a new account answered with 201?",
        "API 11.8: documented 201, recorded 200 through a proxy",
        NEW,
        lambda seen: str(seen[0].status),
        (Answer("201", "accept 200 too"), Answer("200", "accept 201 too")),
    ),
    Question(
        "post_location",
        "writing",
        "Has that answer a Location?",
        "API 4.3",
        NEW,
        lambda seen: "sent" if "location" in seen[0].headers else "missing",
        (Answer("sent", "the ID is in the body as well"), Answer("missing", "take the ID from the body")),
    ),
    Question(
        "post_echo",
        "writing",
        "Does that answer tell the ID and next to nothing else?",
        "API 4.3: recorded",
        NEW,
        lambda seen: echo(seen[0]),
        (
            Answer("id_only", "read the Code with another call, or ask for all"),
            Answer("some", "rely on the ID alone"),
            Answer("whole", "no Prefer is needed"),
        ),
    ),
    Question(
        "post_prefer",
        "writing",
        "Does it tell everything with Prefer: return=representation?",
        "API 4.3: an official tip",
        NEW_FULL,
        lambda seen: echo(seen[0]),
        (Answer("whole", "the Code needs no other call"), Answer("id_only", "read the Code"), Answer("some", "read")),
    ),
    Question(
        "read_only_member",
        "writing",
        "Is a member that is read only passed over without an error?",
        "API 2.2: recorded for IsPurchase",
        NEW_FULL,
        lambda seen: "ignored" if seen[0].first["IsSales"] is True else "obeyed",
        (Answer("ignored", "leave it out all the same"), Answer("obeyed", "it can be written")),
    ),
    Question(
        "plain_date",
        "writing",
        "Does a plain ISO date come back as midnight of that day?",
        "API 4.3: sent by clients",
        NEW_FULL,
        lambda seen: date_kept(seen[0]),
        (Answer("midnight", "send plain dates"), Answer("shifted", "send wall time")),
    ),
    Question(
        "created_time",
        "writing",
        "Is Created wall time in UTC's clothing?",
        "API 4.2: recorded in summer; undecided where the site is at UTC",
        NEW_FULL,
        lambda seen: local_time(seen[0]),
        (Answer("wall_time", "take the offset off"), Answer("utc", "it is UTC, or the site's zone is")),
    ),
    Question(
        "default_status",
        "writing",
        "Is a new account without a Status of Status A?",
        "the sandbox's assumption",
        BARE,
        lambda seen: str(seen[0].first["Status"]) if seen[0].first["Status"] in ("A", "C", "P", "S") else None,
        (
            Answer("A", "send a Status"),
            Answer("C", "send a Status"),
            Answer("P", "send a Status"),
            Answer("S", "send a Status"),
        ),
    ),
    Question(
        "default_currency",
        "writing",
        "Has a new account the company's currency?",
        "API 2.3: recorded",
        BARE,
        lambda seen: "filled" if seen[0].first["SalesCurrency"] else "empty",
        (Answer("filled", "an empty one differs from what is there"), Answer("empty", "nothing to compare")),
    ),
    Question(
        "next_code",
        "writing",
        "Does a new account without a Code get a number?",
        "API 3",
        BARE,
        lambda seen: "number" if str(seen[0].first["Code"]).strip().isdecimal() else json_type(seen[0].first["Code"]),
        (Answer("number", "send a Code of one's own"), Answer("null", "a Code is a must")),
    ),
    Question(
        "put_status",
        "writing",
        "Is a change answered with 204 and nothing else?",
        "API 4.3: recorded",
        UNCHANGED,
        lambda seen: f"{seen[2].status}{'_with_body' if seen[2].body else ''}",
        (Answer("204", "as assumed"), Answer("200_with_body", "read past the body"), Answer("200", "accept it")),
    ),
    Question(
        "unchanged_modified",
        "writing",
        "Does a change that changes nothing move Modified?",
        "API 4.3: recorded",
        UNCHANGED,
        lambda seen: moved(seen[0].first["Modified"], seen[3].first["Modified"]),
        (Answer("moves", "send only what differs"), Answer("stays", "sending it again does no harm")),
    ),
    Question(
        "unchanged_timestamp",
        "writing",
        "Does it move the row version too?",
        "API 13.10",
        UNCHANGED,
        lambda seen: moved(version_of(seen[1], seen.values["made"]), version_of(seen[4], seen.values["made"])),
        (Answer("moves", "it comes back in every feed"), Answer("stays", "no feed tells of it")),
    ),
    Question(
        "partial_put",
        "writing",
        "Does a change leave alone what it does not name?",
        "API 4.3: recorded; complaints about full bodies",
        (post({"City": "Utrecht"}), put({"Postcode": "3511 AB"}), get("City", "Postcode")),
        lambda seen: put_then(seen, "left_alone" if seen[2].first["City"] == "Utrecht" else "emptied"),
        (Answer("left_alone", "send only what differs"), Answer("emptied", "send the whole row")),
    ),
    Question(
        "clear_with_null",
        "writing",
        "Does null empty a text?",
        "E 4.3: assumed, not seen",
        (post({"Phone": "030 123"}), put({"Phone": None}), get("Phone")),
        lambda seen: put_then(seen, "kept" if seen[2].first["Phone"] else "emptied"),
        (Answer("emptied", "send null"), Answer("kept", "send an empty text"), Answer("refused_400", "send ''")),
    ),
    Question(
        "clear_with_empty_text",
        "writing",
        "Does an empty text empty a text?",
        "E 4.3: sent by clients",
        (post({"Phone": "030 123"}), put({"Phone": ""}), get("Phone")),
        lambda seen: put_then(seen, "kept" if seen[2].first["Phone"] else "emptied"),
        (Answer("emptied", "either way"), Answer("kept", "send null"), Answer("refused_500", "send null")),
    ),
    Question(
        "currency_not_active",
        "writing",
        "Is a currency that is not active blanked without an error?",
        "API 2.4",
        (post({"SalesCurrency": "XPF"}, full=True, judged=True),),
        lambda seen: (
            taken(seen[0])
            if seen[0].status >= 400
            else {None: "blanked", "": "blanked", "XPF": "taken"}.get(seen[0].first["SalesCurrency"], "replaced")
        ),
        (
            Answer("blanked", "read the currency back"),
            Answer("replaced", "read the currency back"),
            Answer("refused_500", "the record is refused"),
            Answer("taken", "this company has that currency"),
        ),
    ),
    Question(
        "number_for_text",
        "writing",
        "Is a number taken where a text belongs?",
        "API 14: sent by a client",
        (post({"Postcode": 1234}, judged=True),),
        lambda seen: taken(seen[0]),
        (*_TWO_WAYS, _ALSO_400),
    ),
    Question(
        "long_name",
        "writing",
        f"Is a name of {LONG} characters kept whole?",
        "API 2.6: widths of 50 to 255 are told by others",
        (post({"Name": "{mark}" + "x" * LONG}, full=True, judged=True),),
        lambda seen: length_kept(seen[0], LONG),
        (
            Answer("kept", "no limit is near"),
            Answer("cut", "check lengths, or each run finds a difference"),
            Answer("refused_500", "check lengths"),
            _ALSO_400,
        ),
    ),
    _form("postcode_form", "Postcode", "1", "a Dutch postcode of one digit"),
    _form("vat_number_form", "VATNumber", "NL1", "a VAT number that cannot be"),
    _form("phone_form", "Phone", "no number", "a phone number without digits"),
    _form("chamber_form", "ChamberOfCommerce", "no number", "a chamber of commerce number without digits"),
    _form("website_form", "Website", "no address", "a website that is no address"),
    _refused("no_name", {"Name": "", "AddressLine1": "{mark}"}, "an account without a name"),
    _refused("bad_email", {"Email": "nobody@@nowhere"}, "a mail address that cannot be"),
    _refused("unknown_country", {"Country": "ZZ"}, "a country that is none"),
    _refused("unknown_status", {"Status": "Q"}, "a Status that is none"),
)
