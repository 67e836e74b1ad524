"""Every shell and Python block of the documents, run as it stands there: page by page, in order, in a prepared folder.

The folder is a checkout's as `make run` leaves it, with a small world in place of the rehearsal world, and with the
settings files that the pages speak of. `docs/other-plugins.md` is run by tests/swap.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from exactonline_sandbox.demo import demo_world
from meltano_driver import manifest, plugins
from sandbox_driver import customer, small_world
from warm_start import BIN

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "docs/deployment.md", "docs/references.md", "docs/probe.md", *(f"{name}/README.md" for name in (
    "exactonline-client", "tap-exactonline", "transform", "target-exactonline", "console", "sandbox", "probe", "deploy",
))]  # fmt: skip
CODES = (2000100, 2000101, 2000102)
"""The source company, and its targets."""
PROGRAMS = r"make|meltano|cp|uv|curl|at=|python|\.venv/bin/|exactonline|tap-|mapper-|target-"
COMMAND = re.compile(rf"\s*(?:[A-Z_]+=(?:'[^']*'|\S+)\s+(?:\\\n\s*)?)*(?:{PROGRAMS})")
BLOCK = re.compile(
    r"```(?P<language>\w+)\n(?P<fenced>.*?)```|(?P<indented>(?:^ {4,}\S[^\n]*\n)+)", re.DOTALL | re.MULTILINE
)
ELSEWHERE = {
    "make run": "tests of the Makefile's parts; `make page` serves until it is stopped",
    "make setup": "installs into the checkout; the page serves until it is stopped",
    "exactonline login": "asks a person: tests/test_transcript.py",
    "exactonline-console": "serves until it is stopped: tests/console",
    "exactonline-probe run --group limits": "waits until the login is due: tests/probe",
    "exactonline-sandbox serve": "serves until it is stopped: tests/sandbox",
    "at=http": "needs curl and a port of its own: tests/sandbox/test_sandbox_control.py",
    "# Every fifth answer": "needs curl and a port of its own: tests/sandbox/test_sandbox_faults.py",
    "uv build": "tests/deploy/test_packages.py",
    "meltano add": "in a project of its own: tests/pipeline/test_settings_through_meltano.py",
}
"""By its beginning: what is not run here, and why."""


@dataclass(frozen=True)
class Block:
    """A block of a page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page that are commands or Python."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        language, content = found["language"] or "sh", found["fenced"] or found["indented"]
        is_shell = language == "sh" and (found["fenced"] or COMMAND.match(content))
        if language == "python" or is_shell:
            yield Block(page, text[: found.start()].count("\n") + 1, language, content)


ALL = [block for page in PAGES for block in blocks(page)]
HERE = [block for block in ALL if not block.text.strip().startswith(tuple(ELSEWHERE))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout after `make run`, and the files tap.json, mapper.json and target.json beside it."""
    source, *targets = CODES
    held = {source: [customer(n) for n in range(1, 4)], **{code: [] for code in targets}}
    return checkout(tmp_path_factory.mktemp("documents"), held)


def checkout(folder: Path, held: Mapping[int, Sequence[Mapping[str, Any]]]) -> Path:
    """Make a folder a checkout that the login of the rehearsal world reaches, with what these companies hold."""
    demo = demo_world()
    app, user = demo["apps"][0], demo["users"][0]
    world = small_world(targets=(), accounts={})
    world["apps"] = [app]
    world["users"] = [{**user, "divisions": list(CODES), "current_division": CODES[0]}]
    world["divisions"] = [{**world["divisions"][0], "code": code, "description": f"Company {code}"} for code in CODES]
    world["accounts"] = {str(code): list(held[code]) for code in CODES}
    (folder / ".exactonline").mkdir()
    (folder / "world.json").write_text(json.dumps(world), encoding="utf-8")
    address = f"sandbox://{folder}/.exactonline/world.db"
    for name in (".env.example", "docs", "input"):
        if (ROOT / name).exists():
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    plan = manifest()
    for plugin in plugins(plan):
        if plugin.pop("pip_url", None) is None:  # it inherits
            continue
        plugin["executable"] = str(BIN / plugin["executable"])
    (folder / "meltano.yml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BIN)
    common = {
        "base_url": address,
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "refresh_token": user["refresh_token"],
        "store_url": f"sqlite:///{folder}/.exactonline/sandbox.db",
    }
    fan_out = {"target_divisions": list(CODES[1:])}
    (folder / "tap.json").write_text(json.dumps({**common, "divisions": [CODES[0]]}), encoding="utf-8")
    (folder / "mapper.json").write_text(json.dumps(fan_out), encoding="utf-8")
    target = {**common, "report_path": str(folder / "output"), "fan_out": fan_out}
    (folder / "target.json").write_text(json.dumps(target), encoding="utf-8")
    for name, text in common.items():
        os.environ.pop(f"EXACTONLINE_{name.upper()}", None)
        with (folder / "settings.env").open("a", encoding="utf-8") as settings:
            settings.write(f"export EXACTONLINE_{name.upper()}='{text}'\n")
    for name in ("mine.json", "theirs.json"):
        facts = {"format": 1, "date": "2026-11-27", "site": "NL", "facts": []}
        (folder / name).write_text(json.dumps(facts), encoding="utf-8")
    run(folder, "exactonline-sandbox init --db .exactonline/world.db --world world.json")
    return folder


def run(folder: Path, command: str) -> str:
    """Let a shell run a block in the folder, with the settings in its environment."""
    own = ("MELTANO_", "TAP_", "TARGET_", "MAPPER_", "EXACTONLINE_")
    env = {name: text for name, text in os.environ.items() if not name.startswith(own)}
    env |= {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_PROJECT_ROOT": str(folder),
    }
    settings = folder / "settings.env"
    script = f"{f'. {settings}' if settings.exists() else ''}\nset -eo pipefail\n{command}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.timeout(600)
def test_every_command_of_the_documents_runs_as_it_stands(folder: Path) -> None:
    for block in HERE:
        if block.language == "sh":
            run(folder, block.text)

    held = run(folder, "exactonline-sandbox accounts 2000102 --db .exactonline/world.db")
    assert all(f"Klant {number} B.V." in held for number in (1, 2, 3))
    for block in HERE:
        if block.language == "python":
            assert "Klant 1 B.V." in run_python(folder, block)


def run_python(folder: Path, block: Block) -> str:
    """Run a block with this folder's settings in the place of those that a reader fills in."""
    settings = json.loads((folder / "tap.json").read_text(encoding="utf-8"))
    del settings["divisions"]
    to_fill_in = '{"client_id": "...", "client_secret": "...", "refresh_token": "..."}'
    assert to_fill_in in block.text
    (folder / "block.py").write_text(block.text.replace(to_fill_in, repr(settings)), encoding="utf-8")
    return run(folder, "python block.py")


def test_what_is_run_elsewhere_is_still_there() -> None:
    for beginning in ELSEWHERE:
        assert any(block.text.strip().startswith(beginning) for block in ALL), beginning
    assert len(HERE) > 20
