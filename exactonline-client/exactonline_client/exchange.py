"""One request to its end: waits for limits and tokens, repeats what may be repeated, and names what went wrong.

Everything here is a generator: it yields the instant (aware, UTC, our clock) before which it cannot go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn, TypeVar

from exactonline_client import odata
from exactonline_client.answers import OtherCompanyError
from exactonline_client.auth import Login
from exactonline_client.budgets import Budgets
from exactonline_client.entities import Entity
from exactonline_client.errors import ExactError, Kind, Scope, TryLaterError, WrongCompanyError
from exactonline_client.failures import Failures, GivenUp
from exactonline_client.limits import Reason, Wait, retry_after
from exactonline_client.odata import MalformedReplyError
from exactonline_client.retries import Outcome, Step, next_step, outcome_of, says_that_calls_are_left
from exactonline_client.settings import Settings
from exactonline_client.transport import Clock, NoReply, Reply, Request, Transport
from exactonline_client.verdicts import Answer, error_of, shown

T = TypeVar("T")
Waiting = Generator[datetime, None, T]
Parse = Callable[[Reply], Any]
A_MINUTE = timedelta(minutes=1)
REFUSALS_ALLOWED = 3
"""Of calls that name no division."""
LONGEST_WAIT = timedelta(minutes=10)
"""That a run sits out without knowing that it will end."""
TOKEN_WAITS_ALLOWED = 21
"""Of half a minute each: right after a consent, Exact gives no new token for 570 seconds."""
WHO_AM_I = "current/Me"


@dataclass(slots=True)
class _TokenTries:
    """What was tried so far against a 401."""

    tried_again: bool = False
    renewed: bool = False


class Exchange:
    """Requests of one connection and their answers."""

    def __init__(self, settings: Settings, transport: Transport, login: Login, budgets: Budgets, now: Clock) -> None:
        self._settings = settings
        self._transport = transport
        self._login = login
        self._budgets = budgets
        self._now = now
        self._wrong: dict[int, WrongCompanyError] = {}
        self._refusals = Failures()
        self._not_renewed_yet = ""

    def settle(self, request: Request, parse: Parse, entity: Entity | None = None, label: str = "") -> Waiting[Answer]:
        """The accepted answer to a request, parsed.

        Raises:
            As `give_up`.
        """
        answer = yield from self.ask(request, parse, 1, label)
        if answer.step is not Step.ACCEPT:
            self.give_up(request, answer, entity, label)
        return answer

    def ask(self, request: Request, parse: Parse, attempt: int, key: str = "") -> Waiting[Answer]:
        """Send until an answer is accepted or given up, or until the caller has to look first.

        Args:
            parse: From a reply of success to its value; raises MalformedReplyError or OtherCompanyError.
            key: Natural key of the record that is sent, which Exact's words may quote.
        """
        refusals, tries = 0, _TokenTries()
        while True:
            if request.division in self._wrong:
                raise self._wrong[request.division]
            yield from self._wait_for_limits(request)
            token = yield from self._access_token()
            self._budgets.spend(request.division, self._now())
            reply = self._transport.send(request, token)
            answer = self._judge(request, reply, parse, attempt, refusals + 1, key)
            if answer.outcome is Outcome.TOKEN_EXPIRED:
                if not (yield from self._goes_on_without(token, request, tries)):
                    everywhere = tries.renewed and not (yield from self._is_known_elsewhere(request))
                    return replace(answer, step=Step.GIVE_UP_COMPANY, is_refused_everywhere=everywhere)
            elif answer.step is Step.REPEAT:
                yield from self._pause(request.division, self._now() + timedelta(seconds=answer.delay_seconds))
                attempt += 1
            elif answer.step is not Step.WAIT_FOR_LIMIT:
                return answer
            else:
                refusals += 1
                yield from self._sit_out(request, answer, refusals)

    def _judge(
        self, request: Request, reply: Reply | NoReply, parse: Parse, attempt: int, refusals: int, key: str
    ) -> Answer:
        if isinstance(reply, NoReply):
            outcome = Outcome.NO_ANSWER if reply.was_sent else Outcome.NOT_SENT
            self._budgets.miss(request.division, self._now(), was_sent=reply.was_sent)
            following = next_step(request.method, outcome, attempt)
            said = f"no answer ({reply.cause})"
            return Answer(outcome, following.step, attempt, None, said, 0, self._now(), following.delay_seconds)
        self._budgets.learn(
            request.division, request.endpoint, reply.status, reply.headers, reply.sent_at, reply.received_at
        )
        if 200 <= reply.status < 300:
            return self._read(request, reply, parse, attempt)
        reason = self._transport.secrets.redact(reply.headers.get("reason", "").strip())
        messages = odata.error_messages(reply.body)
        text = self._transport.secrets.redact(" ".join(messages) or odata.plain_words(reply.body))
        outcome = outcome_of(
            reply.status,
            messages,
            is_page=not reason and odata.is_page(reply.headers, reply.body),
            are_calls_left=reply.status == 429 and says_that_calls_are_left(reply.headers),
            method=request.method,
            key=key,
        )
        is_limit = reply.status == 429
        following = next_step(request.method, outcome, refusals if is_limit else attempt)
        return Answer(
            outcome,
            following.step,
            attempt,
            None,
            shown(text, reason, reply.status),
            reply.status,
            reply.received_at,
            max(following.delay_seconds, self._asked_to_wait(request, reply)),
            text=text,
            reason=reason,
        )

    def _read(self, request: Request, reply: Reply, parse: Parse, attempt: int) -> Answer:
        """An answer of success: whether it is of the form and the company that was asked for."""
        value, said, other, outcome = None, "", None, Outcome.DONE
        try:
            value = parse(reply)
        except MalformedReplyError as error:
            outcome, said = Outcome.UNREADABLE, f"an answer that cannot be read: {error}"
        except OtherCompanyError as error:
            outcome, said, other = Outcome.OTHER_COMPANY, str(error), error
        if outcome is Outcome.DONE and request.division is not None:
            self._refusals.add_success("", request.division)
        following = next_step(request.method, outcome, attempt)
        return Answer(
            outcome,
            following.step,
            attempt,
            value,
            said,
            reply.status,
            reply.received_at,
            following.delay_seconds,
            other=other,
        )

    def _asked_to_wait(self, request: Request, reply: Reply) -> float:
        """Seconds that Exact asks for, beside those of a division's limits, which the budgets keep.

        Raises:
            TryLaterError: More than a run sits out.
        """
        if not (reply.status == 503 or (reply.status == 429 and not request.division)):
            return 0.0
        until = retry_after(reply.headers, reply.received_at)
        if until is None:
            return A_MINUTE.total_seconds() if reply.status == 429 else 0.0
        if until - reply.received_at > LONGEST_WAIT:
            raise self._later(request, f"Exact is not to be had (HTTP {reply.status}).", until, "unreachable")
        return (until - reply.received_at).total_seconds()

    def _sit_out(self, request: Request, answer: Answer, refusals: int) -> Waiting[None]:
        """Wait after a 429; those of a division are waited for before its next request, by what the answer said."""
        if request.division is None:
            if refusals > REFUSALS_ALLOWED:
                raise self._later(request, "Exact takes no calls now.", self._now() + A_MINUTE, "unreachable")
            yield self._now() + timedelta(seconds=answer.delay_seconds)

    def _wait_for_limits(self, request: Request) -> Waiting[None]:
        while True:
            wait: Wait | None = self._budgets.wait_before(request.division, request.endpoint, self._now())
            if wait is None:
                return
            if not wait.short:
                raise wait.error(request.division or 0)
            yield from self._pause(request.division, wait.until)

    def _later(self, request: Request, reason: str, until: datetime, kind: Kind) -> TryLaterError:
        scope: Scope = "company" if request.division else "site"
        return TryLaterError(reason, until, kind=kind, scope=scope, division=request.division or 0)

    # Tokens

    def _access_token(self) -> Waiting[str]:
        return (yield from self._once_tokens_are_given(self._login.access_token))

    def _goes_on_without(self, token: str, request: Request, tries: _TokenTries) -> Waiting[bool]:
        """Whether the request is to be sent again after a 401 to this token.

        It is renewed once, whatever came before. One that another process had got may be refused as well, so it is
        renewed in turn. While Exact does not renew it yet, the 401 was perhaps one of a kind, so the token is tried
        again; and it is waited for only if Exact does not know it elsewhere either.
        """
        if not tries.tried_again:
            tries.tried_again, tries.renewed = True, self._renewed_at_once(token)
            return True
        if tries.renewed or (yield from self._is_known_elsewhere(request)):
            return False
        yield from self._once_tokens_are_given(lambda: self._login.renew(token))
        tries.renewed = True
        return True

    def _renewed_at_once(self, rejected: str) -> bool:
        if rejected == self._not_renewed_yet:  # one question is enough for all companies that answer 401
            return False
        try:
            return self._login.renew(rejected)
        except TryLaterError:
            self._not_renewed_yet = rejected
            return False

    def _is_known_elsewhere(self, request: Request) -> Waiting[bool]:
        """Whether Exact accepts the token where no company is named: then a 401 is about the company, not the login.

        Users report 401 in a few companies, always the same, while all others are fine. The call costs no company
        anything. If it is not answered, nothing speaks against the login.
        """
        if request.division is None:
            return False
        yield from self._access_token()
        path = f"/api/v1/{WHO_AM_I}?{odata.query({'$select': 'CurrentDivision'})}"
        reply = self._transport.send(Request("GET", path, endpoint=WHO_AM_I), self._login.access_token())
        return isinstance(reply, NoReply) or reply.status != 401

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

    # The end

    def give_up(self, request: Request, answer: Answer, entity: Entity | None, label: str) -> NoReturn:
        """Raise the error that says what to do next.

        After an answer of another company, it is also raised at each further request of the one that was asked. When
        several companies in a row end with a limit that no header names, it is the contract's, and no call goes out
        before the next day.
        """
        error = error_of(request, answer, entity, label, now=self._now())
        if isinstance(error, WrongCompanyError):
            self._wrong[error.division] = error
        if answer.outcome is Outcome.LIMITED_BY_NOTHING and request.division is not None:
            self._count_refusal(request.division, error)
        raise error

    def _count_refusal(self, division: int, error: ExactError) -> None:
        """Take in that a company ended so; if it is one of several in a row, close the contract for all.

        Raises:
            TryLaterError: It is closed.
        """
        if self._refusals.add("", division, "", error) is GivenUp.SITE:
            self._refusals = Failures()  # the next day is another one
            raise Wait(self._budgets.contract_refused(self._now()), Reason.CONTRACT).error(division) from error
