"""Processor time of the target per create, to a bare loop that posts the same bodies to the same server."""

from pathlib import Path
from statistics import median

from floor import CONNECTIONS, post_again, sent_bodies
from machine import served
from options import Options
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

TURNS = 5
RATIO = 4.0


def run(options: Options) -> bool:
    """Measure and print; whether the goal is met."""
    n, m = options.size(1_000, 200, options.accounts), options.size(8, 4, options.divisions)
    title(f"Processor time per create: {n:,} accounts into {m} divisions")
    given, targets = world(n, m)
    turns = []
    with served(given, "--no-limits") as sandbox:
        records = sandbox.record([SOURCE])
        first = _first_record(records)
        for _ in range(1 if options.quick else TURNS):
            sandbox.start_over()
            start = sandbox.load(first, parallel_divisions=CONNECTIONS).busy_seconds
            sandbox.start_over()
            whole = sandbox.load(records, parallel_divisions=CONNECTIONS).busy_seconds
            held = [len(sandbox.control.codes(target)) for target in targets]
            if held != [n] * m:
                raise AssertionError(f"the targets hold {held}")
            bodies = sent_bodies(sandbox)
            sandbox.start_over()
            bare = post_again(sandbox, bodies)
            turns.append((start, (whole - start) / ((n - 1) * m) * 1000, bare.posting_seconds / bare.calls * 1000))
        if profile := options.profile_in(sandbox.folder):
            sandbox.start_over()
            sandbox.load(records, parallel_divisions=CONNECTIONS, profile=profile)
            profile.show()
    ratio = median(target / floor for _, target, floor in turns)
    table(
        ["", "ms a create", "to bare loop", "start, s"],
        [
            ["target", median(turn[1] for turn in turns), ratio, median(turn[0] for turn in turns)],
            [f"bare loop, {CONNECTIONS} connections", median(turn[2] for turn in turns), 1.0],
        ],
    )
    print(
        f"Medians of {len(turns)}; each load is held against the bare loop of the same turn. The start of the target, "
        "with its first record, is not in its creates."
    )
    return goal("processor time per create, to the bare loop", ratio, at_most=RATIO)


def _first_record(records: Path) -> Path:
    """The same messages, but for all records after the first."""
    first, found = records.with_suffix(".first"), False
    with records.open() as lines, first.open("w") as kept:
        for line in lines:
            is_record = '"type":"RECORD"' in line.replace(" ", "")[:200]
            if not (is_record and found):
                kept.write(line)
            found = found or is_record
    return first
