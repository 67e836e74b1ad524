"""What must outlive a run: a SQLAlchemy database that several processes share, with locks that outlive no process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from exactonline_client.errors import ConfigurationError

metadata = MetaData()
"""Tables of this package; a program adds its own and gives its own MetaData to `Store.open` as well."""


class Store:
    """A database of a few tables, opened for one process.

    On SQLite one writer at a time holds the database from its first statement, so that a read within a write sees
    what it will change; readers never wait. On PostgreSQL its own isolation serves.
    """

    def __init__(self, engine: Engine, url: URL) -> None:
        self._engine = engine
        self._url = url

    @classmethod
    def open(cls, store_url: str, *tables: MetaData) -> Store:
        """Open the database and make the tables that are missing.

        Raises:
            ConfigurationError: The address is wrong, or the database cannot be reached or written.
        """
        try:
            url = make_url(store_url)
        except ArgumentError:
            raise ConfigurationError(
                "The setting store_url is no SQLAlchemy address; sqlite:///.exactonline/store.db is one."
            ) from None
        where = url.render_as_string(hide_password=True)
        try:
            if _is_sqlite(url) and url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                Path(url.database).touch(mode=0o600)
            engine = create_engine(url, pool_pre_ping=not _is_sqlite(url))
            if _is_sqlite(url):
                _make_sqlite_shared(engine)
            store = cls(engine, url)
            with store.lock("schema"), store.write() as connection:
                for table_set in (metadata, *tables):
                    table_set.create_all(connection)
        except (SQLAlchemyError, OSError, ModuleNotFoundError) as error:
            raise ConfigurationError(f"The store {where} cannot be used: {_first_line(error)}") from None
        return store

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the store."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it is kept, or nothing."""
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @contextmanager
    def lock(self, name: str, timeout_seconds: float = 120.0) -> Iterator[None]:
        """Hold `name` against every other process and thread on this store; a dead process holds nothing.

        Raises:
            ConfigurationError: Another process held it all the while.
        """
        if _is_sqlite(self._url):
            path = f"{self._url.database}.{name}.lock" if self._url.database else ""
            with _file_lock(path, name, timeout_seconds):
                yield
            return
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        with self._engine.connect() as connection:
            connection.execute(text(f"SET lock_timeout = {int(timeout_seconds * 1000)}"))
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
            connection.commit()
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                connection.execute(text("SET lock_timeout = 0"))
                connection.commit()

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _file_lock(path: str, name: str, timeout_seconds: float) -> Iterator[None]:
    try:
        with FileLock(path, timeout=timeout_seconds, mode=0o600):
            yield
    except Timeout:
        raise ConfigurationError(
            f"Another process held the lock '{name}' of the store for {timeout_seconds:.0f} seconds; is one hanging?"
        ) from None


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else cause.__class__.__name__


def _make_sqlite_shared(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_up(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # the driver begins nothing by itself; `begin` below does
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 60000")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a stored token must survive a power cut
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
