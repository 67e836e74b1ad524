"""Records as files: CSV that a spreadsheet opens safely, and JSON Lines; a row at a time, however many there are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

COLUMNS = ("division", "company", "code", "outcome", "field", "before", "after", "reason", "at")
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH COMMERCIAL AT}")
CHUNK_BYTES = 64_000


def as_csv(records: Iterable[Mapping[str, Any]], company: Callable[[int | None], str]) -> Iterator[bytes]:
    """A line per field that changes, or one for a record without any; in chunks."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    lines.write("\ufeff")  # or Excel takes UTF-8 for something else
    writer.writerow(COLUMNS)
    for record in records:
        head = [record["division"], company(record["division"]), record["code"], record["outcome"]]
        tail = [record["reason"], record["at"]]
        changes = record["changes"] or {"": (None, None)}
        for field, (before, after) in changes.items():
            writer.writerow([safe(value) for value in (*head, field, before, after, *tail)])
        if lines.tell() > CHUNK_BYTES:
            yield _taken(lines)
    yield _taken(lines)


def as_json_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """An object a line, as in outcomes.jsonl; in chunks."""
    lines = io.StringIO()
    for record in records:
        lines.write(json.dumps(record, ensure_ascii=False) + "\n")
        if lines.tell() > CHUNK_BYTES:
            yield _taken(lines)
    yield _taken(lines)


def safe(value: Any) -> str:
    """A value that no spreadsheet takes for a formula: text that looks like one gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(RISKY) else text


def _taken(lines: io.StringIO) -> bytes:
    chunk = lines.getvalue().encode()
    lines.seek(0)
    lines.truncate()
    return chunk
