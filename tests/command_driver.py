"""The command `exactonline` as a person uses it, and what that person does in the browser."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from click.testing import CliRunner
from exactonline_client.command import main
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, Sandbox
from warm_start import BIN


@dataclass(frozen=True)
class Ran:
    """What a call of the command left behind."""

    status: int
    output: str
    errors: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that it printed."""
        return dict(json.loads(self.output))

    @property
    def all(self) -> str:
        return self.output + self.errors


class Command:
    """`exactonline` with its settings in the environment and its store in a folder."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.store_url = f"sqlite:///{folder / 'store.db'}"
        self.env: dict[str, str | None] = {
            "EXACTONLINE_BASE_URL": sandbox.url,
            "EXACTONLINE_CLIENT_ID": CLIENT_ID,
            "EXACTONLINE_CLIENT_SECRET": CLIENT_SECRET,
            "EXACTONLINE_STORE_URL": self.store_url,
            "EXACTONLINE_REDIRECT_URI": REDIRECT_URI,
            "EXACTONLINE_REFRESH_TOKEN": None,
            "EXACTONLINE_STORE_KEY": None,
        }

    def run(self, *arguments: str, given: str = "", env: Mapping[str, str | None] | None = None) -> Ran:
        """One call within this process."""
        done = CliRunner(env={**self.env, **(env or {})}).invoke(main, arguments, input=given)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """One call as a process of its own."""
        own = {name: value for name, value in self.env.items() if value is not None}
        rest = {name: value for name, value in os.environ.items() if name not in self.env}
        return subprocess.Popen(
            [str(BIN / "exactonline"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**rest, **own, **(env or {})},
        )

    def address(self, *options: str) -> str:
        """The address that a login prints."""
        return str(self.run("login", "--json", *options).json["authorization_url"])

    def log_in(self, **options: Any) -> Ran:
        """A whole login, in two calls."""
        redirected = consent(self.address())
        return self.run("login", "--redirected", redirected, "--json", **options)

    def secrets(self) -> list[str]:
        """Every token in the store."""
        files = [path.read_bytes() for path in self.folder.glob("store.db*")]
        words = b" ".join(files).replace(b"\x00", b" ")
        return sorted({part.decode("latin-1")[:30] for part in words.split(b"stampNL001.")[1:]})


def address_in(output: str) -> str:
    """The address that a person is told to open."""
    return next(line.strip() for line in output.splitlines() if line.strip().startswith("http"))


def consent(address: str, user: str = "Anna de Boer") -> str:
    """Open the address, approve, and copy the address on which the browser ends."""
    page = httpx.get(address)
    assert page.status_code == 200, page.text
    answer = httpx.get(address, params={**httpx.URL(address).params, "_user": user})
    assert answer.status_code == 302, answer.text
    location = answer.headers["location"]
    assert urlsplit(location).hostname == "example.com"
    return str(location)
