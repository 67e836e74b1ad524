"""An environment of its own for each program that others wrote, made once below .tools/programs of the checkout.

`requirements/NAME.txt` pins a program and all that it needs. None of them is imported into this project, shipped with
it or named in its requirements.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

REQUIREMENTS = Path(__file__).parent / "requirements"
BUILD = REQUIREMENTS / "build.txt"
KEPT = Path(__file__).parents[1] / ".tools" / "programs"
INSTALL_SECONDS = 600


class InstallFailedError(Exception):
    """A program could not be installed, so nothing can be said about it: this fails the test."""

    def __init__(self, program: str, command: list[str], said: str) -> None:
        super().__init__(
            f"Could not install {program}; that needs the package index once, later runs do not.\n"
            f"$ {' '.join(command)}\n{said}"
        )


def bin_of(program: str) -> Path:
    """The folder with the interpreter and the commands of a program's environment, made first if it is not there.

    Its name follows from the pinned requirements and this Python, so a change of either makes a new one.
    It is made aside and moved into place whole: two processes may both make it, and a broken-off installation is
    never taken for a finished one.
    """
    pinned = REQUIREMENTS / f"{program}.txt"
    content = pinned.read_bytes() + BUILD.read_bytes() + sys.version.encode()
    environment = KEPT / f"{program}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not environment.exists():
        aside = environment.with_name(f"{environment.name}.{os.getpid()}")
        try:
            _install(program, pinned, aside)
            _move(aside, environment)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return environment / "bin"


def python_with(program: str) -> Path:
    """The interpreter of a program's environment."""
    return bin_of(program) / "python"


def _move(made: Path, environment: Path) -> None:
    try:
        made.rename(environment)
    except OSError:  # another process was first: a folder that is not empty is not replaced
        if not environment.exists():
            raise


def _install(program: str, pinned: Path, environment: Path) -> None:
    uv, python = find_uv_bin(), str(environment / "bin" / "python")
    _run(program, [uv, "venv", "--quiet", "--relocatable", "--clear", "--python", sys.executable, str(environment)])
    pins = ["--require-hashes", "--build-constraints", str(BUILD), "--requirements", str(pinned)]
    _run(program, [uv, "pip", "install", "--quiet", "--python", python, *pins])


def _run(program: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise InstallFailedError(program, command, f"No end after {INSTALL_SECONDS} seconds.") from error
    if done.returncode:
        raise InstallFailedError(program, command, done.stderr)
