"""The short form of program.py: see there."""

import subprocess
from pathlib import Path

import pytest
from warm_start import BIN

PROGRAM = Path(__file__).with_name("program.py")


@pytest.mark.timeout(240)  # a quarter of a minute on a machine that does nothing else
def test_whatever_becomes_of_every_fifth_answer_each_account_is_right_or_told() -> None:
    done = subprocess.run(
        [BIN / "python", PROGRAM, "--rounds", "4", "--seed", "2"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 rounds, every promise kept" in done.stdout
