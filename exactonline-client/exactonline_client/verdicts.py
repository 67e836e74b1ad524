"""How a request ended, and the error that follows from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from exactonline_client.answers import OtherCompanyError
from exactonline_client.entities.model import Entity
from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    ExactError,
    RecordRefusedError,
    Scope,
    TryLaterError,
    UnexpectedReplyError,
    WrongCompanyError,
)
from exactonline_client.limits import ERROR_WINDOW
from exactonline_client.retries import REFUSALS_BELIEVED, TABLE, Method, Outcome, Step


class Asked(Protocol):
    """What is told of a request."""

    @property
    def method(self) -> Method:
        """HTTP method."""

    @property
    def division(self) -> int | None:
        """Company in the path."""

    @property
    def endpoint(self) -> str:
        """Path without company and key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended, or where it stands when a look comes first."""

    outcome: Outcome
    step: Step
    attempt: int
    value: Any
    said: str
    """Exact's text and reason, as a person sees them."""
    status: int
    received_at: datetime
    delay_seconds: float = 0.0
    text: str = ""
    """Exact's text alone."""
    reason: str = ""
    """Header `Reason` alone."""
    other: OtherCompanyError | None = None
    is_refused_everywhere: bool = False
    """Whether the site refused, with or without a company, an access token that it had just given out."""

    def leaves_open(self, method: Method) -> bool:
        """Whether a write was perhaps carried out, or is done for another reason, although no answer said so."""
        row = TABLE[self.outcome]
        return row.may_have_happened or row.step_of(method) is Step.LOOK_FIRST


def error_of(request: Asked, answer: Answer, entity: Entity | None, label: str, *, now: datetime) -> ExactError:
    """Return the error of an answer that was given up: by its type a caller sees what to do next.

    Args:
        entity: Kind of row that was asked for or sent.
        label: Row that was asked for or sent, as messages call it; empty for a list.
    """
    division, is_write = request.division or 0, request.method != "GET"
    match answer.outcome:
        case Outcome.OTHER_COMPANY if answer.other is not None:
            return WrongCompanyError(
                str(request),
                division=division,
                other=answer.other.other,
                is_write=is_write,
                what=f"{entity.name} {label}" if entity and label else "",
                answered_key=answer.other.key,
            )
        case Outcome.TOKEN_EXPIRED if answer.is_refused_everywhere:
            return UnexpectedReplyError(
                str(request),
                f"Exact refused an access token that it had just given out ({answer.said}). The stored login is kept, "
                "and the next run goes on with it.",
                status=answer.status,
            )
        case Outcome.FORBIDDEN | Outcome.COMPANY_INVALID | Outcome.TOKEN_EXPIRED:
            return DivisionRefusedError(
                division=division,
                status=answer.status,
                said=answer.said,
                text=answer.text,
                reason=answer.reason,
                endpoint=request.endpoint,
                key=label if is_write else "",
            )
        case Outcome.LIMITED_BY_NOTHING:
            return TryLaterError(
                f"Division {division}: Exact refused {REFUSALS_BELIEVED} calls in a row (HTTP 429) and says that calls "
                "are left, so it is taken for the limit of the contract or for a block after errors.",
                now + ERROR_WINDOW,
                kind="contract_limit",
                scope="company" if division else "site",
                division=division,
            )
    if answer.step is Step.REFUSE_RECORD and entity is not None and label:
        refusal = AlreadyExistsError if answer.outcome is Outcome.EXISTS else RecordRefusedError
        return refusal(entity=entity.name, division=division, key=label, status=answer.status, said=answer.said)
    return _no_verdict(request, answer, label)


def _no_verdict(request: Asked, answer: Answer, label: str) -> UnexpectedReplyError:
    row = TABLE[answer.outcome]
    tries = f" after {answer.attempt} tries" if answer.attempt > 1 else ""
    smallest: Scope = "company" if request.division else "site"
    return UnexpectedReplyError(
        str(request),
        f"{answer.said}{tries}.",
        kind="fault" if answer.step is Step.REFUSE_RECORD else row.kind,
        scope="record" if label and row.end is not Step.GIVE_UP_COMPANY else smallest,
        division=request.division or 0,
        key=label,
        status=answer.status,
    )


def shown(text: str, reason: str, status: int) -> str:
    """Return Exact's words and the header `Reason` beside them, which may hold the words again."""
    code = reason.removesuffix(text).rstrip(": ") if text else reason
    if text and code:
        return f"{text.rstrip()} (Reason: {code})"
    return text or (f"Reason: {code}" if code else f"HTTP {status}")
