"""Tap | target as two processes joined by a pipe, and the state kept as Meltano keeps it."""

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from warm_start import ANSWER_BYTES, REAL, order

TAP, TARGET = "tap-exactonline", "target-exactonline"
END_SECONDS = 120


class Process(Protocol):
    """A running plugin; what `subprocess.Popen` has of it."""

    pid: int

    def send_signal(self, signal: int, /) -> None:
        """Send it, unless the process has ended."""

    def poll(self) -> int | None:
        """Its exit status, minus the signal that ended it, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, once it has ended."""


class Forked:
    """A plugin that the warm server forks; its pid is the plugin's own, so that a signal needs nobody to pass it on."""

    def __init__(self, plugin: str, arguments: Sequence[str], stdin: int, stdout: int, stderr: int) -> None:
        self._channel = order([plugin, *arguments], [stdin, stdout, stderr])
        self.pid = int(self._channel.recv(ANSWER_BYTES))
        self._status: int | None = None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def poll(self) -> int | None:
        if self._status is None and select.select([self._channel], [], [], 0)[0]:
            self._status = int(self._channel.recv(ANSWER_BYTES))
            self._channel.close()
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        if self._status is None and not select.select([self._channel], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        status = self.poll()
        assert status is not None
        return status


def start_afresh(plugin: str, arguments: Sequence[str], stdin: int, stdout: int, stderr: int) -> Process:
    """A plugin as a user starts it."""
    return subprocess.Popen([str(REAL / plugin), *arguments], stdin=stdin, stdout=stdout, stderr=stderr)


@dataclass
class Pipe:
    """A tap and a target at work."""

    tap: Process
    target: Process
    folder: Path
    """Of this run: states.jsonl, tap.log, target.log and the report."""
    started_at: float = field(default_factory=time.time)
    ended_at: float = 0.0

    def wait(self) -> tuple[int, int]:
        """Exit statuses of tap and target, once both have ended."""
        target = self.target.wait(END_SECONDS)
        self.ended_at = time.time()
        return self.tap.wait(END_SECONDS), target

    @property
    def log(self) -> str:
        """What the target said."""
        return (self.folder / "target.log").read_text(encoding="utf-8")

    @property
    def state(self) -> dict[str, Any] | None:
        """The last whole line that the target printed."""
        text = (self.folder / "states.jsonl").read_text(encoding="utf-8")
        lines = text[: text.rfind("\n") + 1].splitlines()
        return json.loads(lines[-1]) if lines else None


class Job:
    """One tap and target with their settings, their store, and the state between runs."""

    def __init__(
        self, folder: Path, tap: Mapping[str, Any], target: Mapping[str, Any], tap_options: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.store = folder / "store.db"
        self.state: dict[str, Any] | None = None
        ours = {"store_url": f"sqlite:///{self.store}"}
        self._settings = {TAP: {**tap, **ours}, TARGET: {**target, **ours}}
        self._options = {TAP: list(tap_options), TARGET: list[str]()}

    def settings(self, plugin: str) -> dict[str, Any]:
        """What a plugin is told."""
        return self._settings[plugin]

    def start(self, name: str, *, afresh: bool) -> Pipe:
        """Start both, in a folder of this name; afresh as a user would, imports and all."""
        folder = self.folder / name
        folder.mkdir()
        start = start_afresh if afresh else Forked
        report = {"report_path": str(folder / "report")}
        options = {plugin: list(given) for plugin, given in self._options.items()}
        for plugin, settings in ((TAP, self._settings[TAP]), (TARGET, {**self._settings[TARGET], **report})):
            path = folder / f"{plugin}.json"
            path.write_text(json.dumps(settings), encoding="utf-8")
            options[plugin] += ["--config", str(path)]
        if self.state is not None:
            (folder / "state.json").write_text(json.dumps(self.state), encoding="utf-8")
            options[TAP] += ["--state", str(folder / "state.json")]
        reading, writing = os.pipe()
        with (
            Path(os.devnull).open("rb") as nothing,
            (folder / "states.jsonl").open("wb") as states,
            (folder / "tap.log").open("wb") as tap_log,
            (folder / "target.log").open("wb") as target_log,
        ):
            try:
                target = start(TARGET, options[TARGET], reading, states.fileno(), target_log.fileno())
                tap = start(TAP, options[TAP], nothing.fileno(), writing, tap_log.fileno())
            finally:
                os.close(reading)
                os.close(writing)
        return Pipe(tap, target, folder)

    def keep_state(self, pipe: Pipe) -> None:
        """Take over what the target passed on."""
        self.state = pipe.state or self.state
