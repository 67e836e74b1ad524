"""The companies within reach of a login, and whether tap and target can use them: one judgement for all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from exactonline_client.odata import Row

ACTIVE = 1
DIVISION_FIELDS = ("Code", "Description", "Country", "Status", "BlockingStatus", "DivisionMoveDate")
PER_PAGE = 60
"""Rows that Exact lists in one answer."""
SHOWN = 20
Use = Literal["source", "target"]

_MEND = {"source": "choose an active one", "target": "take it off the targets"}


@dataclass(frozen=True, slots=True)
class Division:
    """A company within reach of the login."""

    code: int
    name: str
    country: str
    status: int
    """0 inactive, 1 active, 2 archived."""
    blocking_status: int
    """0 free; otherwise Exact is restoring, converting or copying it."""
    moved_at: datetime | None
    """When Exact last moved it to another database, where row versions start again."""

    @classmethod
    def of(cls, row: Row) -> Division:
        """A division out of its row."""
        status, moved_at = row.get("Status"), row.get("DivisionMoveDate")
        return cls(
            int(row["Code"]),
            row.get("Description") or "",
            row.get("Country") or "",
            ACTIVE if status is None else int(status),
            int(row.get("BlockingStatus") or 0),
            datetime.fromisoformat(moved_at) if moved_at else None,
        )

    @property
    def state(self) -> str:
        """Its status in a word."""
        if self.blocking_status:
            return "in Exact's own hands"
        return "active" if self.status == ACTIVE else "archived" if self.status > ACTIVE else "inactive"


def pages(divisions: int) -> int:
    """Return the calls that a list of so many divisions takes."""
    return -(-divisions // PER_PAGE)


def filters(codes: Iterable[int]) -> list[str]:
    """Return OData filters that together name these codes, a page of rows each.

    With all fields of a division selected, such an address stays below half of the 6,000 characters that Exact takes.
    """
    each = [f"Code eq {code}" for code in codes]
    return [" or ".join(each[start : start + PER_PAGE]) for start in range(0, len(each), PER_PAGE)]


def why_unfit(use: Use, code: int, reach: Mapping[int, Division]) -> str | None:
    """Why a division cannot be read or written, in a sentence that says what to do, or None."""
    division = reach.get(code)
    if division is None:
        return (
            f"The {use} division {code} is not within reach of this login. It reaches: {_some(reach)}. Correct the "
            "code, or grant the division at consent."
        )
    if division.status != ACTIVE:
        return f"The {use} division {code} ({division.name}) is {division.state}; {_MEND[use]}."
    if division.blocking_status:
        return f"Exact itself is at work in the {use} division {code} ({division.name}); run again later."
    return None


def _some(codes: Iterable[int]) -> str:
    """The codes, of very many the first ones."""
    shown = [str(code) for code in sorted(codes)]
    return ", ".join(shown[:SHOWN]) + (f" and {len(shown) - SHOWN} others" if shown[SHOWN:] else "") or "none"


def misnamed(reach: Mapping[int, Division], expected: Mapping[str, str]) -> dict[int, str]:
    """The divisions that now belong to a company of another name than the settings expect, a sentence each."""
    return {
        code: f"Division {code} is called {reach[code].name!r}, where expected_divisions says {name!r}. "
        "Make sure that it is the right company, then correct the setting."
        for code, name in ((int(code), name) for code, name in expected.items())
        if code in reach and reach[code].name.strip().casefold() != name.strip().casefold()
    }


def problems(use: Use, codes: Iterable[int], reach: Mapping[int, Division], expected: Mapping[str, str]) -> list[str]:
    """All that keeps a run from starting, a sentence each; nothing if it can."""
    unfit = (why_unfit(use, code, reach) for code in codes)
    return [*(problem for problem in unfit if problem), *misnamed(reach, expected).values()]
