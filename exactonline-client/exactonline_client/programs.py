"""Programs that keep tables of their own in the store, found where they are installed beside this package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import entry_points

from exactonline_client.schema import VersionedTables
from exactonline_client.store import Store

PROGRAMS = "exactonline_client.programs"
"""Entry points: the name of a program → a `Program`."""


@dataclass(frozen=True, slots=True)
class Program:
    """What such a program can say of its memory."""

    tables: VersionedTables
    last_write: Callable[[Store, str, int], datetime | None]
    """From site and division to when it last wrote there with success."""


def installed() -> list[Program]:
    """All programs of this environment."""
    return [program.load() for program in entry_points(group=PROGRAMS)]
