"""One table of what an answer means: (method, status, text known or not, form, whose fault) → what happens next. Pure.

An answer is first read into an outcome (`outcome_of`), whose row in `TABLE` then says what to do after each try, and
what is given up when tries are used up: the record, the company, or the site.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from exactonline_client.error_texts import Meaning, meaning_of
from exactonline_client.errors import Kind

Method = Literal["GET", "POST", "PUT", "DELETE"]
REFUSALS_BELIEVED = 3
"""429 answers in a row after which one that says that calls are left is taken for a limit that no header names."""


class Outcome(Enum):
    """What became of one request."""

    DONE = auto()
    NOT_SENT = auto()
    """No connection: Exact did not see it."""
    NO_ANSWER = auto()
    """Sent, but the answer was lost: it may have happened."""
    UNREADABLE = auto()
    """An answer of success that is not of the documented form, or about another row: a write may have happened."""
    OTHER_COMPANY = auto()
    """An answer of success for another company: a write may have happened there."""
    GATEWAY = auto()
    """Something between Exact and us answered, or Exact had no time: a write may have happened."""
    PAGE = auto()
    """A refusal without Exact's form, as a page or a redirect: not Exact's verdict, and a write may have happened."""
    LIMITED = auto()
    """429, with a limit that is reached or none at all."""
    LIMITED_BY_NOTHING = auto()
    """429, though its headers say that calls are left."""
    TOKEN_EXPIRED = auto()
    FORBIDDEN = auto()
    NOT_FOUND = auto()
    REJECTED = auto()
    """400: Exact did not understand the request."""
    EXISTS = auto()
    """500 with a text that says: the natural key is taken."""
    INVALID = auto()
    """500 with a text that names what is wrong with the record."""
    COMPANY_INVALID = auto()
    """500 with a text that names the company."""
    FAULT = auto()
    """Exact is broken for the moment: a write may have happened."""
    UNKNOWN_TEXT = auto()
    """500 with a text of no known pattern: a record's fault in another language, or a real fault."""
    UNEXPECTED = auto()
    """Any other status."""


class Step(Enum):
    """What to do next."""

    ACCEPT = auto()
    REPEAT = auto()
    LOOK_FIRST = auto()
    """Read whether the write happened; only then send it again."""
    RENEW_TOKEN = auto()
    WAIT_FOR_LIMIT = auto()
    REFUSE_RECORD = auto()
    """Exact's verdict: the same again is pointless until the record changes."""
    DEFER_RECORD = auto()
    """No verdict: put the record aside and try it again in a later run."""
    GIVE_UP_COMPANY = auto()
    GIVE_UP_SITE = auto()

    @property
    def is_final(self) -> bool:
        """Whether there is no further try now."""
        return self in _FINAL


_FINAL = frozenset({Step.REFUSE_RECORD, Step.DEFER_RECORD, Step.GIVE_UP_COMPANY, Step.GIVE_UP_SITE})


@dataclass(frozen=True, slots=True)
class Next:
    """The step, and how long to wait before it."""

    step: Step
    delay_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """What follows from one outcome."""

    read: Step
    """Of a list or a row."""
    create: Step
    change: Step
    """Update or deletion. Sending the same one twice leaves the same row."""
    delays: tuple[float, ...]
    """Seconds before each further try; as many tries as delays."""
    end: Step
    """Once the tries are used up. A read that is given up concerns the company, unless it is about one record."""
    kind: Kind

    def step_of(self, method: Method) -> Step:
        """Return the step of requests by this method, while there are tries left."""
        return {"GET": self.read, "POST": self.create}.get(method, self.change)

    @property
    def may_have_happened(self) -> bool:
        """Whether a write was perhaps carried out although no answer said so."""
        return self.create is Step.LOOK_FIRST


_PATIENT = (1.0, 2.0, 4.0, 8.0, 16.0)
_BRIEF = (1.0, 4.0)
_ONCE = (0.0,)
_NEVER: tuple[float, ...] = ()


def _at_once(step: Step, kind: Kind) -> Row:
    return Row(step, step, step, _NEVER, step, kind)


TABLE: dict[Outcome, Row] = {
    Outcome.DONE: _at_once(Step.ACCEPT, "fault"),
    Outcome.NOT_SENT: Row(Step.REPEAT, Step.REPEAT, Step.REPEAT, _PATIENT, Step.GIVE_UP_COMPANY, "unreachable"),
    Outcome.NO_ANSWER: Row(Step.REPEAT, Step.LOOK_FIRST, Step.REPEAT, _PATIENT, Step.DEFER_RECORD, "unreachable"),
    Outcome.GATEWAY: Row(Step.REPEAT, Step.LOOK_FIRST, Step.REPEAT, _PATIENT, Step.DEFER_RECORD, "unreachable"),
    Outcome.PAGE: Row(Step.REPEAT, Step.LOOK_FIRST, Step.LOOK_FIRST, _BRIEF, Step.DEFER_RECORD, "unreachable"),
    Outcome.UNREADABLE: Row(Step.REPEAT, Step.LOOK_FIRST, Step.LOOK_FIRST, _PATIENT, Step.DEFER_RECORD, "fault"),
    Outcome.FAULT: Row(Step.REPEAT, Step.LOOK_FIRST, Step.REPEAT, _PATIENT, Step.DEFER_RECORD, "fault"),
    Outcome.UNKNOWN_TEXT: Row(Step.REPEAT, Step.LOOK_FIRST, Step.REPEAT, _BRIEF, Step.DEFER_RECORD, "fault"),
    Outcome.UNEXPECTED: _at_once(Step.DEFER_RECORD, "fault"),
    Outcome.REJECTED: _at_once(Step.REFUSE_RECORD, "rejected"),
    Outcome.INVALID: _at_once(Step.REFUSE_RECORD, "rejected"),
    Outcome.EXISTS: _at_once(Step.REFUSE_RECORD, "collision"),
    # An answer without a body names no company: one look tells that the row is gone from one that went elsewhere.
    Outcome.NOT_FOUND: Row(Step.DEFER_RECORD, Step.DEFER_RECORD, Step.LOOK_FIRST, (1.0,), Step.DEFER_RECORD, "fault"),
    Outcome.OTHER_COMPANY: _at_once(Step.GIVE_UP_COMPANY, "fault"),
    Outcome.COMPANY_INVALID: _at_once(Step.GIVE_UP_COMPANY, "no_access"),
    Outcome.FORBIDDEN: _at_once(Step.GIVE_UP_COMPANY, "no_access"),
    # The first is tried again with a new token. A second one is about the login only if Exact says so elsewhere too.
    Outcome.TOKEN_EXPIRED: Row(
        Step.RENEW_TOKEN, Step.RENEW_TOKEN, Step.RENEW_TOKEN, _ONCE, Step.GIVE_UP_COMPANY, "no_access"
    ),
    Outcome.LIMITED: _at_once(Step.WAIT_FOR_LIMIT, "minute_limit"),
    # Exact's answer beyond the limit of a contract is not known; this is taken for it.
    Outcome.LIMITED_BY_NOTHING: Row(
        Step.WAIT_FOR_LIMIT,
        Step.WAIT_FOR_LIMIT,
        Step.WAIT_FOR_LIMIT,
        (0.0,) * (REFUSALS_BELIEVED - 1),
        Step.GIVE_UP_COMPANY,
        "contract_limit",
    ),
}

_BY_STATUS = {
    400: Outcome.REJECTED,
    401: Outcome.TOKEN_EXPIRED,
    403: Outcome.FORBIDDEN,
    404: Outcome.NOT_FOUND,
    408: Outcome.GATEWAY,
    425: Outcome.GATEWAY,
    429: Outcome.LIMITED,
    501: Outcome.UNEXPECTED,
}
_BY_MEANING = {
    Meaning.FAULT: Outcome.FAULT,
    Meaning.COMPANY: Outcome.COMPANY_INVALID,
    Meaning.INVALID: Outcome.INVALID,
    Meaning.EXISTS: Outcome.EXISTS,
    Meaning.UNKNOWN: Outcome.UNKNOWN_TEXT,
}
_REFUSALS = frozenset({400, 403, 404})


def outcome_of(
    status: int,
    messages: Sequence[str] = (),
    *,
    is_page: bool = False,
    are_calls_left: bool = False,
    method: Method = "GET",
    key: str = "",
) -> Outcome:
    """Read an answer into an outcome; whether a 2xx has the form that was asked for comes later.

    Args:
        messages: Exact's own words; none if the body is not one of Exact's errors.
        is_page: The body is a web page.
        are_calls_left: The headers say that no limit is reached.
        key: Natural key of the record that was sent.
    """
    if 200 <= status < 300:
        return Outcome.DONE
    if 300 <= status < 400 or (is_page and status in _REFUSALS):
        return Outcome.PAGE
    if status == 500:
        return _of_business(messages, method, key)
    if status == 429 and are_calls_left:
        return Outcome.LIMITED_BY_NOTHING
    by_status = _BY_STATUS.get(status)
    if by_status is not None:
        return by_status
    return Outcome.GATEWAY if status >= 500 else Outcome.UNEXPECTED


def _of_business(messages: Sequence[str], method: Method, key: str) -> Outcome:
    if not any(messages):
        return Outcome.FAULT
    outcome = _BY_MEANING[meaning_of(messages, key)]
    if outcome is Outcome.EXISTS and method != "POST":
        return Outcome.INVALID  # only a create can meet a key that is taken and mean the row that was to be made
    return outcome


def next_step(method: Method, outcome: Outcome, attempt: int) -> Next:
    """Return what to do after try number `attempt` (from 1) ended in `outcome`."""
    row = TABLE[outcome]
    step = row.step_of(method)
    if step.is_final or (step in {Step.ACCEPT, Step.WAIT_FOR_LIMIT} and not row.delays):
        return Next(step)
    if attempt > len(row.delays):
        return Next(row.end)
    return Next(step, row.delays[attempt - 1])


def says_that_calls_are_left(headers: Mapping[str, str]) -> bool:
    """Whether the limits that an answer names all have calls left."""
    named = [headers[name] for name in ("x-ratelimit-minutely-remaining", "x-ratelimit-remaining") if name in headers]
    return bool(named) and all(one.strip().isdecimal() and int(one) > 0 for one in named)
