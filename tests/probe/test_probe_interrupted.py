"""The short form of interrupted.py: see there."""

import subprocess
from pathlib import Path

import pytest
from warm_start import BIN

PROGRAM = Path(__file__).with_name("interrupted.py")


@pytest.mark.timeout(120)
def test_a_probe_that_was_killed_leaves_nothing_after_a_clean() -> None:
    done = subprocess.run(
        [BIN / "python", PROGRAM, "--kills", "4", "--seed", "3"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kills, all as it was" in done.stdout
