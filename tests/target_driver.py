"""Runs the target in this process, on a store that lives as long as the test."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sandbox_driver import Sandbox
from singer_driver import addressed, outcomes
from target_exactonline.target import TargetExactOnline


@dataclass(frozen=True)
class Loaded:
    """What one run came to."""

    status: int
    states: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]
    log: str

    def count(self, outcome: str, division: int | None = None) -> int:
        return self.counts(division)[outcome]

    def counts(self, division: int | None = None) -> Counter[str]:
        chosen = (line for line in self.outcomes if division in (None, line["division"]))
        return Counter(line["outcome"] for line in chosen)

    def reasons(self, outcome: str) -> set[str]:
        return {line["reason"] for line in self.outcomes if line["outcome"] == outcome}


class InProcessTarget:
    """The target with the settings of a sandbox."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self._capsys = capsys
        self._caplog = caplog

    def config(self, **settings: Any) -> dict[str, Any]:
        ours = {"store_url": f"sqlite:///{self.folder / 'store.db'}", "report_path": str(self.folder / "report")}
        return self.sandbox.config() | ours | settings

    def load(
        self, records: Iterable[Mapping[str, Any]], state: Mapping[str, Any] | None = None, **settings: Any
    ) -> Loaded:
        """Load addressed records, then this state."""
        return self.load_lines(addressed(records, state), **settings)

    def load_lines(self, lines: str, **settings: Any) -> Loaded:
        self._capsys.readouterr()
        self._caplog.clear()
        status = 0
        with self._caplog.at_level(logging.INFO):
            try:
                TargetExactOnline(config=self.config(**settings)).listen(io.StringIO(lines))
            except SystemExit as end:
                status = int(end.code or 0)
        states = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        return Loaded(status, states, self.results(), self._caplog.text)

    def results(self) -> list[dict[str, Any]]:
        """The lines of the last run's report."""
        return outcomes(self.folder / "report")

    def writes(self, division: int | None = None) -> list[dict[str, Any]]:
        """Creates and updates that the sandbox saw."""
        calls = self.sandbox.journal(division=division, endpoint="crm/Accounts")
        return [call for call in calls if call["method"] in {"POST", "PUT"}]


def wanted(division: int, *codes: int, **fields: Any) -> list[dict[str, Any]]:
    """Records for one division."""
    return [{"Division": division, "Code": str(code), "Name": f"Klant {code}", **fields} for code in codes]
