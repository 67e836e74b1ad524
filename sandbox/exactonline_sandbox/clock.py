"""Time as Exact writes it: local wall time in UTC clothing, rounded as SQL Server rounds (dossier 4.2)."""

import re
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from functools import lru_cache
from zoneinfo import ZoneInfo

# SQL Server's `datetime` counts in 1/300 s, so milliseconds end in 0, 3 or 7.
_ROUNDED = (0, 0, 3, 3, 3, 7, 7, 7, 7, 10)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,7})?)?)?")
_JSON_DATE = re.compile(r"/Date\((-?\d+)\)/")
_QUARTER = 900

DAY_MS = 86_400_000


@lru_cache(maxsize=4096)
def _offset_in_quarter(quarter: int, zone: str) -> int:
    moment = datetime.fromtimestamp(quarter * _QUARTER, ZoneInfo(zone))
    offset = moment.utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def utc_offset_seconds(now: float, zone: str) -> int:
    """How far the wall clock of the zone is ahead of UTC; zones change at quarters of an hour only."""
    return _offset_in_quarter(int(now // _QUARTER), zone)


def wall_ms(now: float, zone: str) -> int:
    """An instant (epoch seconds) as the milliseconds that Exact would write for it."""
    milliseconds = int((now + utc_offset_seconds(now, zone)) * 1000)
    return milliseconds - milliseconds % 10 + _ROUNDED[milliseconds % 10]


def midnight(wall: int) -> int:
    """The start of the wall-clock day."""
    return wall - wall % DAY_MS


def json_date(wall: int) -> str:
    """`/Date(1782404464260)/`."""
    return f"/Date({wall})/"


def iso(wall: int) -> str:
    """`2026-06-25T16:12:49.260`, milliseconds only where there are any."""
    moment = _EPOCH + timedelta(milliseconds=wall)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{wall % 1000:03d}" if wall % 1000 else "")


def short_iso(wall: int) -> str:
    """The same without zeros at the end of the fraction, as an address has it: `2026-06-25T16:12:49.9`."""
    whole, dot, fraction = iso(wall).partition(".")
    return whole + dot + fraction.rstrip("0")


def parse_wall(text: str) -> int | None:
    """Wall milliseconds of an ISO date, ISO date-time without a zone, or `/Date(ms)/`; None for anything else."""
    if found := _JSON_DATE.fullmatch(text):
        return int(found[1])
    if not _ISO.fullmatch(text):
        return None
    whole, _, fraction = text.partition(".")
    try:
        moment = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
    milliseconds = (moment - _EPOCH) // timedelta(milliseconds=1) + int(f"{fraction:0<3}"[:3] or 0)
    return milliseconds - milliseconds % 10 + _ROUNDED[milliseconds % 10]


def months_before(wall: int, months: int) -> int:
    """The same wall time some months earlier, on the last day that month has if need be."""
    moment = _EPOCH + timedelta(milliseconds=wall)
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    for day in (moment.day, 30, 29, 28):
        try:
            earlier = moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
        return (earlier - _EPOCH) // timedelta(milliseconds=1)
    raise AssertionError("every month has 28 days")


@lru_cache(maxsize=64)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def http_date(now: float) -> str:
    """The `Date` header."""
    return _http_date(int(now))
