"""What every company holds, by the sandbox's own file, and what it should hold by what happened at the source."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exactonline_client.entities import ACCOUNTS
from sandbox_driver import SOURCE

BLOCKS, DELETES, IGNORES = 201, 202, 203
TARGETS = (BLOCKS, DELETES, IGNORES)
"""Each does something else with an account that left the source."""
WATCHED = (*ACCOUNTS.safe_to_copy, "Blocked", "EndDate")

Values = dict[str, Any]
Place = tuple[int, str]


def holdings(world: Path) -> dict[int, dict[str, Values]]:
    """Division → code → what it holds of the fields that are watched."""
    found: dict[int, dict[str, Values]] = {division: {} for division in (SOURCE, *TARGETS)}
    with closing(sqlite3.connect(world)) as database:
        for division, code, data in database.execute("SELECT division, code, data FROM accounts"):
            row = json.loads(data)
            found[division][code] = {name: row[name] for name in WATCHED if row.get(name) not in (None, "")}
    return found


@dataclass
class Companies:
    """What the targets should hold, run by run."""

    gone: set[str] = field(default_factory=set)
    """Codes that left the source and did not come back."""
    blocked_by_us: set[str] = field(default_factory=set)
    _known: set[str] = field(default_factory=set)

    def should_hold(self, before: Mapping[int, Mapping[str, Values]], today: int) -> dict[Place, Values | None]:
        """What a run has to make of what is there before it: place → values, or None for nothing.

        Args:
            before: What all companies hold.
            today: Midnight of the source's day, as the sandbox keeps dates.
        """
        source = before[SOURCE]
        self._known |= source.keys()
        left, back = self._known - source.keys() - self.gone, self.gone & source.keys()
        wanted: dict[Place, Values | None] = {}
        for target in TARGETS:
            for code in self._known:
                there = before[target].get(code)
                if code in source:
                    is_freed = target == BLOCKS and code in back & self.blocked_by_us
                    wanted[target, code] = _copy(source[code], there, is_freed=is_freed)
                elif target == DELETES:
                    wanted[target, code] = there if code in self.gone else None
                elif target == BLOCKS and code in left and there is not None:
                    wanted[target, code] = {**there, "Blocked": True, "EndDate": there.get("EndDate", today)}
                else:
                    wanted[target, code] = there
        self.blocked_by_us = (self.blocked_by_us | left) - back
        self.gone = (self.gone | left) - back
        return wanted

    def forget(self) -> None:
        """The store is lost, and with it what we blocked."""
        self.blocked_by_us.clear()


def _copy(row: Values, there: Values | None, *, is_freed: bool) -> Values:
    """What a copy should hold; whether it is blocked is its own affair, unless we blocked it."""
    copy = {name: value for name, value in row.items() if name in ACCOUNTS.safe_to_copy}
    if there is None or is_freed:
        return copy
    return {**copy, **{name: there[name] for name in ("Blocked", "EndDate") if name in there}}


def differences(wanted: Mapping[Place, Values | None], after: Mapping[int, Mapping[str, Values]]) -> list[str]:
    """Where a target does not hold what it should, a sentence each."""
    found = []
    for division in TARGETS:
        codes = after[division].keys() | {code for place, code in wanted if place == division}
        for code in sorted(codes):
            should, is_ = plain(wanted.get((division, code))), plain(after[division].get(code))
            if should is None or is_ is None:
                found += [] if should is is_ else [f"{code} in {division} is {'missing' if should else 'too many'}"]
                continue
            found += [
                f"{name} of {code} in {division} is {is_.get(name)!r}, should be {should.get(name)!r}"
                for name in sorted(should.keys() | is_.keys())
                if should.get(name) != is_.get(name)
            ]
    return found


def writes_needed(wanted: Mapping[Place, Values | None], before: Mapping[int, Mapping[str, Values]]) -> int:
    """How many accounts differ from what they should be: a write each."""
    return sum(plain(values) != plain(before[division].get(code)) for (division, code), values in wanted.items())


def plain(values: Mapping[str, Any] | None) -> Values | None:
    """Values without those that say as much as none."""
    return None if values is None else {name: value for name, value in values.items() if value is not False}
