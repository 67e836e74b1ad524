"""The journal: every call, with what it asked and how it ended. It never holds a token, code or secret."""

import json
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl, urlencode

_SECRET = {"client_secret", "refresh_token", "access_token", "code", "password"}
_HIDDEN = "***"
_IN_QUERY = re.compile(r"\b(client_secret|refresh_token|access_token|code)=[^&]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """One call."""

    at: float
    app: str | None
    user: str | None
    division: int | None
    method: str
    endpoint: str
    target: str
    body: str | None
    status: int | None
    error: str | None
    fault: str | None
    overlapped: bool
    duration_ms: float


def write(db: sqlite3.Connection, entry: Entry) -> None:
    """Add a call."""
    db.execute(
        "INSERT INTO journal (at, app, user, division, method, endpoint, target, body, status, error, fault,"
        " overlapped, duration_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(entry.at, entry.app, entry.user, entry.division, entry.method, entry.endpoint, entry.target, entry.body),
            *(entry.status, entry.error, entry.fault, entry.overlapped, entry.duration_ms),
        ),
    )


def readable_body(body: bytes) -> str | None:
    """A request body as the journal keeps it: JSON as it is, anything else as a JSON string."""
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(text)
    return text


def hidden_form(body: bytes) -> str:
    """A token call's form with every secret replaced."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return json.dumps({name: _HIDDEN if name in _SECRET else value for name, value in pairs})


def hidden_target(target: str) -> str:
    """A path and query with every secret replaced."""
    return _IN_QUERY.sub(rf"\1={_HIDDEN}", target)


def read(
    db: sqlite3.Connection,
    since: int = 0,
    division: int | None = None,
    method: str | None = None,
    endpoint: str | None = None,
) -> list[dict[str, Any]]:
    """The calls after an id, in order."""
    cursor = db.execute(
        "SELECT * FROM journal WHERE id > ? AND (? IS NULL OR division = ?) AND (? IS NULL OR method = ?)"
        " AND (? IS NULL OR endpoint = ?) ORDER BY id",
        (since, division, division, method, method, endpoint, endpoint),
    )
    names = [column[0] for column in cursor.description]
    return [_readable(dict(zip(names, row, strict=True))) for row in cursor]


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(row["at"], timezone.utc).isoformat(timespec="milliseconds")
    body = None if row["body"] is None else json.loads(row["body"])
    return {**row, "at": at, "body": body, "overlapped": bool(row["overlapped"])}


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many calls per division, method and endpoint, and in all."""
    counts: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = (str(row["division"] or ""), row["method"], row["endpoint"])
        counts[key] = counts.get(key, 0) + 1
    calls = [
        {"division": int(division) if division else None, "method": method, "endpoint": endpoint, "calls": count}
        for (division, method, endpoint), count in sorted(counts.items())
    ]
    return {"calls": calls, "total": len(rows)}


def query_text(filters: Mapping[str, Any]) -> str:
    """Filters as a query string, empty ones left out."""
    return urlencode({name: value for name, value in filters.items() if value is not None})
