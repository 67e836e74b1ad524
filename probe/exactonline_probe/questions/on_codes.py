"""An account's Code and ID (API 3, 13.3, 13.5)."""

from __future__ import annotations

from exactonline_probe.question import FULL, Answer, Ask, Question
from exactonline_probe.questions.on_writing import get, post, put, taken
from exactonline_probe.replies import Reply, Seen

ZEROS = "0" * 9
"""So many that a company which pads its codes does not come to as many digits."""
CODED = (post({"Code": "{code}"}, full=True),)
TWICE = (post({"Code": "{code}"}), post({"Code": "{code}"}, judged=True))
_REFUSED = Answer("refused_500", "it costs no error")


def code_kept(seen: Seen) -> str:
    """What became of a code that was sent."""
    kept = str(seen[0].first["Code"]).strip()
    if kept == seen.values["code"]:
        return "kept"
    return "padded" if kept.lstrip("0") == seen.values["code"] else "replaced"


def id_used(seen: Seen) -> str:
    """What became of an ID that was sent."""
    if seen[0].status >= 400:
        return taken(seen[0])
    return "used" if seen[0].first["ID"] == seen.values["new_id"] else "ignored"


def second(reply: Reply) -> str:
    """Whether a second account was made."""
    return "another" if reply.status < 400 else f"refused_{reply.status}"


QUESTIONS = (
    Question(
        "sent_code",
        "writing",
        "Is a Code kept as it was sent?",
        "API 13.3: whether zeros are added is unknown",
        CODED,
        code_kept,
        (
            Answer("kept", "codes are texts", ("sent_codes", "kept")),
            Answer("padded", "compare without leading zeros", ("sent_codes", "padded")),
            Answer("replaced", "read the Code back"),
        ),
    ),
    Question(
        "code_twice",
        "writing",
        "Is a Code that is in use refused with a 500?",
        "API 13.3: not seen for accounts",
        TWICE,
        lambda seen: second(seen[1]),
        (_REFUSED, Answer("another", "look before a code is used"), Answer("refused_400", "it costs an error")),
    ),
    Question(
        "code_with_zeros",
        "writing",
        "Is a Code with leading zeros another one than without?",
        "API 13.3",
        (post({"Code": "{code}"}), post({"Code": ZEROS + "{code}"}, judged=True)),
        lambda seen: second(seen[1]),
        (
            Answer("another", "keep zeros in keys"),
            Answer("refused_500", "compare without leading zeros"),
            Answer("refused_400", "it costs an error"),
        ),
    ),
    Question(
        "code_with_letters",
        "writing",
        "Is a Code with letters refused?",
        "API 13.3: the text says numeric",
        (post({"Code": "PR{code}"}, judged=True),),
        lambda seen: taken(seen[0]),
        (
            Answer("refused_500", "refuse it before it is sent", ("codes", "numeric")),
            Answer("taken", "codes are texts", ("codes", "any")),
            Answer("refused_400", "refuse it before it is sent: it costs an error", ("codes", "numeric")),
        ),
    ),
    Question(
        "post_id",
        "writing",
        "Is an ID that is sent with a new account used?",
        "API 13.5: listed as sendable, untested",
        (
            Ask(
                "crm/Accounts",
                method="POST",
                body={"Name": "{mark}", "ID": "{new_id}"},
                headers=FULL,
                keeps={"made": "ID"},
                expects=frozenset({200, 201, 400, 500}),
                makes=True,
            ),
        ),
        id_used,
        (
            Answer("used", "a lost answer can be looked up by ID", ("post_id", "use")),
            Answer("ignored", "send none", ("post_id", "ignore")),
            Answer("refused_500", "send none", ("post_id", "ignore")),
        ),
    ),
    Question(
        "code_in_put",
        "writing",
        "Is a Code in a change refused, even the same?",
        "API 3: forums of 2022",
        (post({"Code": "{code}"}), put({"Code": "{code}"}), get("Code")),
        lambda seen: taken(seen[1]),
        (_REFUSED, Answer("taken", "the Code may come along"), Answer("refused_400", "it costs an error")),
    ),
)
