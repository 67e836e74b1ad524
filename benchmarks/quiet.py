"""Nothing changed: a quiet run, and a first contact with divisions that hold everything already."""

import json

import profiles
from machine import served, start_up_seconds
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
        cold_calls = sandbox.calls()
        if any(call["method"] != "GET" for call in cold_calls):
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
        tap_start, target_start = start_up_seconds(sandbox.folder)
        rows = n * m
        table(
            ["", "calls", "seconds", "tap", "target", "records/s", "peak MiB"],
            [
                ["start-up alone (--version)", 0, max(tap_start, target_start), tap_start, target_start],
                ["quiet run", quiet_calls, quiet.seconds, quiet.tap.seconds, quiet.target.seconds, None,
                 max(quiet.tap.peak_mib, quiet.target.peak_mib)],
                [f"{rows:,} unchanged, divisions known", warm_calls, warm.seconds, warm.tap.seconds,
                 warm.target.seconds, rows / warm.seconds, max(warm.tap.peak_mib, warm.target.peak_mib)],
                [f"{rows:,} unchanged, first contact", len(cold_calls), cold.seconds, cold.tap.seconds,
                 cold.target.seconds, rows / cold.seconds, max(cold.tap.peak_mib, cold.target.peak_mib)],
            ],
        )  # fmt: skip
        met = goal("calls of the quiet run", quiet_calls, at_most=QUIET_CALLS)
        profiles.show(profile)
    return met
