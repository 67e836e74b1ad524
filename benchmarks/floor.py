"""The floor: the bodies that our target sent, posted again by a loop that does nothing else."""

import json
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from machine import PROGRAMS, Served, measured

CONNECTIONS = 8


@dataclass(frozen=True)
class Floor:
    """What posting took, in all and of the processors of poster and sandbox."""

    calls: int
    seconds: float
    busy_seconds: float
    sandbox_seconds: float
    posting_seconds: float
    """Processor time of the poster without its start."""


def sent_bodies(sandbox: Served) -> Path:
    """The bodies of all creates in the journal, in a file: large ones do not pass through this process."""
    path = sandbox.folder / "bodies.tsv"
    query = "SELECT division, body FROM journal WHERE method = 'POST' AND endpoint = 'crm/Accounts' ORDER BY id"
    with closing(sqlite3.connect(sandbox.database)) as database, path.open("w", encoding="utf-8") as lines:
        for division, body in database.execute(query):
            lines.write(f"{division}\t{body}\n")
    return path


def post_again(sandbox: Served, bodies: Path) -> Floor:
    """Post them on eight connections, to a sandbox that was put back before."""
    config = sandbox.control.config()
    given = {**config, "url": config["base_url"], "bodies": str(bodies), "connections": CONNECTIONS}
    before = sandbox.busy_seconds
    done = measured([sys.executable, PROGRAMS / "bare_loop.py"], sandbox.folder, given)
    answer = json.loads(done.said)
    return Floor(
        answer["calls"],
        answer["seconds"],
        done.busy_seconds,
        sandbox.busy_seconds - before,
        answer["busy_seconds"],
    )
