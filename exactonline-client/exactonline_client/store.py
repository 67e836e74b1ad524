"""What must outlive a run: a SQLAlchemy database that several processes share, with locks that outlive no process."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

from exactonline_client import schema
from exactonline_client.errors import ConfigurationError, StoreUnusableError
from exactonline_client.schema import VersionedTables

logger = logging.getLogger(__name__)

metadata = VersionedTables("exactonline-client", Path(__file__).parent / "migrations", unversioned=["tokens"])
"""Tables of this package; a program adds its own and gives its own MetaData to `Store.open` as well."""

WAIT_FOR_WRITERS_SECONDS = 60
_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg"}
_ONE_STATE: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_LOCK_NOT_AVAILABLE = "55P03"  # what PostgreSQL says when lock_timeout is over


class Store:
    """A database of a few tables, opened for one process.

    One writer at a time holds it from the first statement, so that a read within a write sees what it will change;
    readers never wait, and see one state. SQLite gives that by its file, PostgreSQL by an advisory lock.
    """

    def __init__(self, engine: Engine, url: URL, tables: Sequence[MetaData] = ()) -> None:
        self._engine = engine
        self._url = url
        self._tables = [one for one in tables if isinstance(one, VersionedTables)]
        self._sessions = _SessionLocks(url)

    @classmethod
    def open(cls, store_url: str, *tables: MetaData, patience_seconds: int = WAIT_FOR_WRITERS_SECONDS) -> Store:
        """Open the database, and bring its tables to the version that this program knows.

        A write waits for those of others as long as the patience says.

        Raises:
            ConfigurationError: The address is wrong, or the database cannot be reached or written, or is newer.
        """
        url = _checked(store_url)
        where = _shown(url)
        try:
            engine = (_sqlite_engine if _is_sqlite(url) else _postgresql_engine)(url, patience_seconds)
            store = cls(engine, url, (metadata, *tables))
            try:
                store._bring_up_to_date((metadata, *tables))
            except BaseException:
                store.close()
                raise
        except ModuleNotFoundError:
            raise ConfigurationError(
                f"The store {where} needs the driver psycopg: install exactonline-client[postgres]."
            ) from None
        except (SQLAlchemyError, OSError) as error:
            raise ConfigurationError(f"The store {where} cannot be used: {_first_line(error)}") from None
        return store

    def _bring_up_to_date(self, tables: Sequence[MetaData]) -> None:
        versioned = [one for one in tables if isinstance(one, VersionedTables)]
        if len(versioned) == len(tables) and not self._is_new():
            with self._reading() as connection:
                if all(schema.is_current(connection, one) for one in versioned):
                    return
        # Each declares tables of ours, and not every program has imported them all.
        from exactonline_client import budgets, contract, division_lists, token_tables  # noqa: F401, PLC0415
        from exactonline_client.lists import memory  # noqa: F401, PLC0415

        with self.lock("schema"), self._writing() as connection:
            for one in tables:
                if isinstance(one, VersionedTables):
                    schema.bring_up_to_date(connection, one)
                else:
                    one.create_all(connection)

    def _is_new(self) -> bool:
        """Whether it is a file without content, which only one process at a time may give its first."""
        return _is_sqlite(self._url) and not (self._url.database and Path(self._url.database).stat().st_size)

    @property
    def address(self) -> str:
        """Where it is, without passwords."""
        return _shown(self._url)

    @property
    def versions(self) -> list[str]:
        """Each program whose tables it was opened for, with their version."""
        with self.read() as connection:
            return [f"{one.program} {schema.version_in(connection, one)}" for one in self._tables]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the store.

        Raises:
            StoreUnusableError: The store cannot be read (any more).
        """
        with self._told_plainly(), self._reading() as connection:
            yield connection

    @contextmanager
    def write(self, scope: str = "write") -> Iterator[Connection]:
        """A transaction: all of it is kept, or nothing.

        Args:
            scope: Writers of one scope go one after the other. On PostgreSQL those of different scopes go side by side;
                SQLite has one writer at a time in any case.

        Raises:
            StoreUnusableError: The disk is full, the database is locked for long, or cannot be reached.
        """
        with self._told_plainly(), self._writing(scope) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        options = {} if _is_sqlite(self._url) else _ONE_STATE
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def _writing(self, scope: str = "write") -> Iterator[Connection]:
        with self._engine.connect().execution_options(writes=scope) as connection, connection.begin():
            yield connection

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise StoreUnusableError(_shown(self._url), _first_line(error)) from None

    @contextmanager
    def lock(self, name: str, timeout_seconds: float = 120.0) -> Iterator[None]:
        """Hold `name` against every other process and thread on this store; a dead process holds nothing.

        Raises:
            ConfigurationError: Another process held it all the while.
        """
        if _is_sqlite(self._url):
            path = f"{self._url.database}.{name}.lock" if self._url.database else ""
            held = _file_lock(path, name, timeout_seconds)
        else:
            held = _session_lock(self._url, name, timeout_seconds)
        with held:
            yield

    def try_lock(self, name: str) -> Callable[[], None] | None:
        """Take `name` at once and return what gives it back, or None while another process has it.

        Any thread may give it back; a dead process holds nothing.
        """
        if not _is_sqlite(self._url):
            with self._told_plainly():
                return self._sessions.try_lock(name)
        folder = Path(f"{self._url.database}.locks")
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock", timeout=0, mode=0o600, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            return None
        return lock.release

    def close(self) -> None:
        """Close all connections."""
        self._sessions.close()
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
        raise _held_by_another(name, timeout_seconds) from None


@contextmanager
def _session_lock(url: URL, name: str, timeout_seconds: float) -> Iterator[None]:
    """An advisory lock on a connection of its own: whatever ends process or connection frees it."""
    key = {"key": _key(name)}
    engine = _postgresql_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = {max(1, round(timeout_seconds * 1000))}"))
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), key)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            raise _held_by_another(name, timeout_seconds) from None
        try:
            yield
        finally:
            try:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
            except SQLAlchemyError as error:
                logger.warning("The lock '%s' of the store was lost meanwhile: %s", name, _first_line(error))


class _SessionLocks:
    """Many advisory locks of PostgreSQL on one connection, opened when the first is asked for."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._mutex = threading.Lock()
        self._connection: Connection | None = None

    def try_lock(self, name: str) -> Callable[[], None] | None:
        """Take a lock, or return None."""
        with self._mutex:
            if self._connection is None:
                engine = _postgresql_engine(self._url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
                self._connection = engine.connect()
            taken = self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _key(name)})
            return partial(self._release, name) if taken.scalar_one() else None

    def _release(self, name: str) -> None:
        with self._mutex:
            if self._connection is None:
                return
            try:
                self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _key(name)})
            except SQLAlchemyError as error:
                logger.warning("The lock '%s' of the store was lost meanwhile: %s", name, _first_line(error))

    def close(self) -> None:
        """Give all of them back."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _held_by_another(name: str, timeout_seconds: float) -> ConfigurationError:
    return ConfigurationError(
        f"Another process held the lock '{name}' of the store for {timeout_seconds:g} seconds; is one hanging?"
    )


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def _checked(store_url: str) -> URL:
    try:
        url = make_url(store_url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "The setting store_url is no SQLAlchemy address; sqlite:///.exactonline/store.db is one."
        ) from None
    if url.drivername in _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if not _is_sqlite(url):
        raise ConfigurationError(
            f"The setting store_url names {url.drivername}; a store is SQLite (sqlite:///.exactonline/store.db) or "
            "PostgreSQL (postgresql://user@host/database)."
        )
    return url


def _shown(url: URL) -> str:
    """The address without its passwords, of which one may stand behind the question mark."""
    return url.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)


def _is_sqlite(url: URL) -> bool:
    return url.drivername.partition("+")[0] == "sqlite"


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return str(cause).splitlines()[0] if str(cause) else cause.__class__.__name__


def _sqlite_engine(url: URL, patience_seconds: int) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        Path(url.database).touch(mode=0o600)
    engine = create_engine(url, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def set_up(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # the driver begins nothing by itself; `begin` below does
        cursor = dbapi_connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {patience_seconds * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # a stored token must survive a power cut
        cursor.execute("PRAGMA cache_size = -256")  # KiB, for each connection; the system has the file in memory
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql_engine(url: URL, patience_seconds: int = WAIT_FOR_WRITERS_SECONDS, **options: Any) -> Engine:
    patience = {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    # Not what the server has by default: a snapshot from before the wait for other writers would be stale.
    options = {"isolation_level": "READ COMMITTED", "pool_pre_ping": True, **options}
    engine = create_engine(url, hide_parameters=True, connect_args=patience, **options)

    @event.listens_for(engine, "connect")
    def set_up(dbapi_connection: Any, _record: Any) -> None:
        with dbapi_connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{patience_seconds}s'")
            # A machine that is gone without a word holds its locks for a minute, not for two hours.
            cursor.execute("SET tcp_keepalives_idle = 30")
            cursor.execute("SET tcp_keepalives_interval = 10")
            cursor.execute("SET tcp_keepalives_count = 3")
        dbapi_connection.commit()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if scope := connection.get_execution_options().get("writes"):
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key(scope)})

    return engine
