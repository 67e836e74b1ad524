"""A small model of one Exact company: rows with versions, late commits, a deletion log, backups, moves, wall time."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from random import Random
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.pages import Link, RowPage

COMPANY = Company("https://start.exactonline.nl", 100)
WALL = ZoneInfo("Europe/Amsterdam")
PAGE = 3
LOG_KEPT = timedelta(days=61)
START = datetime(2026, 10, 24, 20, tzinfo=timezone.utc)
"""Some hours before the end of summer time, so that an hour comes twice."""


@dataclass
class World:
    """What a restored backup brings back."""

    counter: int = 1
    rows: dict[str, tuple[int, datetime, int]] = field(default_factory=dict)
    """Key → row version, when it was written, content."""
    log: list[tuple[int, datetime, str, str]] = field(default_factory=list)
    """Row version, when, ID of the entry, key that was deleted."""


class ExactModel:
    """The company, and as much of a client as the reader uses."""

    def __init__(self, seed: int) -> None:
        self.clock = START
        self.world = World()
        self.backup: World | None = None
        self.moved_at: datetime | None = None
        self.calls = 0
        self._open: dict[str, tuple[int, datetime, int]] = {}
        self._random = Random(seed)  # noqa: S311
        self._contents = 0
        self.budgets = SimpleNamespace(exacts_now_at_most=lambda local: local)

    def now(self) -> datetime:
        return self.clock

    exacts_now = now

    # What people do

    def _row(self) -> tuple[int, datetime, int]:
        self.world.counter += 1
        self._contents += 1
        return self.world.counter, self.clock, self._contents

    def write(self, key: str) -> None:
        if key not in self._open:
            self.world.rows[key] = self._row()

    def begin(self, key: str) -> None:
        """Change a row in a transaction that stays open, and locks it."""
        self._open.setdefault(key, self._row())

    def commit(self) -> None:
        self.world.rows.update(self._open)
        self._open.clear()

    def delete(self, key: str) -> None:
        if key in self.world.rows and key not in self._open:
            del self.world.rows[key]
            self.world.counter += 1
            entry = f"log-{self._random.getrandbits(64):x}"
            self.world.log.append((self.world.counter, self.clock, entry, key))

    def back_up(self) -> None:
        self.commit()
        self.backup = deepcopy(self.world)

    def restore(self) -> None:
        if self.backup:
            self._open.clear()
            self.world = deepcopy(self.backup)

    def move(self) -> None:
        self.commit()
        self.clock += timedelta(seconds=1)
        self.moved_at = self.clock
        keys = list(self.world.rows)
        self._random.shuffle(keys)
        self.world.rows = {key: (n, *self.world.rows[key][1:]) for n, key in enumerate(keys, start=2)}
        self.world = World(len(keys) + 2, self.world.rows, [])
        self.backup = None

    def pass_minutes(self, minutes: int) -> None:
        """Let time pass; no transaction takes longer than an hour."""
        passing = self.clock + timedelta(minutes=minutes)
        if any(passing - at >= timedelta(hours=1) for _, at, _ in self._open.values()):
            self.commit()
        self.clock = passing

    @property
    def contents(self) -> dict[str, int]:
        return {key: content for key, (_, _, content) in self.world.rows.items()}

    # What a client reads

    def page(
        self, entity: Entity, division: int, *, select: Sequence[str], after: int, link: Link | None = None
    ) -> Generator[datetime, None, RowPage]:
        assert division == COMPANY.division
        self.calls += 1
        if self._random.random() < 0.1:
            yield self.clock
        rows = self._log(after) if entity.path == "sync/Deleted" else self._rows(after)
        self._random.shuffle(rows)
        given = {row[0] for row in self._given} if link else set()
        if not link:
            self._given: list[tuple[str, int]] = []
        left = [row for row in rows if row["ID"] not in given]
        now = left[:PAGE]
        self._given += [(row["ID"], row["Timestamp"]) for row in now]
        shown = [{name: row[name] for name in select if name in row} for row in now]
        self.clock += timedelta(seconds=1)
        more = len(left) > PAGE
        return RowPage(shown, (link.to(f"{self.calls}") if link else Link(f"{self.calls}")) if more else None)

    def _rows(self, after: int) -> list[dict[str, Any]]:
        return [
            {"ID": key, "Timestamp": version, "Modified": wall_time(at), "City": content}
            for key, (version, at, content) in self.world.rows.items()
            if version > after
        ]

    def _log(self, after: int) -> list[dict[str, Any]]:
        return [
            {"ID": entry, "Timestamp": version, "DeletedDate": wall_time(at), "EntityKey": key, "EntityType": 2}
            for version, at, entry, key in self.world.log
            if version > after and at > self.clock - LOG_KEPT
        ]


def wall_time(instant: datetime) -> str:
    """An instant as it is read: Exact's wall time, of an hour that comes twice always the first."""
    return instant.astimezone(WALL).replace(fold=0, tzinfo=None).replace(tzinfo=WALL).isoformat()
