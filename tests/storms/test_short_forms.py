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


@pytest.mark.timeout(300)  # fifteen seconds on a machine that does nothing else
def test_four_processes_refresh_one_login_once_at_a_time(any_store_url: str) -> None:
    told = run("token_storm.py", "--seconds", "12.5", "--store", any_store_url)

    assert "0 not mended, 0 good tokens presented twice" in told
    assert "ended in login needed: 4, unavoidable according to the sandbox: 4" in told
    assert told.endswith("Every promise kept.\n")


@pytest.mark.timeout(300)
def test_a_refresh_that_was_killed_ends_in_a_login_only_where_exact_replaced_the_token(any_store_url: str) -> None:
    told = run("refresh_kills.py", "--kills", "5", "--seed", "3", "--store", any_store_url)

    assert told.endswith("5 kills, every promise kept.\n")
