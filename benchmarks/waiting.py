"""Memory of a run in which many records wait from before, beside the same run in which none does."""

import json
from typing import Any

from machine import Piped, Served, served, sqlite_url
from options import Options
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

A_DAY = 86_400
MORE_MIB = 5
TURNS = 3


def run(options: Options) -> bool:
    """Measure and print; whether the goal is met."""
    n, m = options.size(5_000, 1_000, options.accounts), options.size(4, 4, options.divisions)
    title(f"Waiting at start: {n:,} records for each of {m} divisions")
    runs = {name: _quiet(n, m, filled=filled) for name, filled in (("none waits", True), (f"{n * m:,} wait", False))}
    table(
        ["", "seconds", "target busy s", "peak MiB"],
        [[name, piped.seconds, piped.target.busy_seconds, piped.target.peak_mib] for name, piped in runs.items()],
    )
    print("All that waits is planned, and parked again by the safety limit.")
    without, with_them = runs.values()
    more = with_them.target.peak_mib - without.target.peak_mib
    return goal("MiB more than a run without", more, at_most=MORE_MIB)


def _quiet(n: int, m: int, *, filled: bool) -> Piped:
    """The best of some runs in which the source says nothing new: nothing is to be done, or all of it waits."""
    given, _ = world(n, m, filled=filled)
    with served(given, "--no-limits") as sandbox:
        store_url = sqlite_url(sandbox.folder / "store.db")
        first = _pipe(sandbox, store_url)
        state = json.loads(first.target.said.splitlines()[-1])
        sandbox.control.advance(A_DAY)  # rows of a moment ago are read again
        return min((_pipe(sandbox, store_url, state) for _ in range(TURNS)), key=lambda piped: piped.target.peak_mib)


def _pipe(sandbox: Served, store_url: str, state: dict[str, Any] | None = None) -> Piped:
    return sandbox.pipe([SOURCE], state=state, store_url=store_url, max_creates=1)
