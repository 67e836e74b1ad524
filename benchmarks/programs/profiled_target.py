"""Runs the target under cProfile, its division threads included, and leaves the figures in a file.

python benchmarks/programs/profiled_target.py busy FILE --config target.json < records.singer

`busy` counts each thread's processor time, `waiting` the time on the clock: waits for locks, answers and limits too.
"""

import cProfile
import pstats
import sys
import threading
import time

from target_exactonline.target import TargetExactOnline


def main() -> None:
    timer = {"busy": time.thread_time, "waiting": time.perf_counter}[sys.argv.pop(1)]
    path = sys.argv.pop(1)
    profiles: list[cProfile.Profile] = []
    run = threading.Thread.run

    def run_profiled(thread: threading.Thread) -> None:
        profile = cProfile.Profile(timer)
        try:
            profile.enable()
        except ValueError:  # from Python 3.12 on one profile at a time, which sees all threads
            run(thread)
            return
        profiles.append(profile)
        try:
            run(thread)
        finally:
            profile.disable()

    threading.Thread.run = run_profiled  # type: ignore[method-assign]
    main_profile = cProfile.Profile(timer)
    profiles.append(main_profile)
    try:
        main_profile.runcall(TargetExactOnline.cli)
    finally:
        stats = pstats.Stats(profiles[0])
        for profile in profiles[1:]:
            stats.add(profile)
        stats.dump_stats(path)


if __name__ == "__main__":
    main()
