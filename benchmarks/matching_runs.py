"""First contact of whole runs in companies that grew apart: seconds, memory and calls, by the code alone and by rules.

python benchmarks/matching_runs.py
python benchmarks/matching_runs.py --companies 2 --customers 200 --dry
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from machine import served
from matching_figures import MATCH_ON
from matching_world import matching_world
from sandbox_driver import SOURCE, small_world
from tables import goal, table, title
from worlds import FIRST_TARGET

PEAK_MIB = 250


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=10)
    parser.add_argument("--customers", type=int, default=8_000)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--dry", action="store_true", help="only dry runs")
    given = parser.parse_args()
    world = matching_world(given.seed, given.companies, given.customers)
    rows = {FIRST_TARGET + place: company.rows for place, company in enumerate(world.companies)}
    title(f"First contact of {given.customers:,} customers in {given.companies} companies that grew apart")
    lines = []
    with served(small_world(accounts={SOURCE: world.source, **rows}, targets=tuple(rows)), "--no-limits") as sandbox:
        records = sandbox.record([SOURCE])
        for dry_run in (True,) if given.dry else (True, False):
            for rules in (("Code",), MATCH_ON):
                sandbox.start_over()
                cost = sandbox.load(records, match_on=list(rules), dry_run=dry_run, max_errors=10**9)
                calls = len(sandbox.calls(to_divisions=list(rows)))
                name = f"{'dry' if dry_run else 'real'}, {' '.join(rules)}"
                lines.append([name, calls, cost.seconds, cost.busy_seconds, cost.peak_mib])
    table(["", "calls", "seconds", "busy s", "peak MiB"], lines)
    return 0 if goal("peak MiB", max(line[-1] for line in lines), at_most=PEAK_MIB) else 1


if __name__ == "__main__":
    raise SystemExit(main())
