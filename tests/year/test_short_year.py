"""The short form of program.py: see there."""

import subprocess
from pathlib import Path

import pytest
from warm_start import BIN

PROGRAM = Path(__file__).with_name("program.py")


@pytest.mark.timeout(240)  # a quarter of a minute on a machine that does nothing else
def test_in_forty_runs_with_all_that_happens_in_a_year_every_promise_is_kept() -> None:
    done = subprocess.run(
        [BIN / "python", PROGRAM, "--runs", "40", "--seed", "3"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise kept." in done.stdout
