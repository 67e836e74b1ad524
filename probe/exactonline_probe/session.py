"""One run: a login, its ceilings, and the company that is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType

from exactonline_client.errors import ConfigurationError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

from exactonline_probe.ceilings import ERRORS_PER_HOUR, Ceilings
from exactonline_probe.facts import Facts, made_of
from exactonline_probe.question import JSON, Filled, Question
from exactonline_probe.runner import Finding, Runner
from exactonline_probe.wire import Wire


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
        self.wire = Wire(settings, store, now=now, sleep=sleep)
        self.ceilings = Ceilings(0)

    def announcement(self, questions: Sequence[Question]) -> str:
        """What the run may spend, told before it begins; sets the ceilings."""
        self.ceilings.calls_at_most = sum(one.calls for one in questions) + 1
        return (
            f"{len(questions)} questions: at most {self.ceilings.calls_at_most} calls and "
            f"{ERRORS_PER_HOUR} errors an hour. "
            + ("It writes." if self.wire.may_write else "Nothing but GET requests is sent; nothing is changed.")
        )

    def findings(self, questions: Sequence[Question], division: str) -> Iterator[Finding]:
        """Ask them all."""
        runner = Runner(self.wire, self.ceilings, {"division": division})
        yield from runner.run(questions)

    def facts(self, findings: Sequence[Finding]) -> Facts:
        """What was found, redacted."""
        return made_of(
            findings,
            site=self._settings.base_url,
            today=self.wire.now().date(),
            calls=self.ceilings.calls,
            errors=self.ceilings.errors_of_this_run,
        )

    def close(self) -> None:
        """Close all connections."""
        self.wire.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def current_division(wire: Wire) -> int:
    """The company that was used last; good for reading, never for choosing where to write.

    Raises:
        ConfigurationError: Exact does not say.
    """
    query = {"$select": "CurrentDivision"}
    reply = wire.send(Filled("GET", "/api/v1/current/Me", query, None, JSON), "")
    try:
        return int(reply.first["CurrentDivision"])
    except (LookupError, TypeError, ValueError):
        raise ConfigurationError(
            f"Exact does not say which company was used last (HTTP {reply.status}); name one by --division."
        ) from None
