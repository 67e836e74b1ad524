"""A world: what people do between runs and the runs, carried out on the sandbox and on the model, and compared."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from model import Expected, Model, News, Row, Settings
from parties import WATCHED
from places import SITE_OF, SOURCES, TARGETS, connections, empty_world
from quick_waits import Clock
from sandbox_driver import Sandbox
from singer_driver import ABSENT, Project, Ran

Op = tuple[Any, ...]
"""("add", company, code, values, identity), ("edit", company, code, values), ("remove", company, code),
("swap", company, code, code), ("begin", company, code, values), ("commit", company), ("back_up", company),
("restore", company), ("move", company), ("run", settings), ("run_twice", settings), ("run_killed", settings, writes),
("run_with_faults", settings, faults)."""

WALL = ZoneInfo("Europe/Amsterdam")
BETWEEN = 10
"""Seconds by which the clock moves before each run and after, so that no two moments are one."""
DAY = 86_400
TOLD = ("created", "updated", "deleted", "parked", "refused")
ONE_LOGIN = ("base_url", "client_id", "client_secret", "refresh_token")


class DifferenceError(Exception):
    """A company, an outcome or the number of writes is not what the model says."""


@dataclass
class World:
    """Sandbox, plugins and model, side by side."""

    sites: Mapping[str, Sandbox]
    project: Project
    model: Model
    state: dict[str, Any] | None = None
    runs: int = 0
    writes: int = 0
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    """Company and Exact's ID of an account → its number."""
    _open: dict[int, dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    """Company → code → what a transaction that is open will change."""
    _backups: dict[int, dict[str, Row]] = field(default_factory=dict)
    _moved: int = 0

    @classmethod
    def begin(cls, sites: Mapping[str, Sandbox], folder: Path) -> World:
        """A world without accounts, in an empty folder."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, sandbox in sites.items():
            sandbox.reset(empty_world(name))
        Clock.ahead = timedelta()
        return cls(sites, Project(sites["nl"], folder), Model((*SOURCES, *TARGETS)))

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
        account = {"ID": place[1], "Code": code, "Status": "C", "Country": "NL", **values}
        self._sandbox(company).seed(company, [account])

    def _edit(self, company: int, code: str, values: Mapping[str, Any]) -> None:
        held = self.model.held[company]
        if not self._may_touch(company, code) or values.get("Code", code) in held.keys() - {code}:
            return
        self.model.edit(company, code, values)
        self._sandbox(company).edit(company, code, **values)

    def _remove(self, company: int, code: str) -> None:
        if self._may_touch(company, code):
            self.model.remove(company, code)
            self._sandbox(company).remove(company, code)

    def _swap(self, company: int, one: str, other: str) -> None:
        if one != other and self._may_touch(company, one) and self._may_touch(company, other):
            for old, new in ((one, "999999"), (other, one), ("999999", other)):
                self._edit(company, old, {"Code": new})

    def _begin(self, company: int, code: str, values: Mapping[str, Any]) -> None:
        if self._may_touch(company, code):
            self._open.setdefault(company, {})[code] = values
            self._sandbox(company).begin(company, code, **values)

    def _commit(self, company: int) -> None:
        for code, values in self._open.pop(company, {}).items():
            self.model.edit(company, code, values)
        self._sandbox(company).commit(company)

    def _back_up(self, company: int) -> None:
        if not self._open.get(company):
            self._backups[company] = deepcopy(self.model.held[company])
            self._sandbox(company).back_up(company)

    def _restore(self, company: int) -> None:
        if company in self._backups and not self._open.get(company):
            self.model.held[company] = deepcopy(self._backups[company])
            self._sandbox(company).restore(company)

    def _move(self, company: int) -> None:
        if not self._open.get(company):
            self._sandbox(company).move(company)

    def _may_touch(self, company: int, code: str) -> bool:
        return code in self.model.held[company] and code not in self._open.get(company, {})

    def _sandbox(self, company: int) -> Sandbox:
        return self.sites[SITE_OF[company]]

    # Runs

    def _run(self, given: Mapping[str, Any]) -> None:
        """A run that nothing disturbs."""
        settings = settings_of(given)
        lines, expected = self._read(settings)
        loaded = self._loaded(lines, settings)
        _check(loaded.status == 0, f"the target ended with {loaded.status}: {loaded.log[-1000:]}")
        self._end(loaded)
        self._compare(self._writes_that_differ(expected), self._outcomes_that_differ(expected))

    def _run_twice(self, given: Mapping[str, Any]) -> None:
        """Two processes at once, with the same input: each change is made by one of them."""
        settings = settings_of(given)
        lines, expected = self._read(settings)
        source = self.project.folder / "both.input"
        source.write_text(lines, encoding="utf-8")
        both = [self.project.target.start(self._config(settings), "--input", str(source)) for _ in range(2)]
        ended = [(process.communicate(timeout=120), process.returncode) for process in both]
        for (_, log), status in ended:
            _check(status == 0, f"one of two targets ended with {status}: {log[-1000:]}")
        self._end(Ran(0, ended[0][0][0], ""))
        self._compare(self._writes_that_differ(expected))

    def _run_killed(self, given: Mapping[str, Any], writes: int) -> None:
        """A process that is killed after so many writes, and a run after it."""
        settings = settings_of(given)
        lines, _ = self._read(settings)
        source = self.project.folder / "killed.input"
        source.write_text(lines, encoding="utf-8")
        process = self.project.target.start(self._config(settings), "--input", str(source))
        while process.poll() is None and sum(self._made().values()) < writes:
            time.sleep(0.005)
        process.kill()
        process.communicate()
        self._after_trouble(settings)

    def _run_with_faults(self, given: Mapping[str, Any], faults: Sequence[Mapping[str, Any]]) -> None:
        """A run with answers that are wrong, and a day later the one that mends it; no transaction lasts so long."""
        for company in list(self._open):
            self._commit(company)
        settings = settings_of(given)
        lines, _ = self._read(settings)
        for company in settings.targets:
            for fault in faults:
                self._sandbox(company).fault(**fault, division=company)
        self._end(self._loaded(lines, settings))
        for sandbox in self.sites.values():
            sandbox.clear_faults()
        self._advance(DAY)
        self._after_trouble(settings)

    def _after_trouble(self, settings: Settings) -> None:
        """The next run: all is as if nothing had been."""
        lines, again = self._read(settings)
        _check(not sum(again.writes.values()), "the model writes twice")
        loaded = self._loaded(lines, settings)
        _check(loaded.status == 0, f"the target ended with {loaded.status}: {loaded.log[-1000:]}")
        self._end(loaded)
        self._compare()

    def _read(self, settings: Settings) -> tuple[str, Expected]:
        """What the tap brings, and what the model makes of it."""
        self._advance(BETWEEN)
        self.runs += 1
        read = self.project.read(state=self.state, **self._logins, divisions=list(SOURCES))
        _check(read.status == 0, f"the tap ended with {read.status}: {read.log[-1000:]}")
        news = self._news(read)
        must_come, must_go = self.model.news(SOURCES)
        came, gone = (
            {number for number, is_gone in news if not is_gone},
            {number for number, is_gone in news if is_gone},
        )
        _check(must_come <= came, f"the tap did not bring {sorted(must_come - came)}")
        _check(must_go <= gone, f"the tap did not say that these are gone: {sorted(must_go - gone)}")
        expected = self.model.run(news, settings, self._today())
        for sandbox in self.sites.values():
            sandbox.forget_calls()
        self.writes += sum(expected.writes.values())
        return read.output, expected

    def _loaded(self, given: str, settings: Settings) -> Ran:
        try:
            return self.project.load(given, **self._logins, **target_settings(settings))
        except Exception as error:
            message = f"the target fell over: {type(error).__name__}: {str(error)[:200]}"
            raise DifferenceError(message) from error

    def _end(self, loaded: Ran) -> None:
        self.state = loaded.state or self.state
        self._advance(BETWEEN)

    @property
    def _logins(self) -> dict[str, Any]:
        return {**dict.fromkeys(ONE_LOGIN, ABSENT), "connections": connections(self.sites)}

    def _config(self, settings: Settings) -> dict[str, Any]:
        return self.project.target_config(**self._logins, **target_settings(settings))

    def _news(self, read: Ran) -> News:
        news = []
        for message in read.messages:
            if message["type"] != "RECORD" or message["stream"] not in ("accounts", "deleted_accounts"):
                continue
            record, is_gone = message["record"], message["stream"] == "deleted_accounts"
            key = record["EntityKey" if is_gone else "ID"]
            news.append((self._numbers[record["Division"], key], is_gone))
        return news

    # What is compared

    def _compare(self, *found: Iterator[str]) -> None:
        differences = [*self._rows_that_differ(), *(sentence for one in found for sentence in one)]
        _check(not differences, "; ".join(differences[:6]))

    def _rows_that_differ(self) -> Iterator[str]:
        for company, held in self.model.held.items():
            there = {row["Code"]: watched(row) for row in self._sandbox(company).accounts(company)}
            for code in sorted(there.keys() | held.keys()):
                should, is_ = held[code].values if code in held else None, there.get(code)
                if should is None or is_ is None:
                    yield f"{code} in {company} is {'missing' if should else 'too many'}"
                    continue
                for name in WATCHED:
                    if should.get(name) != is_.get(name):
                        yield f"{name} of {code} in {company} is {is_.get(name)!r}, not {should.get(name)!r}"

    def _writes_that_differ(self, expected: Expected) -> Iterator[str]:
        made = self._made()
        for company in sorted(made.keys() | expected.writes.keys()):
            if made[company] != expected.writes[company]:
                yield f"{made[company]} writes in {company}, not {expected.writes[company]}"

    def _made(self) -> Counter[int]:
        calls = (call for sandbox in self.sites.values() for call in sandbox.journal(endpoint="crm/Accounts"))
        return Counter(call["division"] for call in calls if call["method"] != "GET")

    def _outcomes_that_differ(self, expected: Expected) -> Iterator[str]:
        lines = (line for line in self.project.outcomes if line["outcome"] in TOLD)
        told = Counter((line["division"], line["code"], line["outcome"], line["kind"]) for line in lines)
        for one in expected.outcomes - told:
            yield f"not told: {one}"
        for one in told - expected.outcomes:
            if one not in expected.may_tell:
                yield f"told: {one}"

    def _advance(self, seconds: int) -> None:
        for sandbox in self.sites.values():
            sandbox.advance(seconds)
        self._moved += seconds
        Clock.ahead = timedelta(seconds=self._moved)

    def _today(self) -> str:
        now = datetime.now(WALL) + timedelta(seconds=self._moved)
        return f"{now:%Y-%m-%d}"


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
        "load_method": settings.load_method,
        "nulls": settings.nulls,
        "on_collision": settings.on_collision,
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


def shrunk(ops: Sequence[Op], differs: Callable[[Sequence[Op]], bool]) -> list[Op]:
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
