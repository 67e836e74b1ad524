"""A world: what people do between runs and the runs, carried out on the sandbox and on the model, and compared."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from model import Expected, Model, Settings
from parties import WATCHED
from sandbox_driver import SOURCE, TARGETS, Sandbox, small_world
from singer_driver import Project, Ran

Op = tuple[Any, ...]
"""("add", company, code, values, identity), ("edit", company, code, values), ("remove", company, code),
("swap", company, code, code) or ("run", settings)."""

WALL = ZoneInfo("Europe/Amsterdam")
BETWEEN = 10
"""Seconds by which the clock moves before each run and after, so that no two moments are one."""


class DifferenceError(Exception):
    """A company, an outcome or the number of writes is not what the model says."""


@dataclass
class World:
    """Sandbox, plugins and model, side by side."""

    sandbox: Sandbox
    project: Project
    model: Model
    state: dict[str, Any] | None = None
    runs: int = 0
    writes: int = 0
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    """Company and Exact's ID of an account → its number."""
    _moved: int = 0

    @classmethod
    def begin(cls, sandbox: Sandbox, folder: Path) -> World:
        """A world without accounts, in an empty folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        sandbox.reset(small_world(0, limits={"token_seconds": 3_000_000}))
        return cls(sandbox, Project(sandbox, folder), Model((SOURCE, *TARGETS)))

    def do(self, op: Op) -> None:
        """Carry it out on both sides; what is not possible now is passed over.

        Raises:
            DifferenceError: They are not the same afterwards.
        """
        kind, *rest = op
        getattr(self, f"_{kind}")(*rest)

    # What people do

    def _add(self, company: int, code: str, values: Mapping[str, Any], identity: int) -> None:
        place = company, str(UUID(int=company << 64 | identity))
        held, number = self.model.held[company], self._numbers.get(place)
        if code in held or number in {row.number for row in held.values()}:
            return
        self._numbers[place] = self.model.add(company, code, values, number, identity).number
        self.sandbox.seed(company, [{"ID": place[1], "Code": code, "Status": "C", "Country": "NL", **values}])

    def _edit(self, company: int, code: str, values: Mapping[str, Any]) -> None:
        held = self.model.held[company]
        if code not in held or values.get("Code", code) in held.keys() - {code}:
            return
        self.model.edit(company, code, values)
        self.sandbox.edit(company, code, **values)

    def _remove(self, company: int, code: str) -> None:
        if code in self.model.held[company]:
            self.model.remove(company, code)
            self.sandbox.remove(company, code)

    def _swap(self, company: int, one: str, other: str) -> None:
        if one != other and {one, other} <= self.model.held[company].keys():
            for old, new in ((one, "999999"), (other, one), ("999999", other)):
                self._edit(company, old, {"Code": new})

    # A run

    def _run(self, given: Mapping[str, Any]) -> None:
        settings = settings_of(given)
        self._advance()
        self.runs += 1
        read = self.project.read(state=self.state)
        _check(read.status == 0, f"the tap ended with {read.status}: {read.log[-1000:]}")
        came, gone = self._came(read)
        self._check_news(set(came), set(gone))
        expected = self.model.run(SOURCE, came, gone, settings, self._today())
        self.sandbox.forget_calls()
        loaded = self._loaded(read.output, settings)
        _check(loaded.status == 0, f"the target ended with {loaded.status}: {loaded.log[-1000:]}")
        self.state = loaded.state or self.state
        self._advance()
        self.writes += sum(expected.writes.values())
        found = [*self._rows_that_differ(), *self._writes_that_differ(expected), *self._outcomes_that_differ(expected)]
        _check(not found, "; ".join(found[:6]))

    def _loaded(self, given: str, settings: Settings) -> Ran:
        try:
            return self.project.load(given, **target_settings(settings))
        except Exception as error:
            message = f"the target fell over: {type(error).__name__}: {str(error)[:200]}"
            raise DifferenceError(message) from error

    def _came(self, read: Ran) -> tuple[list[int], list[int]]:
        came = [self._numbers[SOURCE, record["ID"]] for record in read.records("accounts")]
        keys = [record["EntityKey"] for record in read.records("deleted_accounts")]
        return came, [self._numbers[SOURCE, key] for key in keys]

    def _check_news(self, came: set[int], gone: set[int]) -> None:
        must_come, must_go = self.model.news(SOURCE)
        _check(must_come <= came, f"the tap did not bring {sorted(must_come - came)}")
        _check(must_go <= gone, f"the tap did not say that these are gone: {sorted(must_go - gone)}")

    def _rows_that_differ(self) -> Iterator[str]:
        for company, held in self.model.held.items():
            there = {row["Code"]: watched(row) for row in self.sandbox.accounts(company)}
            for code in sorted(there.keys() | held.keys()):
                should, is_ = held[code].values if code in held else None, there.get(code)
                if should is None or is_ is None:
                    yield f"{code} in {company} is {'missing' if should else 'too many'}"
                    continue
                for name in WATCHED:
                    if should.get(name) != is_.get(name):
                        yield f"{name} of {code} in {company} is {is_.get(name)!r}, not {should.get(name)!r}"

    def _writes_that_differ(self, expected: Expected) -> Iterator[str]:
        made = Counter(call["division"] for call in self.project.writes())
        for company in sorted(made.keys() | expected.writes.keys()):
            if made[company] != expected.writes[company]:
                yield f"{made[company]} writes in {company}, not {expected.writes[company]}"

    def _outcomes_that_differ(self, expected: Expected) -> Iterator[str]:
        lines = (line for line in self.project.outcomes if line["outcome"] in TOLD)
        told = Counter((line["division"], line["code"], line["outcome"], line["kind"]) for line in lines)
        for one in expected.outcomes - told:
            yield f"not told: {one}"
        for one in told - expected.outcomes:
            if one not in expected.may_tell:
                yield f"told: {one}"

    def _advance(self) -> None:
        self.sandbox.advance(BETWEEN)
        self._moved += BETWEEN

    def _today(self) -> str:
        now = datetime.now(WALL) + timedelta(seconds=self._moved)
        return f"{now:%Y-%m-%d}"


TOLD = ("created", "updated", "deleted", "parked", "refused")


def watched(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row of the sandbox is compared, with days as days."""
    values = {name: row[name] for name in WATCHED if row.get(name) not in (None, "", False)}
    if "EndDate" in values:
        values["EndDate"] = values["EndDate"][:10]
    return values


def settings_of(given: Mapping[str, Any]) -> Settings:
    """Settings from what an op says of them."""
    known = dict(given)
    for name in ("targets", "fields"):
        if name in known:
            known[name] = tuple(known[name])
    return Settings(**known)


def target_settings(settings: Settings) -> dict[str, Any]:
    """The same as the target is told."""
    overrides = {str(one): dict(constants) for one, constants in settings.overrides.items() if one in settings.targets}
    fan_out = {"target_divisions": list(settings.targets), "fields": list(settings.fields), "overrides": overrides}
    given: dict[str, Any] = {
        "fan_out": fan_out,
        "nulls": settings.nulls,
        "on_code_change": settings.on_code_change,
        "on_source_deletion_overrides": {str(one): how for one, how in settings.on_source_deletion.items()},
        "reconcile": settings.reconcile,
    }
    return given if settings.max_creates is None else {**given, "max_creates": settings.max_creates}


def _check(holds: bool, sentence: str) -> None:
    if not holds:
        raise DifferenceError(sentence)


def play(world: World, ops: Sequence[Op]) -> str | None:
    """Carry out all ops; the first difference, or None."""
    for number, op in enumerate(ops):
        try:
            world.do(op)
        except DifferenceError as error:
            return f"op {number}, run {world.runs}: {error}"
    return None


def shrunk(ops: Sequence[Op], differs: Any) -> list[Op]:
    """Fewer ops that still make a difference, by leaving out more and more of them."""
    kept, size = list(ops), max(1, len(ops) // 2)
    while True:
        start, is_smaller = 0, False
        while start < len(kept):
            fewer = kept[:start] + kept[start + size :]
            if fewer and differs(fewer):
                kept, is_smaller = fewer, True
            else:
                start += size
        if size == 1 and not is_smaller:
            return kept
        size = max(1, size // 2)
