"""From login to logout, through faults and crashes, with a key: no secret lies or shows anywhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from command_driver import Command, consent
from exactonline_client.vault import KEY_VARIABLE, new_key
from sandbox_driver import CLIENT_SECRET, REFRESH_TOKEN, SOURCE, Sandbox, small_world
from singer_driver import ABSENT, Project, Ran
from test_secrets import TALKATIVE, tokens_given_out
from warm_start import BIN

CRASHES = {
    "in the middle of a call": """
from exactonline_client.transport import Transport
send = Transport.send
def crash(self, request, access_token=None):
    reply = send(self, request, access_token)
    if request.endpoint == "sync/CRM/Accounts":
        raise RuntimeError(repr((vars(self), request, reply)))
    return reply
Transport.send = crash
""",
    "in the middle of a refresh": """
from exactonline_client import auth
presented = auth.Login._presented
def crash(self, *arguments):
    raise RuntimeError(repr((presented(self, *arguments), vars(self), vars(self._tokens), self._current)))
auth.Login._presented = crash
""",
    "while tokens are stored": """
from exactonline_client.tokens import TokenStore
as_row = TokenStore._as_row
TokenStore._as_row = lambda self, new: {**as_row(self, new), "issued_at": None}
""",
}
"""What breaks, in words that show as much as a program could ever show of what it holds."""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return tmp_path / "sandbox" / "world.db"


@pytest.fixture
def command(
    sandbox_factory: Callable[..., Sandbox], tmp_path: Path, world: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    made = Command(sandbox_factory(small_world(limits={"token_seconds": 5}), db=world), folder)
    made.env[KEY_VARIABLE] = key = new_key()
    monkeypatch.setenv(KEY_VARIABLE, key)
    return made


def crashed(project: Project, name: str, patch: str, given: str = "") -> Ran:
    """A run of a plugin in which this breaks, at its most talkative."""
    plugin = project.target if name == "target_exactonline" else project.tap
    config = project.target_config(fan_out={}) if plugin is project.target else project.tap_config()
    program = f"{patch}\nimport runpy\nrunpy.run_module({name!r}, run_name='__main__')"
    done = subprocess.run(
        [BIN / "python", "-c", program, *plugin.command({**config, "refresh_token": None})[1:]],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **TALKATIVE},
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def test_from_login_to_logout_no_secret_lies_or_shows_anywhere(command: Command, world: Path) -> None:
    sandbox, project = command.sandbox, Project(command.sandbox, command.folder)
    redirected = consent(command.address())
    code = parse_qs(urlsplit(redirected).query)["code"][0]
    ran = [command.run("login", given=redirected.replace("state=", "state=x") + "\n")]
    ran += [command.run("login", "--redirected", consent(command.address()))]
    ran += [command.run(name, *options) for name in ("status", "check") for options in ((), ("--json",))]
    sandbox.fault("status", status=401, division=SOURCE, endpoint="sync/CRM/Accounts")
    read = project.tap.run(project.tap_config(refresh_token=ABSENT), env=TALKATIVE)
    sandbox.fault("status", status=401, method="POST", endpoint="crm/Accounts")
    target = project.target_config(refresh_token=ABSENT, fan_out={})
    loaded = project.target.run(target, given=read.output, env=TALKATIVE)
    broken = []
    for patch in CRASHES.values():
        for plugin in ("tap_exactonline", "target_exactonline"):
            sandbox.advance(6)
            broken.append(crashed(project, plugin, patch, read.output))
            command.run("login", "--redirected", consent(command.address()))  # a broken refresh needs one
    files = [path for path in command.folder.rglob("*") if path.is_file() and path.suffix != ".json"]
    kept = b"".join(path.read_bytes() for path in files)

    ran += [command.run("logout")]

    assert (read.status, loaded.status) == (0, 0), loaded.log
    assert ["Traceback" in one.log for one in broken] == [True] * len(broken), [one.log[-300:] for one in broken]
    shown = "\n".join([*(one.all for one in ran), *(one.output + one.log for one in (read, loaded, *broken))])
    secrets = {CLIENT_SECRET, REFRESH_TOKEN, code, str(command.env[KEY_VARIABLE]), *tokens_given_out(world)}
    assert len(secrets) > 20
    forms = {form for secret in secrets for form in (secret, quote(secret), quote(secret, safe=""))}
    assert [one for one in forms if one in shown] == []
    assert [one for one in forms if one.encode() in kept] == []
    assert b"fernet:" in kept
    assert {"store.db", "outcomes.jsonl", "report.html"} <= {path.name for path in files}
