"""Counts of a plan, and the verdict that it is more than the settings allow. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from exactonline_client.errors import ConfigurationError
from exactonline_client.forecast import Forecast
from exactonline_client.limits import UNLIMITED

ADVICE = "Look at them in a dry_run; raise or unset {} to let them through."


@dataclass(slots=True)
class Counts:
    """Sum of a company's plan."""

    create: int = 0
    update: int = 0
    delete: int = 0
    block: int = 0
    unchanged: int = 0
    refused: int = 0
    deferred: int = 0
    skipped: int = 0

    def add(self, name: str) -> None:
        """Count one more."""
        setattr(self, name, getattr(self, name) + 1)

    def as_object(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)

    def forecast(
        self, division: int, calls_left_today: int, foreseen: Forecast, now: datetime, to_follow: int = 0
    ) -> str:
        """Return the writes as a sentence, with the limit that decides and the time when they should be done.

        Args:
            division: Of the plan.
            calls_left_today: By the company's own limit.
            foreseen: Of all that is planned so far for the companies of its contract.
            now: On Exact's clock.
            to_follow: Writes at most of what belongs to these records, which is planned after them.
        """
        if not self.writes:
            return f"Division {division}: nothing to write"
        ended = f", {self.block + self.delete} deletions" if self.block + self.delete else ""
        further = f", up to {to_follow} more for what belongs to them" if to_follow else ""
        calls = f"{self.writes} calls{further}"
        writes = f"Division {division}: {self.create} creates, {self.update} updates{ended}: {calls}"
        if foreseen.done_at.date() > now.date():
            return f"{writes}: {foreseen.decides} limit, done on {foreseen.done_at.day} {foreseen.done_at:%B}"
        left = f"of {calls_left_today} left today" if calls_left_today < UNLIMITED // 2 else "without a limit"
        return f"{writes} {left}, done at about {foreseen.done_at:%H:%M} UTC"

    @property
    def writes(self) -> int:
        """Calls that the plan takes: one per change."""
        return self.create + self.update + self.delete + self.block


@dataclass(frozen=True, slots=True)
class SafetyLimits:
    """The largest plan that is carried out without somebody looking at it."""

    max_creates: int | None = None
    max_updates_share: float | None = None
    """Of the rows that the company holds."""
    max_deletes: int | None = None
    """Rows that are blocked or deleted."""

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> SafetyLimits:
        """Read the settings; Meltano may hand numbers over as text.

        Raises:
            ConfigurationError: One of them is not a number in its range.
        """
        return cls(
            _count("max_creates", config.get("max_creates")),
            _share("max_updates_share", config.get("max_updates_share")),
            _count("max_deletes", config.get("max_deletes")),
        )

    def unsafe(self, counts: Counts, held: int) -> str | None:
        """Return why a plan is not carried out and how to let it through, or None if it may be.

        Args:
            counts: Sum of the plan.
            held: Rows that the company holds now.
        """
        if self.max_creates is not None and counts.create > self.max_creates:
            return (
                f"{counts.create} would be created, more than max_creates ({self.max_creates}) allows. "
                + ADVICE.format("max_creates")
            )
        ended = counts.block + counts.delete
        if self.max_deletes is not None and ended > self.max_deletes:
            return (
                f"{ended} would be blocked or deleted, more than max_deletes ({self.max_deletes}) allows. "
                + ADVICE.format("max_deletes")
            )
        share = counts.update / held if held else 0.0
        if self.max_updates_share is not None and share > self.max_updates_share:
            return (
                f"{counts.update} of {held} would change, a larger share than max_updates_share "
                f"({self.max_updates_share:g}) allows. " + ADVICE.format("max_updates_share")
            )
        return None


def _count(name: str, value: Any) -> int | None:
    if value is None or value == "":
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdecimal()):
        raise ConfigurationError(f"{name}: {value!r} is not a whole number of 0 or more.")
    return int(text)


def _share(name: str, value: Any) -> float | None:
    if value is None or value == "":
        return None
    try:
        share = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        share = -1.0
    if not 0 <= share <= 1:
        raise ConfigurationError(f"{name}: {value!r} is not a number from 0 to 1.")
    return share
