"""Meltano's structured log of a run: what a person may want to read of it, and the sentence that says why it failed."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOISE = ("Skipping parse of env var settings", "METRIC", "Reader '")
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    at: str
    level: str
    who: str
    """The plugin, or nothing for Meltano itself."""
    text: str

    @property
    def is_error(self) -> bool:
        """Whether something is wrong."""
        return self.level in {"error", "critical"}


def lines_of(log: Path) -> Iterator[Line]:
    """All lines of a log that a person may want to read."""
    try:
        with log.open(encoding="utf-8", errors="replace") as raw:
            for text in raw:
                line = _line(text)
                if line is not None:
                    yield line
    except OSError:
        return


def last_lines(log: Path, count: int = 200) -> list[Line]:
    """The last ones."""
    return list(deque(lines_of(log), count))


def sentence_of(log: Path) -> str | None:
    """Why a run failed: the last thing that a plugin said was wrong, or else Meltano; None if nothing was."""
    from_plugin = from_meltano = None
    for line in lines_of(log):
        if line.is_error and line.who:
            from_plugin = line.text
        elif line.is_error and line.text != "Block run completed":
            from_meltano = line.text
    return from_plugin or from_meltano


def _line(text: str) -> Line | None:
    try:
        given: dict[str, Any] = json.loads(text)
        event = str(given["event"])
    except (ValueError, KeyError, TypeError):
        plain = text.strip()
        return Line("", "info", "", plain[:LONGEST]) if plain else None
    if event.startswith(NOISE):
        return None
    level, who = str(given.get("level", "info")), str(given.get("string_id", ""))
    return Line(str(given.get("timestamp", "")), level, who, event[:LONGEST])
