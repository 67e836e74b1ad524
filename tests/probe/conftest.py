"""The probe around one sandbox."""

from pathlib import Path

import pytest
from probe_driver import Probe, probed_world
from sandbox_driver import Sandbox


@pytest.fixture
def probe(sandbox: Sandbox, tmp_path: Path) -> Probe:
    """The probe on a company of 70 customers."""
    sandbox.reset(probed_world())
    return Probe(sandbox, tmp_path)
