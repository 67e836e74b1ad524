"""What a profile of the target says."""

import pstats
from dataclasses import dataclass
from pathlib import Path

LINES = 15


@dataclass(frozen=True)
class Profile:
    """A profile to be made: of what time, and where it goes."""

    kind: str
    path: Path

    def show(self) -> None:
        """Print the functions in which the target's threads spent most of it."""
        print(f"\nprofile of the target, {self.kind}, all threads together, by time within each function:")
        stats = pstats.Stats(str(self.path))
        stats.strip_dirs().sort_stats("tottime").print_stats(LINES)
        print("by time within each function and all that it calls:")
        stats.sort_stats("cumtime").print_stats(LINES)
