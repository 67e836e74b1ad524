"""Why a customer was not written, in words of the person who keeps the books. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from exactonline_client.limits import Reason

from exactonline_console.labels import FIELDS, field_label
from exactonline_console.texts import Texts, marked

SENTENCES = {
    "invalid": marked("Exact would not take this customer as it is. Correct it in the source company."),
    "collision": marked(
        "Somebody else has this code in the company. Say whether it is the same customer, leave it out there, or give "
        "one of them another code."
    ),
    "ambiguous": marked("The company has a customer that may be this one, or several. Say which it is."),
    "code_changed": marked(
        "Its code was changed in the source company. Change it in this company too, since Exact lets only people do "
        "that."
    ),
    "rejected": marked("Exact refused this customer. Correct it in the source company, or try it again."),
    "reference": marked(
        "It refers to something that this company does not have, or has for something else, such as a payment "
        "condition."
    ),
    "minute_limit": marked("The calls that Exact allows in a minute are used. It goes on by itself."),
    "day_limit": marked(
        "The calls that Exact allows this company in a day are used. The next run after midnight (UTC) goes on."
    ),
    "contract_limit": marked(
        "The calls that your contract allows in a day are used. The next run after midnight (UTC) goes on."
    ),
    "error_limit": marked("So many answers were errors that Exact would block the app. It rests for an hour."),
    "safety_limit": marked(
        "More would change in this company than the safety limit of the job allows. Look at a preview; then raise the "
        "limit, or synchronize without it this once."
    ),
    "approval": marked("It waits until somebody approves it."),
    "parent": marked("It belongs to a customer that is not in this company yet, and comes after that one."),
    "no_access": marked("The company is out of reach: the login has no right there, or it is closed."),
    "unreachable": marked("Exact gave no answer. The next run tries again."),
    "fault": marked("Exact answered with a fault of its own. The next run tries again."),
    "moving": marked("Exact is moving this company or putting a backup back. The next run tries again."),
    "load_method": marked("The settings of the job do not want it written."),
    "superseded": marked("A newer version of this customer came in the same run."),
    "not_accounts": marked("It is no customer."),
    "held": marked("It is held back, since somebody rejected it, left it out or took it back."),
    "source_deleted": marked("It was deleted in the source company, and stays here."),
}
"""A sentence for each kind of the target's outcomes."""
ALSO_SAID = marked("Exact says: %(said)s")
ABOUT = marked("It is about: %(fields)s.")
_EXACT_SAID = re.compile(r"\(HTTP \d+\): (?P<said>.+?) Not written;", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Why:
    """What a person reads of a reason."""

    sentence: str
    detail: str | None
    """The reason as programs say it, in English, where that says more."""


def why(kind: str | None, reason: str | None, texts: Texts) -> Why:
    """Return the words for a reason; a kind that nobody knows keeps its own."""
    if kind not in SENTENCES:
        return Why("", reason)
    parts = [texts(SENTENCES[kind])]
    said = _EXACT_SAID.search(reason or "")
    if said:
        parts.append(texts(ALSO_SAID, said=said["said"]))
    elif kind in {"invalid", "reference"} and (fields := _fields(reason or "", texts)):
        parts.append(texts(ABOUT, fields=", ".join(fields)))
    return Why(" ".join(parts), reason)


def waits_for(said: str | None, texts: Texts) -> str:
    """Return what a company waits for, as the target noted it, in this language."""
    kinds = {one.value: one.kind for one in Reason}
    return texts(SENTENCES[kinds[said]]) if said in kinds else said or ""


def _fields(reason: str, texts: Texts) -> list[str]:
    return [field_label(name, texts) for name in FIELDS if re.search(rf"\b{name}\b", reason)]
