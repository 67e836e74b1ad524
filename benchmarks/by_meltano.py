"""Nothing changed, by Meltano: seconds and calls, where the seconds go, and what a start of our programs is made of."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from machine import BIN, PROGRAMS, Served, measured, served
from meltano_driver import MeltanoProject
from options import Options
from tables import goal, table, title
from worlds import world

QUIET_CALLS = 5
OWN_SECONDS = 1.0
PLUGINS = {"tap-exactonline": "tap_exactonline.tap", "target-exactonline": "target_exactonline.target"}
BELOW = ("singer_sdk.contrib.msgspec", "exactonline_client", "sqlalchemy", "httpx", "requests_oauthlib")
"""What a plugin imports first here, in turn; the first is the Singer SDK with all that it brings."""
WATCHED = """#!/bin/sh
echo "$(date +%s.%N) begins {name} $*" >> {log}
{program} "$@"
status=$?
echo "$(date +%s.%N) ends {name} $*" >> {log}
exit $status
"""


@dataclass(frozen=True)
class Span:
    """One call of a plugin by Meltano, on the clock of the machine."""

    plugin: str
    arguments: str
    begun_at: float
    ended_at: float

    @property
    def seconds(self) -> float:
        return self.ended_at - self.begun_at

    @property
    def is_run(self) -> bool:
        """Whether it moves data; else Meltano asks the tap for its catalog."""
        return "--discover" not in self.arguments and "--version" not in self.arguments


@dataclass(frozen=True)
class MeltanoRun:
    """One `meltano run`, and the plugins within."""

    begun_at: float
    ended_at: float
    spans: tuple[Span, ...]

    @property
    def seconds(self) -> float:
        return self.ended_at - self.begun_at

    def span(self, plugin: str) -> Span:
        """The run of a plugin."""
        return next(span for span in self.spans if span.plugin == plugin and span.is_run)

    @property
    def asked_seconds(self) -> float:
        """What Meltano's questions to the tap took."""
        return sum(span.seconds for span in self.spans if not span.is_run)

    @property
    def moving_seconds(self) -> float:
        """From the start of the first plugin that moves data to the end of the last."""
        moving = [span for span in self.spans if span.is_run]
        return max(span.ended_at for span in moving) - min(span.begun_at for span in moving)


def watched(project: MeltanoProject) -> Path:
    """Let Meltano call the plugins through scripts that write down when."""
    log, plan = project.folder / "calls.log", project.folder / "meltano.yml"
    text = plan.read_text()
    for name in PLUGINS:
        script = project.folder / f"watched-{name}"
        script.write_text(WATCHED.format(name=name, program=BIN / name, log=log))
        script.chmod(0o755)
        text = text.replace(f"executable: {BIN / name}", f"executable: {script}")
    plan.write_text(text)
    return log


def meltano_run(project: MeltanoProject, log: Path) -> MeltanoRun:
    log.write_text("")
    begun_at = time.time()
    project.run("tap-exactonline", "target-exactonline")
    ended_at = time.time()
    open_since: dict[tuple[str, str], float] = {}
    spans = []
    for line in log.read_text().splitlines():
        at, what, plugin, arguments = [*line.split(" ", 3), ""][:4]
        if what == "begins":
            open_since[plugin, arguments] = float(at)
        else:
            spans.append(Span(plugin, arguments, open_since.pop((plugin, arguments)), float(at)))
    return MeltanoRun(begun_at, ended_at, tuple(spans))


def start_up(folder: Path) -> dict[str, dict[str, float]]:
    """Per plugin, what the interpreter and each import take; the best of five."""
    found = {}
    for plugin, module in PLUGINS.items():
        command = [sys.executable, PROGRAMS / "imports.py", *BELOW, module]
        tries = [json.loads(measured(command, folder).said) for _ in range(5)]
        python = min(measured([sys.executable, "-c", "pass"], folder).seconds for _ in range(5))
        found[plugin] = {"Python": python, **min(tries, key=lambda one: float(sum(one.values())))}
    return found


def run(options: Options) -> bool:
    """Measure and print; whether the goals are met."""
    n, m = options.size(2_000, 200, options.accounts), options.size(4, 3, options.divisions)
    title(f"Nothing changed, by Meltano: {n:,} accounts, the same in {m} divisions")
    given, _ = world(n, m, filled=True)
    with served(given, "--no-limits") as sandbox:
        quiet, calls = _quiet_run(sandbox, options.repeat + 1)
        meltano = min(measured([BIN / "meltano", "--version"], sandbox.folder).seconds for _ in range(3))
        starts = start_up(sandbox.folder)
    tap, target = quiet.span("tap-exactonline"), quiet.span("target-exactonline")
    whole_start = {plugin: sum(parts.values()) for plugin, parts in starts.items()}
    table(
        ["", "seconds", "of it start-up"],
        [
            ["meltano run, whole", quiet.seconds],
            ["Meltano alone", quiet.seconds - quiet.moving_seconds - quiet.asked_seconds, meltano],
            ["Meltano asks the tap for its catalog", quiet.asked_seconds],
            ["tap and target, side by side", quiet.moving_seconds],
            ["  tap", tap.seconds, whole_start["tap-exactonline"]],
            ["  target", target.seconds, whole_start["target-exactonline"]],
        ],
    )
    print(f"{calls} calls to Exact. The target waits for the tap to end.\n")
    names = [part.partition(".")[0] for part in ("Python", *BELOW)]
    table(
        ["start-up, seconds", *names, "our own code", "all"],
        [[plugin, *parts.values(), whole_start[plugin]] for plugin, parts in starts.items()],
    )
    met = goal("calls of a quiet run by Meltano", calls, at_most=QUIET_CALLS)
    for plugin, parts in starts.items():
        own = whole_start[plugin] - parts["Python"] - parts[BELOW[0]]
        met &= goal(f"start-up of {plugin} beyond Python and the SDK", own, at_most=OWN_SECONDS)
    return met


def _quiet_run(sandbox: Served, turns: int) -> tuple[MeltanoRun, int]:
    project = MeltanoProject(sandbox.control, sandbox.folder / "project")
    log = watched(project)
    meltano_run(project, log)
    sandbox.control.forget_calls()
    runs = [meltano_run(project, log) for _ in range(turns)]
    return min(runs, key=lambda one: one.seconds), sandbox.control.calls() // turns
