"""Several subscriptions and countries as one: which connection a division belongs to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType

from exactonline_client.client import ExactClient
from exactonline_client.division_lists import DivisionList
from exactonline_client.divisions import Division, misnamed
from exactonline_client.errors import ConfigurationError
from exactonline_client.odata import Row
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now


@dataclass(frozen=True, slots=True)
class Reached:
    """A division within reach, and the connection that reaches it."""

    division: Division
    client: ExactClient
    row: Row = field(default_factory=dict)
    """As Exact lists it."""

    @property
    def title(self) -> str:
        """Its name, with the connection's where there are several."""
        connection = self.client.settings.name
        return f"{self.division.name} ({connection})" if connection else self.division.name


class Connections:
    """All connections of the settings; one if there is only one."""

    def __init__(
        self,
        settings: Sequence[Settings],
        store: Store,
        *,
        program: str,
        expected: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open them.

        Args:
            expected: Division code → name of its company, as the settings expect it: a list that says otherwise is
                read again before it is believed.
        """
        self.clients = [ExactClient(one, store, program=program, sleep=sleep) for one in settings]
        self._lists = [DivisionList(client, store) for client in self.clients]
        self._expected = expected or {}

    def now(self) -> datetime:
        """Now, aware."""
        return utc_now()

    @property
    def sites(self) -> list[str]:
        """The sites of all connections, each once."""
        return list(dict.fromkeys(client.settings.base_url for client in self.clients))

    @property
    def calls(self) -> Counter[int | None]:
        """Requests that went out, by division; None holds those that name no division."""
        return sum((client.transport.calls for client in self.clients), Counter())

    @property
    def waited_seconds(self) -> Mapping[int | None, float]:
        """How long requests waited for limits, tokens and their next try, by division."""
        return sum((client.transport.waited_seconds for client in self.clients), Counter())

    def reach(self, wanted: Collection[int]) -> dict[int, Reached]:
        """Divisions within reach, by code: those wanted, as Exact lists them now.

        Where one of them is not within reach, all others are there as well, as Exact listed them today, to tell which.

        Raises:
            ConfigurationError: Two connections list the same code, and the settings do not say which one it is.
        """
        found = self._placed(lambda one: one.now(wanted, self._likely(one, wanted)))
        missing = set(wanted) - found.keys()
        if missing:
            found = self._believed(lambda one: one.without(missing, self._likely(one, wanted)), wanted) | found
        return found

    def all_in_reach(self, wanted: Collection[int]) -> dict[int, Reached]:
        """Every division within reach, by code: those wanted as Exact lists them now, the others as it did today.

        Raises:
            ConfigurationError: Two connections list the same code, and the settings do not say which one it is.
        """
        found = self._believed(lambda one: one.today(wanted, self._likely(one, wanted)), wanted)
        missing = set(wanted) - found.keys()
        return self._placed(lambda one: one.without(missing, self._likely(one, wanted))) if missing else found

    def listed_today(self, wanted: Collection[int]) -> dict[int, Reached]:
        """Every division within reach, as Exact listed them today if that has those wanted, else as it does now."""
        found = self._placed(lambda one: one.kept())
        return found if found.keys() >= set(wanted) else self._placed(lambda one: one.whole(self._likely(one, wanted)))

    def _believed(
        self, listed: Callable[[DivisionList], dict[int, Row]], wanted: Collection[int]
    ) -> dict[int, Reached]:
        """What is listed, read again where a name is not as expected: the list may be of this morning."""
        found = self._placed(listed)
        if misnamed({code: one.division for code, one in found.items()}, self._expected):
            found = self._placed(lambda one: one.whole(self._likely(one, wanted)))
        return found

    def _placed(self, listed: Callable[[DivisionList], dict[int, Row]]) -> dict[int, Reached]:
        return placed(Reached(Division.of(row), one.client, row) for one in self._lists for row in listed(one).values())

    def _likely(self, one: DivisionList, wanted: Collection[int]) -> Sequence[int]:
        """Divisions to ask a connection through: its own, or those wanted where it is the only one."""
        return one.client.settings.divisions or (tuple(wanted) if len(self._lists) == 1 else ())

    def close(self) -> None:
        """Keep the counts and close all connections."""
        for client in self.clients:
            client.close()

    def __enter__(self) -> Connections:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def placed(listed: Iterable[Reached]) -> dict[int, Reached]:
    """The divisions by code, each with the one connection that it belongs to.

    Raises:
        ConfigurationError: Two connections list the same code, and the settings do not say which one it is.
    """
    found: dict[int, Reached] = {}
    for one in listed:
        code, own = one.division.code, one.client.settings.divisions
        if own and code not in own:
            continue
        other = found.get(code)
        if other is not None:
            raise ConfigurationError(
                f"Division {code} is listed by two connections, {other.client.settings.connection} and "
                f"{one.client.settings.connection}. Say under each connection, in divisions, which are its own."
            )
        found[code] = one
    return found
