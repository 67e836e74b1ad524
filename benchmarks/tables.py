"""Figures as small tables, and whether a goal is met."""

from collections.abc import Sequence
from typing import Any


def title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Columns as wide as they must be; the first to the left, the others to the right. A row may end early."""
    shown = [list(head), *([_cell(value) for value in (*row, *[None] * (len(head) - len(row)))] for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(head))]
    for row in shown:
        first, *others = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())


def goal(what: str, value: float, *, at_most: float | None = None, at_least: float | None = None) -> bool:
    """One line that says plainly whether a goal is met."""
    is_met = (at_most is None or value <= at_most) and (at_least is None or value >= at_least)
    bound = f"at most {_cell(at_most)}" if at_most is not None else f"at least {_cell(at_least)}"
    print(f"{'goal met' if is_met else 'GOAL MISSED'}: {what} {_cell(value)}, {bound}")
    return is_met


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}" if abs(value) < 10 else f"{value:.1f}"
