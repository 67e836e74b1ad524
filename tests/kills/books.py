"""What every company should hold: changes drawn from a seed, and where they must arrive."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from exactonline_client.entities import ACCOUNTS
from sandbox_driver import Account, Sandbox, customer, small_world

SOURCES = (100, 110)
"""Two, so that the tap sends a STATE between records."""
TARGETS = (201, 202, 203)
FIRST_CODE = {100: 1, 110: 5000}
TRAVELS = ACCOUNTS.safe_to_copy
ALWAYS_FILLED = ("Name", "AddressLine1", "City", "Email")
MAY_BE_EMPTY = ("AddressLine2", "Phone", "Website", "SearchCode", "ChamberOfCommerce")
BAD_EMAIL = "jan@@bakker"
"""Exact refuses it in a target; the source took it from a person's hand."""

Place = tuple[int, str]
"""Division and code."""


def first_world(accounts: int) -> dict[str, Any]:
    """Two source companies with so many customers in all, and three empty ones."""
    half = accounts // 2
    held = {source: [customer(FIRST_CODE[source] + n) for n in range(half)] for source in SOURCES}
    limits = {"token_seconds": 86_400}  # a token that is killed while it is renewed asks for a person: another matter
    return small_world(targets=(*SOURCES[1:], *TARGETS), accounts=held, limits=limits)


@dataclass
class Books:
    """The companies of a running sandbox, and what the targets should hold once everything has arrived."""

    sandbox: Sandbox
    held: dict[Place, Account] = field(default_factory=dict)
    removed: Counter[Place] = field(default_factory=Counter)
    """How often a person deleted it, so that it may be created once more."""
    _ours: dict[Place, Account] = field(default_factory=dict)
    """Values that the target wrote itself: with `nulls: follow`, only those are emptied again."""
    _drawn: int = 0

    def take_stock(self) -> int:
        """All that the sources hold is on its way; answers how many accounts have to be written."""
        return sum(self._arrive(row) for source in SOURCES for row in self.sandbox.accounts(source))

    def change(self, draw: Random, count: int, *, may_empty: bool = True) -> int:
        """Change so many accounts of the sources, about one in six a new one; answers how many have to be written."""
        writes = 0
        for source in SOURCES:
            codes = self.sandbox.codes(source)
            changes: dict[str, Account] = {}
            for _ in range(count // len(SOURCES) + draw.randint(0, 1)):
                if draw.random() < 1 / 6:
                    number = FIRST_CODE[source] + len(codes)
                    codes.append(str(number))
                    changes[str(number)] = customer(number)
                else:
                    code = draw.choice(codes)
                    changes[code] = changes.get(code, {}) | {"Code": code} | self._fields(draw, may_empty=may_empty)
            if changes:
                self.sandbox.seed(source, list(changes.values()))
            rows = {row["Code"]: row for row in self.sandbox.accounts(source)}
            writes += sum(self._arrive(rows[code]) for code in changes)
        return writes

    def edit_by_hand(self, draw: Random) -> None:
        """A person changes some accounts in a target, and sometimes deletes one."""
        for _ in range(draw.randint(1, 4)):
            division, code = place = draw.choice(sorted(self.held))
            if draw.random() < 1 / 4:
                self.sandbox.remove(division, code)
                self.removed[place] += 1
                del self.held[place]
            else:
                changes = self._fields(draw, may_empty=False)
                self.sandbox.seed(division, [{"Code": code, **changes}])
                self.held[place] |= changes

    def differences(self, covered: Mapping[int, int] | None = None) -> Iterator[tuple[Place, str]]:
        """Where the targets do not hold what they should.

        Args:
            covered: Only accounts whose row version in their source is no higher than this.
        """
        chosen = None if covered is None else self._codes_covered(covered)
        for target in TARGETS:
            rows = {row["Code"]: row for row in self.sandbox.accounts(target)}
            wanted = {code: values for (division, code), values in self.held.items() if division == target}
            for code in sorted(rows.keys() | wanted.keys()):
                if chosen is not None and code not in chosen:
                    continue
                if code not in rows or code not in wanted:
                    yield (target, code), "is missing" if code in wanted else "should not be there"
                    continue
                for name in TRAVELS:
                    is_, should = rows[code][name] or None, wanted[code].get(name) or None
                    if is_ != should:
                        yield (target, code), f"{name} is {is_!r}, should be {should!r}"

    def newest(self, source: int) -> int:
        """The highest row version of a source."""
        return max(int(row["Timestamp"]) for row in self.sandbox.accounts(source))

    def _codes_covered(self, covered: Mapping[int, int]) -> set[str]:
        return {
            row["Code"]
            for source in SOURCES
            for row in self.sandbox.accounts(source)
            if int(row["Timestamp"]) <= covered.get(source, 0)
        }

    def _arrive(self, row: Account) -> int:
        """One account of a source has to be in every target; answers in how many something has to be written."""
        if row["Email"] == BAD_EMAIL:
            return 0
        writes = 0
        filled = {name: row[name] for name in TRAVELS if row[name] not in (None, "")}
        for target in TARGETS:
            place = (target, row["Code"])
            if place not in self.held:
                self.held[place], self._ours[place] = dict(filled), dict(filled)
                writes += 1
                continue
            held, ours = self.held[place], self._ours[place]
            changes = {name: value for name, value in filled.items() if held.get(name) != value}
            changes |= {name: None for name in held if name not in filled and held[name] and ours.get(name)}
            held |= changes
            ours |= changes
            writes += bool(changes)
        return writes

    def _fields(self, draw: Random, *, may_empty: bool) -> Account:
        """New values for one to three fields, each different from all before."""
        changes: Account = {}
        for name in draw.sample((*ALWAYS_FILLED, *MAY_BE_EMPTY), draw.randint(1, 3)):
            self._drawn += 1
            if name in MAY_BE_EMPTY and may_empty and draw.random() < 1 / 3:
                changes[name] = None
            elif name == "Email":
                is_bad = may_empty and draw.random() < 1 / 10
                changes[name] = BAD_EMAIL if is_bad else f"info@nr{self._drawn}.example"
            elif name == "ChamberOfCommerce":  # another party takes over: a collision, were it not known to be ours
                changes |= {"ChamberOfCommerce": f"{10_000_000 + self._drawn}", "Name": f"Overname {self._drawn} B.V."}
            elif name not in changes:
                changes[name] = f"{name[:8]} {self._drawn}"
        return changes
