"""Who may come in, by name and password, and for how long."""

from __future__ import annotations

import hashlib
import secrets
import threading
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from exactonline_client.errors import ConfigurationError, TryLaterError
from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from sqlalchemy import ColumnElement, Connection, delete, select

from exactonline_console.attempts import REMEMBERED, next_of_name, next_of_place, place_of
from exactonline_console.tables import failed_logins, sessions, users

SHORTEST_PASSWORD = 12
SESSION_LIFE = timedelta(hours=12)
A_MOMENT = timedelta(seconds=3)
_HASHING = threading.Lock()
"""A hash takes 64 MiB and a core, so one is made at a time."""
_WAITING = threading.BoundedSemaphore(4)
"""More attempts are turned away, since each that waits holds a thread; who logged in before from a browser waits."""


class Users:
    """The people who have a password, and their sessions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def names(self) -> list[str]:
        """All of them."""
        with self._store.read() as connection:
            return list(connection.execute(select(users.c.name).order_by(users.c.name)).scalars())

    def put(self, name: str, password: str) -> None:
        """Add somebody, or give a new password, which ends all sessions of that name.

        Raises:
            ConfigurationError: Name or password cannot be used.
        """
        if not name.strip() or not name.isprintable():
            raise ConfigurationError("Give the user a name.")
        if len(password) < SHORTEST_PASSWORD:
            raise ConfigurationError(f"The password is too short: {SHORTEST_PASSWORD} characters at least.")
        row = {"name": name.strip(), "password_hash": PasswordHasher().hash(password)}
        with self._store.write() as connection:
            connection.execute(delete(users).where(users.c.name == row["name"]))
            connection.execute(delete(sessions).where(sessions.c.user == row["name"]))
            connection.execute(users.insert(), row)

    def remove(self, name: str) -> bool:
        """Let somebody in no more; answers whether there was such a name."""
        with self._store.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.user == name))
            return connection.execute(delete(users).where(users.c.name == name)).rowcount > 0

    def log_in(self, name: str, password: str, address: str, device: str | None = None) -> str | None:
        """Return a session for who knows the password, or None.

        Args:
            name: Of the user.
            password: As typed.
            address: Where the attempt comes from.
            device: Of the browser, if somebody of that name logged in with it before.

        Raises:
            TryLaterError: Too many attempts failed, or too many come at a time; nothing was checked.
        """
        place = f"device {device}" if device else place_of(address)
        if device is None and not _WAITING.acquire(blocking=False):
            raise TryLaterError("Too many people log in at this moment.", utc_now() + A_MOMENT)
        try:
            attempt = self._count_attempt(name[:100], place, is_known=device is not None)
            if not self._is_right(name, password):
                return None
        finally:
            if device is None:
                _WAITING.release()
        return self._begin_session(name, attempt, place)

    def _is_right(self, name: str, password: str) -> bool:
        with self._store.read() as connection:
            kept = connection.execute(select(users.c.password_hash).where(users.c.name == name)).scalar()
        with _HASHING:
            try:
                PasswordHasher().verify(kept or _nobodys(), password)
            except VerificationError:
                return False
        return kept is not None

    def _begin_session(self, name: str, attempt: int, place: str) -> str:
        token = secrets.token_urlsafe(32)
        mine = (failed_logins.c.address == place) & (failed_logins.c.name == name[:100])
        with self._store.write() as connection:
            connection.execute(delete(failed_logins).where((failed_logins.c.number == attempt) | mine))
            connection.execute(delete(sessions).where(sessions.c.seen_at < (utc_now() - SESSION_LIFE).isoformat()))
            row = {"token_hash": _hash(token), "user": name, "seen_at": utc_now().isoformat()}
            connection.execute(sessions.insert(), row)
        return token

    def of_session(self, token: str) -> str | None:
        """Whose session it is, if it still is one."""
        mine = sessions.c.token_hash == _hash(token)
        now = utc_now()
        with self._store.read() as connection:
            row = connection.execute(select(sessions).where(mine)).one_or_none()
        if row is None or row.seen_at < (now - SESSION_LIFE).isoformat():
            return None
        if row.seen_at < (now - SESSION_LIFE / 24).isoformat():
            with self._store.write() as connection:
                connection.execute(sessions.update().where(mine).values(seen_at=now.isoformat()))
        return str(row.user)

    def log_out(self, token: str) -> None:
        """End a session."""
        with self._store.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))

    def _count_attempt(self, name: str, place: str, *, is_known: bool) -> int:
        """Count an attempt as failed before it is checked, so that of many at a time each counts."""
        now = utc_now()
        with self._store.write() as connection:
            connection.execute(delete(failed_logins).where(failed_logins.c.at < (now - REMEMBERED).isoformat()))
            earliest = [next_of_place(_failures(connection, failed_logins.c.address == place))]
            if not is_known:
                others = ~failed_logins.c.address.startswith("device ")
                earliest.append(next_of_name(_failures(connection, (failed_logins.c.name == name) & others)))
            until = max(filter(None, earliest), default=now)
            if until > now:
                raise TryLaterError("Too many attempts failed.", until)
            row = {"at": now.isoformat(), "address": place, "name": name}
            return int(connection.execute(failed_logins.insert().returning(failed_logins.c.number), row).scalar_one())


def _failures(connection: Connection, which: ColumnElement[bool]) -> list[datetime]:
    found = connection.execute(select(failed_logins.c.at).where(which)).scalars()
    return [datetime.fromisoformat(at) for at in found]


@cache
def _nobodys() -> str:
    """A hash that no password has, so that an unknown name takes as long as a known one."""
    return PasswordHasher().hash(secrets.token_urlsafe(32))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
