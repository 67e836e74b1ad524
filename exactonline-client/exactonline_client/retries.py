"""(method, outcome, attempt) → repeat, look first, or give up. Pure: one table, and how an answer is read into it.

Business errors come as HTTP 500 in the language of the user, like real faults, so they are told apart by pattern.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

Method = Literal["GET", "POST", "PUT", "DELETE"]


class Outcome(Enum):
    """What became of one request."""

    DONE = auto()
    NOT_SENT = auto()
    """No connection: Exact did not see it."""
    NO_ANSWER = auto()
    """Sent, but the answer was lost: it may have happened."""
    UNREADABLE = auto()
    """An answer of success that cannot be read: a write has happened."""
    LIMITED = auto()
    """429."""
    TOKEN_EXPIRED = auto()
    FORBIDDEN = auto()
    NOT_FOUND = auto()
    REJECTED = auto()
    """400: Exact did not understand the request."""
    EXISTS = auto()
    """500 with a text that says: the unique key is taken."""
    INVALID = auto()
    """500 with a text that names what is wrong with the record."""
    FAULT = auto()
    """Exact is broken for the moment: a write may have happened."""
    UNKNOWN_TEXT = auto()
    """500 with a text of no known pattern: a record's fault in another language, or a real fault."""
    UNEXPECTED = auto()


class Step(Enum):
    """What to do next."""

    ACCEPT = auto()
    REPEAT = auto()
    LOOK_FIRST = auto()
    """Read whether the create happened; only then send it again."""
    RENEW_TOKEN = auto()
    WAIT_FOR_LIMIT = auto()
    GIVE_UP = auto()


@dataclass(frozen=True, slots=True)
class Next:
    """The step, and how long to wait before it."""

    step: Step
    delay_seconds: float = 0.0


# Dutch and English, from quotes of real answers; the English halves of some are inferred. German, French and Spanish
# are guesses: no answer in them was found.
_EXISTS = re.compile(
    r"gegeven bestaat reeds|bestaat (reeds|al)\b|already exists|data exists|(moet zijn|must be)\s*: *uni(ek|que)"
    r"|bereits vorhanden|existier(t|en) bereits|déjà existante?s?\b|existent? déjà|ya existen?\b",
    re.IGNORECASE,
)
_INVALID = re.compile(
    r"^\s*(verplicht|ongeldig|ongeldige referentie|onbekend|in gebruik|moet zijn|mandatory|required|invalid"
    r"|invalid reference|unknown|in use|must be)\s*:|niet herkende guid|periode is afgesloten",
    re.IGNORECASE,
)
_FAULT = re.compile(
    r"a problem has occurred|er is een (probleem|fout) opgetreden|object reference not set|timeout expired|deadlock",
    re.IGNORECASE,
)


def outcome_of(status: int, text: str) -> Outcome:
    """Read an answer's status and Exact's own words into an outcome; whether a 2xx is readable comes later."""
    if 200 <= status < 300:
        return Outcome.DONE
    by_status = {
        400: Outcome.REJECTED,
        401: Outcome.TOKEN_EXPIRED,
        403: Outcome.FORBIDDEN,
        404: Outcome.NOT_FOUND,
        408: Outcome.FAULT,
        429: Outcome.LIMITED,
        502: Outcome.FAULT,
        503: Outcome.FAULT,
        504: Outcome.FAULT,
    }
    if status != 500:
        return by_status.get(status, Outcome.UNEXPECTED)
    if _FAULT.search(text) or not text:
        return Outcome.FAULT
    if _EXISTS.search(text):
        return Outcome.EXISTS
    return Outcome.INVALID if _INVALID.search(text) else Outcome.UNKNOWN_TEXT


_PATIENT = (1.0, 2.0, 4.0, 8.0, 16.0)
_BRIEF = (1.0, 4.0)
_ONCE = (0.0,)
_NEVER: tuple[float, ...] = ()

# Per outcome: the step for reads and updates, the step for creates, and the delays before each try.
# An update sends only differing fields of one row, so sending it twice leaves the same row.
_TABLE: dict[Outcome, tuple[Step, Step, tuple[float, ...]]] = {
    Outcome.NOT_SENT: (Step.REPEAT, Step.REPEAT, _PATIENT),
    Outcome.NO_ANSWER: (Step.REPEAT, Step.LOOK_FIRST, _PATIENT),
    Outcome.UNREADABLE: (Step.REPEAT, Step.LOOK_FIRST, _PATIENT),
    Outcome.FAULT: (Step.REPEAT, Step.LOOK_FIRST, _PATIENT),
    Outcome.UNKNOWN_TEXT: (Step.REPEAT, Step.LOOK_FIRST, _BRIEF),
    Outcome.TOKEN_EXPIRED: (Step.RENEW_TOKEN, Step.RENEW_TOKEN, _ONCE),
}


def next_step(method: Method, outcome: Outcome, attempt: int) -> Next:
    """What to do after try number `attempt` (from 1) ended in `outcome`."""
    if outcome is Outcome.DONE:
        return Next(Step.ACCEPT)
    if outcome is Outcome.LIMITED:
        return Next(Step.WAIT_FOR_LIMIT)
    others, create, delays = _TABLE.get(outcome, (Step.GIVE_UP, Step.GIVE_UP, _NEVER))
    if attempt > len(delays):
        return Next(Step.GIVE_UP)
    return Next(create if method == "POST" else others, delays[attempt - 1])
