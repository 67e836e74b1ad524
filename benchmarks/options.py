"""What may be chosen for all sections."""

from dataclasses import dataclass
from pathlib import Path

from profiles import Profile


@dataclass(frozen=True)
class Options:
    """The choices of one run."""

    quick: bool
    repeat: int
    profile: str | None
    """`busy`, `waiting` or none: see programs/profiled_target.py."""
    accounts: int | None = None
    divisions: int | None = None

    def size(self, full: int, quick: int, given: int | None) -> int:
        """A number of things: as given, else by the form of the run."""
        return given if given is not None else quick if self.quick else full

    def profile_in(self, folder: Path) -> Profile | None:
        """The target's profile, if one is wanted."""
        return Profile(self.profile, folder / "target.prof") if self.profile else None
