"""Limits used to the full: short windows, many divisions, more to write than a window holds."""

from collections import Counter
from datetime import datetime
from statistics import mean
from typing import Any

from machine import served
from options import Options
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

WINDOW_SECONDS = 2
PER_WINDOW = 50
SHARE = 0.97
REFUSALS = 1
WINDOWS_SHOWN = 12


def full_windows(calls: list[dict[str, Any]]) -> list[int]:
    """Calls that were let through in each window between the first and the last with work."""
    answered = [call for call in calls if call["status"] != 429]
    counts = Counter(int(datetime.fromisoformat(call["at"]).timestamp() // WINDOW_SECONDS) for call in answered)
    return [counts[window] for window in range(min(counts) + 1, max(counts))]


def run(options: Options) -> bool:
    """Measure and print; whether the goals are met."""
    n, m = options.size(400, 150, options.accounts), options.size(8, 8, options.divisions)
    title(f"Limits: {n} creates in each of {m} divisions, {PER_WINDOW} calls in {WINDOW_SECONDS} seconds")
    given, targets = world(n, m, enabled=True, per_minute=PER_WINDOW, minute_seconds=WINDOW_SECONDS, per_day=1_000_000)
    shares: dict[int, float] = {}
    refusals: dict[int, int] = {}
    rows = []
    with served(given) as sandbox:
        profile = options.profile_in(sandbox.folder)
        piped = sandbox.pipe([SOURCE], profile=profile)
        for target in targets:
            calls = sandbox.calls(to_divisions=[target])
            windows = full_windows(calls)
            shares[target] = mean(windows) / PER_WINDOW if windows else 0.0
            refusals[target] = sum(call["status"] == 429 for call in calls)
            shown = " ".join(str(count) for count in windows[:WINDOWS_SHOWN])
            least = min(windows, default=0) / PER_WINDOW
            rows.append([str(target), len(calls), len(windows), shares[target], least, refusals[target], shown])
        table(["division", "calls", "full windows", "share", "least", "429s", "calls in each"], rows)
        print(f"{piped.seconds:.1f} s in all")
        met = goal("least share of the permitted calls, per division", min(shares.values()), at_least=SHARE)
        met &= goal("429s in a division", max(refusals.values()), at_most=REFUSALS)
        if profile:
            profile.show()
    return met
