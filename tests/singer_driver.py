"""Runs the plugins the way a user does: as programs connected by files, with their exit status and log."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from unittest import mock

from sandbox_driver import SOURCE, Sandbox
from warm_start import BIN

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
        return self.states[-1] if self.states else None

    @property
    def states(self) -> list[dict[str, Any]]:
        """Every STATE of a tap, or every line of a target."""
        return [message.get("value", message) for message in self.messages if message.get("type", "STATE") == "STATE"]

    @property
    def errors(self) -> list[str]:
        """The log lines at ERROR."""
        return [line for line in self.log.splitlines() if "| ERROR " in line]


class Plugin:
    """A tap, mapper or target with its settings in a file."""

    def __init__(self, name: str, folder: Path, programs: Path = BIN) -> None:
        self.name = name
        self.folder = folder
        self._programs = programs

    def command(self, config: Mapping[str, Any], *options: str) -> list[str]:
        path = self.folder / f"{self.name}.json"
        path.write_text(json.dumps(config), encoding="utf-8")
        return [str(self._programs / self.name), "--config", str(path), *options]

    def run(
        self, config: Mapping[str, Any], *options: str, given: str = "", env: Mapping[str, str] | None = None
    ) -> Ran:
        done = subprocess.run(
            self.command(config, *options),
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, **(env or {})},
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def run_here(self, config: Mapping[str, Any], *options: str, given: str = "") -> Ran:
        """The same command line within this process, which saves the two seconds that a new one takes."""
        (script,) = entry_points(group="console_scripts", name=self.name)
        arguments = self.command(config, *options)[1:]
        if given:
            source = self.folder / f"{self.name}.input"
            source.write_text(given, encoding="utf-8")
            arguments += ["--input", str(source)]
        status = 0
        with _streams() as (output, log):
            try:
                script.load()(arguments)
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
            return Ran(status, output.getvalue().decode(), log.getvalue())

    def start(self, config: Mapping[str, Any], *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(config, *options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


class Project:
    """Tap, mapping step and target as a checkout has them: one sandbox, one store, one folder for the report."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.report = folder / "report"
        self.tap = Plugin("tap-exactonline", folder)
        self.mapper = Plugin("mapper-exactonline", folder)
        self.target = Plugin("target-exactonline", folder)

    def tap_config(self, **settings: Any) -> dict[str, Any]:
        return self._config({"divisions": [SOURCE]}, settings)

    def target_config(self, **settings: Any) -> dict[str, Any]:
        return self._config({"report_path": str(self.report)}, settings)

    def read(self, *options: str, state: Mapping[str, Any] | None = None, **settings: Any) -> Ran:
        """What the tap delivers, after this state."""
        if state is not None:
            path = self.folder / "state.json"
            path.write_text(json.dumps(state), encoding="utf-8")
            options = (*options, "--state", str(path))
        return self.tap.run_here(self.tap_config(**settings), *options)

    def catalog(self, without: set[str]) -> Path:
        """A catalog with these properties of `accounts` taken off."""
        found = json.loads(self.read("--discover").output)
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                name = entry["breadcrumb"][-1:]
                if stream["tap_stream_id"] == "accounts" and name and name[0] in without:
                    entry["metadata"]["selected"] = False
        path = self.folder / "catalog.json"
        path.write_text(json.dumps(found), encoding="utf-8")
        return path

    def selection(self, *streams: str, also: Sequence[str] = ()) -> str:
        """A catalog with these streams and no others, and besides what comes by default these properties."""
        found = json.loads(self.read("--discover").output)
        for stream in found["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["stream"] in streams
                elif entry["breadcrumb"][-1] in also:
                    entry["metadata"]["selected"] = True
        path = self.folder / "selection.json"
        path.write_text(json.dumps(found), encoding="utf-8")
        return str(path)

    def load(self, given: str, **settings: Any) -> Ran:
        """What the target makes of these lines."""
        return self.target.run_here(self.target_config(**settings), given=given)

    def copy(self, state: Mapping[str, Any] | None = None, **settings: Any) -> Ran:
        """Tap into target, which copies to every active division."""
        read = self.read(state=state)
        assert read.status == 0, read.log
        return self.load(read.output, **{"fan_out": {}, **settings})

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """The lines of outcomes.jsonl of the last load."""
        return outcomes(self.report)

    def outcome_of(self, code: str, division: int) -> dict[str, Any]:
        (line,) = [line for line in self.outcomes if (line["code"], line["division"]) == (code, division)]
        return line

    def writes(self, division: int | None = None) -> list[dict[str, Any]]:
        """Creates, updates and deletes that the sandbox saw."""
        calls = self.sandbox.journal(division=division)
        return [call for call in calls if call["method"] != "GET" and call["endpoint"] != "oauth2/token"]

    def _config(self, own: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        given = {"store_url": f"sqlite:///{self.folder / 'store.db'}", **own, **settings}
        return {name: value for name, value in self.sandbox.config(**given).items() if value is not ABSENT}


ABSENT = object()
"""As the value of a setting: it is not set."""


def piped(*commands: Sequence[str]) -> list[Ran]:
    """Programs joined by pipes of the system, as a shell does; only the last one's output is kept."""
    with ExitStack() as stack:
        logs = [stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in commands]
        running: list[subprocess.Popen[str]] = []
        for command, log in zip(commands, logs, strict=True):
            source = running[-1].stdout if running else subprocess.DEVNULL
            running.append(subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=log, text=True))
            if running[1:] and (before := running[-2].stdout):
                before.close()
        output = running[-1].communicate(timeout=300)[0]
        statuses = [process.wait(timeout=300) for process in running]
        texts = []
        for log in logs:
            log.seek(0)
            texts.append(log.read())
    outputs = [*("" for _ in commands[1:]), output]
    return [Ran(*each) for each in zip(statuses, outputs, texts, strict=True)]


@contextmanager
def _streams() -> Iterator[tuple[io.BytesIO, io.StringIO]]:
    """Output streams, log handlers and signal handlers of a program's own, put back afterwards."""
    output, log, root = io.BytesIO(), io.StringIO(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stdout = io.TextIOWrapper(output, encoding="utf-8", write_through=True)
    with mock.patch.multiple(sys, stdout=stdout, stderr=log):
        try:
            yield output, log
        finally:
            stdout.flush()
            stdout.detach()
            root.handlers[:] = handlers
            root.setLevel(level)
            for number, handler in signals.items():
                signal.signal(number, handler)


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
