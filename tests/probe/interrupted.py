"""Kills the probe at any instant, and checks that `clean` then leaves the world as it was.

    python tests/probe/interrupted.py --kills 50 --seed 1

One sandbox, served over HTTP, lives through all rounds. In each the probe writes to a company and is killed after a
share of the time that an undisturbed run takes; the seed settles the share and the signal. Then `clean` runs, and the
tables of the sandbox are held against those from before: all but row versions, deletions, counters, tokens and the
journal. At the first difference it stops with status 1.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from probe_driver import COMPANY, probed_world, settings_of
from sandbox_driver import running
from warm_start import BIN

NOT_COMPARED = {
    *("access_tokens", "backups", "blocks", "budgets", "chains", "codes", "contract_calls", "counters", "deleted"),
    *("errors", "faults", "journal", "refresh_tokens", "sqlite_sequence", "token_calls", "used_divisions", "users"),
}
NOT_COMPARED_COLUMNS = {"version", "stamp", "clock_offset"}
KINDS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
RUN = ("run", "--group", "writing", "--group", "feeds", "--group", "children", "--write-to", str(COMPANY))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def tables(world: Path) -> dict[str, list[Any]]:
    """All that must be as it was, by table."""
    found = {}
    with closing(sqlite3.connect(world)) as db:
        names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in sorted(set(names) - NOT_COMPARED):
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({name})")]
            kept = ", ".join(column for column in columns if column not in NOT_COMPARED_COLUMNS)
            found[name] = sorted(db.execute(f"SELECT {kept} FROM {name}"), key=repr)  # noqa: S608
    return found


def started(folder: Path, env: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    """The probe as a process of its own."""
    return subprocess.Popen(
        [BIN / "exactonline-probe", *words], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def undisturbed(folder: Path, env: dict[str, str], words: tuple[str, ...]) -> float:
    """The seconds of a run that is left alone."""
    began = time.monotonic()
    assert started(folder, env, *words).wait() == 0
    return time.monotonic() - began


def main() -> int:
    """Play the rounds; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="how many (default: 50)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: 1)")
    chosen = parser.parse_args()
    draw = Random(chosen.seed)  # noqa: S311 - to be drawn again
    left_behind = Counter[str]()
    with tempfile.TemporaryDirectory(prefix="exactonline-probe-") as name:
        folder = Path(name)
        world = folder / "world.db"
        with running(world, "--no-limits", "--latency-ms", "2") as sandbox:
            sandbox.reset(probed_world())
            env = {**os.environ, **settings_of(sandbox, folder)}
            run = (*RUN, "--company", f"Company {COMPANY}", "--output", str(folder))
            whole = min(undisturbed(folder, env, run) for _ in range(2))  # the first one imports
            before = tables(world)
            for number in range(1, chosen.kills + 1):
                kind, after = draw.choice(KINDS), draw.random() * whole
                process = started(folder, env, *run)
                time.sleep(after)
                in_time = process.poll() is None
                process.send_signal(kind)
                process.wait()
                found = sum(one["Name"].startswith("ZZ-probe") for one in sandbox.accounts(COMPANY))
                left_behind["left something"] += bool(found)
                left_behind["in time"] += in_time
                status = started(folder, env, "clean").wait()
                now = tables(world)
                say(f"{number:3} {kind.name:<8} after {after:5.2f} s, {found} left, clean ended with {status}")
                if status or now != before:
                    wrong = [table for table, rows in now.items() if rows != before[table]]
                    say(f"NOT AS IT WAS: {', '.join(wrong)}. Replay: --seed {chosen.seed} --kills {number}")
                    return 1
    say(
        f"{chosen.kills} kills, all as it was; {left_behind['in time']} came in time, "
        f"{left_behind['left something']} left something to clean."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
