"""Kills tap and target while contacts, addresses and bank accounts are written: nothing lost, doubled or left open.

    python tests/kills/children_program.py --kills 100 --seed 1
    python tests/kills/children_program.py --kills 100 --approval

In each round what belongs to accounts changes at the source, numbers of bank accounts included; tap | target start as
processes joined by a pipe and are killed, once or more often; a following run is left alone. Then every company holds
each row once, and no bank account under a number that the source has no longer is open. With `--approval` a run before
the killed ones plans, and nothing of bank accounts may be sent until it is approved. The first broken promise ends it
with status 1.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from child_life import Life
from click.testing import CliRunner
from plugins import Job, Pipe
from promises import BrokenPromiseError
from sandbox_driver import SOURCE, Sandbox, running
from singer_children import ENTITIES, held
from singer_driver import Project
from target_exactonline.cli.store_command import main as store_command

TARGETS = (201, 202)
ACCOUNTS = 6
LATENCY_MS = 4
DAY = 86_400
LOOK_SECONDS = 0.003
STREAMS = ("accounts", "deleted_accounts", *ENTITIES)
KILLS = ((("target",), signal.SIGKILL),) * 3 + (
    (("target", "tap"), signal.SIGKILL),
    (("tap",), signal.SIGKILL),
    (("target",), signal.SIGTERM),
)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@dataclass
class Rehearsal:
    """A source with all that belongs to its customers, and two companies."""

    sandbox: Sandbox
    life: Life
    job: Job
    draw: Random
    needs_approval: bool
    runs: int = 0

    def play(self) -> int:
        """One round; how many kills came in time.

        Raises:
            BrokenPromiseError: Something is lost, doubled, left open, or sent before it was approved.
        """
        self.sandbox.advance(DAY)  # bank accounts are read once a day
        self.life.change(self.draw.choice((4, 12, 24)))
        landed = 0
        if self.needs_approval:
            self._sends_no_bank_accounts()
        while True:
            landed += self._killed()
            if self.draw.random() > 1 / 3:
                break
            self.life.rename()
        for _ in range(2 if self.needs_approval else 1):
            self._left_alone()
            if self.needs_approval:
                self.approve()
        if self.needs_approval:
            self._left_alone()
        self.check()
        self._left_alone()
        if (again := self._writes()) != 0:
            raise BrokenPromiseError(f"{again} writes in a run after which nothing changed")
        return landed

    def approve(self) -> None:
        """Approve all that waits."""
        config = self.job.folder / "store.json"
        config.write_text(json.dumps(self.job.settings("target-exactonline")), encoding="utf-8")
        CliRunner().invoke(store_command, ["approve", "--run", "last", "--by", "B. Smit", "--config", str(config)])

    def check(self) -> None:
        """What must be true once a run was left alone.

        Raises:
            BrokenPromiseError: It is not.
        """
        for target in TARGETS:
            for stream in ENTITIES:
                there, wanted = (Counter(self._open(division, stream)) for division in (target, SOURCE))
                if there != wanted:
                    raise BrokenPromiseError(
                        f"{stream} of {target}: missing {list((wanted - there).elements())[:3]}, "
                        f"too many {list((there - wanted).elements())[:3]}"
                    )
            numbers = Counter(row["BankAccount"] for row in self.sandbox.children(target, "BankAccounts"))
            if twice := [number for number, count in numbers.items() if count > 1]:
                raise BrokenPromiseError(f"bank accounts of {target} that are there twice: {twice[:3]}")

    def _open(self, division: int, stream: str) -> list[tuple[object, ...]]:
        """Rows in the fields that are compared, but for those that are blocked and which is the main one."""
        if stream != "bank_accounts":
            return held(self.sandbox, division, stream)
        closed = {row["BankAccount"] for row in self.sandbox.children(division, "BankAccounts") if row["Blocked"]}
        return [row[:-1] for row in held(self.sandbox, division, stream) if row[1] not in closed]

    def _sends_no_bank_accounts(self) -> None:
        self._left_alone()
        sent = [call for call in self.sandbox.journal(endpoint="crm/BankAccounts") if call["method"] != "GET"]
        if sent:
            raise BrokenPromiseError(f"{len(sent)} bank accounts were written before anybody approved")
        self.approve()

    def _killed(self) -> bool:
        whom, number = self.draw.choice(KILLS)
        pipe = self._start()
        after, pause = self.draw.randint(0, 12), self.draw.random() * 0.05
        watched = pipe.target if "target" in whom else pipe.tap
        while watched.poll() is None and self._writes() < after:
            time.sleep(LOOK_SECONDS)
        time.sleep(pause)
        in_time = watched.poll() is None
        for name in whom:
            (pipe.target if name == "target" else pipe.tap).send_signal(number)
        pipe.wait()
        self._end(pipe)
        return in_time

    def _left_alone(self) -> None:
        pipe = self._start()
        statuses = pipe.wait()
        log = pipe.log
        self._end(pipe)
        if statuses != (0, 0):
            raise BrokenPromiseError(f"undisturbed, tap and target ended with {statuses}: {log[-2000:]}")

    def _start(self) -> Pipe:
        self.sandbox.forget_calls()
        self.runs += 1
        return self.job.start(f"run-{self.runs}", afresh=False)

    def _end(self, pipe: Pipe) -> None:
        self.job.keep_state(pipe)
        shutil.rmtree(pipe.folder)

    def _writes(self) -> int:
        return sum(call["method"] != "GET" and call["endpoint"].startswith("crm/") for call in self.sandbox.journal())


def main() -> int:
    """Play rounds until there were enough kills; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: 1)")
    parser.add_argument("--approval", action="store_true", help="bank accounts need an approval")
    chosen = parser.parse_args()
    folder, landed = Path(tempfile.mkdtemp(prefix="exactonline-child-kills-")), 0
    with ExitStack() as stack:
        sandbox = stack.enter_context(running(folder / "world.db", "--no-limits", "--latency-ms", str(LATENCY_MS)))
        life = Life(sandbox, f"{chosen.seed} life")
        sandbox.reset(life.begin(ACCOUNTS, TARGETS))
        approval = {"require_approval": ["bank_accounts"]} if chosen.approval else {"bank_accounts_unapproved": True}
        target = {"fan_out": {"target_divisions": list(TARGETS)}, "on_source_deletion": "delete", **approval}
        catalog = Project(sandbox, folder).selection(*STREAMS)
        job = Job(folder, sandbox.config(divisions=[SOURCE]), sandbox.config(**target), ["--catalog", catalog])
        draw = Random(f"{chosen.seed} kills")  # noqa: S311 - to be drawn again
        rehearsal = Rehearsal(sandbox, life, job, draw, chosen.approval)
        try:
            while landed < chosen.kills:
                landed += rehearsal.play()
                say(f"{landed:4} kills in {rehearsal.runs} runs")
        except BrokenPromiseError as broken:
            say(f"BROKEN PROMISE: {broken}")
            say(f"Replay: --seed {chosen.seed}. What it left: {folder}")
            return 1
    say(f"{landed} kills, every promise kept.")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
