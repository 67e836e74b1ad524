"""What a profile of the target says."""

import pstats
from pathlib import Path

LINES = 15


def show(profile: Path | None) -> None:
    """The functions in which the target's threads were longest, waiting included."""
    if profile is not None:
        print("\nprofile of the target, all threads, by time within the function:")
        stats = pstats.Stats(str(profile))
        stats.strip_dirs().sort_stats("tottime").print_stats(LINES)
