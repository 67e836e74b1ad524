"""Asks the questions, one after the other, within the ceilings."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from exactonline_client.errors import ExactError

from exactonline_probe.ceilings import CeilingReachedError, Ceilings
from exactonline_probe.question import Ask, Filled, Question, Refresh, filled
from exactonline_probe.replies import NO_ANSWER, Reply, Seen
from exactonline_probe.wire import Wire

logger = logging.getLogger(__name__)

Verdict = Literal["as_assumed", "differs", "new", "undecided", "not_served", "no_access", "no_answer", "not_asked"]
DECIDED: tuple[Verdict, ...] = ("as_assumed", "differs", "new")
_NOT_SERVED, _FORBIDDEN = 501, 403
_OF_NO_VALUE = re.compile(r"http_\d{3}|(left|right)_\d{1,3}|none|null|string|number|boolean|list|dict")
"""Labels that may be shown although no question declares them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a question ended."""

    question: Question
    verdict: Verdict
    label: str | None = None
    """Of the answer; one that is not declared where the verdict is `new`."""
    why: str = ""
    replies: tuple[Reply, ...] = field(default=(), repr=False)


class Writes:
    """What is told of every write, before it goes out and after its answer; here nothing is done with it."""

    def begin(self, request: Filled) -> None:
        """A write is about to go out."""

    def end(self, request: Filled, reply: Reply) -> None:
        """It was answered."""


class Runner:
    """One run over one company."""

    def __init__(
        self,
        wire: Wire,
        ceilings: Ceilings,
        values: Mapping[str, str],
        *,
        writes: Writes | None = None,
        keep_error: Callable[[datetime], None] = lambda _: None,
    ) -> None:
        """Prepare.

        Args:
            values: What is known beforehand: `division` at least.
            keep_error: Is told the moment of each error, so that later runs know of it.
        """
        self._wire = wire
        self._ceilings = ceilings
        self._values = dict(values)
        self._writes = writes or Writes()
        self._keep_error = keep_error
        self._read: dict[str, Reply] = {}

    def run(self, questions: Iterable[Question]) -> Iterator[Finding]:
        """The findings, as they come."""
        for question in questions:
            finding = self._ask(question)
            logger.debug("%s: %s", question.id, finding.verdict)
            yield finding

    def _ask(self, question: Question) -> Finding:
        values, replies = dict(self._values), list[Reply]()
        for ask in question.asks:
            try:
                reply = self._answer(question, ask, values)
            except KeyError as missing:
                return Finding(question, "not_asked", why=f"this company has nothing to ask it of ({missing.args[0]})")
            except CeilingReachedError as reached:
                return Finding(question, "not_asked", why=str(reached))
            except ExactError as error:
                logger.debug("%s: %s", question.id, type(error).__name__)
                return Finding(question, "not_asked", why="the login gave no token")
            replies.append(reply)
            stopped = _stopped(question, ask, reply, tuple(replies))
            if stopped is not None:
                return stopped
            if isinstance(ask, Ask):
                _keep(ask, reply, values)
        return judged(question, Seen(replies, values))

    def _answer(self, question: Question, ask: Ask | Refresh, values: Mapping[str, str]) -> Reply:
        """The answer to one request, read once where several questions look at it.

        Raises:
            KeyError, CeilingReachedError, ExactError: It was not sent.
        """
        if isinstance(ask, Refresh):
            return self._counted(ask, lambda: self._refresh(ask))
        request = filled(ask, values)
        key = repr((request.path, request.query, request.headers)) if _may_be_shared(question, ask) else None
        if key is not None and key in self._read:
            return self._read[key]
        reply = self._sent(ask, request)
        if key is not None and reply.status != NO_ANSWER:
            self._read[key] = reply
        return reply

    def _sent(self, ask: Ask, request: Filled) -> Reply:
        """The last answer, after as many tries as the question wants."""
        division = self._values["division"]
        for _ in range(ask.times):
            if ask.times == 1:
                self._pause()
            if request.method != "GET":
                self._writes.begin(request)
            reply = self._counted(ask, lambda: self._wire.send(request, division))
            if request.method != "GET":
                self._writes.end(request, reply)
            if reply.status in ask.stops_at or reply.status not in ask.expects:
                break
        return reply

    def _refresh(self, ask: Refresh) -> Reply:
        return self._wire.refresh_when_due() if ask.when == "due" else self._wire.refresh_early()

    def _pause(self) -> None:
        seconds = self._ceilings.wait_seconds(self._wire.now())
        if seconds:
            self._wire.sleep(seconds)

    def _counted(self, ask: Ask | Refresh, send: Callable[[], Reply]) -> Reply:
        self._ceilings.check(self._wire.now(), is_error=ask.is_error)
        reply = send()
        if self._ceilings.count(self._wire.now(), reply.status, reply.headers):
            self._keep_error(self._wire.now())
        return reply


def judged(question: Question, seen: Seen) -> Finding:
    """What the answers decide."""
    replies = tuple(seen.replies)
    try:
        label = question.look(seen)
    except (LookupError, TypeError, ValueError, AttributeError):
        return Finding(question, "undecided", why="the answer has not what is looked at", replies=replies)
    if label is None:
        return Finding(question, "undecided", why="this company has too little to decide it", replies=replies)
    if label == question.assumed.label:
        return Finding(question, "as_assumed", label, replies=replies)
    if question.answer(label):
        return Finding(question, "differs", label, replies=replies)
    return Finding(question, "new", label if _OF_NO_VALUE.fullmatch(label) else "other", replies=replies)


def _stopped(question: Question, ask: Ask | Refresh, reply: Reply, replies: tuple[Reply, ...]) -> Finding | None:
    """The end of a question whose request was not answered as any look could use."""
    if reply.status in ask.expects:
        return None
    if reply.status == NO_ANSWER:
        return Finding(question, "no_answer", why="the connection ended without an answer", replies=replies)
    if reply.status == _NOT_SERVED:
        return Finding(question, "not_served", why="not served here", replies=replies)
    if reply.status == _FORBIDDEN:
        return Finding(question, "no_access", why="user or app may not ask this", replies=replies)
    label = f"http_{reply.status}"
    verdict: Verdict = "differs" if question.answer(label) else "new"
    return Finding(question, verdict, label, replies=replies)


def _may_be_shared(question: Question, ask: Ask) -> bool:
    """Whether the answer would be the same, asked again: nothing is written or spent meanwhile."""
    return not question.writes and question.group != "limits" and ask.times == 1


def _keep(ask: Ask, reply: Reply, values: dict[str, str]) -> None:
    """Keep what later requests need; what is not there is missed by who needs it."""
    row = reply.rows[0] if reply.rows else {}
    for name, member in ask.keeps.items():
        if row.get(member) is not None:
            values[name] = str(row[member])
            values[f"{name}_trimmed"] = values[name].strip()
