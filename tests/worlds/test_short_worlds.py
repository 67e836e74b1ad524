"""The short forms of program.py and children_world.py: see there."""

import subprocess
from pathlib import Path

import pytest
from warm_start import BIN

PROGRAM = Path(__file__).with_name("program.py")
OF_CHILDREN = Path(__file__).with_name("children_world.py")


@pytest.mark.timeout(300)  # half a minute on a machine that does nothing else
def test_ten_worlds_hold_what_the_model_says() -> None:
    command = [BIN / "python", PROGRAM, "--worlds", "10", "--runs", "5", "--seed", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 worlds, " in done.stdout.splitlines()[-1]
    assert " 0 differences" in done.stdout


@pytest.mark.timeout(300)
def test_twenty_worlds_hold_what_belongs_to_accounts_once() -> None:
    command = [BIN / "python", OF_CHILDREN, "--worlds", "20", "--rounds", "1", "--seed", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 differences" in done.stdout
