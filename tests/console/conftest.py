"""A served page over a project of its own, and visitors with and without a browser."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from console_driver import Page, Visitor, make_project, serving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Meltano project without a store."""
    return make_project(tmp_path / "project")


@pytest.fixture
def page(folder: Path) -> Iterator[Page]:
    """The page of a machine that one person uses."""
    with serving(folder) as served:
        yield served


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Page]]:
    """Serve the page with options: `serve("--user-header", "X-User")`."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(serving(folder, *options))


@pytest.fixture
def visitor(page: Page) -> Visitor:
    """Somebody in front of that page."""
    return Visitor(page.url)
