"""One run: a login, its ceilings, and the company that is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from exactonline_client.errors import ConfigurationError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

from exactonline_probe.ceilings import ERRORS_PER_HOUR, CeilingReachedError, Ceilings
from exactonline_probe.cleaning import Cleaned, clean
from exactonline_probe.facts import Facts, made_of
from exactonline_probe.made_rows import MadeRows
from exactonline_probe.own_rows import OwnRows
from exactonline_probe.question import JSON, Filled, Question
from exactonline_probe.replies import Reply
from exactonline_probe.runner import Finding, Runner
from exactonline_probe.wire import Wire

MOST_ACCOUNTS = 200
"""A company with more of them is in use."""
_BESIDES = 10
"""Calls to find the company and its codes."""
_PER_ACCOUNT = 2
"""Calls to remove an account that was made, where nothing goes wrong."""
_ACTIVE = 1
_LONG_ADDRESS = 6500
EVERY_ACCOUNT = {"$select": "Code", "$filter": "Modified ge datetime'1990-01-01'"}


class Session:
    """A connection that is asked."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._store = store
        self.made = MadeRows(store, settings.base_url)
        self.ceilings = Ceilings(0, self.made.errors(now()))
        self.wire = Wire(settings, store, self.ceilings, keep_error=self.made.note_error, now=now, sleep=sleep)
        self._own: OwnRows | None = None
        self.contract_calls = 0

    def announcement(self, questions: Sequence[Question], *, writes: bool) -> str:
        """What the run may spend, told before it begins; this sets the ceilings."""
        asked = {id(one.asks): one for one in questions if writes or not one.writes}.values()
        accounts = sum(one.makes for one in asked)
        self.ceilings.calls_at_most = sum(one.calls for one in asked) + _PER_ACCOUNT * accounts + _BESIDES
        self.ceilings.calls_at_most += self.contract_calls
        return (
            f"{len(questions)} questions: at most {self.ceilings.calls_at_most} calls, "
            f"and at most {ERRORS_PER_HOUR} errors an hour. "
            + (
                f"It makes up to {accounts} accounts, called ZZ-probe, and removes each at once."
                if writes
                else "Nothing but GET requests is sent; nothing is changed."
            )
        )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only probe on this store, so that no run removes what another needs.

        Raises:
            ConfigurationError: Another one is at work.
        """
        with self._store.lock("probe", timeout_seconds=1):
            yield

    def allow_writing(self, division: int, typed_name: str, *, is_large: bool) -> None:
        """Let this run write to a company, whose name was typed.

        Raises:
            ConfigurationError: It has another name, or more accounts than a company for trials.
        """
        named = next((row for row in self._divisions(f"Code eq {division}") if str(row["Code"]) == str(division)), None)
        if named is None:
            raise ConfigurationError(f"Company {division} is not within reach of this login; nothing was written.")
        if _plain(str(named.get("Description"))) != _plain(typed_name):
            raise ConfigurationError(f"That is not the name of company {division}; nothing was written.")
        codes = self._codes(division, most=None if is_large else MOST_ACCOUNTS)
        free = (number for number in count(1) if number not in codes)
        self.wire.may_write = True
        self._own = OwnRows(self.wire, self.made, division, free)

    def findings(self, questions: Sequence[Question], division: int) -> Iterator[Finding]:
        """Ask them all."""
        others = self._divisions(f"Status eq {_ACTIVE}") if any("other" in _needs(one) for one in questions) else []
        other = next((row["Code"] for row in others if row["Code"] != division), None)
        values = {"division": str(division), "nobody": str(uuid4()), "long": "x" * _LONG_ADDRESS}
        values |= {} if other is None else {"other": str(other)}
        yield from Runner(self.wire, values, self._own, contract_calls=self.contract_calls).run(questions)

    @property
    def cleaned(self) -> Cleaned | None:
        """What became of the accounts that this run made; None for a run that only reads."""
        return self._own.cleaned if self._own else None

    def clean(self) -> Cleaned:
        """Remove what earlier runs left."""
        return clean(self.wire, self.made)

    def facts(self, findings: Sequence[Finding]) -> Facts:
        """What was found, redacted."""
        return made_of(
            findings,
            site=self._settings.base_url,
            today=self.wire.now().date(),
            calls=self.ceilings.calls,
            errors=self.ceilings.errors_of_this_run,
        )

    def current_division(self) -> int:
        """The company that was used last; good for reading, never for choosing where to write.

        Raises:
            ConfigurationError: Exact does not say.
        """
        reply = self._get("/api/v1/current/Me", {"$select": "CurrentDivision"}, 0)
        try:
            return int(reply.first["CurrentDivision"])
        except (LookupError, TypeError, ValueError):
            raise ConfigurationError(
                f"Exact does not say which company was used last (HTTP {reply.status}); name one by --division."
            ) from None

    def _divisions(self, where: str) -> list[dict[str, Any]]:
        """The companies within reach, filtered if Exact does so."""
        query = {"$select": "Code,Description,Status", "$filter": where}
        via = self.current_division()
        reply = self._get("system/Divisions", query, via)
        if reply.status != 200:
            reply = self._get("system/Divisions", {"$select": query["$select"]}, via)
        return [row for row in reply.rows if {"Code", "Description"} <= row.keys()]

    def _codes(self, division: int, *, most: int | None) -> set[int]:
        """The codes in use that are numbers, a thousand a call.

        Raises:
            ConfigurationError: They are more than `most`, or cannot be read.
        """
        reply = self._get("bulk/CRM/Accounts", EVERY_ACCOUNT, division)
        rows = list[Any]()
        while True:
            if reply.status != 200:
                raise ConfigurationError(f"The accounts of company {division} cannot be read (HTTP {reply.status}).")
            rows += reply.rows
            if most is not None and len(rows) > most:
                raise ConfigurationError(
                    f"Company {division} has more than {most} accounts, so it is in use. Take a company for trials, or "
                    "say --large-company; nothing was written."
                )
            if reply.next is None:
                break
            link = urlsplit(reply.next)
            reply = self._get(link.path, dict(parse_qsl(link.query)), division)
        texts = [str(row.get("Code") or "").strip() for row in rows]
        return {int(text) for text in texts if text.isdecimal()}

    def _get(self, path: str, query: Mapping[str, str], division: int) -> Reply:
        """One request besides the questions.

        Raises:
            ConfigurationError: The run has spent what it may.
        """
        try:
            return self.wire.send(Filled("GET", path, query, None, JSON), str(division))
        except CeilingReachedError as reached:
            raise ConfigurationError(f"Nothing more is sent: {reached}.") from None

    def close(self) -> None:
        """Close all connections."""
        self.wire.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _needs(question: Question) -> set[str]:
    return set[str]().union(*(ask.needs for ask in question.asks))
