"""When to kill: instants within the phases of a run, as undisturbed runs showed them; and which phase was hit."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

PHASES = ("start-up", "reading", "refresh", "writing", "ending")
BEFORE_WRITING = PHASES[:3]
REMEMBERED = 7
WRITES = ("POST", "PUT")


@dataclass(frozen=True)
class Call:
    """One call of the journal, on this machine's clock."""

    at: float
    method: str
    division: int | None
    endpoint: str
    status: int | None
    code: str | None

    @classmethod
    def of(cls, row: dict[str, Any], clock_offset: float) -> "Call":
        """A call out of a journal row."""
        at = datetime.fromisoformat(row["at"]).timestamp() - clock_offset
        code = (row["body"] or {}).get("Code") if row["method"] == "POST" else None
        return cls(at, row["method"], row["division"], row["endpoint"], row["status"], code)


def phase_of(calls: Sequence[Call], targets: Sequence[int], *, writes_left: int) -> str:
    """The phase that a run was in after these calls."""
    if not calls:
        return "start-up"
    if any(call.method in WRITES for call in calls):
        return "writing" if writes_left else "ending"
    return "refresh" if any(call.division in targets for call in calls) else "reading"


def _kept() -> dict[str, deque[float]]:
    return {phase: deque(maxlen=REMEMBERED) for phase in PHASES}


@dataclass
class Durations:
    """How long the phases of undisturbed runs took; that of writing per write."""

    _seconds: dict[str, deque[float]] = field(default_factory=_kept)

    def learn(self, started_at: float, ended_at: float, calls: Sequence[Call], targets: Sequence[int]) -> None:
        """Take in an undisturbed run."""
        writes = [call.at for call in calls if call.method in WRITES]
        refreshes = [call.at for call in calls if call.division in targets and call.method == "GET"]
        if not writes or not refreshes:
            return
        seen = [started_at, calls[0].at, refreshes[0], writes[0], writes[-1], ended_at]
        for phase, begin, end in zip(PHASES, seen, seen[1:], strict=False):
            seconds = max(0.0, end - begin)
            self._seconds[phase].append(seconds / len(writes) if phase == "writing" else seconds)

    def instant(self, phase: str, share: float, writes: int) -> float:
        """Seconds after the start at which this share of a phase should be over, in a run with so many writes."""
        before = PHASES[: PHASES.index(phase)]
        return sum(self._expected(one, writes) for one in before) + share * self._expected(phase, writes)

    def _expected(self, phase: str, writes: int) -> float:
        seconds = median(self._seconds[phase])
        return seconds * writes if phase == "writing" else seconds
