"""Thirty accounts go into three companies while every fifth answer is spoiled, in any way there is.

    python tests/spoiled/program.py
    python tests/spoiled/program.py --rounds 1 --first 17 --seed 5

A round is a new world and a new store: thirty accounts at the source, of which each company holds some, some of them
with other values. In half of the rounds a first run goes well, and accounts then change, come and go at the source. One
run of tap, mapping step and target is spoiled: in each company every fifth answer, or one in five by chance, has
another status, another text, is a page, is about another company, is cut short, lost or late; in half of the rounds in
every way there is, in the others in some. Two further runs are left alone, a day later each. `promises.py` says what
must be true after each. At the first broken promise it ends with status 1 and leaves its folder to look at. Requests
for tokens are not spoiled: that is what `tests/storms` does.

The waits before new tries are a hundred times shorter than they are, and the sandbox's minutes last a second; all else
takes its time.
"""

from __future__ import annotations

import argparse
import shutil
import ssl
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "year"))

import promises
from companies import BLOCKS, DELETES, TARGETS, Companies, holdings
from promises import BrokenPromiseError, Copying
from quick_waits import Clock, short_waits
from sandbox_driver import SOURCE, Account, Sandbox, customer, every_way, running, small_world
from singer_driver import Project

ROUNDS = 200
ACCOUNTS = 30
CODES = range(1, ACCOUNTS + 1)
A_DAY = 25 * 3600
"""From one run to the next: all that was put off may go again."""
SOME_WAYS = 6
PATIENCE_SECONDS = 0.8
LATE_SECONDS = 1.2
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
DELETIONS: dict[str, Any] = {"on_source_deletion_overrides": {str(BLOCKS): "block", str(DELETES): "delete"}}
WITHOUT_COMPANY = ("status", "html_body", "garbage_json", "truncated_body", "lost_answer", "reset_before", "slow")
"""Kinds that suit a call which names no company."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass
class Rehearsal:
    """All rounds of a seed, and what they came to."""

    seed: int
    folder: Path
    sandbox: Sandbox
    world: Path
    events: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    most_errors: int = 0

    def play(self, number: int) -> None:
        """One round.

        Raises:
            BrokenPromiseError: A promise does not hold.
        """
        draw = Random(f"{self.seed} {number}")  # noqa: S311 - to be drawn again
        folder = self.folder / str(number)
        folder.mkdir()
        self._begin(draw, number)
        project, companies = Project(self.sandbox, folder), Companies()
        copying: Copying | None = None
        if draw.random() < 0.5:
            companies.should_hold(holdings(self.world), 0)
            copying = self._run(project, None)
            promises.ended_well(copying)
            self._change(draw)
        wanted = companies.should_hold(holdings(self.world), 0)
        self._spoil(draw, number)
        copying = self._run(project, copying)
        calls = self.sandbox.journal()
        self.sandbox.clear_faults()
        told = promises.every_difference_is_told(copying, calls, wanted, holdings(self.world))
        promises.every_outcome_is_true(copying, wanted, holdings(self.world))
        promises.ended_as_documented(copying)
        promises.other_companies_are_named(copying, calls)
        promises.nothing_doubled(calls)
        self.most_errors = max(self.most_errors, promises.errors_are_few(calls))
        self._count(copying, calls, told)
        copying = self._run(project, copying, retry_refused=True)
        promises.ended_well(copying)
        promises.all_equal(wanted, holdings(self.world))
        promises.nothing_waits(copying)
        promises.nothing_doubled(self.sandbox.journal())
        copying = self._run(project, copying)
        promises.ended_well(copying)
        promises.nothing_waits(copying)
        promises.nothing_written(self.sandbox.journal())
        shutil.rmtree(folder)

    def _begin(self, draw: Random, number: int) -> None:
        """A world in which each company holds some of the accounts."""
        held: dict[int, list[Account]] = {}
        for target in TARGETS:
            share = draw.choice((0.0, 0.3, 0.7))
            codes = [code for code in CODES if draw.random() < share]
            held[target] = [customer(code, **({"City": "Elders"} if draw.random() < 0.5 else {})) for code in codes]
        held[SOURCE] = [customer(code) for code in CODES]
        self.sandbox.reset(small_world(accounts=held, limits={"minute_seconds": 1}))
        Clock.ahead = timedelta()

    def _change(self, draw: Random) -> None:
        for code in draw.sample(CODES, 20):
            self.sandbox.edit(SOURCE, str(code), City=f"Plaats {draw.randrange(1000)}")
        for code in draw.sample(CODES, 4):
            self.sandbox.remove(SOURCE, str(code))
        self.sandbox.seed(SOURCE, [customer(ACCOUNTS + number) for number in range(1, 5)])

    def _spoil(self, draw: Random, number: int) -> None:
        """Every fifth answer of each company, or each with a chance of one in five."""
        self.sandbox.forget_calls()
        is_every_way = draw.random() < 0.5
        when: dict[str, Any] = draw.choice([{"every": 5}, {"probability": 0.2}])
        for division in (SOURCE, *TARGETS):
            other = draw.choice([one for one in TARGETS if one != division])
            ways = every_way(other, LATE_SECONDS)
            if not is_every_way:  # what ends the work in a company at once leaves little to spoil
                ways = draw.sample(ways, SOME_WAYS)
            seed = draw.randrange(10**9)
            self.sandbox.fault("one_of", of=ways, seed=seed, division=division, **when)
        ways = [way for way in every_way(TARGETS[0], LATE_SECONDS) if way["kind"] in WITHOUT_COMPANY]
        self.sandbox.fault("one_of", of=ways, seed=number, endpoint="current/Me", **when)

    def _run(self, project: Project, before: Copying | None, **settings: Any) -> Copying:
        """Tap, mapping step and target, a day later; a tap that fails hands over what it has."""
        self.sandbox.advance(A_DAY)
        Clock.ahead += timedelta(seconds=A_DAY)
        self.sandbox.forget_calls()
        ours = {"timeout_seconds": PATIENCE_SECONDS}
        state = before.state if before else None
        read = project.read(state=state, **ours)
        if read.status:
            promises.tap_failed_plainly(read)
            self.events["the tap failed"] += 1
        mapped = project.mapper.run_here({"target_divisions": list(TARGETS)}, given=read.output)
        promises.mapped(mapped)
        loaded = project.load(mapped.output, **ours, **DELETIONS, **settings)
        return Copying(project, read, loaded, state)

    def _count(self, copying: Copying, calls: list[dict[str, Any]], told: Counter[str]) -> None:
        self.ways.update(call["fault"] for call in calls if call["fault"])
        self.events["calls"] += len(calls)
        self.events["spoiled"] += sum(bool(call["fault"]) for call in calls)
        self.events[f"target ended {copying.loaded.status}"] += 1
        self.kinds.update(told)


def play(rehearsal: Rehearsal, numbers: range) -> int:
    """All rounds; the exit status."""
    begun = time.monotonic()
    for number in numbers:
        try:
            rehearsal.play(number)
        except BrokenPromiseError as broken:
            say(f"round {number}: BROKEN PROMISE: {broken}")
            say(f"Replay: --seed {rehearsal.seed} --first {number} --rounds 1. What it left: {rehearsal.folder}")
            return 1
        if number % 10 == 0:
            say(f"{number:5} rounds, {time.monotonic() - begun:.0f} s")
    for title, counts in (("", rehearsal.events), ("ways", rehearsal.ways), ("told", rehearsal.kinds)):
        say(f"{title}: ".lstrip(": ") + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    say(f"most errors of a company in an hour: {rehearsal.most_errors}")
    say(f"{len(numbers)} rounds, every promise kept; {(time.monotonic() - begun) / 60:.1f} minutes.")
    return 0


def main() -> int:
    """Play the rounds; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how many (default: {ROUNDS})")
    parser.add_argument("--first", type=int, default=1, help="number of the first one (default: 1)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: 1)")
    chosen = parser.parse_args()
    in_memory = MEMORY if MEMORY.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="exactonline-spoiled-", dir=in_memory))
    with ExitStack() as stack:
        world = folder / "world.db"
        sandbox = stack.enter_context(running(world, "--no-limits"))
        context = ssl.create_default_context()  # a tenth of a second in each run, for calls that are not encrypted
        stack.enter_context(mock.patch("ssl.create_default_context", return_value=context))
        stack.enter_context(short_waits())
        status = play(Rehearsal(chosen.seed, folder, sandbox, world), range(chosen.first, chosen.first + chosen.rounds))
    if status == 0:
        shutil.rmtree(folder)
    return status


if __name__ == "__main__":
    sys.exit(main())
