"""The transcript of a first login in README.md is what the programs really say."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from command_driver import address_in, consent
from exactonline_sandbox.demo import demo_world
from sandbox_driver import Sandbox, SandboxFactory
from warm_start import BIN

README = Path(__file__).parents[1] / "README.md"
COMMANDS = (
    "exactonline login",
    "exactonline status",
    "exactonline check --source 2000100 --targets 2000101,2000102",
)
USER = "Anneke de Vries"
PASTED = "https://example.com/callback?code=...&state=...\n"
SHOWN_ADDRESS = "http://127.0.0.1:8065"


@pytest.fixture
def folder(sandbox_factory: SandboxFactory, tmp_path: Path) -> Path:
    """A checkout whose .env names the demo world, as step 2 of "Going live" leaves it."""
    sandbox: Sandbox = sandbox_factory()
    app = demo_world()["apps"][0]
    settings = {
        "BASE_URL": sandbox.url,
        "CLIENT_ID": app["client_id"],
        "CLIENT_SECRET": app["client_secret"],
        "REDIRECT_URI": app["redirect_uris"][0],
        "STORE_URL": "sqlite:///.exactonline/store.db",
    }
    lines = [f"EXACTONLINE_{name}='{value}'\n" for name, value in settings.items()]
    (tmp_path / ".env").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def said(command: str, folder: Path) -> str:
    """What a command prints, and between it what a person pastes where one is asked for."""
    name, *options = command.split()
    program = subprocess.Popen(
        [str(BIN / name), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("EXACTONLINE_")},
    )
    assert program.stdout is not None
    text, pasted = "", ""
    for line in iter(program.stdout.readline, ""):
        text += line
        if "paste" in line:
            pasted = consent(address_in(text), USER) + "\n"
            text += PASTED
            break
    text += program.communicate(pasted, timeout=60)[0]
    text = re.sub(r"http://127\.0\.0\.1:\d{5}(  )?", lambda found: SHOWN_ADDRESS + " " * 3 * bool(found[1]), text)
    text = re.sub(r"(exactonline(?:-client)?) \d{4}\b", r"\1 0002", text)  # the tables have newer versions by now
    return re.sub(r"state=[\w-]{10,}", "state=...", text)


def test_the_transcript_in_the_readme_is_what_the_programs_say(folder: Path) -> None:
    transcript = "\n".join(f"$ {command}\n{said(command, folder)}" for command in COMMANDS)

    readme = README.read_text(encoding="utf-8")
    shown = readme.partition("<!-- transcript -->\n\n```text\n")[2].partition("```\n")[0]
    assert shown == transcript, transcript
