"""A served page over a project of its own, and visitors with and without a browser."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser_driver import chromium
from console_driver import Here, Visitor, make_project, serving_here
from playwright.sync_api import Browser, sync_playwright


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Meltano project without a store."""
    return make_project(tmp_path / "project")


@pytest.fixture
def page(folder: Path) -> Iterator[Here]:
    """The page of a machine that one person uses."""
    with serving_here(folder) as served:
        yield served


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Here]]:
    """Serve the page in other ways: `serve(user_header="X-User")`."""
    with ExitStack() as stack:
        yield lambda **ways: stack.enter_context(serving_here(folder, **ways))


@pytest.fixture
def visitor(page: Here) -> Visitor:
    """Somebody in front of that page."""
    return Visitor(page.url)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a process: Playwright takes no second loop beside its first."""
    program = chromium()
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
