"""When to kill: instants within the phases of a run, as undisturbed runs showed them; and which phase was hit."""

import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

PHASES = ("start-up", "reading", "refresh", "writing", "ending")
REMEMBERED = 5
WRITES = ("POST", "PUT")
LOOK_SECONDS = 0.003


@dataclass(frozen=True)
class Call:
    """One call of the journal, on this machine's clock."""

    at: float
    method: str
    division: int | None
    endpoint: str
    status: int | None
    code: str | None
    cut_off: bool
    """A write whose body did not come whole: its sender was killed meanwhile."""
    email: str | None

    @classmethod
    def of(cls, row: dict[str, Any], clock_offset: float) -> "Call":
        """A call out of a journal row."""
        at = datetime.fromisoformat(row["at"]).timestamp() - clock_offset
        body = row["body"] if isinstance(row["body"], dict) else None
        code = body.get("Code") if body and row["method"] == "POST" else None
        cut_off = row["method"] in WRITES and body is None
        email = body.get("Email") if body else None
        return cls(at, row["method"], row["division"], row["endpoint"], row["status"], code, cut_off, email)


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
    """How long the phases of undisturbed runs took."""

    _seconds: dict[str, deque[float]] = field(default_factory=_kept)

    def learn(self, started_at: float, ended_at: float, calls: Sequence[Call], targets: Sequence[int]) -> None:
        """Take in an undisturbed run."""
        writes = [call.at for call in calls if call.method in WRITES]
        refreshes = [call.at for call in calls if call.division in targets and call.method == "GET"]
        if not writes or not refreshes:
            return
        seen = [started_at, calls[0].at, refreshes[0], writes[0], writes[-1], ended_at]
        for phase, begin, end in zip(PHASES, seen, seen[1:], strict=False):
            self._seconds[phase].append(max(0.0, end - begin))

    def __getitem__(self, phase: str) -> float:
        """Seconds that the phase takes of late."""
        return median(self._seconds[phase])


class Moments:
    """Waits for the instant of a kill, by the sandbox's journal as it grows."""

    def __init__(self, world: Path, targets: Sequence[int]) -> None:
        self._database = sqlite3.connect(f"file:{world}?mode=ro", uri=True, isolation_level=None)
        marks = ", ".join("?" * len(targets))
        self._query = (
            f"SELECT count(*), total(division IN ({marks})),"  # noqa: S608 - question marks
            " total(method IN ('POST', 'PUT') AND endpoint = 'crm/Accounts') FROM journal"
        )
        self._targets = tuple(targets)

    def wait(self, phase: str, share: float, writes: int, durations: Durations, has_ended: Callable[[], bool]) -> None:
        """Until this share of a phase is over, in a run that is to make so many writes, or until it has ended."""
        begun_at = time.monotonic()
        while not self._has_begun(phase, share, writes) and not has_ended():
            time.sleep(LOOK_SECONDS)
            begun_at = time.monotonic()
        seconds = share * (durations[phase] / max(1, writes) if phase == "writing" else durations[phase])
        while time.monotonic() < begun_at + seconds and not has_ended():
            time.sleep(LOOK_SECONDS * share)

    def _has_begun(self, phase: str, share: float, writes: int) -> bool:
        calls, to_targets, written = self._database.execute(self._query, self._targets).fetchone()
        match phase:
            case "start-up":
                return True
            case "reading":
                return bool(calls)
            case "refresh":
                return bool(to_targets)
            case "writing":
                return bool(written > share * writes)
            case _:
                return bool(written >= max(1, writes))

    def close(self) -> None:
        """Look no more."""
        self._database.close()
