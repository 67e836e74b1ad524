"""Several subscriptions and countries as one: which connection a division belongs to."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType

from exactonline_client.client import ExactClient
from exactonline_client.divisions import DIVISION_FIELDS, Division
from exactonline_client.errors import ConfigurationError, DivisionRefusedError, TryLaterError
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
    """As Exact lists it, with the fields that were asked for."""

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
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.clients = [ExactClient(one, store, program=program, sleep=sleep) for one in settings]

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

    def reach(self, wanted: Sequence[int], select: Sequence[str] = DIVISION_FIELDS) -> dict[int, Reached]:
        """Every division within reach, by code.

        Args:
            wanted: Divisions that the caller is going to use; a single connection is asked through the first of them.

        Raises:
            ConfigurationError: Two connections list the same code, and the settings do not say which one it is.
        """
        return placed(
            Reached(Division.of(row), client, row)
            for client in self.clients
            for row in self._rows(
                client, client.settings.divisions or (wanted if len(self.clients) == 1 else ()), select
            )
        )

    def _rows(self, client: ExactClient, likely: Sequence[int], select: Sequence[str]) -> list[Row]:
        if likely:
            try:
                return client.run(client.division_rows(likely[0], select=select))
            except (DivisionRefusedError, TryLaterError):
                pass  # it may be another one's, or its day is spent: ask through the division last used
        me = client.run(client.me())
        return client.run(client.division_rows(me.current_division, *likely, select=select))

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
