"""Random worlds against a small model of what every company must hold: no difference, nothing doubled.

    python tests/worlds/program.py --worlds 500 --runs 30
    python tests/worlds/program.py --worlds 1 --seed 17 --runs 30 --shrink

Between the runs of a world people change, add, delete and rename accounts at the source and in the targets, and the
settings change. After each run every company must hold what the model says, field by field, the sandbox must have seen
as many writes in each, and the outcomes must be the model's. A world that differs is told with its seed; `--shrink`
looks for the fewest steps that still differ. Ends with 1 if any world differs.
"""

import argparse
import pprint
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from drawing import Drawing
from places import both_sites, quick_runs
from sandbox_driver import Sandbox
from worlds import DifferenceError, Op, World, play, shrunk

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def drawn(seed: int, runs: int, sites: Mapping[str, Sandbox], folder: Path) -> tuple[World, list[Op], str | None]:
    """A world of so many runs: itself, what happened in it, and the first difference."""
    world = World.begin(sites, folder)
    drawing, done = Drawing(seed, world.model), list[Op]()

    def do(op: Op | None) -> None:
        if op is not None:
            done.append(op)
            world.do(op)

    try:
        for op in drawing.opening():
            do(op)
        for _ in range(runs):
            for happening in drawing.before_a_run():
                do(happening())
            do(drawing.run())
    except DifferenceError as error:
        return world, done, f"run {world.runs}: {error}"
    return world, done, None


def smallest(ops: Sequence[Op], sites: Mapping[str, Sandbox], folder: Path) -> list[Op]:
    """The fewest of these ops that differ."""
    return shrunk(ops, lambda fewer: play(World.begin(sites, folder), fewer) is not None)


def main() -> int:
    """Play the worlds; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=500, help="how many (default: 500)")
    parser.add_argument("--runs", type=int, default=30, help="of each (default: 30)")
    parser.add_argument("--seed", type=int, default=1, help="of the first world (default: 1)")
    parser.add_argument("--shrink", action="store_true", help="look for the fewest steps that differ")
    chosen = parser.parse_args()
    begun, told, runs, writes = time.monotonic(), Counter[str](), 0, 0
    with ExitStack() as stack:
        in_memory = MEMORY if MEMORY.is_dir() else None
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="exactonline-worlds-", dir=in_memory)))
        sites = stack.enter_context(both_sites(folder))
        stack.enter_context(quick_runs())
        for seed in range(chosen.seed, chosen.seed + chosen.worlds):
            world, ops, difference = drawn(seed, chosen.runs, sites, folder / "files")
            runs, writes = runs + world.runs, writes + world.writes
            told["differ" if difference else "same"] += 1
            if told.total() % 10 == 0:
                say(f"{told.total():4} worlds, {runs} runs, {writes} writes, {time.monotonic() - begun:.0f} s")
            if difference:
                say(f"DIFFERENCE in world {seed}: {difference}")
                if chosen.shrink:
                    fewer = smallest(ops, sites, folder / "files")
                    say(pprint.pformat(fewer, width=118))
                    say(play(World.begin(sites, folder / "files"), fewer) or "")
    say(
        f"{chosen.worlds} worlds, {runs} runs, {writes} writes, {told['differ']} differences, "
        f"{(time.monotonic() - begun) / 60:.1f} minutes"
    )
    return 1 if told["differ"] else 0


if __name__ == "__main__":
    sys.exit(main())
