"""Each package as a wheel and as a source archive, in an environment of its own outside of the workspace."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from environments import BUILD
from uv import find_uv_bin

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "exactonline-client": ("exactonline_client", "migrations/v0001_first_tables.py"),
    "tap-exactonline": ("tap_exactonline", "migrations/v0001_known_accounts.py"),
    "transform": ("mapper_exactonline", "fan_out.py"),
    "target-exactonline": ("target_exactonline", "templates/report.html"),
    "sandbox": ("exactonline_sandbox", "demo.py"),
    "console": ("exactonline_console", "languages/nl/console.po"),
    "probe": ("exactonline_probe", "members.txt"),
}
"""By folder: its module, and something that a wheel would lack if only modules were packed."""
PIPELINE = " | ".join(f"{program}-exactonline --config {program}.json" for program in ("tap", "mapper", "target"))
OF_THIS_RUN = ("PYTHON", "TAP_", "TARGET_", "VIRTUAL")
ENVIRONMENT = {name: text for name, text in os.environ.items() if not name.startswith(OF_THIS_RUN)}


def uv(*arguments: str | Path, folder: Path = ROOT) -> str:
    command = [find_uv_bin(), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with a wheel and a source archive of each package; the wheel is built from the archive."""
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--quiet", "--all-packages", "--build-constraints", BUILD, "--out-dir", folder)
    return folder


def test_a_wheel_holds_what_its_package_needs_and_no_more(archives: Path) -> None:
    for module, needed in FOLDERS.values():
        (wheel,) = [path for path in archives.glob("*.whl") if holds(path, f"{module}/__init__.py")]
        with zipfile.ZipFile(wheel) as packed:
            names = packed.namelist()
            (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
            metadata = Parser().parsestr(packed.read(about).decode())
        assert f"{module}/py.typed" in names
        assert any(name.startswith(f"{module}/{needed}") for name in names)
        assert {name.split("/")[0] for name in names} == {module, about.split("/")[0]}
        assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("Apache-2.0", ">=3.10")
        assert metadata["Description-Content-Type"] == "text/markdown"
        assert metadata["Summary"]
    # `tap-exactonline` is another tool on the package index.
    names = {path.name.split("-")[0] for path in archives.glob("*.whl")}
    parts = ("client", "tap", "mapper", "target", "sandbox", "console", "probe")
    assert names == {f"exactonline_{part}" for part in parts}
    assert names == {path.name.rsplit("-", 1)[0] for path in archives.glob("*.tar.gz")}


@pytest.mark.timeout(600)
def test_the_wheels_do_the_main_job_in_an_empty_environment(archives: Path, tmp_path: Path) -> None:
    environment, wheels = tmp_path / "environment", sorted(archives.glob("*.whl"))
    pins = uv("export", "--quiet", "--locked", "--no-emit-workspace", "--no-hashes", "--all-packages")
    (tmp_path / "pins.txt").write_text(pins, encoding="utf-8")
    uv("venv", "--quiet", "--python", sys.executable, environment)
    python = environment / "bin" / "python"
    pinned = ("--constraints", tmp_path / "pins.txt")
    uv("pip", "install", "--quiet", "--python", python, *pinned, *wheels, folder=tmp_path)

    program = Path(__file__).with_name("main_job.py")
    done = subprocess.run(
        [python, program, PIPELINE],
        cwd=tmp_path,
        env={**ENVIRONMENT, "PATH": f"{environment / 'bin'}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "created"


def holds(wheel: Path, name: str) -> bool:
    with zipfile.ZipFile(wheel) as packed:
        return name in packed.namelist()
