"""The short forms of program.py, approvals.py and children_program.py: see there."""

import subprocess
from pathlib import Path

import pytest
from warm_start import BIN

PROGRAM = Path(__file__).with_name("program.py")
OF_CHILDREN = Path(__file__).with_name("children_program.py")


@pytest.mark.timeout(900)  # half a minute on a machine that does nothing else
def test_killed_runs_lose_nothing_and_double_nothing() -> None:
    done = subprocess.run(
        [BIN / "python", PROGRAM, "--kills", "8", "--seed", "5"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 kills, every promise kept." in done.stdout


@pytest.mark.timeout(900)
def test_no_change_is_sent_that_had_to_be_approved_and_was_not() -> None:
    program = PROGRAM.with_name("approvals.py")
    command = [BIN / "python", program, "--rounds", "10", "--seed", "1"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 rounds, nothing was sent that nobody approved" in done.stdout
    assert "approved writes" in done.stdout


@pytest.mark.timeout(900)
@pytest.mark.parametrize("besides", [[], ["--approval"]], ids=["", "approved"])
def test_killed_runs_lose_and_double_nothing_that_belongs_to_accounts(besides: list[str]) -> None:
    command = [BIN / "python", OF_CHILDREN, "--kills", "3", "--seed", "3", *besides]
    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "every promise kept." in done.stdout
