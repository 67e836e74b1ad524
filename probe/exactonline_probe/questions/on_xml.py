"""The XML upload of accounts (API 8.3, 13.6, E 5). One upload may count as 50 calls of the contract's."""

from __future__ import annotations

from exactonline_probe.question import Answer, Ask, Question
from exactonline_probe.questions.on_answers import EVER
from exactonline_probe.replies import Seen

_WHOLE = '<?xml version="1.0" encoding="utf-8"?><eExact><Accounts>{account}</Accounts></eExact>'
_FIRST = '<Account code="{code}" status="C"><Name>{mark}</Name><Phone>030 123</Phone></Account>'
_SECOND = '<Account code="{code}" status="C"><Name>{mark} again</Name></Account>'
_COUNT = Ask("crm/Accounts", {"$select": "ID", "$filter": EVER, "$top": "1"})


def _upload(account: str, *, makes: bool) -> Ask:
    return Ask(
        "/docs/XMLUpload.aspx",
        {"Topic": "Accounts", "_Division_": "{division}"},
        method="POST",
        body=_WHOLE.replace("{account}", account),
        headers={"Accept": "", "Content-Type": "application/xml"},
        makes=makes,
    )


UPLOADED = (
    _COUNT,
    _upload(_FIRST, makes=True),
    _COUNT,
    _upload(_SECOND, makes=False),
    Ask("crm/Accounts", {"$select": "ID,Name,Phone", "$filter": "startswith(Name,'{mark}') eq true", "$top": "5"}),
)


def updated(seen: Seen) -> str:
    """What the second upload under the same code did."""
    names = [str(row["Name"]).strip() for row in seen[4].rows]
    if not names:
        return "nothing_made"
    if len(names) > 1:
        return "another"
    return "updated" if names[0].endswith("again") else "unchanged"


def counted(seen: Seen) -> str:
    """How many of the company's calls an upload cost."""
    before, after = (int(seen[at].headers["x-ratelimit-remaining"]) for at in (0, 2))
    return {1: "none", 2: "one"}.get(before - after, "more")


QUESTIONS = (
    Question(
        "xml_upsert",
        "xml",
        "Does an upload under a code that is there change that account?",
        "API 13.6: by shape yes, by proof no",
        UPLOADED,
        updated,
        (
            Answer("updated", "one call can bring many accounts"),
            Answer("another", "it only makes new ones"),
            Answer("unchanged", "it only makes new ones"),
            Answer("nothing_made", "the messages in its answer say why"),
        ),
    ),
    Question(
        "xml_absent_child",
        "xml",
        "Does it leave alone what it does not name?",
        "API 13.6",
        UPLOADED,
        lambda seen: "left_alone" if seen[4].first["Phone"] else "emptied",
        (Answer("left_alone", "send what differs"), Answer("emptied", "send the whole account")),
    ),
    Question(
        "xml_calls",
        "xml",
        "Does an upload cost one of the company's calls?",
        "API 7.1: one, and 50 of the contract's",
        UPLOADED,
        counted,
        (Answer("one", "count it as one"), Answer("more", "count it as more"), Answer("none", "count it all the same")),
    ),
)
