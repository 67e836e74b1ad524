"""The wire format of Exact Online's OData: literals, filters, padding, dates, envelopes. Pure functions of values.

Exact writes dates as local wall time in the clothes of UTC milliseconds, text in fixed widths, and Int64 as text
(recorded, June 2026). Here they become ISO 8601 with offset, trimmed text and integers; and the way back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

from exactonline_client.entities.model import Entity, Field

Row = dict[str, Any]
"""A row as the rest of this project sees it: Exact's names, JSON-ready values in their final type."""

SAFE = "$,()'*"
WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall time has no zone until it is given one
ROW_VERSION = "Timestamp"
WORDS_SHOWN = 200
"""Bytes of a body of no known form that are shown to a person."""
LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
_HALF = re.compile("[\ud800-\udfff]")
WIRE_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


class MalformedReplyError(ValueError):
    """The body is not what Exact sends: truncated, not JSON, or of another shape."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, still in Exact's own values."""

    rows: list[dict[str, Any]]
    next_link: str | None
    """Path and query of the next page, exactly as given."""


def parse_body(body: bytes) -> Any:
    """The `d` member of an answer: an object, or a list of objects."""
    try:
        return json.loads(body.decode("utf-8-sig"))["d"]
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedReplyError(f"not an OData answer ({error.__class__.__name__})") from error


def parse_page(body: bytes) -> Page:
    """A list in either envelope: `{"d": {"results": [...], "__next": ...}}` or `{"d": [...]}`."""
    d = parse_body(body)
    rows, link = (d.get("results"), d.get("__next")) if isinstance(d, dict) else (d, None)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedReplyError("a list without rows")
    return Page(cast("list[dict[str, Any]]", rows), link)


def parse_single(body: bytes) -> dict[str, Any]:
    """One row, also when it comes as a list of one (as `current/Me` does)."""
    d = parse_body(body)
    if isinstance(d, dict) and isinstance(d.get("results"), list):
        d = d["results"]
    if isinstance(d, list):
        d = d[0] if d else None
    if not isinstance(d, dict):
        raise MalformedReplyError("no row")
    return d


def error_messages(body: bytes) -> list[str]:
    """What Exact said, one text per message; none if the body is not one of Exact's errors."""
    try:
        message = json.loads(body.decode("utf-8-sig"))["error"]["message"]
        text = message["value"] if isinstance(message, dict) else message
    except (ValueError, KeyError, TypeError):
        return []
    return [whole_characters(part.strip()) for part in str(text or "").splitlines() if part.strip()]


def is_page(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a body is a web page (or other markup), which Exact's API does not answer to those who ask for JSON."""
    return "html" in headers.get("content-type", "").lower() or body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def plain_words(body: bytes) -> str:
    """A short body as one line of text, for messages; empty if it is markup, data or long."""
    text = " ".join(body[: WORDS_SHOWN + 1].decode("utf-8", "replace").split())
    return "" if len(body) > WORDS_SHOWN or text[:1] in ("<", "{", "[") else text


def whole_characters(text: str) -> str:
    """The text with a mark for each half of a character: what was cut within one cannot be written down again."""
    return text.encode("utf-8", "replace").decode() if _HALF.search(text) else text


def wall_time(value: str) -> datetime:
    """The naive local time in `/Date(ms)/`, or in ISO text without a zone."""
    match = WIRE_DATE.fullmatch(value)
    if match:
        return WALL_EPOCH + timedelta(milliseconds=int(match[1]))
    return datetime.fromisoformat(value.removesuffix("Z"))


def as_instant(value: str, zone: tzinfo) -> str:
    """A wire date as ISO 8601 with the offset that its zone had then."""
    wall = wall_time(value)
    return wall.replace(tzinfo=_zone_in_whole_minutes(zone, wall)).isoformat()


def _zone_in_whole_minutes(zone: tzinfo, at: datetime) -> tzinfo:
    """The zone, but before 1970 the offset it had then: local mean time has seconds, which ISO 8601 cannot say."""
    return zone if at.year >= WALL_EPOCH.year else timezone(WALL_EPOCH.replace(tzinfo=zone).utcoffset() or timedelta())


def as_wall_time(value: datetime, zone: tzinfo) -> datetime:
    """An instant as the naive local time that Exact stores, rounded the way SQL Server's datetime rounds.

    SQL Server keeps 1/300 second, seen as milliseconds that end in 0, 3 or 7. A naive value is local time already.
    """
    local = _local(value, _zone_in_whole_minutes(zone, value)) if value.tzinfo else value
    ticks = (local.microsecond * 300 + 500_000) // 1_000_000  # halves up, as SQL Server rounds
    if local >= LAST_SECOND:
        ticks = min(ticks, 299)  # there is nothing to round up to
    return local.replace(microsecond=0) + timedelta(milliseconds=round(ticks * 1000 / 300))


def _local(value: datetime, zone: tzinfo) -> datetime:
    """The wall time at an aware instant.

    What was read in this zone goes back as it was, also an hour that summer time leaves out. And nothing is moved
    beyond the end of the calendar, where 31 December 9999 stands for never.
    """
    as_given = value.replace(tzinfo=None)
    if as_given.replace(tzinfo=zone).utcoffset() == value.utcoffset():
        return as_given
    try:
        return value.astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        return as_given


def reader(entity: Entity, names: Iterable[str], zone: tzinfo) -> Callable[[Mapping[str, Any]], Row]:
    """A function from a row in Exact's values to a Row; made once for each set of names.

    Members that the declaration does not know are left out: Exact adds properties without notice.
    """
    return _reader(entity, tuple(names), zone)


@lru_cache(maxsize=64)
def _reader(entity: Entity, names: tuple[str, ...], zone: tzinfo) -> Callable[[Mapping[str, Any]], Row]:
    def as_text(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return value.strip() if value.isascii() else whole_characters(value.strip())

    converters: dict[str, Callable[[Any], Any]] = {
        "String": as_text,
        "Guid": lambda value: value.lower(),
        "Int16": int,
        "Int32": int,
        "Int64": int,
        "Byte": int,
        "Double": float,
        "DateTime": lambda value: as_instant(value, zone),
    }
    wanted: list[tuple[str, Callable[[Any], Any] | None]] = [
        (name, converters.get(entity.fields[name].edm)) for name in names if name in entity.fields
    ]

    def read(raw: Mapping[str, Any]) -> Row:
        row: Row = {}
        try:
            for name, convert in wanted:
                if name in raw:
                    value = raw[name]
                    row[name] = value if value is None or convert is None else convert(value)
        except (ValueError, TypeError, AttributeError, OverflowError) as error:
            raise MalformedReplyError(f"{entity.name} with an unreadable {name}") from error
        return row

    return read


def with_keys(entity: Entity, row: Row, names: Container[str]) -> Row:
    """The row of a list, with all that others find it by; a natural key that was left out is None.

    Raises:
        MalformedReplyError: It has no key or no row version, though it was asked for.
    """
    for name in (entity.key, ROW_VERSION):
        if name in names and row.get(name) is None:
            raise MalformedReplyError(f"{entity.name} without {name}")
    if entity.natural_key is not None and entity.natural_key in names:
        row.setdefault(entity.natural_key, None)
    return row


def encode_row(entity: Entity, values: Mapping[str, Any], zone: tzinfo) -> bytes:
    """The JSON body of a create or update."""
    return json.dumps(
        {name: _encode(entity.fields[name], value, zone) for name, value in values.items()},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def holds(entity: Entity, row: Row, values: Mapping[str, Any], zone: tzinfo) -> bool:
    """Whether a row that was read holds all of these values, as far as it was read."""

    def plain(name: str, value: Any) -> Any:
        encoded = _encode(entity.fields[name], value, zone)
        if not isinstance(encoded, str):
            return encoded
        return ("".join(encoded.split()).upper() if entity.fields[name].is_compact else encoded.strip()) or None

    return all(plain(name, row[name]) == plain(name, value) for name, value in values.items() if name in row)


def _encode(field: Field, value: Any, zone: tzinfo) -> Any:
    if value is None:
        return None
    if field.edm == "DateTime":
        instant = datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else value
        return as_wall_time(instant, zone).isoformat(timespec="milliseconds")
    if field.width:
        return str(value).rjust(field.width)
    return value


def equals(field: Field, value: str | int) -> str:
    """`field eq literal`, quoted and padded the way this field needs it."""
    return f"{field.name} eq {literal(field, value)}"


def spelled(field: Field, value: str) -> list[str]:
    """All ways in which a company may keep a numeric key, as given first: Exact fills codes up with zeros in some.

    A company of seven digits keeps 11 as 0000011 (recorded, France 2026). The width is each company's own.
    """
    if not field.width or not (value.isascii() and value.isdecimal()):
        return [value]
    digits = value.lstrip("0") or "0"
    forms = (digits.rjust(length, "0") for length in range(len(digits), field.width + 1))
    return list(dict.fromkeys((value, *forms)))


def any_of(field: Field, values: Iterable[str]) -> str:
    """`field eq literal or field eq literal …`."""
    return " or ".join(equals(field, value) for value in values)


def after(field: Field, value: int) -> str:
    """`field gt literal`."""
    return f"{field.name} gt {literal(field, value)}"


def literal(field: Field, value: str | int) -> str:
    """A value as it stands in a `$filter` or a key."""
    if field.edm == "Guid":
        return f"guid'{value}'"
    if field.edm == "Int64":
        return f"{value}L"
    if field.edm == "String":
        text = str(value).rjust(field.width) if field.width else str(value)
        return "'" + text.replace("'", "''") + "'"
    return str(value)


def query(options: Mapping[str, str | None]) -> str:
    """A query string with OData's own characters left readable; options without a value are left out."""
    return "&".join(f"{name}={quote(value, safe=SAFE)}" for name, value in options.items() if value is not None)
