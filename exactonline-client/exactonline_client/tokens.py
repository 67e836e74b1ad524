"""The rotating token pair and where it is kept, under a lock.

Exact's refresh token works once and is replaced at each refresh, so a pair is stored before it is used, one process
at a time refreshes, and the store remembers that a refresh was begun, and how often, until a new pair is stored.

A chain of pairs begins with a login, or with a refresh token of the settings. One that the store does not know yet is
tried, since a person may have consented anew; the chain before it is set aside until Exact took it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from exactonline_client.refreshes import NO_ATTEMPTS, Attempts
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.token_count import TokenCount
from exactonline_client.token_tables import superseded_tokens, tokens
from exactonline_client.vault import Vault, is_sealed

EARLIEST_REFRESH = timedelta(seconds=570)
"""Exact refuses a refresh sooner than this after the last one."""
REFRESH_TOKEN_LIFE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class TokenSet:
    """An access token and the refresh token that gets the next pair."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime
    """Aware, UTC, by our clock."""

    def is_fresh(self, now: datetime) -> bool:
        """Whether to go on with it: a fifth of its life, at most 20 seconds, is kept for requests under way."""
        margin = min(timedelta(seconds=20), (self.expires_at - self.issued_at) / 5)
        return now < self.expires_at - margin

    def is_alive(self, now: datetime) -> bool:
        """Whether Exact should still accept it."""
        return now < self.expires_at


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds for a connection."""

    tokens: TokenSet
    first_token_hash: str
    attempts: Attempts = NO_ATTEMPTS
    superseded: frozenset[str] = frozenset()
    """Hashes of refresh tokens that must not take its place."""

    @property
    def was_issued(self) -> bool:
        """Whether Exact gave this pair, rather than the settings its refresh token."""
        return self.tokens.issued_at != self.tokens.expires_at


class TokenStore:
    """The tokens of one connection: a site, an app, and its name where the app has several connections."""

    def __init__(
        self,
        store: Store,
        site: str,
        client_id: str,
        vault: Vault | None = None,
        *,
        name: str = "",
        shares_app: bool = False,
    ) -> None:
        alone, named = _hash(f"{site} {client_id}"), _hash(f"{site} {client_id} {name}")
        self.store = store
        self.connection, self._otherwise = (named, alone) if shares_app else (alone, named)
        self.count = TokenCount(store, self.connection)
        self._name = name
        self._vault = vault or Vault.of_environment()
        self._in_force = tokens.c.connection == self.connection
        self._set_aside = tokens.c.connection == _aside(self.connection)

    @classmethod
    def of(cls, store: Store, settings: Settings) -> TokenStore:
        """The tokens of the connection that these settings describe."""
        return cls(store, settings.base_url, settings.client_id, name=settings.name, shares_app=settings.shares_app)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one that refreshes, among all processes on this store."""
        with self.store.lock(f"token-{self.connection[:12]}"):
            yield

    # The chain in force

    @property
    def are_encrypted(self) -> bool:
        """Whether there is a key."""
        return self._vault.key is not None

    def get(self) -> Kept | None:
        """The newest tokens, or None before the first login. What lies there in clear is encrypted if there is a key.

        Raises:
            ConfigurationError: They are encrypted, and the key is missing or another one.
        """
        row, superseded = self._row()
        if row is None and self._name and self._carry_over():
            row, superseded = self._row()
        if row is None:
            return None
        kept = self._kept(row, superseded)
        if self.are_encrypted and not is_sealed(row.refresh_token):
            self._seal_what_is_clear()
        return kept

    def begin_refresh(self, now: datetime) -> Attempts:
        """Remember, right before the request goes out, that the refresh token may be spent from here on.

        Raises:
            TryLaterError: Exact allows no more token requests today.
        """
        with self.store.write() as connection:
            self.count.add_within(connection, now)
            attempts = _attempts(connection.execute(select(tokens).where(self._in_force)).one()).begun(now)
            connection.execute(tokens.update().where(self._in_force).values(**_as_columns(attempts)))
        return attempts

    def end_refresh(self, attempts: Attempts) -> None:
        """Keep what is known of the refresh token after an answer that brought no pair."""
        with self.store.write() as connection:
            connection.execute(tokens.update().where(self._in_force).values(**_as_columns(attempts)))

    def put(self, new: TokenSet) -> None:
        """Keep the pair that a refresh brought. A chain that was set aside is of no more use."""
        with self.store.write() as connection:
            connection.execute(tokens.delete().where(self._set_aside))
            connection.execute(tokens.update().where(self._in_force).values(**self._as_row(new)))

    # Where chains begin and end

    def start(self, first_token: str, new: TokenSet) -> Kept:
        """Begin a chain with the refresh token of the settings; one that worked is set aside."""
        with self.store.write() as connection:
            row = connection.execute(select(tokens).where(self._in_force)).one_or_none()
            if row is not None and row.issued_at != row.expires_at:  # else Exact never took its first token
                connection.execute(tokens.delete().where(self._set_aside))
                aside = _aside(self.connection)
                connection.execute(tokens.update().where(self._in_force).values(connection=aside))
            self._replace(connection, _hash(first_token), new)
            superseded = self._superseded(connection)
        return Kept(new, _hash(first_token), superseded=superseded)

    def go_back(self) -> bool:
        """Exact refused the first token of the settings: whether a chain was set aside for it, now in force again."""
        with self.store.write() as connection:
            refused = connection.execute(select(tokens).where(self._in_force)).one_or_none()
            aside = connection.execute(select(tokens).where(self._set_aside)).one_or_none()
            if refused is None or aside is None:
                return False
            self._supersede(connection, {refused.first_token_hash})
            connection.execute(tokens.delete().where(self._in_force))
            connection.execute(tokens.update().where(self._set_aside).values(connection=self.connection))
        return True

    def log_in(self, new: TokenSet, *older: str | None) -> None:
        """Begin a chain with the pair that a person's consent brought.

        Args:
            older: Refresh tokens of the settings as they are now, which must not take its place.
        """
        with self.store.write() as connection:
            mine = self._in_force | self._set_aside
            known = set(connection.execute(select(tokens.c.first_token_hash).where(mine)).scalars())
            self._supersede(connection, known | {_hash(token) for token in older if token})
            connection.execute(tokens.delete().where(mine))
            self._replace(connection, _hash(new.refresh_token), new)

    def log_out(self) -> bool:
        """Forget the tokens; whether there were any. It takes no key."""
        with self.store.write() as connection:
            _wipe_what_goes(connection)
            return connection.execute(tokens.delete().where(self._in_force | self._set_aside)).rowcount > 0

    # Rows

    def _row(self) -> tuple[Row[Any] | None, frozenset[str]]:
        with self.store.read() as connection:
            row = connection.execute(select(tokens).where(self._in_force)).one_or_none()
            return row, self._superseded(connection)

    def _carry_over(self) -> bool:
        """Take this connection's tokens along when another one came to share its app, or left; whether there were."""
        before, mine = self._otherwise, tokens.c.name == self._name
        aside = (tokens.c.connection == _aside(before)) & mine
        superseded = superseded_tokens.c.connection == before
        with self.store.write() as connection:
            in_force = tokens.update().where((tokens.c.connection == before) & mine)
            if not connection.execute(in_force.values(connection=self.connection)).rowcount:
                return False
            connection.execute(tokens.update().where(aside).values(connection=_aside(self.connection)))
            connection.execute(superseded_tokens.update().where(superseded).values(connection=self.connection))
        return True

    def _replace(self, connection: Connection, first_token_hash: str, new: TokenSet) -> None:
        connection.execute(tokens.delete().where(self._in_force))
        row = {"connection": self.connection, "first_token_hash": first_token_hash, **self._as_row(new)}
        connection.execute(tokens.insert(), row)

    def _superseded(self, connection: Connection) -> frozenset[str]:
        mine = superseded_tokens.c.connection == self.connection
        return frozenset(connection.execute(select(superseded_tokens.c.first_token_hash).where(mine)).scalars())

    def _supersede(self, connection: Connection, hashes: set[str]) -> None:
        new = hashes - self._superseded(connection)
        if new:
            rows = [{"connection": self.connection, "first_token_hash": one} for one in sorted(new)]
            connection.execute(superseded_tokens.insert(), rows)

    def _as_row(self, new: TokenSet) -> dict[str, str | int | None]:
        return {
            "access_token": self._vault.seal(new.access_token),
            "refresh_token": self._vault.seal(new.refresh_token),
            "issued_at": new.issued_at.isoformat(),
            "expires_at": new.expires_at.isoformat(),
            **_as_columns(NO_ATTEMPTS),
            "name": self._name or None,
        }

    def _kept(self, row: Row[Any], superseded: frozenset[str]) -> Kept:
        return Kept(
            TokenSet(
                self._vault.unseal(row.access_token),
                self._vault.unseal(row.refresh_token),
                datetime.fromisoformat(row.issued_at),
                datetime.fromisoformat(row.expires_at),
            ),
            row.first_token_hash,
            _attempts(row),
            superseded,
        )

    def _seal_what_is_clear(self) -> None:
        """Encrypt tokens that were kept before there was a key."""
        with self.store.write() as connection:
            _wipe_what_goes(connection)
            for row in connection.execute(select(tokens).where(self._in_force | self._set_aside)).all():
                if not is_sealed(row.refresh_token):
                    sealed = {name: self._vault.seal(getattr(row, name)) for name in ("access_token", "refresh_token")}
                    this = tokens.c.connection == row.connection
                    connection.execute(tokens.update().where(this).values(**sealed))


def _attempts(row: Row[Any]) -> Attempts:
    begun_at, not_before = row.refresh_begun_at, row.refresh_not_before
    return Attempts(
        row.refresh_tries or (1 if begun_at else 0),  # begun by a version that did not count
        datetime.fromisoformat(begun_at) if begun_at else None,
        datetime.fromisoformat(not_before) if not_before else None,
    )


def _as_columns(attempts: Attempts) -> dict[str, str | int | None]:
    return {
        "refresh_begun_at": attempts.last_at.isoformat() if attempts.last_at else None,
        "refresh_tries": attempts.unclear,
        "refresh_not_before": attempts.not_before.isoformat() if attempts.not_before else None,
    }


def began_with(kept: Kept, first_token: str) -> bool:
    """Whether the stored chain serves for this token of the settings: it began with it, or is known to be younger.

    If not, a person has consented anew.
    """
    return _hash(first_token) in {kept.first_token_hash, *kept.superseded}


def _aside(connection: str) -> str:
    return f"{connection} aside"


def _wipe_what_goes(connection: Connection) -> None:
    """Let SQLite write zeros over what is deleted or replaced in this transaction."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
