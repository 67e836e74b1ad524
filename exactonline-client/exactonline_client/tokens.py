"""The rotating token pair and where it is kept, under a lock.

Exact's refresh token works once and is replaced at each refresh, so a pair is stored before it is used, one process
at a time refreshes, and the store remembers that a refresh was begun until its answer is stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Column, Row, String, Table, Text, select

from exactonline_client.store import Store, metadata

EARLIEST_REFRESH = timedelta(seconds=570)
"""Exact refuses a refresh sooner than this after the last one."""

tokens = Table(
    "tokens",
    metadata,
    Column("connection", String, primary_key=True),
    Column("access_token", Text, nullable=False),
    Column("refresh_token", Text, nullable=False),
    Column("issued_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("first_token_hash", String, nullable=False),
    Column("refresh_begun_at", String),
)


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
    refresh_begun_at: datetime | None
    """Set while the answer to a refresh is not stored: after a crash, its outcome is unknown."""


class TokenStore:
    """The tokens of one connection (site and app)."""

    def __init__(self, store: Store, site: str, client_id: str) -> None:
        self._store = store
        self._connection = _hash(f"{site} {client_id}")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one that refreshes, among all processes on this store."""
        with self._store.lock(f"token-{self._connection[:12]}"):
            yield

    def get(self) -> Kept | None:
        """The newest tokens, or None before the first login."""
        with self._store.read() as connection:
            row = connection.execute(select(tokens).where(tokens.c.connection == self._connection)).one_or_none()
        return _kept(row) if row else None

    def begin_refresh(self, now: datetime) -> None:
        """Remember, before the request goes out, that the refresh token may be spent from here on."""
        with self._store.write() as connection:
            connection.execute(
                tokens.update().where(tokens.c.connection == self._connection).values(refresh_begun_at=now.isoformat())
            )

    def end_refresh(self) -> None:
        """Exact answered and did not take the refresh token: it may be used again."""
        with self._store.write() as connection:
            connection.execute(
                tokens.update().where(tokens.c.connection == self._connection).values(refresh_begun_at=None)
            )

    def start(self, first_token: str, new: TokenSet) -> Kept:
        """Begin a chain with the refresh token of the settings, in place of any older chain."""
        first_token_hash = _hash(first_token)
        with self._store.write() as connection:
            connection.execute(tokens.delete().where(tokens.c.connection == self._connection))
            connection.execute(
                tokens.insert(),
                {"connection": self._connection, "first_token_hash": first_token_hash, **_as_row(new)},
            )
        return Kept(new, first_token_hash, None)

    def put(self, new: TokenSet) -> None:
        """Keep the pair that a refresh brought."""
        with self._store.write() as connection:
            connection.execute(tokens.update().where(tokens.c.connection == self._connection).values(**_as_row(new)))


def began_with(kept: Kept, first_token: str) -> bool:
    """Whether the stored chain began with this token of the settings; if not, a person has consented anew."""
    return kept.first_token_hash == _hash(first_token)


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


def _as_row(new: TokenSet) -> dict[str, str | None]:
    return {
        "access_token": new.access_token,
        "refresh_token": new.refresh_token,
        "issued_at": new.issued_at.isoformat(),
        "expires_at": new.expires_at.isoformat(),
        "refresh_begun_at": None,
    }


def _kept(row: Row[tuple[str | None, ...]]) -> Kept:
    begun_at = row.refresh_begun_at
    return Kept(
        TokenSet(
            row.access_token,
            row.refresh_token,
            datetime.fromisoformat(row.issued_at),
            datetime.fromisoformat(row.expires_at),
        ),
        row.first_token_hash,
        datetime.fromisoformat(begun_at) if begun_at else None,
    )
