"""First contact as a sheet: a CSV file out, a column that a person fills in, and each line checked on its way back.

A record with candidates has a line for each of them; the line on which somebody writes `tie` names the one that it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exactonline_client.errors import ConfigurationError

from target_exactonline.store.match_lists import Candidate, Line
from target_exactonline.store.matches import Verdict, as_text

COLUMNS = (
    "decision", "division", "code", "name", "state", "target_id", "target_code", "target_name", "agrees", "matched_on",
    "by", "at", "source",
)  # fmt: skip
"""The one that is filled in comes first: spreadsheets drop empty cells at the end of a line."""
NEEDED = frozenset({"decision", "division", "code"})
DECISIONS: dict[str, Verdict] = {"tie": "tied", "untie": "untied", "leave-out": "left_out", "as-new": "as_new"}
FORMULA = ("=", "+", "-", "@", "\t")
"""What a spreadsheet would take for a formula when a cell begins with it."""
SEPARATORS = ",;\t"


class BrokenLineError(Exception):
    """A line that says nothing that can be obeyed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a line of a sheet asks for."""

    verdict: Verdict
    division: int
    code: str
    target: str | None
    """ID or code of the row to tie."""
    source: str | None


def sheet(lines: Iterable[Line]) -> Iterator[str]:
    """Yield the lines of a sheet, each with its end."""
    yield _as_csv(COLUMNS)
    for line in lines:
        rows: Iterable[Candidate | None] = line.candidates or (line.row,)
        for row in rows:
            yield _as_csv(_cells(line, row))


def wishes(text: str) -> Iterator[tuple[int, Wish | BrokenLineError]]:
    """Yield what the lines of a sheet ask for, with their numbers; those without a decision ask for nothing.

    Raises:
        ConfigurationError: The first line does not name the columns.
    """
    rows = text.splitlines()
    separator, names = _columns(rows[0] if rows else "")
    for number, row in enumerate(rows[1:], start=2):
        try:
            wish = _wish(_split(row, separator), names)
        except BrokenLineError as error:
            yield number, error
        else:
            if wish is not None:
                yield number, wish


def decoded(content: bytes) -> str:
    """Return the text of a file as spreadsheets save it."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _cells(line: Line, row: Candidate | None) -> list[str]:
    decided = line.decided
    found = {
        "division": line.party.division,
        "code": line.party.code,
        "name": line.name,
        "state": line.state,
        "target_id": row.id if row else "",
        "target_code": row.code if row else "",
        "target_name": row.name if row else "",
        "agrees": " ".join(row.agrees) if row else "",
        "matched_on": line.matched_on,
        "by": decided.by if decided else "",
        "at": f"{decided.at:%Y-%m-%d %H:%M}" if decided else "",
        "source": as_text(line.party.key),
    }
    return [_safe(found.get(name)) for name in COLUMNS]


def _safe(value: object) -> str:
    """Return the text of a cell that no spreadsheet computes, in one line."""
    text = " ".join(str(value if value is not None else "").split())
    return f"'{text}" if text.startswith(FORMULA) else text


def _as_csv(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _columns(first: str) -> tuple[str, dict[str, int]]:
    separator = max(SEPARATORS, key=first.count)
    names = {
        name.strip().casefold(): place for place, name in enumerate(next(csv.reader([first], delimiter=separator), []))
    }
    if missing := sorted(NEEDED - names.keys()):
        raise ConfigurationError(
            f"The first line names no column {', '.join(missing)}. Begin with a file that `matches export` wrote."
        )
    return separator, names


def _split(row: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([row], delimiter=separator, strict=True), [])
    except csv.Error as error:
        raise BrokenLineError(f"It cannot be read: {error}.") from None


def _wish(cells: list[str], names: dict[str, int]) -> Wish | None:
    def cell(name: str) -> str:
        place = names.get(name, len(cells))
        return cells[place].strip().removeprefix("'") if place < len(cells) else ""

    asked = cell("decision").casefold().replace(" ", "-").replace("_", "-")
    if len(cells) > len(names) and any(one.strip() for one in cells[len(names) :]):
        raise BrokenLineError(f"It has {len(cells)} cells, and the first line names {len(names)} columns.")
    if not asked:
        return None
    if asked not in DECISIONS:
        raise BrokenLineError(f"{cell('decision')!r} is no decision; there are {', '.join(DECISIONS)}.")
    if not cell("division").isdecimal():
        raise BrokenLineError(f"{cell('division')!r} is no code of a division.")
    if not (cell("code") or cell("source")):
        raise BrokenLineError("It names no account: code and source are empty.")
    target = cell("target_id") or cell("target_code")
    if asked == "tie" and not target:
        raise BrokenLineError("It says tie and not to what: target_id and target_code are empty.")
    return Wish(DECISIONS[asked], int(cell("division")), cell("code"), target or None, cell("source") or None)
