"""Outcomes → JSON Lines as they come, and in the end a page that a controller can read."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import msgspec
from exactonline_client.errors import ConfigurationError

from target_exactonline.reporting.left_out import LeftOutCounts
from target_exactonline.reporting.outcomes import Outcome, Result

LINES = "outcomes.jsonl"
PAGE = "report.html"
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Characters that some readers of lines take for the end of one."""
_encode = msgspec.json.Encoder().encode
SHOWN_PER_KIND = 500
"""Rows of one kind that the page shows per division; the others are in the lines."""


@dataclass(slots=True)
class DivisionSection:
    """What the page says of one division."""

    code: int | None
    name: str
    calls: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    shown: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    left_out: LeftOutCounts = field(default_factory=LeftOutCounts)

    def add(self, line: dict[str, Any]) -> None:
        """Count a line, and show it unless it is one of very many or nothing happened."""
        outcome = line["outcome"]
        self.counts[outcome] += 1
        self.left_out.add(line["code"], (one.values() for one in line["not_sent"]), line["changes"])
        if outcome != Outcome.UNCHANGED.value and len(self.shown[outcome]) < SHOWN_PER_KIND:
            self.shown[outcome].append(line)


class Report:
    """The results of a run in a folder, or nowhere when no folder is set.

    Raises:
        ConfigurationError: The folder cannot be written; found before anything is written to Exact.
    """

    def __init__(self, folder: str | None, *, run: str, dry_run: bool) -> None:
        self._run = run
        self.notes: list[str] = []
        """What the page says of the input as a whole."""
        self._mutex = threading.Lock()
        self._folder = Path(folder).expanduser() if folder else None
        self._dry_run = dry_run
        self._lines: IO[str] | None = None
        if self._folder is not None:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / LINES).open("a", encoding="utf-8").close()
            except OSError as error:
                raise ConfigurationError(
                    f"The setting report_path names {folder}, which cannot be written: {error.strerror}."
                ) from None

    def add(self, results: Collection[Result]) -> None:
        """Write results down; the first ones take the place of those of an earlier run."""
        if self._folder is None or not results:
            return
        texts = [
            _encode(result.as_line(run=self._run, dry_run=self._dry_run)).decode().translate(_LINE_ENDS)
            for result in results
        ]
        with self._mutex:
            lines = self._opened(self._folder)
            lines.write("\n".join([*texts, ""]))
            lines.flush()

    def _opened(self, folder: Path) -> IO[str]:
        if self._lines is None:
            (folder / PAGE).unlink(missing_ok=True)  # it would be that of an earlier run
            self._lines = (folder / LINES).open("w", encoding="utf-8")
        return self._lines

    def finish(
        self,
        *,
        started_at: datetime,
        ended_at: datetime,
        names: Mapping[int, str],
        calls: Mapping[int | None, int],
        verdict: str,
    ) -> Path | None:
        """Write the page; answers where it lies."""
        if self._folder is None:
            return None
        self._opened(self._folder).close()
        sections: dict[int | None, DivisionSection] = {}
        with (self._folder / LINES).open(encoding="utf-8") as lines:
            for text in lines:
                try:
                    line = json.loads(text)
                except ValueError:  # torn: another run at the same time writes into this folder too
                    continue
                code = line["division"]
                if code not in sections:
                    sections[code] = DivisionSection(code, names.get(code, ""), calls.get(code, 0))
                sections[code].add(line)
        total = sum((section.counts for section in sections.values()), Counter[str]())
        from jinja2 import Environment, PackageLoader, select_autoescape  # noqa: PLC0415 - only where a page is wanted

        page = Environment(loader=PackageLoader("target_exactonline"), autoescape=select_autoescape()).get_template(
            PAGE
        )
        target = self._folder / PAGE
        target.write_text(
            page.render(
                sections=sorted(sections.values(), key=lambda section: section.code or 0),
                outcomes=[one.value for one in Outcome if one is not Outcome.DELETED or total[one.value]],
                total=total,
                calls=sum(calls.values()),
                dry_run=self._dry_run,
                started_at=started_at,
                ended_at=ended_at,
                verdict=verdict,
                notes=self.notes,
                limit=SHOWN_PER_KIND,
                lines=LINES,
            ),
            encoding="utf-8",
        )
        return target
