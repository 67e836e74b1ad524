"""Runs the plugins the way a user does: as programs connected by files, with their exit status and log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
ACCOUNT_TYPES: dict[str, Any] = {
    "Division": {"type": "integer"},
    "Code": {"type": ["string", "null"]},
    "Name": {"type": ["string", "null"]},
    "IsSupplier": {"type": ["boolean", "null"]},
    "EstablishedDate": {"type": ["string", "null"], "format": "date-time"},
    "Latitude": {"type": ["number", "null"]},
}


@dataclass(frozen=True)
class Ran:
    """What a program left behind."""

    status: int
    output: str
    log: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines()]

    def records(self, stream: str) -> list[dict[str, Any]]:
        found = [message for message in self.messages if message.get("type") == "RECORD"]
        return [message["record"] for message in found if message["stream"] == stream]

    @property
    def state(self) -> dict[str, Any] | None:
        """The last STATE of a tap, or the last line of a target."""
        states = [message.get("value", message) for message in self.messages if message.get("type", "STATE") == "STATE"]
        return states[-1] if states else None


class Plugin:
    """A tap, mapper or target with its settings in a file."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder

    def command(self, config: Mapping[str, Any], *options: str) -> list[str]:
        path = self.folder / f"{self.name}.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        return [str(BIN / self.name), "--config", str(path), *options]

    def run(
        self, config: Mapping[str, Any], *options: str, given: str = "", env: Mapping[str, str] | None = None
    ) -> Ran:
        done = subprocess.run(
            self.command(config, *options),
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, **(env or {})},
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def start(self, config: Mapping[str, Any], *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(config, *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def addressed(records: Iterable[Mapping[str, Any]], state: Mapping[str, Any] | None = None) -> str:
    """Lines of a stream of accounts that says where each record goes."""
    return singer("accounts", ["Division", "Code"], records, state)


def singer(
    stream: str, keys: list[str], records: Iterable[Mapping[str, Any]], state: Mapping[str, Any] | None = None
) -> str:
    """SCHEMA, RECORDs and, if given, STATE."""
    rows = list(records)
    names = {name for row in rows for name in row} | set(keys)
    properties = {name: ACCOUNT_TYPES.get(name, {"type": ["string", "null"]}) for name in sorted(names)}
    messages: list[dict[str, Any]] = [
        {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": keys}
    ]
    messages += [{"type": "RECORD", "stream": stream, "record": dict(row)} for row in rows]
    if state is not None:
        messages.append({"type": "STATE", "value": dict(state)})
    return "".join(json.dumps(message) + "\n" for message in messages)


def outcomes(folder: Path) -> list[dict[str, Any]]:
    """The lines of outcomes.jsonl."""
    return [json.loads(line) for line in (folder / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()]
