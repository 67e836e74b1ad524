"""Rows settled a second on PostgreSQL, by one process and by several that each work on a company of their own."""

import json
import subprocess
import sys

from machine import PROGRAMS
from options import Options
from postgres_driver import running_postgres
from tables import table, title

PROCESSES = (1, 2, 4)


def run(options: Options) -> bool:
    """Measure and print. There is no goal: it depends on the processors, of which the server takes its share."""
    rows = options.size(10_000, 2_000, options.accounts)
    title(f"Settling: {rows:,} creates in one company for each process, on PostgreSQL")
    found = []
    with running_postgres() as server:
        for count in PROCESSES:
            url = server.new_database()
            said = _side_by_side(url, count, rows)
            seconds = max(one["ended_at"] for one in said) - min(one["begun_at"] for one in said)
            busy = sum(one["busy_seconds"] for one in said)
            found.append((count, count * rows / seconds, busy / count / rows * 1000))
            server.drop(url)
    table(
        ["processes", "rows/s", "to one", "processor ms a row, without the server"],
        [[str(count), rate, rate / found[0][1], busy] for count, rate, busy in found],
    )
    return True


def _side_by_side(url: str, count: int, rows: int) -> list[dict[str, float]]:
    """Let each prepare itself, in turn, and then all of them settle at the same time."""
    programs = []
    for number in range(count):
        command = [sys.executable, PROGRAMS / "settling_program.py", url, str(2001 + number), str(rows)]
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert program.stdout is not None
        program.stdout.readline()
        programs.append(program)
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    return [json.loads(program.communicate()[0]) for program in programs]
