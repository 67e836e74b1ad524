"""An environment of its own for each third-party client, made once and kept in pytest's cache."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

REQUIREMENTS = Path(__file__).parent / "requirements"
INSTALL_SECONDS = 300


class InstallFailedError(Exception):
    """A client could not be installed, so nothing can be said about the sandbox: this fails the test."""

    def __init__(self, client: str, command: list[str], said: str) -> None:
        super().__init__(
            f"Could not install {client} for the contract tests; they need the package index once, later runs do not.\n"
            f"$ {' '.join(command)}\n{said}"
        )


def python_with(client: str, cache: Path) -> Path:
    """The interpreter of the environment that holds this client, made first if it is not in the cache.

    Its name follows from the pinned requirements and this Python, so a change of either makes a new one.
    It is made aside and moved into place whole: two test processes may both make it, and a broken-off
    installation is never taken for a finished one.
    """
    pinned = (REQUIREMENTS / f"{client}.txt", REQUIREMENTS / "build.txt")
    content = b"".join(file.read_bytes() for file in pinned) + sys.version.encode()
    environment = cache / f"{client}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not environment.exists():
        aside = cache / f"{environment.name}.{os.getpid()}"
        try:
            _install(client, pinned, aside)
            _move(aside, environment)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return environment / "bin" / "python"


def _move(made: Path, environment: Path) -> None:
    try:
        made.rename(environment)
    except OSError:  # another process was first: a folder that is not empty is not replaced
        if not environment.exists():
            raise


def _install(client: str, pinned: tuple[Path, Path], environment: Path) -> None:
    uv = find_uv_bin()
    requirements, build = (str(file) for file in pinned)
    _run(client, [uv, "venv", "--quiet", "--relocatable", "--clear", "--python", sys.executable, str(environment)])
    install = [uv, "pip", "install", "--quiet", "--python", str(environment / "bin" / "python")]
    _run(client, [*install, "--require-hashes", "--build-constraints", build, "--requirements", requirements])


def _run(client: str, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise InstallFailedError(client, command, f"No end after {INSTALL_SECONDS} seconds.") from error
    if done.returncode:
        raise InstallFailedError(client, command, done.stderr)
