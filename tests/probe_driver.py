"""The probe as a person runs it, on worlds in which every question can be answered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from exactonline_probe.command import Clock, main
from exactonline_probe.question import GROUPS
from sandbox_driver import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Sandbox, World, customer, small_world

COMPANY, OTHER = 100, 201
CUSTOMERS = 70
"""More than a page."""
LISTS: dict[str, list[dict[str, Any]]] = {
    "PaymentConditions": [{"Code": "30", "Description": "30 dagen"}, {"Code": "14", "Description": "14 dagen"}],
    "GLAccounts": [
        {"Code": "1100", "Description": "Bank", "Type": 12},
        {"Code": "8000", "Description": "Omzet", "Type": 110},
    ],
    "VATCodes": [{"Code": "2", "Description": "Btw hoog", "Percentage": 0.21, "Type": "E"}],
    "AccountClassificationNames": [{"SequenceNumber": 1, "Description": "Branche"}],
    "AccountClassifications": [{"AccountClassificationName": 1, "Code": "A", "Description": "Bouw"}],
    "ShippingMethods": [{"Code": "PK", "Description": "Pakket"}],
}
EVERY_GROUP = (
    *("--write-to", str(COMPANY), "--company", f"Company {COMPANY}"),
    *(word for group in GROUPS for word in ("--group", group)),
)
PADDED_CODES_AND_A_LIST_OUT_OF_REACH = {"code_digits": 7, "rights": {"read_ShippingMethods": False}}
"""Without these two switches of the sandbox make no difference."""


def probed_world(**more: Any) -> World:
    """A company of 70 customers and another one with a few, under Exact's own limits."""
    accounts = {
        COMPANY: [customer(number) for number in range(1, CUSTOMERS + 1)],
        OTHER: [customer(number) for number in range(1, 4)],
    }
    divisions = {COMPANY: {**PADDED_CODES_AND_A_LIST_OUT_OF_REACH, **more.pop("division", {})}}
    limits = {"enabled": True, **more.pop("limits", {})}
    return small_world(
        targets=(OTHER,), accounts=accounts, divisions=divisions, lists={COMPANY: LISTS}, limits=limits, **more
    )


class Hours:
    """The probe's clock and the sandbox's, moved together by sleeping."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._slept = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(timezone.utc) + self._slept

    def sleep(self, seconds: float) -> None:
        self._slept += timedelta(seconds=seconds)
        self._sandbox.advance(seconds)


@dataclass
class Ran:
    """What a call of the program left behind."""

    status: int
    output: str
    errors: str

    @property
    def lines(self) -> dict[str, list[str]]:
        """What was said of each question, in columns."""
        found = (re.split(r"  +", line) for line in self.output.splitlines())
        return {columns[1]: columns for columns in found if len(columns) == 3}

    def with_verdict(self, *verdicts: str) -> list[str]:
        """The questions that ended so."""
        return [name for name, columns in self.lines.items() if columns[0] in verdicts]


def settings_of(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """The settings as variables of the environment."""
    return {
        "EXACTONLINE_BASE_URL": sandbox.url,
        "EXACTONLINE_CLIENT_ID": CLIENT_ID,
        "EXACTONLINE_CLIENT_SECRET": CLIENT_SECRET,
        "EXACTONLINE_REFRESH_TOKEN": REFRESH_TOKEN,
        "EXACTONLINE_STORE_URL": f"sqlite:///{folder / 'store.db'}",
    }


@dataclass
class Probe:
    """`exactonline-probe` with its settings in the environment, and its store and files in a folder."""

    sandbox: Sandbox
    folder: Path
    env: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hours = Hours(self.sandbox)
        self.env = {**settings_of(self.sandbox, self.folder), **self.env}

    def run(self, *arguments: str, given: str = "", env: Mapping[str, str | None] | None = None) -> Ran:
        """One call within this process."""
        if arguments[0] == "run":
            arguments = (*arguments, "--output", str(self.folder))
        runner = CliRunner(env={**self.env, **(env or {})})
        done = runner.invoke(main, arguments, input=given, obj=Clock(self.hours.now, self.hours.sleep))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Ran(done.exit_code, done.stdout, done.stderr)

    def facts(self) -> dict[str, Any]:
        """The newest file of facts."""
        return dict(json.loads(self.files()[-1].read_text(encoding="utf-8")))

    def files(self) -> list[Path]:
        """All files of facts, oldest first."""
        return sorted(self.folder.glob("exact-facts-*.json"), key=lambda path: path.stat().st_mtime_ns)
