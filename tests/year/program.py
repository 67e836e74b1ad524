"""A year in minutes: four runs a day on the sandbox clock, with all that happens to companies in a year.

    python tests/year/program.py
    python tests/year/program.py --runs 60 --seed 5

One sandbox over HTTP, one store, one state; tap and target run in this process, one after the other. Before each run
accounts of the source change, come, go and come back, some in transactions that commit only after the run. Now and then
a division is moved, a backup restored, a store or a state lost, copies are edited by hand and found by `reconcile`, and
everybody rests for a month, or longer. After each run all companies hold what they should, it made exactly the writes
that were needed, and a run into which nothing came made at most five calls. At the first broken promise it stops with
status 1 and leaves its folder to look at.
"""

import argparse
import shutil
import sqlite3
import ssl
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parents[1]))

from companies import BLOCKS, DELETES, TARGETS, Companies, differences, holdings, writes_needed
from sandbox_driver import SOURCE, Sandbox, customer, running, small_world
from singer_driver import ABSENT, Project

RUNS = 1460
FIRST_ACCOUNTS = 60
SIX_HOURS, DAY = 21_600, 86_400
MONTH = 31 * DAY
QUIET_CALLS = 5
RECONCILED_EVERY = 28
"""Runs: once a week, and before each of them people edit copies by hand."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
WALL = ZoneInfo("Europe/Amsterdam")
TARGET_SETTINGS: dict[str, Any] = {
    "fan_out": {"target_divisions": list(TARGETS)},
    "on_source_deletion_overrides": {str(BLOCKS): "block", str(DELETES): "delete"},
}
TOKENS = ("tokens", "superseded_tokens", "token_requests", "pending_logins")


class BrokenPromiseError(Exception):
    """What it says does not hold."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def calendar(runs: int) -> dict[int, str]:
    """Number of the run → what happens before it, beside the ordinary."""
    shares = {
        "the source is moved": 0.1,
        "a target is moved": 0.2,
        "a backup is made": 0.3,
        "the backup is restored": 0.33,
        "the store is lost": 0.45,
        "the state is lost": 0.55,
        "store and state are lost": 0.65,
        "everybody rests for a month": 0.8,
        "everybody rests for ten weeks": 0.9,
    }
    return {max(2, round(share * runs)): event for event, share in shares.items()}


@dataclass
class Year:
    """All that the runs share."""

    draw: Random
    sandbox: Sandbox
    world: Path
    project: Project
    state: dict[str, Any] | None = None
    companies: Companies = field(default_factory=Companies)
    events: Counter[str] = field(default_factory=Counter)
    expected: int = 0
    made: int = 0
    quiet: list[int] = field(default_factory=list)
    """Calls of each run into which nothing came."""
    _open: set[str] = field(default_factory=set)
    """Codes in transactions that are not committed."""
    _drawn: int = 0

    def run(self, number: int, event: str | None) -> None:
        """What happens before a run, the run, and what must be true after it.

        Raises:
            BrokenPromiseError: It is not.
        """
        self.sandbox.advance(SIX_HOURS)
        self._commit()
        reconcile = event is None and number % RECONCILED_EVERY == 0
        if event is not None:
            self._special(event)
        else:
            self._ordinary()
        before = holdings(self.world)
        if reconcile:
            self._edit_by_hand(before, number)
            before = holdings(self.world)
        wanted = self.companies.should_hold(before, self._midnight())
        needed = writes_needed(wanted, before)
        self.sandbox.forget_calls()
        self._run(reconcile=reconcile)
        if wrong := differences(wanted, holdings(self.world)):
            raise BrokenPromiseError(f"{len(wrong)} values are not what they should be: {'; '.join(wrong[:5])}")
        made, calls = self._calls()
        if made != needed:
            raise BrokenPromiseError(f"{made} writes, where {needed} were needed")
        if not needed and event is None and not reconcile and not self._open:
            self.quiet.append(calls)
            if calls > QUIET_CALLS:
                raise BrokenPromiseError(f"{calls} calls in a run into which nothing came")
        self.expected, self.made = self.expected + needed, self.made + made

    def _run(self, *, reconcile: bool) -> None:
        """Tap into target, and the state that the target passes on."""
        read = self.project.read(state=self.state)
        if read.status:
            raise BrokenPromiseError(f"the tap ended with {read.status}: {read.log[-2000:]}")
        loaded = self.project.load(read.output, **TARGET_SETTINGS, reconcile=reconcile, report_path=ABSENT)
        if loaded.status or loaded.state is None:
            raise BrokenPromiseError(f"the target ended with {loaded.status}: {loaded.log[-2000:]}")
        self.state = loaded.state

    # What happens

    def _ordinary(self) -> None:
        dice = self.draw.random()
        if dice < 0.25:
            self._change(self.draw.randint(1, 3))
        elif dice < 0.31:
            self._come()
        elif dice < 0.36:
            self._go()
        elif dice < 0.40:
            self._come_back()
        elif dice < 0.44:
            self._change_late()

    def _special(self, event: str) -> None:
        self.events[event] += 1
        if event == "the source is moved":
            self._go()
            self.sandbox.move(SOURCE)
        elif event == "a target is moved":
            self.sandbox.move(BLOCKS)
            self._change(2)
        elif event == "a backup is made":
            self._go()
            self.sandbox.back_up(SOURCE)
        elif event == "the backup is restored":
            self.sandbox.restore(SOURCE)
        elif event == "everybody rests for a month":
            self.sandbox.advance(MONTH)
            self._change(3)
            self._go()
        elif event == "everybody rests for ten weeks":  # longer than Exact remembers what was deleted
            self._go()
            self.sandbox.advance(70 * DAY)
            self._change(3)
        if "store" in event and "lost" in event:
            self._lose_the_store()
        if "state" in event and "lost" in event:
            self.state = None

    def _change(self, count: int) -> None:
        for code in self.draw.sample(self._codes(), count):
            self.events["a change"] += 1
            self.sandbox.edit(SOURCE, code, **self._fields())

    def _come(self) -> None:
        self.events["a new account"] += 1
        self._drawn += 1
        self.sandbox.seed(SOURCE, [customer(1000 + self._drawn)])

    def _go(self) -> None:
        self.events["a deletion"] += 1
        self.sandbox.remove(SOURCE, self.draw.choice(self._codes()))

    def _come_back(self) -> None:
        if self.companies.gone:
            self.events["a return"] += 1
            self.sandbox.seed(SOURCE, [customer(int(self.draw.choice(sorted(self.companies.gone))))])

    def _change_late(self) -> None:
        late, early = self.draw.sample(self._codes(), 2)
        self.events["a late commit"] += 1
        self.sandbox.begin(SOURCE, late, **self._fields())
        self.sandbox.edit(SOURCE, early, **self._fields())
        self._open.add(late)

    def _commit(self) -> None:
        if self._open:
            self.sandbox.commit(SOURCE)
            self._open.clear()

    def _edit_by_hand(self, before: dict[int, dict[str, dict[str, Any]]], number: int) -> None:
        live = sorted(before[SOURCE].keys() & before[BLOCKS].keys() & before[DELETES].keys())
        for code in self.draw.sample(live, 2):
            self.events["an edit by hand"] += 1
            self.sandbox.edit(self.draw.choice(TARGETS), code, City=f"Elders {number}")
        self.events["a copy deleted by hand"] += 1
        self.sandbox.remove(DELETES, self.draw.choice(live))

    def _lose_the_store(self) -> None:
        """All but the login, for which a person would have to consent again."""
        with closing(sqlite3.connect(self.project.folder / "store.db", isolation_level=None)) as database:
            names = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
            for name in names:
                if name not in TOKENS and not name.endswith("_version") and not name.startswith("sqlite_"):
                    database.execute(f"DELETE FROM {name}")  # noqa: S608
        self.companies.forget()

    def _fields(self) -> dict[str, Any]:
        """New values of fields that every account has: what is emptied when is tried elsewhere."""
        self._drawn += 1
        choices: list[dict[str, Any]] = [
            {"City": f"Plaats {self._drawn}"},
            {"Name": f"Nieuwe naam {self._drawn} B.V."},
            {"Email": f"info@nr{self._drawn}.example", "Phone": f"030-{self._drawn:07}"},
            {"AddressLine1": f"Laan {self._drawn}", "Postcode": f"{1000 + self._drawn % 8999} AB"},
        ]
        return self.draw.choice(choices)

    # What is seen

    def _codes(self) -> list[str]:
        return sorted(holdings(self.world)[SOURCE].keys() - self._open)

    def _midnight(self) -> int:
        with closing(sqlite3.connect(self.world)) as database:
            (offset,) = database.execute("SELECT clock_offset FROM state").fetchone()
        today = datetime.fromtimestamp(time.time() + offset, WALL).date()
        return int(datetime.fromisoformat(f"{today}T00:00:00+00:00").timestamp() * 1000)

    def _calls(self) -> tuple[int, int]:
        """Writes and all calls of the run."""
        with closing(sqlite3.connect(self.world)) as database:
            rows = database.execute("SELECT method, endpoint FROM journal").fetchall()
        calls = [method for method, endpoint in rows if not endpoint.startswith("oauth2/")]
        return sum(method != "GET" for method in calls), len(calls)


def play(runs: int, seed: int, folder: Path) -> str:
    """All runs; answers what they came to.

    Raises:
        BrokenPromiseError: A run broke one; the sentence names it.
    """
    begun, special = time.monotonic(), calendar(runs)
    with ExitStack() as stack:
        world = folder / "world.db"
        sandbox = stack.enter_context(running(world, "--no-limits"))
        lasting = {"token_seconds": 3 * 365 * DAY}  # how tokens are renewed is another matter
        sandbox.reset(small_world(FIRST_ACCOUNTS, limits=lasting, now="2026-01-01T04:07:00Z"))
        context = ssl.create_default_context()  # a tenth of a second in each run, for calls that are not encrypted
        stack.enter_context(mock.patch("ssl.create_default_context", return_value=context))
        year = Year(Random(seed), sandbox, world, Project(sandbox, folder))  # noqa: S311 - to be drawn again
        for number in range(1, runs + 1):
            try:
                year.run(number, special.get(number))
            except BrokenPromiseError as broken:
                message = f"run {number} ({special.get(number, 'ordinary')}): {broken}"
                raise BrokenPromiseError(message) from None
            if number % 100 == 0:
                say(f"{number:5} runs, {year.made} writes, {time.monotonic() - begun:.0f} s")
        told = ", ".join(f"{count} times {event}" for event, count in sorted(year.events.items()))
        quiet = Counter(year.quiet)
        return (
            f"{runs} runs: {year.expected} writes expected, {year.made} made; {len(year.quiet)} quiet runs with "
            f"{', '.join(f'{calls} calls ({times} times)' for calls, times in sorted(quiet.items()))}; "
            f"{(time.monotonic() - begun) / 60:.1f} minutes.\n{told}\nA year, every promise kept."
        )


def main() -> int:
    """Play the runs; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"how many (default: {RUNS})")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: 1)")
    chosen = parser.parse_args()
    in_memory = MEMORY if MEMORY.is_dir() else None  # a year of writes that wait for the disk takes hours
    folder = Path(tempfile.mkdtemp(prefix="exactonline-year-", dir=in_memory))
    try:
        say(play(chosen.runs, chosen.seed, folder))
    except BrokenPromiseError as broken:
        say(f"BROKEN PROMISE: {broken}\nReplay: --runs {chosen.runs} --seed {chosen.seed}. What it left: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
