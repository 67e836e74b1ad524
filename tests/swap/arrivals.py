"""What a plugin sent and what arrived, made comparable: each value as the type that its schema names.

Databases keep an instant without its offset, in the time zone of the session: UTC here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Literal

from singer_driver import Plugin, Ran

Other = Callable[[str], Plugin]
"""Gives a plugin that others wrote, by its name in meltano.yml."""
Row = dict[str, Any]
Lost = Collection[Literal["empty text", "offset", "line break"]]
"""What a format cannot keep: an empty text is none, an instant is the local time alone, a line break is written \\n."""


class Sent:
    """The messages of a tap or mapper."""

    def __init__(self, ran: Ran) -> None:
        self.lines = ran.output
        self._ran = ran
        self.schemas = {one["stream"]: one for one in ran.messages if one["type"] == "SCHEMA"}

    def rows(self, stream: str) -> list[Row]:
        """The records of a stream."""
        return self._ran.records(stream)

    def differences(self, stream: str, arrived: Iterable[Mapping[str, Any]], lost: Lost = ()) -> list[str]:
        """Where rows that arrived are not those that were sent, but for what is known to be lost on the way.

        Names of columns may differ in case.
        """
        schema = self.schemas[stream]
        properties = schema["schema"]["properties"]
        own = {name.lower(): name for name in properties}

        def typed(rows: Iterable[Mapping[str, Any]]) -> dict[str, Row]:
            named = [{own[name.lower()]: value for name, value in row.items()} for row in rows]
            plain = [{name: _typed(value, properties[name], lost) for name, value in row.items()} for row in named]
            return {" ".join(str(row[key]) for key in schema["key_properties"]): row for row in plain}

        before, after = typed(self.rows(stream)), typed(arrived)
        return [f"{key} is there once only" for key in before.keys() ^ after.keys()] + [
            f"{key}: {name} is {after[key].get(name)!r}, not {before[key].get(name)!r}"
            for key in before.keys() & after.keys()
            for name in before[key].keys() | after[key].keys()
            if before[key].get(name) != after[key].get(name)
        ]


def _typed(value: Any, about: Mapping[str, Any], lost: Lost) -> Any:
    is_text = "string" in about["type"] and "format" not in about
    if value is None or (value == "" and not is_text):
        return None
    if value == "":
        return None if "empty text" in lost else ""
    if about.get("format") == "date-time":
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if "offset" in lost:
            return instant.replace(tzinfo=None)
        return (instant if instant.tzinfo else instant.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    if "number" in about["type"]:
        return float(value)
    if "integer" in about["type"]:
        return int(value)
    if isinstance(value, str) and "line break" in lost:
        return value.replace("\n", "\\n")
    if "boolean" in about["type"]:
        return value if isinstance(value, bool) else {"True": True, "False": False}[value]
    return value
