"""Programs under measurement: a sandbox with its own processor time, and tap | target with seconds and memory."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from profiles import Profile
from sandbox_driver import Sandbox, World

BIN = Path(sys.executable).parent
PROGRAMS = Path(__file__).parent / "programs"
MIB = 1024 * 1024
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class ProgramFailedError(Exception):
    """A program under measurement did not end well, so its figures say nothing."""


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    seconds: float
    busy_seconds: float
    peak_mib: float
    said: str = ""


class Measured:
    """A process whose end tells what it took."""

    def __init__(self, command: Sequence[str | Path], log: Path, **streams: Any) -> None:
        self._command = [str(part) for part in command]
        self._log = log
        self._begun_at = time.perf_counter()
        with log.open("wb") as stderr:
            self._process = subprocess.Popen(self._command, stderr=stderr, **streams)

    def wait(self) -> Cost:
        """What it took; an error if it failed."""
        said = self._process.stdout.read().decode() if self._process.stdout else ""
        _, status, usage = os.wait4(self._process.pid, 0)
        seconds = time.perf_counter() - self._begun_at
        self._process.returncode = os.waitstatus_to_exitcode(status)
        if self._process.stdout:
            self._process.stdout.close()
        if self._process.returncode:
            last = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise ProgramFailedError(f"{self._command[0]} ended with {self._process.returncode}:\n{last}")
        return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_UNIT / MIB, said)


def measured(command: Sequence[str | Path], folder: Path, given: Mapping[str, Any] | None = None) -> Cost:
    """Run one program to its end; `given` reaches it as JSON on stdin."""
    with tempfile.TemporaryFile() as stdin:
        stdin.write(json.dumps(given).encode())
        stdin.seek(0)
        program = Measured(command, folder / "program.log", stdin=stdin, stdout=subprocess.PIPE)
        return program.wait()


@dataclass(frozen=True)
class Piped:
    """What tap | target took."""

    tap: Cost
    target: Cost

    @property
    def seconds(self) -> float:
        """From the start of both to the end of the later one."""
        return max(self.tap.seconds, self.target.seconds)


class Served:
    """A sandbox in a process of its own, over a file in a folder."""

    def __init__(self, process: subprocess.Popen[str], url: str, folder: Path) -> None:
        self._process = psutil.Process(process.pid)
        self.folder = folder
        self.database = folder / "world.db"
        self.control = Sandbox(url, timeout_seconds=600)
        self._runs = 0

    def start_over(self, *, latency_ms: float = 0) -> None:
        """Put the world back as it was given."""
        self.control.reset()
        if latency_ms:
            self.control.limits(latency_ms=latency_ms)

    @property
    def busy_seconds(self) -> float:
        """Processor time that it has used so far."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def pipe(
        self,
        sources: Sequence[int],
        *,
        state: Mapping[str, Any] | None = None,
        store_url: str | None = None,
        profile: Profile | None = None,
        **target_settings: Any,
    ) -> Piped:
        """Run tap | target to their end, on a new store unless one is given."""
        folder = self._folder_of_a_run()
        ours = {"store_url": store_url or sqlite_url(folder / "store.db")}
        tap_file, target_file, state_file = folder / "tap.json", folder / "target.json", folder / "state.json"
        tap_file.write_text(json.dumps(self.control.config(divisions=list(sources), **ours)))
        target_file.write_text(json.dumps(self.control.config(**{"fan_out": {}, **target_settings}, **ours)))
        tap_command: list[str | Path] = [BIN / "tap-exactonline", "--config", tap_file]
        if state is not None:
            state_file.write_text(json.dumps(state))
            tap_command += ["--state", state_file]
        reading, writing = os.pipe()
        try:
            command = _target_command(target_file, profile)
            target = Measured(command, folder / "target.log", stdin=reading, stdout=subprocess.PIPE)
            tap = Measured(tap_command, folder / "tap.log", stdin=subprocess.DEVNULL, stdout=writing)
        finally:
            os.close(reading)
            os.close(writing)
        target_cost = target.wait()
        return Piped(tap.wait(), target_cost)

    def record(self, sources: Sequence[int]) -> Path:
        """What the tap says of these divisions, in a file."""
        folder = self._folder_of_a_run()
        config, records = folder / "tap.json", folder / "records.singer"
        store_url = sqlite_url(folder / "store.db")
        config.write_text(json.dumps(self.control.config(divisions=list(sources), store_url=store_url)))
        with records.open("wb") as stdout:
            Measured([BIN / "tap-exactonline", "--config", config], folder / "tap.log", stdout=stdout).wait()
        return records

    def load(
        self, records: Path, *, store_url: str | None = None, profile: Profile | None = None, **settings: Any
    ) -> Cost:
        """Run the target alone to its end, on a new store unless one is given."""
        folder = self._folder_of_a_run()
        config, store_url = folder / "target.json", store_url or sqlite_url(folder / "store.db")
        config.write_text(json.dumps(self.control.config(**{"fan_out": {}, **settings}, store_url=store_url)))
        with records.open("rb") as stdin:
            command = _target_command(config, profile)
            return Measured(command, folder / "target.log", stdin=stdin, stdout=subprocess.DEVNULL).wait()

    def _folder_of_a_run(self) -> Path:
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        return folder

    def calls(self, *, to_divisions: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """The journal without the calls to log in."""
        calls = [call for call in self.control.journal() if not call["endpoint"].startswith("oauth2/")]
        return calls if to_divisions is None else [call for call in calls if call["division"] in to_divisions]


def sqlite_url(path: Path) -> str:
    """The store_url of a file."""
    return f"sqlite:///{path}"


def _target_command(config: Path, profile: Profile | None) -> list[str | Path]:
    if profile is None:
        return [BIN / "target-exactonline", "--config", config]
    return [sys.executable, PROGRAMS / "profiled_target.py", profile.kind, profile.path, "--config", config]


@contextmanager
def served(world: World, *options: str) -> Iterator[Served]:
    """A sandbox that serves this world until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="exactonline-benchmark-"))
    (folder / "world.json").write_text(json.dumps(world))
    program = "from exactonline_sandbox.cli import main; main()"
    files = ["--db", str(folder / "world.db"), "--world", str(folder / "world.json")]
    command = [sys.executable, "-u", "-c", program, "serve", *files, *options]
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(process.terminate)
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        sandbox = Served(process, url, folder)
        stack.callback(sandbox.control.close)
        yield sandbox


def start_up_seconds(folder: Path) -> tuple[float, float]:
    """What interpreter and imports of tap and target take, the better of three."""
    plugins = ("tap-exactonline", "target-exactonline")
    best = [min(measured([BIN / plugin, "--version"], folder).seconds for _ in range(3)) for plugin in plugins]
    return best[0], best[1]
