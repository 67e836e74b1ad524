"""Fixtures that all tests share: a running sandbox, started once per worker and put back before each test."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
import pytest_socket
from hypothesis import settings
from sandbox_driver import Sandbox, SandboxFactory, World, running, small_world

# Where it is set, as containers do, each worker and each start of a program compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
pytest_plugins = ["postgres_driver"]
settings.register_profile("patient", deadline=None)  # an example may take its time on a busy machine
settings.load_profile("patient")


def pytest_runtest_setup() -> None:
    """No test reaches further than this machine."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def _running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox") / "world.db") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running_sandbox: Sandbox) -> Sandbox:
    """A sandbox with the small world: source 100 with three customers, empty 201, 202 and 203, limits lifted."""
    _running_sandbox.reset(small_world())
    return _running_sandbox


@pytest.fixture
def sandbox_factory(tmp_path: Path) -> Iterator[SandboxFactory]:
    """Make further sandboxes: `sandbox_factory(world, "--no-limits", db=path)`, each a process of its own."""
    numbers = count()
    with ExitStack() as stack:

        def make(world: World | None = None, *options: str, db: Path | None = None) -> Sandbox:
            path = db or tmp_path / f"sandbox-{next(numbers)}.db"
            made = stack.enter_context(running(path, *options))
            if world is not None:
                made.reset(world)
            return made

        yield make
