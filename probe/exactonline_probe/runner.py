"""Asks the questions, one after the other, within the ceilings."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from exactonline_client.errors import ExactError

from exactonline_probe.ceilings import CeilingReachedError
from exactonline_probe.own_rows import OwnRows
from exactonline_probe.question import Ask, Filled, Question, Refresh, filled
from exactonline_probe.replies import NO_ANSWER, Reply, Seen
from exactonline_probe.wire import Wire

logger = logging.getLogger(__name__)

Verdict = Literal["as_assumed", "differs", "new", "undecided", "not_served", "no_access", "no_answer", "not_asked"]
DECIDED: tuple[Verdict, ...] = ("as_assumed", "differs", "new")
_ANSWERED, _FORBIDDEN, _NOT_SERVED = 200, 403, 501
_OF_NO_VALUE = re.compile(r"http_\d{3}|(left|right)_\d{1,3}|none|null|string|number|boolean|list|dict")
"""Labels that may be shown although no question declares them."""


@dataclass(slots=True)
class Experiment:
    """The requests of a question, sent as far as it went."""

    values: dict[str, str]
    replies: list[Reply] = field(default_factory=list)
    ended: str | None = None
    """Why not all of them went out, for a reason other than an answer."""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a question ended."""

    question: Question
    verdict: Verdict
    label: str | None = None
    """Of the answer; one that is not declared where the verdict is `new`."""
    why: str = ""
    replies: tuple[Reply, ...] = field(default=(), repr=False)


class Runner:
    """One run over one company."""

    def __init__(
        self, wire: Wire, values: Mapping[str, str], own: OwnRows | None = None, *, contract_calls: int = 0
    ) -> None:
        """Prepare.

        Args:
            values: What is known beforehand: `division` at least.
            own: What the run makes and removes; None if it only reads.
            contract_calls: Calls that may be made only to spend the day of the contract.
        """
        self._contract_calls = contract_calls
        self._wire = wire
        self._values = dict(values)
        self._own = own
        self._read: dict[str, Reply] = {}
        self._done: dict[int, Experiment] = {}

    def run(self, questions: Iterable[Question]) -> Iterator[Finding]:
        """The findings, as they come."""
        for question in questions:
            finding = self._finding(question)
            logger.debug("%s: %s", question.id, finding.verdict)
            yield finding

    def _finding(self, question: Question) -> Finding:
        if question.writes and self._own is None:
            return Finding(question, "not_asked", why="it writes: --write-to says where")
        if question.spends_contract and not self._contract_calls:
            return Finding(question, "not_asked", why="it spends the contract's day: --contract-calls says how far")
        experiment = self._done.get(id(question.asks))  # several questions may look at one
        if experiment is None:
            experiment = self._done[id(question.asks)] = self._experiment(question)
        replies = tuple(experiment.replies)
        if experiment.ended is not None:
            return Finding(question, "not_asked", why=experiment.ended, replies=replies)
        stopped = _stopped(question, question.asks[len(replies) - 1], replies)
        return stopped or judged(question, Seen(replies, experiment.values))

    def _experiment(self, question: Question) -> Experiment:
        """Send what a question wants to be sent, and remove what that made."""
        done = Experiment(dict(self._values))
        try:
            if self._own is not None and question.writes:
                done.values |= self._own.fresh()
            for ask in question.asks:
                done.replies.append(self._answer(question, ask, done.values))
                if done.replies[-1].status not in ask.expects:
                    break
                if isinstance(ask, Ask):
                    _keep(ask, done.replies[-1], done.values)
        except KeyError as missing:
            done.ended = f"this company has nothing to ask it of ({missing.args[0]})"
        except CeilingReachedError as reached:
            done.ended = str(reached)
        except ExactError as error:
            logger.debug("%s: %s", question.id, type(error).__name__)
            done.ended = "the login gave no token"
        finally:
            if self._own is not None:
                self._own.tidy()
        return done

    def _answer(self, question: Question, ask: Ask | Refresh, values: dict[str, str]) -> Reply:
        """The answer to one request, read once where several questions look at it.

        Raises:
            KeyError, CeilingReachedError, ExactError: It was not sent.
        """
        if isinstance(ask, Refresh):
            return self._wire.refresh_when_due() if ask.when == "due" else self._wire.refresh_early()
        for missing in ask.needs - values.keys() - {"mark"}:
            raise KeyError(missing)
        if ask.makes and self._own is not None:
            values["mark"] = self._own.new_mark()
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
        if ask.after_seconds:
            self._wire.sleep(ask.after_seconds)
        if self._own is not None and request.method != "GET":
            self._own.check(request)
        for _ in range(self._contract_calls if ask.spends == "contract" else ask.times):
            try:
                reply = self._wire.send(
                    request, self._values["division"], is_error=ask.is_error, paced=ask.spends != "minute"
                )
            except CeilingReachedError:
                if self._own is not None:
                    self._own.note_unsent(request)
                raise
            if reply.status != _ANSWERED:
                break
        if self._own is not None:
            self._own.note(request, reply)
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


def _stopped(question: Question, ask: Ask | Refresh, replies: tuple[Reply, ...]) -> Finding | None:
    """The end of a question whose last request was not answered as any look could use."""
    reply = replies[-1]
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
