"""Approves, rejects, edits and kills at random, and checks that no change is sent that had to be approved and was not.

    python tests/kills/approvals.py --rounds 200 --seed 1

One sandbox, served over HTTP, and one store live through all rounds. In each round something changes: the source, a
company by a person's hand, the settings, or what somebody says of the changes that wait; then a run sends what it
may, and is killed at some call, or is left alone. Each write that the sandbox saw is held against what people approved
until then: this company, row and action, and before and after of each field. At the first one that is not among it the
program stops with status 1.
"""

import argparse
import json
import os
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from click.testing import CliRunner
from plugins import Job
from promises import BrokenPromiseError
from sandbox_driver import SOURCE, Account, Sandbox, customer, running, small_world
from target_exactonline.cli.store_command import main as store_command
from target_exactonline.store.runs import RUN_BY_VARIABLE

ANNA, BERT = "Anna de Boer", "Bert Smit"
TARGETS = (201, 202)
FIRST = 8
LOOK_SECONDS = 0.002
KILLED = 0.5
KINDS = (["creates"], ["updates"], ["deletions"], ["creates", "deletions"], ["all"], ["all"])
LISTED = {"POST": "creates", "PUT": "updates", "DELETE": "deletions"}
SECONDS_BETWEEN = 60
EDITED = ("City", "Phone", "Email", "Website")
Place = tuple[int, str]


@dataclass
class Watch:
    """What people said of changes, held against what was sent."""

    approved: list[dict[str, Any]] = field(default_factory=list)
    rejected: set[Place] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)

    def check(
        self, kinds: list[str], calls: list[dict[str, Any]], rows: dict[str, Account], *, is_killed: bool
    ) -> None:
        """Hold the writes of a run against what was said until then.

        Raises:
            BrokenPromiseError: One of them was not approved, or was rejected.
        """
        for call in calls:
            if call["method"] == "GET" or "crm/Accounts" not in call["endpoint"] or _is_cut_off(call):
                continue
            self.counts["writes"] += 1
            body, row = call["body"] or {}, rows.get(_key(call), {})
            kind = "deletions" if body.get("Blocked") else LISTED[call["method"]]
            if (call["division"], str(row.get("Code") or body.get("Code"))) in self.rejected:
                raise BrokenPromiseError(f"it was rejected: {call}")
            if kind in kinds or "all" in kinds:
                self._was_approved(call, row, is_killed=is_killed)
            if call["status"] < 300:
                row.update(body)

    def _was_approved(self, call: dict[str, Any], row: Account, *, is_killed: bool) -> None:
        found = next((one for one in self.approved if _is(one, call, row)), None)
        if found is None:
            raise BrokenPromiseError(f"nobody approved {call} of {row}; approved are {self.approved[-9:]}")
        self.counts["approved writes"] += 1
        if not is_killed and call["status"] < 300:
            self.approved.remove(found)


def _is(line: dict[str, Any], call: dict[str, Any], row: Account) -> bool:
    """Return whether a line of what was approved is this very call to this very row."""
    body = dict(call["body"] or {})
    if call["method"] == "POST":
        is_row = line["action"] == "create" and body.pop("Code").strip() == line["code"]
        row = {}
    elif call["method"] == "DELETE":
        return bool(line["action"] == "delete" and line["target_id"] == _key(call))
    else:
        is_row = line["action"] in ("update", "block") and line["target_id"] == _key(call)
    after = {name: pair[1] for name, pair in line["changes"].items()}
    before = all(_plain(row.get(name)) == _plain(pair[0]) for name, pair in line["changes"].items())
    is_sent = {name: _plain(value) for name, value in after.items()} == {n: _plain(v) for n, v in body.items()}
    return is_row and line["division"] == call["division"] and is_sent and before


def _plain(value: Any) -> Any:
    """Return a value as it is compared: nothing is empty, and a date has no fractions."""
    return value.removesuffix(".000") or None if isinstance(value, str) else value or None


def _key(call: dict[str, Any]) -> str:
    """Return the ID of the row that a call is about, or nothing."""
    return str(call["target"]).partition("guid'")[2].partition("'")[0]


def _is_cut_off(call: dict[str, Any]) -> bool:
    return call["status"] is None or (call["method"] != "DELETE" and not isinstance(call["body"], dict))


@dataclass
class Rehearsal:
    """A source and two companies, and a job whose settings change."""

    draw: Random
    sandbox: Sandbox
    folder: Path
    watch: Watch = field(default_factory=Watch)
    kinds: list[str] = field(default_factory=lambda: ["all"])
    on_source_deletion: str = "block"
    language: str = "NL"
    state: dict[str, Any] | None = None
    dirty: set[str] = field(default_factory=set)
    """Codes that changed at the source since the last whole run."""
    runs: int = 0
    calls: int = 20

    def play(self) -> None:
        """One round."""
        self.sandbox.advance(SECONDS_BETWEEN)
        for _ in range(self.draw.randint(1, 4)):
            self.draw.choice(
                (self._edit_source, self._edit_target, self._set, self._approve, self._approve, self._reject)
            )()
        self._run(is_killed=self.draw.random() < KILLED, dry_run=self.draw.random() < 1 / 8)

    # What changes

    def _edit_source(self) -> None:
        codes = self.sandbox.codes(SOURCE)
        chance = self.draw.random()
        if chance < 1 / 4 or not codes:
            code = str(FIRST + self.runs + 1)
            self.sandbox.seed(SOURCE, [customer(int(code))])
        elif chance < 3 / 8:
            code = self.draw.choice(codes)
            self.sandbox.remove(SOURCE, code)
        else:
            code = self.draw.choice(codes)
            self.sandbox.edit(SOURCE, code, **self._fields())
        self.dirty.add(code)
        self.watch.rejected -= {(division, code) for division in TARGETS}

    def _edit_target(self) -> None:
        division = self.draw.choice(TARGETS)
        if codes := self.sandbox.codes(division):
            code = self.draw.choice(codes)
            if self.draw.random() < 1 / 6:
                self.sandbox.remove(division, code)
            else:
                self.sandbox.edit(division, code, **self._fields())

    def _fields(self) -> Account:
        """Few values, so that before and after often return."""
        return {name: f"{name.lower()}{self.draw.randint(1, 2)}@x.example" for name in self.draw.sample(EDITED, 2)}

    def _set(self) -> None:
        self.kinds = self.draw.choice(KINDS)
        self.on_source_deletion = self.draw.choice(("block", "delete", "ignore"))
        self.language = self.draw.choice(("NL", "EN"))

    # What people say

    def _approve(self) -> None:
        self.watch.approved += self._said("approve", *self._chosen(), "--by", BERT)
        anna = self.draw.choice((ANNA, "ANNA DE BOER", " anna  de boer", "Anna de Bo\u0308er"))
        if self._said("approve", *self._chosen(), "--by", anna):
            raise BrokenPromiseError("who started a run approved its changes")

    def _reject(self) -> None:
        if self.draw.random() < 1 / 3:
            self._said("release")
            self.watch.rejected.clear()
            return
        for line in self._said("reject", *self._chosen(), "--by", BERT, "--reason", "not ours"):
            if line["code"] not in self.dirty:
                self.watch.rejected.add((line["division"], line["code"]))

    def _chosen(self) -> list[str]:
        by_code = ["--code", str(self.draw.randint(1, FIRST))]
        by_division = ["--division", str(self.draw.choice(TARGETS))]
        return ["--run", "last", *self.draw.choice(([], by_code, by_division, [*by_code, *by_division]))]

    def _said(self, *command: str) -> list[dict[str, Any]]:
        path = self.folder / "store.json"
        path.write_text(
            json.dumps({"four_eyes": True, "store_url": f"sqlite:///{self.folder / 'store.db'}", **self._target()})
        )
        done = CliRunner().invoke(store_command, [*command, "--json", "--config", str(path)], catch_exceptions=False)
        self.watch.counts[f"{command[0]} {'done' if done.exit_code == 0 else 'refused'}"] += 1
        return [json.loads(line) for line in done.stdout.splitlines()] if done.exit_code == 0 else []

    # Runs

    def _target(self, **settings: Any) -> dict[str, Any]:
        overrides = {str(TARGETS[0]): {"Language": self.language}}
        fan_out = {"target_divisions": list(TARGETS), "overrides": overrides}
        rules = {"require_approval": self.kinds, "four_eyes": True, "on_source_deletion": self.on_source_deletion}
        return self.sandbox.config(fan_out=fan_out, reconcile=True, **rules, **settings)

    def _run(self, *, is_killed: bool, dry_run: bool) -> None:
        self.sandbox.forget_calls()
        rows = {row["ID"]: row for division in TARGETS for row in self.sandbox.accounts(division)}
        job = Job(self.folder, self.sandbox.config(divisions=[SOURCE]), self._target(dry_run=dry_run))
        job.state = self.state
        self.runs += 1
        pipe = job.start(f"run-{self.runs}", afresh=False)
        if is_killed:
            self._wait(self.draw.randint(1, self.calls), lambda: pipe.target.poll() is not None)
            pipe.target.send_signal(signal.SIGKILL)
        statuses = pipe.wait()
        job.keep_state(pipe)
        self.state = job.state
        calls = self.sandbox.journal()
        if not is_killed:
            if statuses != (0, 0):
                raise BrokenPromiseError(f"left alone, tap and target ended with {statuses}: {pipe.log[-2000:]}")
            self.dirty.clear()
            self.calls = max(10, len(calls))
        self.watch.counts["killed" if is_killed else "left alone"] += 1
        kinds = ["all"] if dry_run else self.kinds
        self.watch.check(kinds, calls if not dry_run else [], rows, is_killed=is_killed)
        if dry_run and any(call["method"] != "GET" for call in calls if call["endpoint"] != "oauth2/token"):
            raise BrokenPromiseError("a dry run wrote")

    def _wait(self, calls: int, has_ended: Any) -> None:
        """Until the sandbox has seen so many calls."""
        with closing(sqlite3.connect(f"file:{self.folder / 'world.db'}?mode=ro", uri=True)) as database:
            while not has_ended() and database.execute("SELECT count(*) FROM journal").fetchone()[0] < calls:
                time.sleep(LOOK_SECONDS)


def main() -> int:
    """Play the rounds; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: 1)")
    chosen = parser.parse_args()
    os.environ[RUN_BY_VARIABLE] = ANNA
    held = {division: [customer(number, City="Oud") for number in (1, 2, 90)] for division in TARGETS}
    with tempfile.TemporaryDirectory(prefix="exactonline-approvals-") as folder:
        path = Path(folder)
        with running(path / "world.db", "--no-limits", "--latency-ms", "3") as sandbox:
            sandbox.reset(small_world(FIRST, targets=TARGETS, accounts=held, limits={"token_seconds": 86_400}))
            rehearsal = Rehearsal(Random(chosen.seed), sandbox, path)  # noqa: S311 - to be drawn again
            for number in range(1, chosen.rounds + 1):
                try:
                    rehearsal.play()
                except BrokenPromiseError as broken:
                    sys.stdout.write(f"round {number} of seed {chosen.seed}: BROKEN PROMISE: {broken}\n")
                    return 1
        counts = ", ".join(f"{count} {name}" for name, count in sorted(rehearsal.watch.counts.items()))
        sys.stdout.write(f"{chosen.rounds} rounds, nothing was sent that nobody approved: {counts}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
