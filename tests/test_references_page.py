"""What docs/references.md shows of `exactonline references` is what it prints for the rehearsal world."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from exactonline_sandbox.demo import demo_world
from sandbox_driver import SandboxFactory
from warm_start import BIN

PAGE = Path(__file__).parents[1] / "docs" / "references.md"
COMMANDS = {
    "text": "exactonline references --source 2000100 --targets 2000102,2000103",
    "json": "exactonline references --source 2000100 --targets 2000103 --json | grep conflict",
}


@pytest.fixture
def environment(sandbox_factory: SandboxFactory, tmp_path: Path) -> dict[str, str]:
    """Settings of the rehearsal world, served."""
    demo = demo_world()
    settings = {
        "BASE_URL": sandbox_factory().url,
        "CLIENT_ID": demo["apps"][0]["client_id"],
        "CLIENT_SECRET": demo["apps"][0]["client_secret"],
        "REFRESH_TOKEN": demo["users"][0]["refresh_token"],
        "STORE_URL": f"sqlite:///{tmp_path / 'store.db'}",
    }
    own = {f"EXACTONLINE_{name}": value for name, value in settings.items()}
    own["PATH"] = f"{BIN}:{os.environ['PATH']}"
    return {**{name: value for name, value in os.environ.items() if not name.startswith("EXACTONLINE_")}, **own}


def test_the_page_shows_what_the_command_prints(environment: dict[str, str], tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, command in COMMANDS.items():
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )
        assert (done.returncode, done.stderr) == (0 if "grep" in command else 3, "")
        said = f"```text\n$ {command}\n{done.stdout}```"
        shown = re.search(rf"<!-- {name} -->\n\n(.*?)\n\n<!-- /{name} -->", page, re.DOTALL)
        assert shown is not None
        assert shown[1] == said, said
