"""How many tokens were asked for today: Exact allows a user and app 200 requests a day."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

from sqlalchemy import Connection, select

from exactonline_client.errors import TryLaterError
from exactonline_client.store import Store
from exactonline_client.token_tables import token_requests

logger = logging.getLogger(__name__)

REQUESTS_PER_DAY = 200
WARN_FROM = 190


class TokenCount:
    """Token requests of one connection, by all processes on a store. Days are those of UTC."""

    def __init__(self, store: Store, connection: str) -> None:
        self._store = store
        self._connection = connection

    def today(self, now: datetime) -> int:
        """Requests made so far."""
        with self._store.read() as connection:
            return self._today(connection, now)

    def _today(self, connection: Connection, now: datetime) -> int:
        mine = (token_requests.c.connection == self._connection) & (token_requests.c.day == _day(now))
        return connection.execute(select(token_requests.c.requests).where(mine)).scalar_one_or_none() or 0

    def add(self, now: datetime) -> None:
        """Count a request that is about to go out.

        Raises:
            TryLaterError: It would be one too many.
        """
        with self._store.write() as connection:
            self.add_within(connection, now)

    def add_within(self, connection: Connection, now: datetime) -> None:
        """The same as a part of this transaction."""
        made = self._today(connection, now) + 1
        if made > REQUESTS_PER_DAY:
            midnight = now.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
            raise TryLaterError(
                f"Exact allows a user and app {REQUESTS_PER_DAY} token requests a day, and those of today are made.",
                midnight + timedelta(days=1),
            )
        if made >= WARN_FROM:
            logger.warning("%d of %d token requests are made that Exact allows in a UTC day", made, REQUESTS_PER_DAY)
        connection.execute(token_requests.delete().where(token_requests.c.connection == self._connection))
        row = {"connection": self._connection, "day": _day(now), "requests": made}
        connection.execute(token_requests.insert(), row)


def _day(now: datetime) -> str:
    return now.astimezone(timezone.utc).date().isoformat()
