"""The plugins around one sandbox."""

from pathlib import Path

import pytest
from sandbox_driver import Sandbox
from singer_driver import Project
from target_driver import InProcessTarget


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Project:
    """Tap, mapping step and target on the small world."""
    return Project(sandbox, tmp_path)


@pytest.fixture
def target(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> InProcessTarget:
    """The target within this process, on the small world."""
    return InProcessTarget(sandbox, tmp_path, capsys, caplog)
