"""Our plugins around one sandbox, and those that others wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from arrivals import Other
from environments import bin_of
from sandbox_driver import Sandbox
from singer_driver import Plugin, Project

EXECUTABLES = {"map-transform": "meltano-map-transform", "pipelinewise-target-postgres": "target-postgres"}


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """Tap, mapping step and target on the small world."""
    return Project(sandbox, tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Other:
    """A plugin that others wrote, by its name in meltano.yml."""
    return lambda name: Plugin(EXECUTABLES.get(name, name), tmp_path, bin_of(name))
