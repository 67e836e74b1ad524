"""What the processes of a storm do, and where they keep their tokens."""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from exactonline_client.client import ExactClient
from exactonline_client.errors import ExactError, LoginNeededError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from login_driver import is_spent
from sandbox_driver import Sandbox

Config = Mapping[str, Any]
HERE = Path(__file__).parent


def forks() -> ForkServerContext:
    """Processes forked from one that has all this imported already, but opened nothing."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["work", "keyring"])
    return context


@dataclass
class Done:
    """What one process of a storm came to."""

    calls: int = 0
    needs_login: bool = False
    errors: list[str] = field(default_factory=list)


@contextmanager
def folder_and_store(kind: str) -> Iterator[tuple[Path, str]]:
    """A folder to work in, and the store_url of a new store: `sqlite`, `postgres`, or one that is there already."""
    with tempfile.TemporaryDirectory(prefix="storm-") as folder:
        if kind != "postgres":
            yield Path(folder), f"sqlite:///{folder}/store.db" if kind == "sqlite" else kind
            return
        from postgres_driver import running_postgres  # noqa: PLC0415 - brings a server

        with running_postgres() as server:
            yield Path(folder), server.new_database()


def is_login_lost(sandbox: Sandbox, store_url: str, app: str) -> bool:
    """Whether the sandbox replaced the newest refresh token that anybody kept, so that only a person can go on."""
    with Store.open(store_url) as store:
        kept = TokenStore(store, sandbox.url, app).get()
    if kept is None:
        raise AssertionError("there were tokens, and none are kept")
    return is_spent(sandbox, kept.tokens.refresh_token)


@contextmanager
def client_of(config: Config) -> Iterator[ExactClient]:
    settings = Settings.from_config(config)
    with Store.open(settings.store_url) as store, ExactClient(settings, store, program="storm") as client:
        yield client


def call_for(config: Config, seconds: float, start: Barrier, told: Connection) -> None:
    """Call Exact without a pause to speak of; tells a `Done`."""
    done = Done()
    with client_of(config) as client:
        start.wait()
        until = time.monotonic() + seconds
        while time.monotonic() < until and not done.errors and not done.needs_login:
            try:
                client.run(client.me())
                done.calls += 1
            except LoginNeededError:
                done.needs_login = True
            except ExactError as error:
                done.errors.append(f"{type(error).__name__}: {error}")
            time.sleep(random.random() / 50)  # noqa: S311 - no secret
    told.send(done)


def refresh_until_killed(config: Config, told: Connection) -> None:
    """Refresh again and again; tells when it begins."""
    with client_of(config) as client:
        token = client.login.access_token()
        told.send("begun")
        while True:
            client.login.renew(token)
            token = client.login.access_token()


def refresh_twice(config: Config, told: Connection) -> None:
    """Refresh and refresh once more; tells how that ended: nothing, or the error."""
    try:
        with client_of(config) as client:
            for _ in range(2):
                client.login.renew(client.login.access_token())
    except ExactError as error:
        told.send((type(error).__name__, str(error)))
    else:
        told.send(None)
