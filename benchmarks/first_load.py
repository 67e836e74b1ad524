"""First load: n accounts into m empty divisions, without limits."""

from math import ceil

from floor import CONNECTIONS, post_again, sent_bodies
from machine import served
from options import Options
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

PEAK_MIB = 250
CALLS_RATIO = 1.01


def run(options: Options) -> bool:
    """Measure and print; whether the goals are met."""
    n, m = options.size(30_000, 2_000, options.accounts), options.size(4, 3, options.divisions)
    title(f"First load: {n:,} accounts into {m} divisions")
    given, targets = world(n, m)
    with served(given, "--no-limits") as sandbox:
        busy = sandbox.busy_seconds
        profile = options.profile_in(sandbox.folder)
        piped = sandbox.pipe([SOURCE], parallel_divisions=CONNECTIONS, profile=profile)
        busy = sandbox.busy_seconds - busy
        calls = sandbox.control.calls()
        held = [len(sandbox.control.codes(target)) for target in targets]
        if held != [n] * m:
            raise AssertionError(f"the targets hold {held}")
        bodies = sent_bodies(sandbox)
        sandbox.start_over()
        floor = post_again(sandbox, bodies)
        fewest = n * m + ceil(n / 1000) + m
        tap, target = piped.tap, piped.target
        table(
            ["", "calls", "calls/floor", "seconds", "records/s", "to bare loop", "busy s", "sandbox s", "peak MiB"],
            [
                ["tap", None, None, tap.seconds, None, None, tap.busy_seconds, None, tap.peak_mib],
                ["target", None, None, target.seconds, None, None, target.busy_seconds, None, target.peak_mib],
                ["tap | target", calls, calls / fewest, piped.seconds, n * m / piped.seconds,
                 piped.seconds / floor.seconds, tap.busy_seconds + target.busy_seconds, busy],
                [f"bare loop, {CONNECTIONS} connections", floor.calls, None, floor.seconds, floor.calls / floor.seconds,
                 1.0, floor.busy_seconds, floor.sandbox_seconds],
            ],
        )  # fmt: skip
        met = goal("calls / floor", calls / fewest, at_most=CALLS_RATIO)
        met &= goal("peak MiB of the larger process", max(piped.tap.peak_mib, piped.target.peak_mib), at_most=PEAK_MIB)
        if profile:
            profile.show()
    return met
