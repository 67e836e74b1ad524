"""An environment of its own for each program that the benchmarks stand beside, made once below .tools/benchmarks."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

REQUIREMENTS = Path(__file__).parent / "requirements"
BUILD = REQUIREMENTS / "build.txt"
KEPT = Path(__file__).parents[1] / ".tools" / "benchmarks"


def python_with(program: str) -> Path:
    """The interpreter beside a program's pinned packages; another one when the pins or this Python change."""
    pinned = REQUIREMENTS / f"{program}.txt"
    content = pinned.read_bytes() + BUILD.read_bytes() + sys.version.encode()
    environment = KEPT / f"{program}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not environment.exists():
        print(f"Installing {program} into an environment of its own, once")
        aside = environment.with_name(f"{environment.name}.{os.getpid()}")
        uv, python = find_uv_bin(), str(aside / "bin" / "python")
        try:
            _run([uv, "venv", "--quiet", "--relocatable", "--clear", "--python", sys.executable, str(aside)])
            pins = ["--require-hashes", "--build-constraints", str(BUILD), "--requirements", str(pinned)]
            _run([uv, "pip", "install", "--quiet", "--python", python, *pins])
            aside.rename(environment)  # whole or not at all
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return environment / "bin" / "python"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        sys.exit(f"$ {' '.join(command)}\n{done.stderr}")
