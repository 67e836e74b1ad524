"""Measures calls, seconds and memory against a local sandbox, and says which goals are met. It asserts no timing.

make bench
python benchmarks/accounts.py --quick
python benchmarks/accounts.py --only limits --profile
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import beside
import by_meltano
import first_load
import limits_used
import many_divisions
import processor
import quiet
import settling
import store_size
import waiting
import wire
from options import Options

SECTIONS: dict[str, tuple[str, Callable[[Options], bool]]] = {
    "first-load": ("n accounts into m empty divisions, beside a bare loop", first_load.run),
    "beside": ("the same load with exactonline 0.4.0 and dlt", beside.run),
    "processor": ("processor time of the target per create, to a bare loop", processor.run),
    "wire": ("processor time of a call, by several clients beneath httpx", wire.run),
    "limits": ("short windows of few calls, used to the full", limits_used.run),
    "many": ("few changes in each of many divisions", many_divisions.run),
    "quiet": ("nothing changed", quiet.run),
    "store": ("bytes per copy in the store, beside the mirror", store_size.run),
    "waiting": ("memory at start, with many records that wait", waiting.run),
    "settling": ("rows settled a second by several processes, on PostgreSQL", settling.run),
    "meltano": ("nothing changed, by Meltano, and where the seconds go", by_meltano.run),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="sections:\n" + "\n".join(f"  {name:<12}{what}" for name, (what, _) in SECTIONS.items()),
    )
    parser.add_argument("--quick", action="store_true", help="small sizes: the whole in about two minutes")
    parser.add_argument("--only", choices=SECTIONS, action="append", metavar="SECTION", help="this section; repeatable")
    parser.add_argument("--repeat", type=int, help="turns of each program beside others, best counts (2; quick: 1)")
    parser.add_argument(
        "--profile",
        nargs="?",
        const="busy",
        choices=("busy", "waiting"),
        help="run the target under cProfile and print the top 15, by processor time or by the clock; figures get worse",
    )
    parser.add_argument("--accounts", type=int, help="n, in place of the section's own")
    parser.add_argument("--divisions", type=int, help="m, in place of the section's own")
    return parser.parse_args()


def run(section: str, options: Options) -> bool:
    """Run a section; whether its goals are met."""
    return SECTIONS[section][1](options)


def main() -> int:
    """Run the sections; 0 whatever the figures say."""
    given = arguments()
    repeat = given.repeat or (1 if given.quick else 2)
    options = Options(given.quick, repeat, given.profile, given.accounts, given.divisions)
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before")
    # Each section in a process of its own: what one has grown to counts as the peak of every program that it starts.
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        results = {name: pool.apply(run, (name, options)) for name in given.only or SECTIONS}
    missed = [name for name, met in results.items() if not met]
    print(f"\nGoals missed in: {', '.join(missed)}" if missed else "\nAll goals met.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
