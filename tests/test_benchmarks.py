"""The benchmarks run; their figures are for people."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "benchmarks" / "accounts.py"


@pytest.mark.timeout(120)
def test_the_benchmark_of_a_first_load_prints_its_figures() -> None:
    tiny = ["--quick", "--only", "first-load", "--accounts", "40", "--divisions", "2"]

    done = subprocess.run([sys.executable, PROGRAM, *tiny], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "First load: 40 accounts into 2 divisions" in done.stdout
    assert "bare loop, 8 connections" in done.stdout
