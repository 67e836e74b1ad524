"""Programs that the warm server starts behave as those that start by themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from warm_server import PROGRAMS
from warm_start import BIN, REAL, SHARED

NAMES = [name for names in PROGRAMS.values() for name in names if name != "python"]
SHOW = """
import json, os, sys
given = sys.stdin.read()
print("to stderr", file=sys.stderr)
print(json.dumps([sys.argv, dict(os.environ), os.getcwd(), given, sys.stdout.encoding, sys.stdin.name, __name__]))
sys.exit(7)
"""
WAIT = "import time; print('here', flush=True); time.sleep(60)"
BEGIN_AND_WAIT = f"""
import subprocess, sys
from warm_start import BIN
print(BIN, flush=True)
subprocess.run([BIN / "python", "-c", {WAIT!r}], check=False)
"""


def started(program: str, *command: str | Path, **options: Any) -> subprocess.Popen[str]:
    """A running program of which the first line was read."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, "-c", program], **streams, **options)  # type: ignore[call-overload]
    assert process.stdout.readline()
    return process


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_the_program_itself_says(name: str) -> None:
    warm, real = (
        subprocess.run([programs / name, "--help"], capture_output=True, text=True, check=False)
        for programs in (BIN, REAL)
    )

    assert (warm.returncode, warm.stdout, warm.stderr) == (real.returncode, real.stdout, real.stderr)
    assert warm.returncode == 0


def test_it_has_the_arguments_variables_folder_streams_and_status_of_its_own(tmp_path: Path) -> None:
    environment = {**os.environ, "WORD": "Café = \udcff"}

    warm, real = (
        subprocess.run(
            [programs / "python", "-c", SHOW, "é", "--b=c d"],
            input="ü",
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for programs in (BIN, REAL)
    )

    assert (warm.returncode, warm.stderr) == (real.returncode, real.stderr) == (7, "to stderr\n")
    assert json.loads(warm.stdout) == json.loads(real.stdout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_it_as_it_ends_any_program(number: signal.Signals) -> None:
    with started(WAIT, BIN / "python") as process:
        process.send_signal(number)

        assert process.wait(timeout=30) == -number
        assert process.stdout is not None
        assert process.stdout.read() == ""  # the pipe is closed: nobody is left who could write into it


def test_a_variable_that_changes_python_itself_starts_the_program_itself() -> None:
    program = [BIN / "python", "-c", "import sys; print(sys.flags.hash_randomization, 'singer_sdk' in sys.modules)"]

    said = subprocess.run(
        program, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=True
    )

    assert said.stdout == "0 False\n"


def test_all_ends_with_the_process_that_began() -> None:
    environment = {name: value for name, value in os.environ.items() if name != SHARED}
    with started(BEGIN_AND_WAIT, sys.executable, env=environment, cwd=Path(__file__).parent) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"

        process.kill()
        ended = process.stdout.read()

    assert ended == ""
