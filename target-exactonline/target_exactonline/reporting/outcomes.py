"""One result per record and division; counts that add up; the summary; the exit status."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from target_exactonline.planning.model import Changes, NotSent, SourceKey
from target_exactonline.reporting.left_out import LeftOutCounts


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
    """One record in one company."""

    division: int | None
    code: str
    outcome: Outcome
    at: datetime
    kind: str | None = None
    """Machine-readable reason, of those in `planning.model.Kind`."""
    reason: str | None = None
    """The same in words."""
    changes: Changes = field(default_factory=dict)
    """Per field: before, after."""
    entity: str = "accounts"
    source: SourceKey | None = None
    matched_on: str | None = None
    """The rule that tied the row at first contact."""
    target_code: str | None = None
    """The code that the row bears, where it is another one."""
    not_sent: tuple[NotSent, ...] = ()
    """References that were left out."""

    def as_line(self, *, run: str, dry_run: bool) -> dict[str, Any]:
        """Return the object that stands for it in outcomes.jsonl."""
        line: dict[str, Any] = {
            "entity": self.entity,
            "division": self.division,
            "code": self.code,
            "outcome": self.outcome.value,
            "kind": self.kind,
            "reason": self.reason,
            "changes": {name: list(change) for name, change in self.changes.items()},
            "source": source_as_object(self.source),
            "not_sent": [one._asdict() for one in self.not_sent],
            "run": run,
            "at": self.at.isoformat(timespec="milliseconds"),
        }
        if self.matched_on not in (None, "Code"):
            line["matched_on"] = self.matched_on
        if self.target_code not in (None, self.code):
            line["target_code"] = self.target_code
        return {**line, "dry_run": True} if dry_run else line


def source_as_object(source: SourceKey | None) -> dict[str, Any] | None:
    """Return an account of a source company as division and ID; None for a record of a foreign stream."""
    return {"division": source.division, "id": source.id} if source is not None and source.division else None


class Tally:
    """The counts of a run; safe for threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._outcomes: dict[int | None, Counter[Outcome]] = defaultdict(Counter)
        self._left_out: dict[int | None, LeftOutCounts] = defaultdict(LeftOutCounts)

    def add(self, result: Result) -> None:
        """Count how one ended."""
        with self._mutex:
            self._outcomes[result.division][result.outcome] += 1
            if result.not_sent or result.division in self._left_out:
                self._left_out[result.division].add(result.code, result.not_sent, result.changes)

    def count(self, outcome: Outcome) -> int:
        """Return how many ended so, in all companies."""
        with self._mutex:
            return sum(counts[outcome] for counts in self._outcomes.values())

    def by_division(self) -> Iterator[tuple[int | None, int, Mapping[str, int]]]:
        """Yield each company with the records for it and how many of them ended how; None for those that name none."""
        for division in sorted(self._outcomes, key=lambda division: division or 0):
            counts = self._outcomes[division]
            yield division, sum(counts.values()), {outcome.value: counts[outcome] for outcome in Outcome}

    def lines(self, calls: Mapping[int | None, int]) -> Iterator[str]:
        """Yield one line per company, whose counts add up, and one for each reference that it left out."""
        for division in sorted(self._outcomes, key=lambda division: division or 0):
            counts = self._outcomes[division]
            yield (
                f"records → {f'division {division}' if division else 'no division'}: "
                f"{_counts(counts)} ({sum(counts.values())} received, {calls.get(division, 0)} calls)"
            )
            for left, customers in self._left_out[division].rows() if division in self._left_out else ():
                yield f"division {division} left out: {left.as_words(customers)}"

    def summary(self) -> str:
        """Return all companies in one line."""
        with self._mutex:
            total = sum(self._outcomes.values(), Counter[Outcome]())
            return f"{_counts(total)} ({sum(total.values())} received)"


def verdict(
    summary: str,
    calls: int,
    faults: Sequence[str],
    *,
    dry_run: bool,
    most_refused: int | None,
    signal_number: int | None,
    is_unheard: bool,
) -> str:
    """Return how a run went, in one line.

    Args:
        summary: All its outcomes.
        calls: To Exact.
        faults: What went wrong in companies as a whole.
        dry_run: Whether it was a trial.
        most_refused: The setting `max_errors`, if it stopped the run.
        signal_number: Of the signal that stopped it.
        is_unheard: Whether nobody read its STATE.
    """
    line = f"{'Planned, nothing written: ' if dry_run else ''}{summary}, {calls} calls."
    if most_refused is not None:
        line += f" Stopped: more than {most_refused} records were refused (max_errors)."
    if signal_number is not None:
        line += f" Stopped by signal {signal_number}; what is left comes again in the next run."
    if faults:
        line += f" In {len(faults)} division(s) it could not go on: {faults[0]}"
    if is_unheard:
        line += " Nobody read the STATE, so the next run begins where this one did."
    return line


def _counts(counts: Counter[Outcome]) -> str:
    shown = [outcome for outcome in Outcome if outcome not in (Outcome.SKIPPED, Outcome.DELETED) or counts[outcome]]
    return ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in shown)
