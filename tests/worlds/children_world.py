"""Random worlds of contacts, addresses and bank accounts: every company holds each row, and holds it once.

    python tests/worlds/children_world.py --worlds 300 --rounds 4
    python tests/worlds/children_world.py --worlds 1 --seed 17

Between the runs of a world people add, change, rename, move and delete what belongs to accounts at the source, and
change and delete copies; answers to creates are lost. A run that nothing disturbs then compares all copies. After it
every company must hold what the source holds, in the fields that are compared, and one more run writes nothing. A world
that differs is told with its seed. Ends with 1 if any world differs.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from child_life import Life
from places import quick_runs
from sandbox_driver import SOURCE, Sandbox, running
from singer_children import ENTITIES, held
from singer_driver import Project, Ran

TARGETS = (201, 202)
DAY = 86_400
STREAMS = ("accounts", "deleted_accounts", *ENTITIES)
BY_HAND = {"Contacts": "Phone", "Addresses": "City", "BankAccounts": "Description"}
SETTINGS = {
    "fan_out": {"target_divisions": list(TARGETS)},
    "bank_accounts_unapproved": True,
    "on_source_deletion": "delete",
    "on_code_change": "block",
    "nulls": "clear",
    "reconcile": True,
}


class DifferenceError(Exception):
    """A company does not hold what it should, or something was written twice."""


class ChildrenWorld:
    """A source, its targets and the runs between them."""

    def __init__(self, sandbox: Sandbox, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True)
        self.sandbox = sandbox
        self.life = Life(sandbox, f"world {seed}")
        self.project = Project(sandbox, folder)
        self.runs = 0
        self._state: dict[str, Any] | None = None
        sandbox.reset(self.life.begin(self.life.draw.randint(1, 4), TARGETS))
        self._catalog = self.project.selection(*STREAMS)

    def play(self) -> None:
        """What people do, a run with lost answers, and what must be true after the next one.

        Raises:
            DifferenceError: It is not.
        """
        draw = self.life.draw
        self.life.change(draw.randint(0, 8))
        if draw.random() < 1 / 3:
            self._move()
        for _ in range(draw.randint(0, 3)):
            self._edit_by_hand(draw.choice(TARGETS))
        if draw.random() < 1 / 2:
            entity, every = draw.choice(sorted(BY_HAND)), draw.randint(1, 3)
            self.sandbox.fault("lost_answer", method="POST", endpoint=f"crm/{entity}", every=every, times=4)
        self._run()
        self.sandbox.clear_faults()
        self._run()
        self._compare()
        self.sandbox.forget_calls()
        self._run()
        if again := self.project.writes():
            raise DifferenceError(f"{len(again)} writes in a run after which nothing changed: {again[0]['body']}")

    def _move(self) -> None:
        """A person goes to work for another customer."""
        if row := self.life.one_of("Contacts"):
            other = self.life.draw.choice(self.sandbox.codes(SOURCE))
            self.sandbox.fill_children(SOURCE, "Contacts", [{"ID": row["ID"], "Account": other}])

    def _edit_by_hand(self, division: int) -> None:
        entity = self.life.draw.choice(sorted(BY_HAND))
        rows = [row for row in self.sandbox.children(division, entity) if row.get("Type") != 1 and not _is_closed(row)]
        if not rows:
            return
        row = self.life.draw.choice(rows)
        if self.life.draw.random() < 1 / 3:
            self.sandbox.remove_child(division, entity, row["ID"])
        else:
            self.sandbox.edit_child(division, entity, row["ID"], **{BY_HAND[entity]: "by hand"})

    def _run(self) -> Ran:
        self.sandbox.advance(DAY)  # bank accounts are read once a day
        self.runs += 1
        read = self.project.read("--catalog", self._catalog, state=self._state)
        if read.status:
            raise DifferenceError(f"the tap ended with {read.status}: {read.log[-1000:]}")
        loaded = self.project.load(read.output, **SETTINGS)
        if loaded.status:
            raise DifferenceError(f"the target ended with {loaded.status}: {loaded.log[-1000:]}")
        self._state = loaded.state or self._state
        return loaded

    def _compare(self) -> None:
        for target in TARGETS:
            for stream in ENTITIES:
                there, wanted = (Counter(self._open(division, stream)) for division in (target, SOURCE))
                if there != wanted:
                    lacking, besides = list((wanted - there).elements()), list((there - wanted).elements())
                    raise DifferenceError(f"{stream} of {target}: missing {lacking[:3]}, too many {besides[:3]}")

    def _open(self, division: int, stream: str) -> list[tuple[Any, ...]]:
        """Rows but for those that are blocked or ended; of bank accounts not which is the main one."""
        closed = [row["ID"] for row in self.sandbox.children(division, ENTITIES[stream]) if _is_closed(row)]
        rows = held(self.sandbox, division, stream, without=closed)
        return [row[:-1] for row in rows] if stream == "bank_accounts" else rows


def _is_closed(row: dict[str, Any]) -> bool:
    return bool(row.get("Blocked") or row.get("EndDate"))


def main() -> int:
    """Play the worlds; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=300, help="how many (default: 300)")
    parser.add_argument("--rounds", type=int, default=4, help="of each (default: 4)")
    parser.add_argument("--seed", type=int, default=1, help="of the first world (default: 1)")
    chosen = parser.parse_args()
    begun, runs, differences = time.monotonic(), 0, 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="exactonline-children-")))
        sandbox = stack.enter_context(running(folder / "world.db", "--no-limits"))
        stack.enter_context(quick_runs())
        for seed in range(chosen.seed, chosen.seed + chosen.worlds):
            world = ChildrenWorld(sandbox, folder / str(seed), seed)
            try:
                for _ in range(chosen.rounds):
                    world.play()
            except DifferenceError as error:
                differences += 1
                sys.stdout.write(f"DIFFERENCE in world {seed}, run {world.runs}: {error}\n")
            runs += world.runs
    seconds = time.monotonic() - begun
    sys.stdout.write(f"{chosen.worlds} worlds, {runs} runs, {differences} differences, {seconds:.0f} s\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
