"""Before the first write of a division: what is going to happen, and whether that is more than allowed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exactonline_client.errors import ConfigurationError
from exactonline_client.limits import UNLIMITED


@dataclass(slots=True)
class Forecast:
    """What the plan of one division comes to."""

    creates: int = 0
    updates: int = 0
    departures: int = 0
    """Copies that are blocked or deleted, since their source account is gone."""

    @property
    def calls(self) -> int:
        """One per write."""
        return self.creates + self.updates + self.departures

    def line(self, division: int, calls_left_today: int, calls_per_minute: int, now: datetime) -> str:
        """The forecast as a sentence, with the time when it should be done."""
        if not self.calls:
            return f"Division {division}: nothing to write"
        possible = min(self.calls, calls_left_today)
        end = now + timedelta(minutes=possible // max(1, calls_per_minute))
        until = (
            f"done at about {end:%H:%M} UTC"
            if possible == self.calls
            else f"{self.calls - possible} not before tomorrow"
        )
        left = f"of {calls_left_today} left today, {until}" if calls_left_today < UNLIMITED // 2 else "without a limit"
        departures = f", {self.departures} deletions" if self.departures else ""
        writes = f"{self.creates} creates, {self.updates} updates{departures}"
        return f"Division {division}: {writes}: {self.calls} calls {left}"


@dataclass(frozen=True, slots=True)
class Brakes:
    """How large a plan may be."""

    max_creates: int | None = None
    max_updates_share: float | None = None
    """Of the accounts that the division holds."""
    max_deletes: int | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Brakes:
        """The brakes that the settings put on; Meltano hands a share over as text.

        Raises:
            ConfigurationError: The share is none.
        """
        creates, share, deletes = (config.get(f"max_{name}") for name in ("creates", "updates_share", "deletes"))
        try:
            limit = None if share in (None, "") else float(share)
        except ValueError:
            limit = -1.0
        brakes = cls(None if creates is None else int(creates), limit, None if deletes is None else int(deletes))
        if brakes.max_updates_share is not None and not 0 <= brakes.max_updates_share <= 1:
            raise ConfigurationError(f"The setting max_updates_share is {share!r}: it must be a number from 0 to 1.")
        return brakes

    def why_stop(self, forecast: Forecast, accounts: int) -> str | None:
        """Why a division with this many accounts is not written to, and how to let it through; None if it may be."""
        if self.max_creates is not None and forecast.creates > self.max_creates:
            return (
                f"{forecast.creates} accounts would be created, more than max_creates ({self.max_creates}) allows. "
                "Look at them in a dry_run; raise or unset max_creates to let them through."
            )
        if self.max_deletes is not None and forecast.departures > self.max_deletes:
            return (
                f"{forecast.departures} accounts would be blocked or deleted, since they left the source, more than "
                f"max_deletes ({self.max_deletes}) allows. Look at them in a dry_run; raise or unset max_deletes to "
                "let them through."
            )
        share = forecast.updates / accounts if accounts else 0.0
        if self.max_updates_share is not None and share > self.max_updates_share:
            return (
                f"{forecast.updates} of {accounts} accounts would change, a larger share than max_updates_share "
                f"({self.max_updates_share:g}) allows. Look at them in a dry_run; raise or unset max_updates_share to "
                "let them through."
            )
        return None
