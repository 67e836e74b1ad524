"""Who may come in, by name and password, and for how long."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from exactonline_client.errors import ConfigurationError, TryLaterError
from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from sqlalchemy import delete, func, select

from exactonline_console.tables import failed_logins, sessions, users

SHORTEST_PASSWORD = 12
SESSION_LIFE = timedelta(hours=12)
FAILURES_REMEMBERED = timedelta(minutes=15)
FAILURES_PER_ADDRESS = 5
FAILURES_PER_NAME = 20


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

    def log_in(self, name: str, password: str, address: str) -> str | None:
        """A session for who knows the password, or None.

        Raises:
            TryLaterError: Too many attempts failed, of this address or for this name.
        """
        self._check_attempts(name, address)
        with self._store.read() as connection:
            kept = connection.execute(select(users.c.password_hash).where(users.c.name == name)).scalar()
        try:
            PasswordHasher().verify(kept or _nobodys(), password)
        except VerificationError:
            kept = None
        if kept is None:
            row = {"at": utc_now().isoformat(), "address": address, "name": name[:100]}
            with self._store.write() as connection:
                connection.execute(failed_logins.insert(), row)
            return None
        token = secrets.token_urlsafe(32)
        with self._store.write() as connection:
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

    def _check_attempts(self, name: str, address: str) -> None:
        since = (utc_now() - FAILURES_REMEMBERED).isoformat()
        with self._store.write() as connection:
            connection.execute(delete(failed_logins).where(failed_logins.c.at < since))
            for column, value, allowed in (
                (failed_logins.c.address, address, FAILURES_PER_ADDRESS),
                (failed_logins.c.name, name[:100], FAILURES_PER_NAME),
            ):
                query = select(func.count()).select_from(failed_logins).where(column == value)
                if connection.execute(query).scalar_one() >= allowed:
                    raise TryLaterError("Too many attempts failed.", utc_now() + FAILURES_REMEMBERED)


@cache
def _nobodys() -> str:
    """A hash that no password has, so that an unknown name takes as long as a known one."""
    return PasswordHasher().hash(secrets.token_urlsafe(32))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
