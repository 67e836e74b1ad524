"""What may be chosen for all sections."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The choices of one run."""

    quick: bool
    repeat: int
    profile: bool
    accounts: int | None = None
    divisions: int | None = None

    def size(self, full: int, quick: int, given: int | None) -> int:
        """A number of things: as given, else by the form of the run."""
        return given if given is not None else quick if self.quick else full

    def profile_in(self, folder: Path) -> Path | None:
        """Where the target's profile goes, if one is wanted."""
        return folder / "target.prof" if self.profile else None
