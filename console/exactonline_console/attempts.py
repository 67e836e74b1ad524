"""How fast passwords may be guessed: slower after each failure, never not at all. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta

REMEMBERED = timedelta(minutes=15)
FREE_OF_PLACE = 5
FREE_OF_NAME = 10
LONGEST_OF_PLACE = timedelta(seconds=60)
LONGEST_OF_NAME = timedelta(seconds=10)
"""Shorter: whoever guesses from many addresses must not keep away the person whose name it is."""


def next_of_place(failures: Sequence[datetime]) -> datetime | None:
    """Return when the next attempt from one place may come, after these failures; None for at once."""
    return _next(failures, FREE_OF_PLACE, LONGEST_OF_PLACE)


def next_of_name(failures: Sequence[datetime]) -> datetime | None:
    """Return when the next attempt for one name may come from where nobody of that name logged in before."""
    return _next(failures, FREE_OF_NAME, LONGEST_OF_NAME)


def _next(failures: Sequence[datetime], free: int, longest: timedelta) -> datetime | None:
    if len(failures) < free:
        return None
    doublings = min(len(failures) - free, 10)
    return max(failures) + min(timedelta(seconds=2**doublings), longest)


def place_of(address: str) -> str:
    """Return what one machine may call itself: its address, or of IPv6 the network, of which it has every address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
