"""A company: one division at one site. Always an argument, never state, and never a default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Company:
    """One Exact company. The same division code at two sites is two companies."""

    site: str
    """Address of the country's site, as in the setting base_url."""
    division: int

    def __str__(self) -> str:
        return f"division {self.division}"
