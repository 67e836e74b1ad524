"""Answers of Exact, and the few things that questions look at in them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

NO_ANSWER = 0
"""The status of a request that got none."""
_EXACT_DATE = re.compile(r"/Date\((-?\d+)\)/")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MESSAGE = re.compile(r"<(?:m:)?message[^>]*>(.*?)</", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By name in lower case."""
    body: bytes = field(repr=False)
    received_at: datetime | None = None

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def json(self) -> Any:
        """The body as JSON, or None if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def d(self) -> Any:
        """What the envelope holds."""
        whole = self.json
        return whole.get("d") if isinstance(whole, dict) else None

    @property
    def envelope(self) -> str:
        """The form of what it holds: array, results, object or none."""
        if isinstance(self.d, list):
            return "array"
        if isinstance(self.d, dict):
            return "results" if isinstance(self.d.get("results"), list) else "object"
        return "none"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of a list, or the only one."""
        d = self.d
        found = d.get("results", [d]) if isinstance(d, dict) else d
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    @property
    def first(self) -> dict[str, Any]:
        """The first row; IndexError without any."""
        return self.rows[0]

    @property
    def next(self) -> str | None:
        """The address of the next page."""
        return self.d.get("__next") if isinstance(self.d, dict) else None

    @property
    def message(self) -> str:
        """Exact's words in an error, or nothing."""
        whole = self.json
        try:
            return str(whole["error"]["message"]["value"])
        except (TypeError, LookupError):
            found = _MESSAGE.search(self.text)
            return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Seen:
    """All answers to a question's requests, in order, and the values that they were made with."""

    replies: Sequence[Reply]
    values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, number: int) -> Reply:
        return self.replies[number]

    @property
    def last(self) -> Reply:
        """The last answer."""
        return self.replies[-1]


def json_type(value: Any) -> str:
    """What JSON calls the type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else type(value).__name__


def padding(value: str) -> str:
    """How a text is filled with blanks: `left_18`, `right_3`, or `none`."""
    if value != value.lstrip(" "):
        return f"left_{len(value)}"
    return f"right_{len(value)}" if value != value.rstrip(" ") else "none"


def milliseconds(value: Any) -> int:
    """The number in one of Exact's dates.

    Raises:
        ValueError: It is written otherwise.
    """
    found = _EXACT_DATE.fullmatch(str(value))
    if not found:
        raise ValueError("no /Date(milliseconds)/")
    return int(found[1])


def is_guid(value: Any) -> bool:
    """Whether a value is a GUID."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None
