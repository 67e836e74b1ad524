"""The benchmarks run; their figures are for people."""

import subprocess
from pathlib import Path

import pytest
from warm_start import BIN

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PROGRAM = BENCHMARKS / "accounts.py"


@pytest.mark.timeout(120)
def test_the_benchmark_of_a_first_load_prints_its_figures() -> None:
    tiny = ["--quick", "--only", "first-load", "--accounts", "40", "--divisions", "2"]

    done = subprocess.run([BIN / "python", PROGRAM, *tiny], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "First load: 40 accounts into 2 divisions" in done.stdout
    assert "bare loop, 8 connections" in done.stdout


@pytest.mark.timeout(120)
def test_the_benchmark_of_the_preview_prints_its_figures() -> None:
    command = [BIN / "python", BENCHMARKS / "preview.py", "--records", "300"]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "Preview of 300 records" in done.stdout
    assert "times the bare query" in done.stdout


@pytest.mark.timeout(120)
def test_the_benchmark_of_the_processor_holds_a_create_against_a_bare_loop() -> None:
    tiny = ["--quick", "--only", "processor", "--accounts", "20", "--divisions", "2"]

    done = subprocess.run([BIN / "python", PROGRAM, *tiny], check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert "Processor time per create: 20 accounts into 2 divisions" in done.stdout
    assert "processor time per create, to the bare loop" in done.stdout


@pytest.mark.timeout(120)
def test_the_benchmark_of_the_matching_prints_the_figures_of_each_rule() -> None:
    command = [BIN / "python", BENCHMARKS / "matching.py", "--companies", "1", "--customers", "100", "--seed", "9"]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Name+Postcode" in done.stdout
    assert "goal met: precision of ties" in done.stdout


@pytest.mark.timeout(120)
def test_the_benchmark_of_references_prints_calls_at_first_and_again() -> None:
    command = [BIN / "python", BENCHMARKS / "references.py", "--companies", "2", "--codes", "5"]

    done = subprocess.run(command, check=False, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "References of 2 companies: 9 lists of 5 codes" in done.stdout
    assert "goal met: calls when fresh 0" in done.stdout
