"""One result per record and division; counts that add up; the summary; the exit status."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


class Outcome(str, Enum):
    """How a record ended in a division."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    """Only where `on_source_deletion` says so."""
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    PARKED = "parked"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """One record in one division."""

    division: int | None
    code: str
    outcome: Outcome
    at: datetime
    reason: str | None = None
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Per field: before, after."""

    def as_line(self, *, dry_run: bool) -> dict[str, Any]:
        """The object that stands for it in outcomes.jsonl."""
        line = {
            "division": self.division,
            "code": self.code,
            "outcome": self.outcome.value,
            "changes": {name: list(change) for name, change in self.changes.items()},
            "reason": self.reason,
            "at": self.at.isoformat(timespec="milliseconds"),
        }
        return {**line, "dry_run": True} if dry_run else line

    def as_row(self) -> dict[str, Any]:
        """The same as a row of the store, the changes as one text."""
        line = self.as_line(dry_run=False)
        return {**line, "changes": json.dumps(line["changes"], ensure_ascii=False, separators=(",", ":"))}


class Tally:
    """The counts of a run; safe for threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._received: Counter[int | None] = Counter()
        self._outcomes: dict[int | None, Counter[Outcome]] = defaultdict(Counter)

    def receive(self, division: int | None, count: int = 1) -> None:
        """Count records that came in, or were parked before and are tried again."""
        with self._mutex:
            self._received[division] += count

    def add(self, result: Result) -> None:
        """Count how one ended."""
        with self._mutex:
            self._outcomes[result.division][result.outcome] += 1

    def count(self, outcome: Outcome) -> int:
        """How many ended so, in all divisions."""
        with self._mutex:
            return sum(counts[outcome] for counts in self._outcomes.values())

    def by_division(self) -> Iterator[tuple[int | None, int, Mapping[str, int]]]:
        """Each division with what it received and how many of it ended how; None for records that name none."""
        for division in sorted(self._received, key=lambda division: division or 0):
            counts = self._outcomes[division]
            yield division, self._received[division], {outcome.value: counts[outcome] for outcome in Outcome}

    def lines(self, calls: Mapping[int | None, int]) -> Iterator[str]:
        """One line per division, whose counts add up to what it received."""
        for division in sorted(self._received, key=lambda division: division or 0):
            counts = self._outcomes[division]
            yield (
                f"accounts → {f'division {division}' if division else 'no division'}: "
                f"{_counts(counts)} ({self._received[division]} received, {calls.get(division, 0)} calls)"
            )

    def summary(self) -> str:
        """All divisions in one line."""
        with self._mutex:
            total = sum(self._outcomes.values(), Counter[Outcome]())
            return f"{_counts(total)} ({sum(self._received.values())} received)"


def _counts(counts: Counter[Outcome]) -> str:
    shown = [outcome for outcome in Outcome if outcome not in (Outcome.SKIPPED, Outcome.DELETED) or counts[outcome]]
    return ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in shown)
