"""The short forms of the programs beside this file: see there."""

import subprocess
from pathlib import Path

import pytest
from warm_start import BIN

HERE = Path(__file__).parent


def run(program: str, *options: str) -> str:
    done = subprocess.run(
        [BIN / "python", HERE / program, *options], check=False, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)  # ten seconds on a machine that does nothing else
def test_four_processes_refresh_one_login_once_at_a_time(any_store_url: str) -> None:
    told = run("token_storm.py", "--seconds", "7.5", "--store", any_store_url)

    assert "0 not mended, 0 tokens presented twice" in told
    assert told.endswith("Every promise kept.\n")


@pytest.mark.timeout(300)
def test_a_refresh_that_was_killed_is_never_repeated_and_never_passed_over(any_store_url: str) -> None:
    told = run("refresh_kills.py", "--kills", "5", "--seed", "3", "--store", any_store_url)

    assert told.endswith("5 kills, no refresh token presented twice, every promise kept.\n")
