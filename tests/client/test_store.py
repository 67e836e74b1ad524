"""The database that several processes share: SQLite and PostgreSQL, and real processes where it takes two."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from postgres_driver import PostgresServer
from sqlalchemy import Column, Integer, MetaData, Table, select, text
from sqlalchemy.exc import SQLAlchemyError
from warm_start import BIN

OWN = MetaData()
counter = Table("counter", OWN, Column("n", Integer))

COUNT = """
import sys
from exactonline_client.store import Store
from sqlalchemy import text

with Store.open(sys.argv[1]) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for _ in range(25):
        with store.write() as connection:
            (n,) = connection.execute(text("SELECT n FROM counter")).one()
            connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})
"""
HOLD = """
import sys
from exactonline_client.store import Store

with Store.open(sys.argv[1]) as store, store.lock("harvest"):
    print("locked", flush=True)
    sys.stdin.readline()
"""
WRITE = """
import sys
from exactonline_client.store import Store
from sqlalchemy import text

with Store.open(sys.argv[1]) as store, store.write() as connection:
    connection.execute(text("INSERT INTO counter VALUES (1)"))
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def url(any_store_url: str) -> str:
    return any_store_url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/folder/store.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url, OWN) as opened:
        yield opened


@contextmanager
def process(program: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own on this store, as far as its first line."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([BIN / "python", "-c", program, url], **pipes) as running:  # type: ignore[call-overload]
        assert running.stdout is not None
        assert running.stdout.readline().strip() in {"open", "locked"}
        try:
            yield running
        finally:
            running.kill()


def count(store: Store) -> int | None:
    with store.read() as connection:
        return connection.execute(select(counter.c.n)).scalar_one_or_none()


def test_a_second_open_sees_what_the_first_one_kept(url: str) -> None:
    with Store.open(url, OWN) as first, first.write() as connection:
        connection.execute(counter.insert(), {"n": 7})

    with Store.open(url, OWN) as second:
        assert count(second) == 7


def test_a_transaction_that_breaks_off_leaves_nothing(store: Store) -> None:
    def breaks_off() -> None:
        with store.write() as connection:
            connection.execute(counter.insert(), {"n": 7})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        breaks_off()

    assert count(store) is None


def test_two_processes_that_read_and_then_write_lose_nothing(url: str, store: Store) -> None:
    with store.write() as connection:
        connection.execute(counter.insert(), {"n": 0})

    with process(COUNT, url) as one, process(COUNT, url) as other:
        for running in (one, other):
            assert running.stdin is not None
            running.stdin.write("\n")
            running.stdin.flush()
        assert (one.wait(30), other.wait(30)) == (0, 0)

    assert count(store) == 50


def test_a_reader_does_not_wait_for_a_writer_and_sees_the_state_before_it(store: Store) -> None:
    with store.write() as connection:
        connection.execute(counter.insert(), {"n": 1})

    with store.write() as connection:
        connection.execute(counter.update().values(n=2))
        seen_meanwhile = count(store)

    assert (seen_meanwhile, count(store)) == (1, 2)


def test_a_lock_that_another_process_holds_is_named_when_it_cannot_be_had(url: str, store: Store) -> None:
    with (
        process(HOLD, url),
        pytest.raises(ConfigurationError, match="Another process held the lock 'harvest'"),
        store.lock("harvest", timeout_seconds=0.01),
    ):
        pytest.fail("two hold it")


def test_a_process_that_was_killed_holds_no_lock(url: str, store: Store) -> None:
    with process(HOLD, url) as holder:
        holder.kill()
        holder.wait(10)

        with store.lock("harvest", timeout_seconds=5):
            pass


def test_a_process_killed_in_the_queue_for_a_lock_does_not_get_in_the_way(url: str, store: Store) -> None:
    program = HOLD.replace('as store, store.lock("harvest"):', 'as store:\n    print("open", flush=True)').replace(
        '    print("locked", flush=True)', '    store.lock("harvest").__enter__()'
    )

    with store.lock("harvest"), process(program, url) as waiting:
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.3)
        waiting.kill()
        waiting.wait(10)

    with store.lock("harvest", timeout_seconds=5):
        pass


def test_a_process_killed_in_a_transaction_leaves_nothing_and_holds_up_nobody(url: str, store: Store) -> None:
    with process(WRITE, url) as writer:
        writer.kill()
        writer.wait(10)

        with store.write() as connection:
            connection.execute(counter.insert(), {"n": 2})

    assert count(store) == 2


def test_a_lock_is_free_after_an_error_in_its_holder(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), store.lock("harvest"):
        raise KeyboardInterrupt

    with store.lock("harvest", timeout_seconds=5):
        pass


def test_a_reader_sees_one_state_however_often_it_looks(store: Store) -> None:
    with store.write() as connection:
        connection.execute(counter.insert(), {"n": 1})

    with store.read() as connection:
        before = connection.execute(select(counter.c.n)).scalar_one()
        with store.write() as writing:
            writing.execute(counter.update().values(n=2))
        after = connection.execute(select(counter.c.n)).scalar_one()

    assert (before, after) == (1, 1)


def test_an_error_of_the_database_shows_no_values(store: Store) -> None:
    with pytest.raises((SQLAlchemyError, ConfigurationError)) as refusal, store.write() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:token)"), {"token": "s3cr3t"})

    assert "s3cr3t" not in str(refusal.value)


def test_a_server_that_goes_away_is_told_without_its_password(postgres: PostgresServer, postgres_url: str) -> None:
    with Store.open(f"{postgres_url}&password=s3cr3t") as store:
        postgres.drop(postgres_url)

        with pytest.raises(ConfigurationError, match="cannot be used any more") as refusal, store.read():
            pass

    assert "s3cr3t" not in "".join(traceback.format_exception(refusal.value))


def test_locks_of_other_names_and_other_stores_are_free(url: str, tmp_path: Path, store: Store) -> None:
    with store.lock("harvest"), store.lock("sowing", timeout_seconds=0.01):
        pass
    with (
        store.lock("harvest"),
        Store.open(f"sqlite:///{tmp_path}/other.db") as other,
        other.lock("harvest", timeout_seconds=0.01),
    ):
        pass


def test_threads_take_turns_with_a_lock(store: Store) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with store.lock("harvest"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1


def test_nobody_else_can_read_any_of_its_files(sqlite_url: str, tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        with Store.open(sqlite_url, OWN) as store, store.lock("harvest"), store.write() as connection:
            connection.execute(counter.insert(), {"n": 1})
            modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "new/folder").iterdir()}
    finally:
        os.umask(mask)

    assert {"store.db", "store.db-wal", "store.db.harvest.lock"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}
    assert (tmp_path / "new/folder").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "address",
    [
        "store.db",
        "",
        "nonsense://s3cr3t@host/db",
        "mysql://me:s3cr3t@host/db",
        "postgresql+asyncpg://me:s3cr3t@host/db",
        "postgresql://bookkeeper:s3cr3t",
        "postgresql://me:s3cr3t@127.0.0.1:1/db",
        "postgresql://me@127.0.0.1:1/db?password=s3cr3t",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_without_showing_its_password(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^The (setting store_url|store)") as refusal:
        Store.open(address)

    assert "s3cr3t" not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_an_address_of_postgresql_means_psycopg_3(postgres_url: str, scheme: str) -> None:
    with Store.open(postgres_url.replace("postgresql", scheme, 1)) as store, store.read() as connection:
        assert connection.dialect.driver == "psycopg"


def test_without_the_driver_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigurationError, match=r"install exactonline-client\[postgres\]"):
        Store.open("postgresql://me@127.0.0.1:1/db")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=r"The store sqlite:///.*/file/store.db cannot be used: "):
        Store.open(f"sqlite:///{tmp_path}/file/store.db")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("customers " * 1000)

    with pytest.raises(ConfigurationError, match="cannot be used: file is not a database"):
        Store.open(f"sqlite:///{tmp_path}/store.db")
