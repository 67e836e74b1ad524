"""The same first load with others: exactonline 0.4.0 and dlt, on the same server, with and without latency."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from environments import python_with
from exactonline_client.entities import ACCOUNTS
from floor import CONNECTIONS, post_again, sent_bodies
from machine import PROGRAMS, Served, measured, served
from options import Options
from sandbox_driver import AUTHORIZATION_CODE, REDIRECT_URI, SOURCE
from tables import goal, table, title
from worlds import world

LOADS = ((0, 400, 50, 3), (0, 500, 50, 8), (50, 200, 15, 8))
"""Latency in ms, accounts, accounts in the quick form, and divisions; fewer with latency, for those who write one at a
time."""
CALLS_RATIO = 1.01
TIME_RATIO_AT_50_MS = 1.5
OURS, EXACTONLINE, DLT, BARE = (
    "tap | target",
    "exactonline 0.4.0",
    "dlt 1.31.0",
    f"bare loop, {CONNECTIONS} connections",
)


@dataclass(frozen=True)
class Took:
    """What one load took."""

    seconds: float
    calls: int


@dataclass
class Contest:
    """One load, done by each in turn on a sandbox that is put back before."""

    sandbox: Served
    accounts: int
    targets: list[int]
    latency_ms: float

    def take_turns(self, repeat: int) -> dict[str, Took]:
        """The best of some turns of each."""
        turns: dict[str, Callable[[], float]] = {
            OURS: self._ours,
            EXACTONLINE: self._exactonline,
            DLT: self._dlt,
            BARE: self._bare,
        }
        best: dict[str, Took] = {}
        for _ in range(repeat):
            for name, turn in turns.items():
                self.sandbox.start_over(latency_ms=self.latency_ms)
                took = Took(turn(), self.sandbox.control.calls())
                self._check(name)
                best[name] = min(took, best.get(name, took), key=lambda one: one.seconds)
        return best

    def _ours(self) -> float:
        seconds = self.sandbox.pipe([SOURCE], parallel_divisions=CONNECTIONS).seconds
        sent_bodies(self.sandbox)
        return seconds

    def _bare(self) -> float:
        return post_again(self.sandbox, self.sandbox.folder / "bodies.tsv").seconds

    def _exactonline(self) -> float:
        (self.sandbox.folder / "exactonline.ini").unlink(missing_ok=True)
        return self._program(
            "exactonline",
            redirect_uri=REDIRECT_URI,
            authorization_code=AUTHORIZATION_CODE,
            state_path=str(self.sandbox.folder / "exactonline.ini"),
        )

    def _dlt(self) -> float:
        self._turns_of_dlt = getattr(self, "_turns_of_dlt", 0) + 1
        return self._program(
            "dlt",
            folder=str(self.sandbox.folder / f"dlt-{self.latency_ms:g}-{self._turns_of_dlt}"),
            jobs=CONNECTIONS,
            rows_per_job=ceil(self.accounts / CONNECTIONS),
        )

    def _program(self, name: str, **given: Any) -> float:
        fields = ["Code", *ACCOUNTS.safe_to_copy]
        work = {"source": SOURCE, "targets": self.targets, "fields": fields}
        command: list[str | Path] = [python_with(name), "-I", PROGRAMS / f"{name}_program.py"]
        return measured(command, self.sandbox.folder, {**self.sandbox.control.config(), **work, **given}).seconds

    def _check(self, name: str) -> None:
        held = [len(self.sandbox.control.codes(target)) for target in self.targets]
        if held != [self.accounts] * len(self.targets):
            sys.exit(f"{name} left {held} accounts in the targets instead of {self.accounts} in each")


def run(options: Options) -> bool:
    """Measure and print; whether the goals are met."""
    for program in ("exactonline", "dlt"):
        python_with(program)
    met = True
    for latency_ms, full, quick, divisions in LOADS:
        n, m = options.size(full, quick, options.accounts), options.size(divisions, divisions, options.divisions)
        title(f"Beside others: {n} accounts into {m} divisions, every answer after {latency_ms} ms")
        given, targets = world(n, m)
        with served(given, "--no-limits") as sandbox:
            best = Contest(sandbox, n, list(targets), latency_ms).take_turns(options.repeat)
        fewest, floor, ours = n * m + ceil(n / 1000) + m, best[BARE].seconds, best[OURS]
        rows = [
            [name, took.calls, took.calls / fewest, took.seconds, n * m / took.seconds, took.seconds / floor]
            for name, took in best.items()
        ]
        table(["", "calls", "calls/floor", "seconds", "records/s", "to bare loop"], rows)
        if latency_ms:
            met &= goal("seconds, to the bare loop", ours.seconds / floor, at_most=TIME_RATIO_AT_50_MS)
        else:
            met &= goal("calls / floor", ours.calls / fewest, at_most=CALLS_RATIO)
            for other in (EXACTONLINE, DLT):
                met &= goal(f"seconds, to {other}", ours.seconds / best[other].seconds, at_most=1.0)
    print("Seconds are of whole programs, with interpreter and imports; the bare loop's are of posting alone.")
    return met
