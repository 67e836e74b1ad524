"""A small reference model: what every company must hold after a run, and which outcomes it must have.

It knows nothing of the product: dicts of rows, a note per copy of what we wrote, and the rules of the settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from parties import FIELDS, are_two, has_become_another

Values = dict[str, Any]


@dataclass
class Row:
    """An account of a company: itself, whatever its code."""

    number: int
    code: str
    values: Values
    identity: int = 0
    """By which whoever enters it names it."""


@dataclass
class Seen:
    """A source account as a run last saw it."""

    code: str
    values: Values
    version: int
    order: int
    is_deleted: bool = False


@dataclass
class Copy:
    """Which row is a source account's copy, and what we wrote to it."""

    code: str
    row: int | None = None
    """Its number."""
    wrote: Values = field(default_factory=dict)
    gone: dict[str, tuple[Any, Any]] | None = None
    state: str = "new"
    kind: str | None = None


@dataclass(frozen=True)
class Settings:
    """Of one run."""

    targets: tuple[int, ...]
    fields: tuple[str, ...] = FIELDS
    overrides: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    load_method: str = "upsert"
    nulls: str = "follow"
    on_collision: str = "refuse"
    on_code_change: str = "refuse"
    on_source_deletion: Mapping[int, str] = field(default_factory=dict)
    max_creates: int | None = None
    reconcile: bool = False

    def shape(self, division: int) -> object:
        """What decides on the content of a company's copies; where it changes, all of them are looked at."""
        return (
            self.fields,
            dict(self.overrides.get(division, {})),
            self.load_method,
            self.nulls,
            self.deletion(division),
        )

    def deletion(self, division: int) -> str:
        return self.on_source_deletion.get(division, "ignore")


@dataclass
class Expected:
    """What a run must come to."""

    writes: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[tuple[int, str, str, str | None]] = field(default_factory=Counter)
    """Company, code, outcome, kind: of what was written or came in; of what did not come in, refusals may be told."""
    may_tell: set[tuple[int, str, str, str | None]] = field(default_factory=set)


News = list[tuple[int, bool]]
"""Source accounts by number in the order in which they came, and whether they were deleted."""
Step = tuple[str, int, Any]
"""What is done, to which source account, and with what."""


class Model:
    """All companies, and what the target remembers of them."""

    def __init__(self, divisions: Iterable[int]) -> None:
        self.held: dict[int, dict[str, Row]] = {division: {} for division in divisions}
        self.seen: dict[int, Seen] = {}
        self.copies: dict[int, dict[int, Copy]] = {division: {} for division in divisions}
        self._planned: dict[int, tuple[int, object]] = {}
        self._beside: dict[int, frozenset[int]] = {}
        self._version = 0
        self._numbers = count(1)

    # What people do

    def add(
        self, division: int, code: str, values: Mapping[str, Any], number: int | None = None, identity: int = 0
    ) -> Row:
        """A new account, or with its number one that was there before."""
        row = Row(number or next(self._numbers), code, _filled(values), identity)
        self.held[division][code] = row
        return row

    def edit(self, division: int, code: str, values: Mapping[str, Any]) -> None:
        row = self.held[division].pop(code)
        row.code = values.get("Code", code)
        row.values = _filled({**row.values, **{name: one for name, one in values.items() if name != "Code"}})
        self.held[division][row.code] = row

    def remove(self, division: int, code: str) -> None:
        del self.held[division][code]

    # A run

    def news(self, sources: Sequence[int]) -> tuple[set[int], set[int]]:
        """Numbers of the source accounts that a reading must bring, and of those that it must tell were deleted."""
        live = {row.number: row for source in sources for row in self.held[source].values()}
        come = {
            number
            for number, row in live.items()
            if (known := self.seen.get(number)) is None or known.is_deleted or (known.code, known.values) != _as(row)
        }
        return come, {number for number, one in self.seen.items() if not one.is_deleted and number not in live}

    def run(self, news: News, settings: Settings, today: str) -> Expected:
        """What a run makes of what came in, in this order, and of what is remembered."""
        live = {row.number: row for held in self.held.values() for row in held.values()}
        for number, is_gone in news:
            if not is_gone:
                self._see(number, live[number])
            elif (one := self.seen.get(number)) is not None and not one.is_deleted:
                self._version += 1
                one.is_deleted, one.version = True, self._version
        came, expected = [number for number, _ in news if number in self.seen], Expected()
        lanes = [one for one in settings.targets if news or self._is_due(one, settings)]
        for division in lanes:
            self._company(division, came, settings, today, expected)
            self._beside[division] = frozenset(lanes)
        self._forget_unwanted(settings)
        return expected

    def _see(self, number: int, row: Row) -> None:
        known = self.seen.get(number)
        if known is not None and not known.is_deleted and (known.code, known.values) == _as(row):
            return
        self._version += 1
        order = known.order if known is not None else len(self.seen)
        self.seen[number] = Seen(row.code, dict(row.values), self._version, order)

    def _is_due(self, division: int, settings: Settings) -> bool:
        if any(copy.state == "deferred" for copy in self.copies[division].values()):
            return True
        after = self._after(division, settings)
        return any(one.version > after for one in self.seen.values())

    def _after(self, division: int, settings: Settings) -> int:
        version, shape = self._planned.get(division, (0, None))
        return 0 if settings.reconcile or shape != settings.shape(division) else version

    def _company(self, division: int, came: Sequence[int], settings: Settings, today: str, expected: Expected) -> None:
        plan = _Plan(self, division, settings, today)
        after, copies = self._after(division, settings), self.copies[division]
        changed = sorted((one.version, number) for number, one in self.seen.items() if one.version > after)
        waiting = sorted((self.seen[number].order, number) for number, copy in copies.items() if copy.state in WAITING)
        for number in dict.fromkeys([*came, *(number for _, number in (*changed, *waiting))]):
            plan.look_at(number, came=number in came)
        creates = sum(what == "create" for what, _, _ in plan.steps)
        if settings.max_creates is not None and creates > settings.max_creates:
            plan.park()
        else:
            for what, number, how in sorted(plan.steps, key=lambda step: ORDER[step[0]]):
                plan.carry_out(what, number, how)
            expected.writes[division] += len(plan.steps)
        expected.outcomes += plan.outcomes
        expected.may_tell |= plan.may_tell
        self._planned[division] = (self._version, settings.shape(division))

    def _forget_unwanted(self, settings: Settings) -> None:
        """What waits in a company that left the settings is dropped, and the company planned anew if it returns."""
        for division, copies in self.copies.items():
            waiting = [number for number, copy in copies.items() if copy.state in WAITING]
            mine = self._beside.get(division, frozenset()) & set(settings.targets)
            if division in settings.targets or not waiting or not mine:
                continue
            for number in waiting:
                if copies[number].row is None:
                    del copies[number]
                else:
                    copies[number].state, copies[number].kind = "tied", None
            self._planned.pop(division, None)


WAITING = ("deferred", "refused")
ORDER = {"delete": 0, "block": 0, "update": 1, "create": 2}


class _Plan:
    """One company in one run."""

    def __init__(self, model: Model, division: int, settings: Settings, today: str) -> None:
        self._model = model
        self._division = division
        self._settings = settings
        self._today = today
        self._rows = dict(model.held[division])
        self._by_number = {row.number: row for row in self._rows.values()}
        self._copies = model.copies[division]
        self._claimed: dict[str, int] = {}
        self._tied: dict[int, int] = {}
        self.steps: list[Step] = []
        self.outcomes: Counter[tuple[int, str, str, str | None]] = Counter()
        self.may_tell: set[tuple[int, str, str, str | None]] = set()

    def look_at(self, number: int, *, came: bool) -> None:
        one, copy = self._model.seen[number], self._copies.get(number)
        row = self._by_number.get(copy.row or 0) if copy is not None else None
        if one.is_deleted:
            self._leave(number, one, copy, row)
        elif copy is not None and row is not None:
            self._keep(number, one, copy, row, came=came)
        elif (there := self._rows.get(one.code)) is not None:
            self._adopt(number, one, there, came=came)
        else:
            self._create(number, one, came=came)

    # The source account is there

    def _keep(self, number: int, one: Seen, copy: Copy, row: Row, *, came: bool) -> None:
        if one.code not in (row.code, copy.code) and self._settings.on_code_change != "ignore":
            if self._settings.on_code_change == "refuse":
                self._refuse(number, "code_changed", came=came)
            elif one.code in self._rows:
                self._refuse(number, "collision", came=came)
            elif self._settings.load_method == "append-only":
                return
            elif self._has_become_another(one, row):
                self._refuse(number, "collision", came=came)
            elif self._create(number, one, came=came) and (blocking := self._blocking(row)):
                self.steps.append(("block", number, (row, blocking)))
                self.tell(number, "updated")
            return
        if self._settings.load_method == "append-only":
            return
        if self._changes(one, copy, row) and self._has_become_another(one, row):
            self._refuse(number, "collision", came=came)
            return
        self._write(number, one, copy, row)

    def _has_become_another(self, one: Seen, row: Row) -> bool:
        return self._settings.on_collision == "refuse" and has_become_another(one.values, row.values)

    def _adopt(self, number: int, one: Seen, row: Row, *, came: bool) -> None:
        holder = self._holder(row, number)
        is_taken = holder is not None and not self._model.seen[holder].is_deleted
        is_append_only = self._settings.load_method == "append-only"
        if is_taken or (not is_append_only and self._are_two(one, row)):
            self._refuse(number, "collision", came=came)
        elif is_append_only:
            return
        else:
            self._write(number, one, self._copies[holder] if holder is not None else Copy(one.code), row)

    def _are_two(self, one: Seen, row: Row) -> bool:
        return self._settings.on_collision == "refuse" and are_two(one.values, row.values)

    def _write(self, number: int, one: Seen, known: Copy, row: Row) -> None:
        changes = self._changes(one, known, row)
        if changes:
            self.steps.append(("update", number, (row, known, changes)))
            self.tell(number, "updated")
        else:
            self._tie(number, row, known, {})
        self._tied[row.number] = number

    def _create(self, number: int, one: Seen, *, came: bool) -> bool:
        if self._settings.load_method == "update-only":
            return False
        rival = self._claimed.get(one.code)
        if rival is None:
            claims = [
                (copy.row is None, self._model.seen[other].order, other)
                for other, copy in self._copies.items()
                if copy.code == self._model.seen[other].code == one.code and not self._model.seen[other].is_deleted
            ]
            rival = min(claims)[-1] if claims else None
        if rival not in (None, number):
            self._refuse(number, "collision", came=came)
            return False
        desired = self._desired(one)
        if not desired.get("Name"):
            self._refuse(number, "invalid", came=came)
            return False
        self.steps.append(("create", number, _filled(desired)))
        self._claimed[one.code] = number
        self.tell(number, "created")
        return True

    # It was deleted

    def _leave(self, number: int, one: Seen, copy: Copy | None, row: Row | None) -> None:
        if copy is None or copy.row is None:
            self._copies.pop(number, None)
            return
        how = self._settings.deletion(self._division)
        if how == "ignore" or row is None or self._was_done(copy, row, how):
            copy.state, copy.kind = "tied", None
            return
        if self._is_taken_over(number, one, row):
            return
        known = [values for values in (one.values, _filled(copy.wrote)) if values]
        if known and all(are_two(values, row.values) for values in known):
            self._refuse(number, "collision", came=False)
        elif self._settings.load_method == "append-only" or (
            how == "delete" and self._settings.load_method != "upsert"
        ):
            return
        elif how == "delete":
            self.steps.append(("delete", number, row))
            self.tell(number, "deleted")
        elif blocking := self._blocking(row):
            self.steps.append(("block", number, (row, blocking)))
            self.tell(number, "updated")
        else:
            copy.gone, copy.state = copy.gone or {}, "tied"

    def _was_done(self, copy: Copy, row: Row, how: str) -> bool:
        if copy.gone is None:
            return False
        return how == "block" or any(row.values.get(name) != after for name, (_, after) in copy.gone.items())

    def _is_taken_over(self, number: int, one: Seen, row: Row) -> bool:
        return row.code == one.code and any(
            other != number and heir.code == one.code and not heir.is_deleted and not self._are_two(heir, row)
            for other, heir in self._model.seen.items()
        )

    def _blocking(self, row: Row) -> dict[str, tuple[Any, Any]]:
        changes = {"Blocked": (row.values.get("Blocked"), True), "EndDate": (row.values.get("EndDate"), self._today)}
        if row.values.get("Blocked"):
            del changes["Blocked"]
        if row.values.get("EndDate") and row.values["EndDate"] <= self._today:
            del changes["EndDate"]
        return changes

    # Fields

    def _desired(self, one: Seen) -> Values:
        travelling = {name: one.values.get(name) for name in self._settings.fields}
        return {**travelling, **self._settings.overrides.get(self._division, {})}

    def _changes(self, one: Seen, known: Copy, row: Row) -> Values:
        changes = {}
        for name, value in self._desired(one).items():
            if value == row.values.get(name):
                continue
            if value is None and (name == "Name" or not self._empties(name, known)):
                continue
            changes[name] = value
        for name, (before, after) in (known.gone or {}).items():
            if row.values.get(name) == after and before != after:
                changes[name] = before
        return changes

    def _empties(self, name: str, known: Copy) -> bool:
        nulls = self._settings.nulls
        return nulls == "clear" or (nulls == "follow" and bool(known.wrote.get(name)))

    # What becomes of it

    def carry_out(self, what: str, number: int, how: Any) -> None:
        held, one = self._model.held[self._division], self._model.seen[number]
        if what == "create":
            row = self._model.add(self._division, one.code, how)
            self._copies[number] = Copy(one.code, row.number, dict(how), state="tied")
        elif what == "update":
            row, known, changes = how
            row.values = _filled({**row.values, **changes})
            ours = {name: value for name, value in changes.items() if name not in (known.gone or {})}
            self._tie(number, row, known, ours)
        elif what == "block":
            row, changes = how
            row.values = _filled({**row.values, **{name: after for name, (_, after) in changes.items()}})
            if one.is_deleted:
                self._copies[number].gone, self._copies[number].state = changes, "tied"
        else:
            del held[how.code]
            self._copies[number] = Copy(one.code, None, gone={}, state="tied")

    def park(self) -> None:
        """Nothing of it is carried out."""
        for one in [one for one in self.outcomes if one[2] in ("created", "updated", "deleted")]:
            del self.outcomes[one]
        for _, number, _ in self.steps:
            copy = self._copies.setdefault(number, Copy(self._model.seen[number].code))
            copy.state, copy.kind = "deferred", "safety_limit"
            self.tell(number, "parked", "safety_limit")

    def _tie(self, number: int, row: Row, known: Copy, ours: Values) -> None:
        for other, copy in self._copies.items():
            if other != number and copy.row == row.number:
                copy.row = None
        code = self._model.seen[number].code if row.code == self._model.seen[number].code else known.code
        self._copies[number] = Copy(code, row.number, {**known.wrote, **ours}, state="tied")

    def _refuse(self, number: int, kind: str, *, came: bool) -> None:
        code = self._model.seen[number].code
        copy = self._copies.setdefault(number, Copy(code))
        if copy.row not in self._by_number:
            copy.code = code
        copy.state, copy.kind = "refused", kind
        if came:
            self.tell(number, "refused", kind)
        self.may_tell.add((self._division, code, "refused", kind))

    def tell(self, number: int, outcome: str, kind: str | None = None) -> None:
        self.outcomes[self._division, self._model.seen[number].code, outcome, kind] += 1

    def _holder(self, row: Row, number: int) -> int | None:
        holder = self._tied.get(row.number)
        if holder is None:
            found = (other for other, copy in self._copies.items() if copy.row == row.number and other != number)
            holder = next(found, None)
        return None if holder == number else holder


def _as(row: Row) -> tuple[str, Values]:
    return row.code, row.values


def _filled(values: Mapping[str, Any]) -> Values:
    return {name: value for name, value in values.items() if value not in (None, "", False)}
