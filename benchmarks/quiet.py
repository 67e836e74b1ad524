"""Nothing changed: a quiet run, a compare of all that is remembered, and a first contact with full divisions."""

import json

from machine import Piped, served, sqlite_url, start_up_seconds
from options import Options
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

A_DAY = 86_400
QUIET_CALLS = 5
COMPARED, COMPARED_SECONDS = 120_000, 15


def run(options: Options) -> bool:
    """Measure and print; whether the goal is met."""
    n, m = options.size(30_000, 2_000, options.accounts), options.size(4, 3, options.divisions)
    title(f"Nothing changed: {n:,} accounts, the same in {m} divisions")
    given, _ = world(n, m, filled=True)
    with served(given, "--no-limits") as sandbox:
        store = {"store_url": sqlite_url(sandbox.folder / "store.db")}
        cold = sandbox.pipe([SOURCE], **store)
        cold_calls = sandbox.control.calls()
        if sandbox.control.journal(method="POST", endpoint="crm/Accounts"):
            raise AssertionError("something was written")
        sandbox.control.forget_calls()
        sandbox.control.advance(A_DAY)  # rows of a moment ago are read again
        warm = sandbox.pipe([SOURCE], **store)
        warm_calls = sandbox.control.calls()
        state = json.loads(warm.target.said.splitlines()[-1])
        sandbox.control.forget_calls()
        sandbox.control.advance(A_DAY)
        quiet = min((sandbox.pipe([SOURCE], state=state, **store) for _ in range(3)), key=lambda piped: piped.seconds)
        quiet_calls = sandbox.control.calls() // 3
        compared = sandbox.pipe([SOURCE], state=state, reconcile=True, **store)
        changed = sandbox.pipe([SOURCE], state=state, nulls="clear", **store)
        rows = n * m
        starts = start_up_seconds(sandbox.folder)
        table(
            ["", "calls", "seconds", "tap", "target", "target busy s", "records/s", "peak MiB"],
            [
                ["start-up alone (--version)", 0, max(starts), *starts],
                ["quiet run", quiet_calls, *_cells(quiet), None, _peak(quiet)],
                [f"{rows:,} compared (reconcile)", None, *_cells(compared), _rate(rows, compared, quiet),
                 _peak(compared)],
                [f"{rows:,} compared (nulls changed)", None, *_cells(changed), _rate(rows, changed, quiet),
                 _peak(changed)],
                [f"{rows:,} unchanged, divisions known", warm_calls, *_cells(warm), rows / warm.seconds, _peak(warm)],
                [f"{rows:,} unchanged, first contact", cold_calls, *_cells(cold), rows / cold.seconds, _peak(cold)],
            ],
        )  # fmt: skip
        print("The rates of what is compared are without the seconds of the quiet run.")
        scaled = quiet.seconds + COMPARED / _rate(rows, compared, quiet)
        met = goal("calls of the quiet run", quiet_calls, at_most=QUIET_CALLS)
        met &= goal(f"seconds of a quiet compare of {COMPARED:,}, at this rate", scaled, at_most=COMPARED_SECONDS)
        if profile := options.profile_in(sandbox.folder):
            sandbox.pipe([SOURCE], state=state, reconcile=True, profile=profile, **store)
            profile.show()
    return met


def _rate(rows: int, compared: Piped, quiet: Piped) -> float:
    return rows / (compared.seconds - quiet.seconds)


def _cells(piped: Piped) -> tuple[float, ...]:
    return piped.seconds, piped.tap.seconds, piped.target.seconds, piped.target.busy_seconds


def _peak(piped: Piped) -> float:
    return max(piped.tap.peak_mib, piped.target.peak_mib)
