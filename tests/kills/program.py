"""Kills tap and target at any instant, and checks after each kill that nothing was lost, doubled or told too early.

    python tests/kills/program.py --kills 200 --seed 1
    python tests/kills/program.py --seed 1 --round 17 --kills 20     round 17 again and again, as far as seeds go

One sandbox, served over HTTP, and one store live through all rounds. In each round accounts of two source companies
change, tap | target start as processes joined by a pipe, and are killed in a phase of their work, some of them more
than once; a following run is left alone. The seed settles the changes, what is killed and the share of the phase; the
machine settles the rest. A line per kill, counts at the end. At the first broken promise it stops with status 1 and
leaves its folder to look at.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

import promises
from books import SOURCES, TARGETS, Books, first_world
from moments import PHASES, Call, Durations, Moments, phase_of
from plugins import Job, Pipe
from promises import BrokenPromiseError
from sandbox_driver import Sandbox, running

LATENCY_MS = 4
FIRST_ACCOUNTS = 60
SIZES = (6, 6, 6, 24, 24, 24, 24, 120)
"""Accounts that change in a round: one of these."""
KILLED_AGAIN = 0.3
"""How often the run after a killed one is killed as well."""
SECONDS_BETWEEN = 10
"""By which the sandbox clock moves on, so that a hand edit is no part of what Exact made of our own write."""
TOO_LATE = "too late"

KILLS: dict[str, tuple[tuple[str, ...], signal.Signals]] = {
    "kill -9 target": (("target",), signal.SIGKILL),
    "kill -9 tap": (("tap",), signal.SIGKILL),
    "kill -9 both": (("tap", "target"), signal.SIGKILL),
    "SIGTERM target": (("target",), signal.SIGTERM),
    "SIGTERM both": (("target", "tap"), signal.SIGTERM),
    "SIGINT target": (("target",), signal.SIGINT),
    "SIGINT both": (("tap", "target"), signal.SIGINT),
}
CELLS = [(kind, phase) for kind in KILLS for phase in (PHASES if kind != "kill -9 tap" else PHASES[:2])]
"""What is killed, and in which phase; a tap is done before the target refreshes."""


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass
class Rehearsal:
    """A sandbox, a job, and what is known of both."""

    seed: int
    sandbox: Sandbox
    books: Books
    job: Job
    moments: Moments
    always_afresh: bool
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    _durations: dict[bool, Durations] = field(default_factory=lambda: {True: Durations(), False: Durations()})
    _creates: Counter[tuple[int, str]] = field(default_factory=Counter)
    _clock_offset: float = 0.0
    _runs: int = 0

    def open(self) -> None:
        """First loads, undisturbed: they also show how long each phase takes."""
        writes = self.books.take_stock()
        self.undisturbed(afresh=True)
        draw = Random(f"{self.seed} opening")  # noqa: S311 - to be drawn again
        for afresh in (True, False, True, False) if not self.always_afresh else (True, True):
            writes += self.books.change(draw, 24)
            self.undisturbed(afresh=afresh)
        say(f"seed {self.seed}: {len(self.books.held)} accounts in {len(TARGETS)} targets, {writes} writes undisturbed")

    def pass_over(self, number: int) -> None:
        """A round without its runs."""
        draw = self._begin(number)
        self.books.change(draw, draw.choice(SIZES))

    def play(self, number: int, kind: str, phase: str) -> int:
        """One round: changes, a killed run or several, a following one, and every promise; the kills that came in time.

        Raises:
            BrokenPromiseError: One does not hold.
        """
        draw, landed = self._begin(number), 0
        self.books.change(draw, draw.choice(SIZES))
        while True:
            landed += self._kill(number, kind, phase, draw)
            if draw.random() < 1 / 3:
                self.books.change(draw, 6, may_empty=False)
            if draw.random() > KILLED_AGAIN:
                break
            kind, phase = draw.choice(CELLS)
        writes = self._writes_left()
        pipe = self.undisturbed(afresh=self.always_afresh or draw.random() < 1 / 10)
        say(f"{'':4} {'left alone':<15} {writes:3} writes in {pipe.ended_at - pipe.started_at:5.2f} s")
        shutil.rmtree(pipe.folder)
        return landed

    def _kill(self, number: int, kind: str, phase: str, draw: Random) -> bool:
        share, afresh = draw.random(), self.always_afresh or phase == "start-up" or draw.random() < 1 / 10
        writes = self._writes_left()
        hit, seconds = self.killed(kind, phase, share, writes, afresh=afresh)
        self.hits[kind, hit] += 1
        done = writes - self._writes_left()
        say(f"{number:4} {kind:<15} {done:3} of {writes:3} writes, after {seconds:5.2f} s, {hit}")
        return hit != TOO_LATE

    def _writes_left(self) -> int:
        return len({place for place, _ in self.books.differences()})

    def killed(self, kind: str, phase: str, share: float, writes: int, *, afresh: bool) -> tuple[str, float]:
        """A run that is killed; answers the phase that it was in, and its seconds."""
        whom, number = KILLS[kind]
        pipe = self._start(afresh=afresh)
        watched = pipe.target if "target" in whom else pipe.tap
        self.moments.wait(phase, share, writes, self._durations[afresh], lambda: watched.poll() is not None)
        seconds, too_late = time.time() - pipe.started_at, watched.poll() is not None
        for name in whom:
            (pipe.target if name == "target" else pipe.tap).send_signal(number)
        tap, target = pipe.wait()
        self.job.keep_state(pipe)
        calls = self._calls()
        promises.all_accepted(calls)
        promises.created_once(self.books, self._creates)
        promises.held(self.books, promises.covered_by(self.job.state))
        if "target" not in whom:
            promises.ended_with_its_tap(pipe, target)
        elif number != signal.SIGKILL:
            promises.ended_as_told(pipe, target, number, was_sent=not too_late)
        promises.tap_ended(tap, number if "tap" in whom else None)
        hit = TOO_LATE if too_late else phase_of(calls, TARGETS, writes_left=self._writes_left())
        shutil.rmtree(pipe.folder)
        return hit, seconds

    def undisturbed(self, *, afresh: bool) -> Pipe:
        """A run that is left alone, and after which everything must be right."""
        pipe = self._start(afresh=afresh)
        statuses = pipe.wait()
        self.job.keep_state(pipe)
        calls = self._calls()
        promises.ended_well(pipe, statuses)
        promises.held(self.books)
        promises.created_once(self.books, self._creates)
        promises.all_accepted(calls)
        promises.nothing_waits(self.job.store)
        newest = {source: self.books.newest(source) for source in SOURCES}
        if promises.covered_by(self.job.state) != newest:
            raise BrokenPromiseError(f"the STATE is {self.job.state}, the newest row versions are {newest}")
        self._durations[afresh].learn(pipe.started_at, pipe.ended_at, calls, TARGETS)
        return pipe

    def _begin(self, number: int) -> Random:
        draw = Random(f"{self.seed} {number}")  # noqa: S311 - to be drawn again
        self.sandbox.advance(SECONDS_BETWEEN)
        self._clock_offset += SECONDS_BETWEEN
        if draw.random() < 1 / 3:
            self.books.edit_by_hand(draw)
        return draw

    def _start(self, *, afresh: bool) -> Pipe:
        self.sandbox.forget_calls()
        self._runs += 1
        return self.job.start(f"run-{self._runs}", afresh=afresh)

    def _calls(self) -> list[Call]:
        calls = [Call.of(row, self._clock_offset) for row in self.sandbox.journal()]
        for call in calls:
            if call.method == "POST" and call.status == 201 and call.division is not None and call.code:
                self._creates[call.division, call.code.strip()] += 1
        return calls


def table(hits: Counter[tuple[str, str]]) -> str:
    """Counts by kind and phase."""
    columns = (*PHASES, TOO_LATE)
    rows = [f"{'':<15}" + "".join(f"{name:>10}" for name in columns)]
    rows += [f"{kind:<15}" + "".join(f"{hits[kind, phase]:>10}" for phase in columns) for kind in KILLS]
    return "\n".join(rows)


def cells(seed: int) -> list[tuple[str, str]]:
    """All kinds and phases in the order of this seed."""
    return Random(f"{seed} cells").sample(CELLS, len(CELLS))  # noqa: S311 - to be drawn again


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: 1)")
    parser.add_argument("--round", type=int, help="play only this round, --kills times; those before it without runs")
    parser.add_argument("--afresh", action="store_true", help="start every process as a user does, imports and all")
    return parser.parse_args()


def main() -> int:
    """Play the rounds; the exit status."""
    chosen = options()
    folder = Path(tempfile.mkdtemp(prefix="exactonline-kills-"))
    order = cells(chosen.seed)
    with ExitStack() as stack:
        sandbox = stack.enter_context(running(folder / "world.db", "--no-limits", "--latency-ms", str(LATENCY_MS)))
        sandbox.reset(first_world(FIRST_ACCOUNTS))
        target = {"fan_out": {"target_divisions": list(TARGETS)}}
        job = Job(folder, sandbox.config(divisions=list(SOURCES)), sandbox.config(**target))
        moments = Moments(folder / "world.db", TARGETS)
        stack.callback(moments.close)
        rehearsal = Rehearsal(chosen.seed, sandbox, Books(sandbox), job, moments, chosen.afresh)
        number, landed = 0, 0
        try:
            rehearsal.open()
            for number in range(1, chosen.round or 1):
                rehearsal.pass_over(number)
            number = chosen.round or 0
            while landed < chosen.kills:
                number = chosen.round or number + 1
                landed += rehearsal.play(number, *order[(number - 1) % len(order)])
        except BrokenPromiseError as broken:
            kind, phase = order[(number - 1) % len(order)]
            say(f"{number:4} {kind}, {phase}: BROKEN PROMISE: {broken}")
            say(f"Replay: --seed {chosen.seed} --round {number}. What it left: {folder}")
            return 1
        say(f"\n{landed} kills, every promise kept.\n{table(rehearsal.hits)}")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
