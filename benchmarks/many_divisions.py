"""Many divisions, few changes in each, one process."""

from datetime import datetime

from floor import CONNECTIONS, post_again, sent_bodies
from machine import served
from options import Options
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

PARALLEL = 64
PEAK_MIB = 250


def run(options: Options) -> bool:
    """Measure and print; whether the goal is met."""
    m, n = options.size(500, 100, options.divisions), options.size(20, 10, options.accounts)
    title(f"Many divisions: {n} accounts into each of {m}, parallel_divisions {PARALLEL}")
    given, targets = world(n, m)
    with served(given, "--no-limits") as sandbox:
        profile = options.profile_in(sandbox.folder)
        piped = sandbox.pipe([SOURCE], parallel_divisions=PARALLEL, profile=profile)
        calls = sandbox.calls(to_divisions=targets)
        made = sum(call["method"] == "POST" for call in calls)
        if made != n * m:
            raise AssertionError(f"{made} creates instead of {n * m}")
        first, last = (datetime.fromisoformat(call["at"]).timestamp() for call in (calls[0], calls[-1]))
        bodies = sent_bodies(sandbox)
        sandbox.start_over()
        floor = post_again(sandbox, bodies)
        rate, bare_rate = len(calls) / (last - first), floor.calls / floor.seconds
        table(
            ["", "calls", "seconds", "calls/s", "/ bare loop", "busy s", "peak MiB"],
            [
                ["target, whole run", len(calls), piped.target.seconds, len(calls) / piped.target.seconds, None,
                 piped.target.busy_seconds, piped.target.peak_mib],
                ["target, first to last call", len(calls), last - first, rate, rate / bare_rate],
                [f"bare loop, {CONNECTIONS} connections", floor.calls, floor.seconds, bare_rate, 1.0],
            ],
        )  # fmt: skip
        met = goal("peak MiB of the target", piped.target.peak_mib, at_most=PEAK_MIB)
        if profile:
            profile.show()
    return met
