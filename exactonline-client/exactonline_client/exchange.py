"""One request to its end: waits for limits and tokens, repeats what may be repeated, and names what went wrong.

Everything here is a generator: it yields the instant (aware, UTC, our clock) before which it cannot go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

from exactonline_client import odata
from exactonline_client.auth import Login
from exactonline_client.budgets import Budgets
from exactonline_client.entities import Entity
from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    LoginNeededError,
    NotFoundError,
    RecordRefusedError,
    TryLaterError,
    UnexpectedReplyError,
)
from exactonline_client.limits import retry_after
from exactonline_client.odata import MalformedReplyError
from exactonline_client.retries import Outcome, Step, next_step, outcome_of
from exactonline_client.settings import Settings
from exactonline_client.transport import Clock, NoReply, Reply, Request, Transport

T = TypeVar("T")
Waiting = Generator[datetime, None, T]
A_MINUTE = timedelta(minutes=1)
REFUSALS_ALLOWED = 3
"""Of calls that name no division."""
LONGEST_WAIT = timedelta(minutes=10)
"""That a run sits out without knowing that it will end."""
TOKEN_WAITS_ALLOWED = 21
"""Of half a minute each: right after a consent, Exact gives no new token for 570 seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended, or where it stands when a look comes first."""

    outcome: Outcome
    step: Step
    attempt: int
    value: Any
    text: str
    status: int
    received_at: datetime
    delay_seconds: float = 0.0

    @property
    def may_have_happened(self) -> bool:
        """Whether a write was perhaps carried out although no answer said so."""
        return self.outcome in {Outcome.NO_ANSWER, Outcome.UNREADABLE, Outcome.FAULT, Outcome.UNKNOWN_TEXT}


class Exchange:
    """Requests of one connection and their answers."""

    def __init__(self, settings: Settings, transport: Transport, login: Login, budgets: Budgets, now: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._login = login
        self._budgets = budgets
        self._now = now

    def settle(
        self, request: Request, parse: Callable[[bytes], Any], entity: Entity | None = None, label: str = ""
    ) -> Waiting[Answer]:
        """The accepted answer to a request, its body parsed.

        Raises:
            As `give_up`.
        """
        answer = yield from self.ask(request, parse, 1)
        if answer.step is not Step.ACCEPT:
            self.give_up(request, answer, entity, label)
        return answer

    def ask(self, request: Request, parse: Callable[[bytes], Any], attempt: int) -> Waiting[Answer]:
        """Send until an answer is accepted or given up, or until the caller has to look first."""
        renewed = doubted = False
        while True:
            yield from self._wait_for_limits(request)
            token = yield from self._access_token()
            self._budgets.spend(request.division, self._now())
            reply = self._transport.send(request, token)
            answer = self._judge(request, reply, parse, attempt)
            if answer.outcome is Outcome.TOKEN_EXPIRED and not renewed:
                # Whatever came before it, an expired token is renewed once. While Exact does not renew it yet, the 401
                # was perhaps one of a kind: the token is tried once more before anything is waited for.
                renewed = yield from self._renewed(token, at_once=not doubted)
                doubted = True
            elif answer.outcome is Outcome.TOKEN_EXPIRED:
                return replace(answer, step=Step.GIVE_UP)
            elif answer.step is Step.REPEAT:
                yield from self._pause(request.division, self._now() + timedelta(seconds=answer.delay_seconds))
                attempt += 1
            elif answer.step is not Step.WAIT_FOR_LIMIT:
                return answer
            elif request.division is None:  # no window of ours says how long
                if attempt > REFUSALS_ALLOWED:
                    raise TryLaterError("Exact takes no calls now.", self._now() + A_MINUTE)
                yield self._now() + timedelta(seconds=answer.delay_seconds)
                attempt += 1

    def _judge(self, request: Request, reply: Reply | NoReply, parse: Callable[[bytes], Any], attempt: int) -> Answer:
        value: Any = None
        if isinstance(reply, NoReply):
            outcome = Outcome.NO_ANSWER if reply.was_sent else Outcome.NOT_SENT
            text, status, received_at = f"no answer ({reply.cause})", 0, self._now()
        else:
            self._budgets.learn(
                request.division,
                request.endpoint,
                reply.status,
                reply.headers,
                reply.sent_at,
                reply.received_at,
            )
            said = odata.parse_error(reply.body)
            text = self._transport.secrets.redact(said or reply.headers.get("reason") or f"HTTP {reply.status}")
            status, received_at = reply.status, reply.received_at
            outcome = outcome_of(reply.status, said)
            if outcome is Outcome.DONE:
                try:
                    value = parse(reply.body)
                except MalformedReplyError as error:
                    outcome, text = Outcome.UNREADABLE, f"an answer that cannot be read: {error}"
        following = next_step(request.method, outcome, attempt)
        delay_seconds = max(following.delay_seconds, self._asked_to_wait(request, reply))
        return Answer(outcome, following.step, attempt, value, text, status, received_at, delay_seconds)

    def _asked_to_wait(self, request: Request, reply: Reply | NoReply) -> float:
        """Seconds that Exact asks for, beside those of a division's limits, which the budgets keep.

        Raises:
            TryLaterError: More than a run sits out.
        """
        if isinstance(reply, NoReply) or not (reply.status == 503 or (reply.status == 429 and not request.division)):
            return 0.0
        until = retry_after(reply.headers, reply.received_at)
        if until is None:
            return A_MINUTE.total_seconds() if reply.status == 429 else 0.0
        if until - reply.received_at > LONGEST_WAIT:
            raise TryLaterError(f"Exact is not to be had (HTTP {reply.status}).", until)
        return (until - reply.received_at).total_seconds()

    def _wait_for_limits(self, request: Request) -> Waiting[None]:
        while True:
            wait = self._budgets.wait_before(request.division, request.endpoint, self._now())
            if wait is None:
                return
            if not wait.short:
                raise TryLaterError(f"Division {request.division}: {wait.reason.value}", wait.until)
            yield from self._pause(request.division, wait.until)

    def _access_token(self) -> Waiting[str]:
        return (yield from self._once_tokens_are_given(self._login.access_token))

    def _renewed(self, rejected: str, *, at_once: bool) -> Waiting[bool]:
        """Whether there is another token, which can only be in doubt when it has to be there at once."""
        try:
            self._login.renew(rejected)
        except TryLaterError:
            if at_once:
                return False
            yield from self._once_tokens_are_given(lambda: self._login.renew(rejected))
        return True

    def _once_tokens_are_given(self, ask: Callable[[], T]) -> Waiting[T]:
        """What comes of asking for a token, after waits that a run can sit out.

        Raises:
            TryLaterError: It would be longer; when the token requests of a day are made, until midnight.
        """
        for _ in range(TOKEN_WAITS_ALLOWED):
            try:
                return ask()
            except TryLaterError as error:
                if error.until - self._now() > LONGEST_WAIT:
                    raise
                yield from self._pause(None, error.until)
        return ask()

    def _pause(self, division: int | None, until: datetime) -> Waiting[None]:
        began_at = self._now()
        yield until
        self._transport.count_wait(division, (self._now() - began_at).total_seconds())

    def give_up(self, request: Request, answer: Answer, entity: Entity | None, label: str) -> NoReturn:
        """Turn an answer that was given up into the error that says what to do next."""
        name, division = entity.name if entity else request.endpoint, request.division or 0
        match answer.outcome:
            case Outcome.TOKEN_EXPIRED:
                reason = "a new access token was refused as well."
                raise LoginNeededError(self._settings.connection, reason, name=self._settings.name)
            case Outcome.FORBIDDEN:
                raise DivisionRefusedError(division=division, status=answer.status, said=answer.text)
            case Outcome.NOT_FOUND if entity is not None:
                raise NotFoundError(entity=name, division=division, key=label or request.endpoint)
            case Outcome.EXISTS if request.method == "POST":
                raise AlreadyExistsError(
                    entity=name, division=division, key=label, status=answer.status, said=answer.text
                )
            case Outcome.EXISTS | Outcome.INVALID | Outcome.UNKNOWN_TEXT | Outcome.REJECTED if entity is not None:
                raise RecordRefusedError(
                    entity=name, division=division, key=label, status=answer.status, said=answer.text
                )
        tries = f" after {answer.attempt} tries" if answer.attempt > 1 else ""
        raise UnexpectedReplyError(str(request), f"{answer.text}{tries}.")
