"""The database that several processes share: a real SQLite file, and real processes where it takes two."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from sqlalchemy import Column, Integer, MetaData, Table, select

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


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/folder/store.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url, OWN) as opened:
        yield opened


@contextmanager
def process(program: str, url: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own on this store, as far as its first line."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", program, url], **pipes) as running:  # type: ignore[call-overload]
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


def test_nobody_else_can_read_any_of_its_files(url: str, tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        with Store.open(url, OWN) as store, store.lock("harvest"), store.write() as connection:
            connection.execute(counter.insert(), {"n": 1})
            modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (tmp_path / "new/folder").iterdir()}
    finally:
        os.umask(mask)

    assert {"store.db", "store.db-wal", "store.db.harvest.lock"} <= modes.keys()
    assert set(modes.values()) == {"0o600"}
    assert (tmp_path / "new/folder").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("address", ["store.db", "", "nonsense://s3cr3t@host/db", "mysql://me:s3cr3t@host/db"])
def test_an_address_that_cannot_be_used_is_refused_without_showing_its_password(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^The (setting store_url|store)") as refusal:
        Store.open(address)

    assert "s3cr3t" not in str(refusal.value).replace("nonsense://s3cr3t@", "")


@pytest.mark.xfail(strict=True, reason="finding 3: a ValueError, whose traceback shows the password")
def test_an_address_that_lacks_its_host_is_refused_without_showing_its_password() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Store.open("postgresql://bookkeeper:s3cr3t")

    assert "s3cr3t" not in str(refusal.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match=r"The store sqlite:///.*/file/store.db cannot be used: "):
        Store.open(f"sqlite:///{tmp_path}/file/store.db")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("customers " * 1000)

    with pytest.raises(ConfigurationError, match="cannot be used: file is not a database"):
        Store.open(f"sqlite:///{tmp_path}/store.db")
