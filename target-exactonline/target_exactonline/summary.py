"""A folder of results as a table for the terminal: `python -m target_exactonline.summary output/sandbox`."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from target_exactonline.reporting.left_out import LeftOutCounts
from target_exactonline.reporting.outcomes import Outcome
from target_exactonline.reporting.report import LINES, PAGE


def summarize(folder: Path, console: Console) -> None:
    """Print how many records ended how, per division, each refusal with its reason, and what was left out."""
    counts: dict[int | None, Counter[str]] = defaultdict(Counter)
    left_out: dict[int | None, LeftOutCounts] = defaultdict(LeftOutCounts)
    refusals: list[str] = []
    with (folder / LINES).open(encoding="utf-8") as lines:
        for text in lines:
            line = json.loads(text)
            counts[line["division"]][line["outcome"]] += 1
            not_sent = (one.values() for one in line["not_sent"])
            left_out[line["division"]].add(line["code"], not_sent, line["changes"])
            if line["outcome"] == Outcome.REFUSED.value:
                refusals.append(line["reason"])
    seen = {outcome for counted in counts.values() for outcome in counted}
    shown = [one.value for one in Outcome if one is not Outcome.DELETED or one.value in seen]
    table = Table("Division", *shown)
    for column in table.columns[1:]:
        column.justify = "right"
    for division in sorted(counts, key=lambda code: code or 0):
        table.add_row(str(division or "none named"), *(str(counts[division][one]) for one in shown))
    console.print(table if counts else "Nothing came in: no account has changed since the last run.")
    for reason in refusals[:10]:
        console.print(f"Refused: {reason}", markup=False, soft_wrap=True)
    if len(refusals) > 10:
        console.print(f"... and {len(refusals) - 10} more.")
    for division, left in left_out.items():
        for one, customers in left.rows()[:10]:
            console.print(f"Left out in {division}: {one.as_words(customers)}", markup=False, soft_wrap=True)
    console.print(f"Report: {folder / PAGE}", soft_wrap=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m target_exactonline.summary FOLDER")
    try:
        summarize(Path(sys.argv[1]), Console())
    except FileNotFoundError:
        sys.exit(f"{sys.argv[1]} holds no {LINES}; it is written when report_path is set.")
