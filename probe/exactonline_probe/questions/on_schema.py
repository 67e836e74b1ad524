"""What Exact says of its own entities: members that are there, and $metadata (API 1.2, 2.1, E 0)."""

from __future__ import annotations

from exactonline_probe.known_names import ACCOUNT_MEMBERS
from exactonline_probe.question import Answer, Ask, Question
from exactonline_probe.questions.on_answers import EVER
from exactonline_probe.replies import Reply, Seen
from exactonline_probe.schema_text import lengths

_XML = {"Accept": "application/xml"}


def members(reply: Reply) -> str:
    """An account's members, held against those that the project knows."""
    names = set(reply.first) - {"__metadata"}
    if names == ACCOUNT_MEMBERS:
        return "as_known"
    if names > ACCOUNT_MEMBERS:
        return "more"
    return "fewer" if names < ACCOUNT_MEMBERS else "others"


def tells_lengths(seen: Seen) -> str:
    """Whether the schema says how long texts may be."""
    return "lengths" if lengths(seen[0].text) else "no_lengths"


def _schema(service: str, of: str) -> Question:
    return Question(
        f"metadata_{service}",
        "reading",
        f"Does {service}/$metadata say how long the texts of {of} may be?",
        "E 0: one client reads cashflow/$metadata; the first thing to ask",
        (Ask(f"{service}/$metadata", headers=_XML),),
        tells_lengths,
        (
            Answer("lengths", "texts can be checked before they are sent; the evidence holds the lengths"),
            Answer("no_lengths", "lengths must be tried"),
        ),
    )


QUESTIONS = (
    Question(
        "account_members",
        "reading",
        "Has an account the members that the project knows, and no others?",
        "API 2.1: Exact adds properties without notice",
        (Ask("crm/Accounts", {"$filter": EVER, "$top": "1"}),),
        lambda seen: members(seen[0]),
        (
            Answer("as_known", "as assumed"),
            Answer("more", "new ones are passed over"),
            Answer("fewer", "ask only for those that are there"),
            Answer("others", "both"),
        ),
    ),
    _schema("crm", "accounts"),
    _schema("cashflow", "payment conditions"),
    _schema("vat", "VAT codes"),
)
