"""The time zone of a country's site: Exact's dates are its local wall time. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

CENTRAL_EUROPE = ZoneInfo("Europe/Amsterdam")
_BY_SUFFIX = {
    ".nl": CENTRAL_EUROPE,
    ".be": ZoneInfo("Europe/Brussels"),
    ".de": ZoneInfo("Europe/Berlin"),
    ".fr": ZoneInfo("Europe/Paris"),
    ".es": ZoneInfo("Europe/Madrid"),
}
_CANDIDATES = (CENTRAL_EUROPE, ZoneInfo("Europe/London"), ZoneInfo("America/New_York"))


def zone_of_site(base_url: str) -> tzinfo | None:
    """The zone of a site's wall time, or None where only Exact can tell (United Kingdom, United States)."""
    host = urlsplit(base_url).hostname or ""
    if host.endswith((".co.uk", ".com")):
        return None
    return next((zone for suffix, zone in _BY_SUFFIX.items() if host.endswith(suffix)), CENTRAL_EUROPE)


def zone_of_offset(utc_offset_seconds: float, at: datetime) -> tzinfo:
    """The zone whose offset at the instant `at` is what `Me.ServerUtcOffset` says; a fixed one if none is known.

    A named zone is preferred, since a fixed offset is wrong for the other half of the year.
    """
    offset = timedelta(seconds=utc_offset_seconds)
    named = (zone for zone in _CANDIDATES if at.astimezone(zone).utcoffset() == offset)
    return next(named, timezone(offset))
