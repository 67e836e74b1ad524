"""The plugins around one sandbox."""

from pathlib import Path

import pytest
from sandbox_driver import Sandbox
from singer_driver import Project


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """Tap, mapping step and target on the small world."""
    return Project(sandbox, tmp_path)
