"""Whether a run can start, judged from what was found, and told as one table with one verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import fill
from typing import Any, Literal

from exactonline_client.divisions import Use
from exactonline_client.limits import UNLIMITED

NOTE_WIDTH = 110
Mark = Literal["ok", "?", "NO"]

NOTHING_SEEN = (
    "no accounts seen: the division is empty, or this login may not read accounts in it, which Exact shows in the same "
    "way. A run makes sure that the first account it creates there can be read before it creates another."
)
NEVER_WRITTEN = (
    "not written yet: Exact did not say whether this login may write accounts. If it refuses the first one, a run "
    "leaves that division alone and says so."
)


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """The store, which was opened and has its tables at the versions of the programs."""

    address: str
    """Without passwords."""
    versions: tuple[str, ...]

    mark: Mark = "ok"

    @property
    def row(self) -> tuple[str, str, str]:
        """What it is, which one, and what was found."""
        return "store", self.address, ", ".join(self.versions)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {"check": "store", "ok": True, "store": self.address, "versions": list(self.versions)}


@dataclass(frozen=True, slots=True)
class LoginFinding:
    """A connection, and whether its login works."""

    connection: str
    user: str | None
    divisions: int
    """In reach."""
    days_left: int | None
    problem: str | None

    @property
    def mark(self) -> Mark:
        """Whether it works."""
        return "NO" if self.problem else "ok"

    @property
    def row(self) -> tuple[str, str, str]:
        """What it is, which one, and what was found."""
        found = f"{self.user}, {self.divisions} divisions in reach"
        if self.days_left is not None:
            found += f", good for {self.days_left} days without a run"
        return "login", self.connection, self.problem or found

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "check": "login",
            "ok": self.problem is None,
            "connection": self.connection,
            "user": self.user,
            "divisions": self.divisions,
            "days_left": self.days_left,
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class DivisionFinding:
    """A division that is to be read or written, and whether it can be."""

    use: Use
    code: int
    name: str
    country: str
    connection: str
    state: str
    sees_accounts: bool | None
    """Whether one was seen, which proves the right to read them; None if nobody looked."""
    written_at: datetime | None
    """When this store last saw a write there succeed."""
    calls_left_today: int | None
    problem: str | None
    may_write: bool | None = None
    """Whether the user may, by Exact's own word; None if it did not say, or nobody asked."""

    @property
    def mark(self) -> Mark:
        """`?` where something cannot be known before a run."""
        if self.problem:
            return "NO"
        return "ok" if self.sees_accounts and (self.use == "source" or self.can_write) else "?"

    @property
    def can_write(self) -> bool | None:
        """Whether accounts can be written here, as far as it is known."""
        return self.may_write if self.may_write is not None else bool(self.written_at) or None

    @property
    def row(self) -> tuple[str, str, str]:
        """What it is, which one, and what was found."""
        where = f"{self.code} {self.name}" + (f" ({self.connection})" if self.connection else "")
        if self.problem:
            return self.use, where.rstrip(), self.problem
        found = [self.country, self.state, "accounts can be read" if self.sees_accounts else "no accounts seen"]
        if self.use == "target":
            found.append("accounts may be written" if self.may_write else "")
            found.append(f"written on {self.written_at:%Y-%m-%d}" if self.written_at else "not written yet")
        if self.calls_left_today is not None and self.calls_left_today < UNLIMITED // 2:
            found.append(f"{self.calls_left_today} calls left today")
        return self.use, where, ", ".join(filter(None, found))

    def as_json(self) -> dict[str, Any]:
        """For programs; `can_read` and `can_write` are null where that cannot be known."""
        return {
            "check": "division",
            "ok": self.problem is None,
            "use": self.use,
            "division": self.code,
            "name": self.name or None,
            "country": self.country or None,
            "connection": self.connection or None,
            "state": self.state or None,
            "can_read": True if self.sees_accounts else None,
            "can_write": self.can_write if self.use == "target" else None,
            "calls_left_today": self.calls_left_today,
            "problem": self.problem,
        }


Finding = StoreFinding | LoginFinding | DivisionFinding


@dataclass(frozen=True, slots=True)
class Readiness:
    """All findings, and what they come to."""

    findings: Sequence[Finding]
    problem: str | None = None
    """One of the settings as a whole, such as a division that two connections list."""

    @property
    def is_ready(self) -> bool:
        """Whether a run can start."""
        return self.problem is None and all(one.mark != "NO" for one in self.findings)

    @property
    def first_problem(self) -> str:
        """What keeps a run from starting, or the first of it."""
        found = (one.problem for one in self.findings if not isinstance(one, StoreFinding) and one.problem)
        return self.problem or next(found, "")

    @property
    def verdict(self) -> str:
        """In one sentence."""
        divisions = [one for one in self.findings if isinstance(one, DivisionFinding)]
        counts = {use: sum(1 for one in divisions if one.use == use) for use in ("source", "target")}
        both = " and ".join(f"{count} {use}{'s' * (count != 1)}" for use, count in counts.items())
        if self.is_ready:
            return f"Ready: {both} can be used. Nothing was written."
        wrong = sum(1 for one in self.findings if one.mark == "NO") + (self.problem is not None)
        return f"Not ready: {wrong} of the above must be mended first. Nothing was written."

    def as_text(self) -> str:
        """The table, what its question marks mean, and the verdict."""
        rows = [(one.mark, *one.row) for one in self.findings]
        if self.problem:
            rows.append(("NO", "settings", "", self.problem))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
        ]
        notes = [fill(note, NOTE_WIDTH, initial_indent="?   ", subsequent_indent="    ") for note in self.notes]
        return "\n".join([*lines, *notes, self.verdict])

    @property
    def notes(self) -> list[str]:
        """What the question marks in the table mean, a sentence each."""
        open_ones = [one for one in self.findings if isinstance(one, DivisionFinding) and one.mark == "?"]
        return [
            *([NOTHING_SEEN] if any(not one.sees_accounts for one in open_ones) else []),
            *([NEVER_WRITTEN] if any(one.use == "target" and not one.can_write for one in open_ones) else []),
        ]

    def as_json(self) -> list[dict[str, Any]]:
        """A line per finding, and one of the verdict."""
        verdict = {"check": "verdict", "ok": self.is_ready, "verdict": self.verdict, "problem": self.problem}
        return [*(one.as_json() for one in self.findings), verdict]
