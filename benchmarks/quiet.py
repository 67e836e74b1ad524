"""Nothing changed: a quiet run, and a first contact with divisions that hold everything already."""

import json

from machine import Piped, served, start_up_seconds
from options import Options
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

QUIET_CALLS = 5


def run(options: Options) -> bool:
    """Measure and print; whether the goal is met."""
    n, m = options.size(30_000, 2_000, options.accounts), options.size(4, 3, options.divisions)
    title(f"Nothing changed: {n:,} accounts, the same in {m} divisions")
    given, _ = world(n, m, filled=True)
    with served(given, "--no-limits") as sandbox:
        store = sandbox.folder / "store.db"
        profile = options.profile_in(sandbox.folder)
        cold = sandbox.pipe([SOURCE], store=store, profile=profile)
        cold_calls = sandbox.control.calls()
        if sandbox.control.journal(method="POST", endpoint="crm/Accounts"):
            raise AssertionError("something was written")
        sandbox.control.forget_calls()
        warm = sandbox.pipe([SOURCE], store=store)
        warm_calls = sandbox.control.calls()
        state = json.loads(warm.target.said.splitlines()[-1])
        sandbox.control.forget_calls()
        quiet = min(
            (sandbox.pipe([SOURCE], store=store, state=state) for _ in range(3)), key=lambda piped: piped.seconds
        )
        quiet_calls = sandbox.control.calls() // 3
        rows = n * m
        starts = start_up_seconds(sandbox.folder)
        table(
            ["", "calls", "seconds", "tap", "target", "target busy s", "records/s", "peak MiB"],
            [
                ["start-up alone (--version)", 0, max(starts), *starts],
                ["quiet run", quiet_calls, *_cells(quiet), None, _peak(quiet)],
                [f"{rows:,} unchanged, divisions known", warm_calls, *_cells(warm), rows / warm.seconds, _peak(warm)],
                [f"{rows:,} unchanged, first contact", cold_calls, *_cells(cold), rows / cold.seconds, _peak(cold)],
            ],
        )
        met = goal("calls of the quiet run", quiet_calls, at_most=QUIET_CALLS)
        if profile:
            profile.show()
    return met


def _cells(piped: Piped) -> tuple[float, ...]:
    return piped.seconds, piped.tap.seconds, piped.target.seconds, piped.target.busy_seconds


def _peak(piped: Piped) -> float:
    return max(piped.tap.peak_mib, piped.target.peak_mib)
