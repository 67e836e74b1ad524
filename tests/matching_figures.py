"""Holds what the rules make of a world that grew apart against its truth, without a store: the pure matching alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from exactonline_client.entities import ACCOUNTS
from matching_world import GrownApart, MatchingWorld, Party
from target_exactonline.planning.match_keys import CODE, KeyIndex, key_of
from target_exactonline.planning.matching import Ambiguous, Match, Tied, better_claims, match, rows_of
from target_exactonline.planning.model import Desired, Existing, SourceKey

MATCH_ON = ("Code", "VATNumber", "ChamberOfCommerce", "Name+Postcode")


@dataclass
class Figures:
    """What came of the customers of all companies."""

    right: Counter[str] = field(default_factory=Counter)
    """Ties by rule."""
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    """Ties to another party: code, code of the row, rule."""
    told: Counter[str] = field(default_factory=Counter)
    """Those of which a person is told that they may be here, by kind."""
    created: int = 0
    missed: list[tuple[str, str]] = field(default_factory=list)
    """Would be created although a rule could have found them: code, rule."""
    findable: int = 0
    """Customers of which a company has exactly one row."""
    found: int = 0
    """Of those, the ones that are tied to it."""
    seconds: float = 0

    @property
    def precision(self) -> float:
        ties = sum(self.right.values())
        return ties / (ties + len(self.wrong))

    @property
    def recall(self) -> float:
        return self.found / self.findable


class Company:
    """The matching of one company, as a plan does it."""

    def __init__(self, source: Sequence[Party], sources: KeyIndex, company: GrownApart, rules: Sequence[str]) -> None:
        self.wanted = [_desired(party) for party in source]
        self.rows = [Existing(row["Code"], row["Code"], row) for row in company.rows]
        self._sources, self._rules = sources, rules
        self._index = KeyIndex()
        for place, row in enumerate(self.rows):
            for rule in rules:
                self._index.add(rule, key_of(ACCOUNTS, rule, row.code, row.values), place)

    def match(self, number: int) -> Match:
        wanted, hits = self.wanted[number], {}
        for rule in self._rules:
            key = key_of(ACCOUNTS, rule, wanted.code, wanted.identity)
            if rule == CODE or len(self._sources.find(rule, key)) == 1:
                hits[rule] = [self.rows[place] for place in self._index.find(rule, key)]
        return match(ACCOUNTS, self._rules, wanted, hits)

    def is_claimed(self, number: int, tied: Tied) -> bool:
        """Return whether another customer has the better claim to a row."""
        claims = better_claims(ACCOUNTS, self._rules, tied, self._sources, number)
        return any(tied.row in rows_of(self.match(other)) for other, _ in claims)


def figures(world: MatchingWorld, rules: Sequence[str] = MATCH_ON) -> Figures:
    """Return what the rules make of a world."""
    found = Figures()
    started = time.perf_counter()
    sources = KeyIndex()
    for number, party in enumerate(world.source):
        for rule in rules:
            sources.add(rule, key_of(ACCOUNTS, rule, party["Code"], party), number)
    matched = [_matched(Company(world.source, sources, company, rules)) for company in world.companies]
    found.seconds = time.perf_counter() - started
    for company, results in zip(world.companies, matched, strict=True):
        _add(found, world, company, results, rules, sources)
    return found


def _matched(company: Company) -> list[Match | str]:
    """Return what came of each customer: a match, or a kind of refusal."""
    held: set[str] = set()
    codes = {row.code for row in company.rows}
    results: list[Match | str] = []
    for number, wanted in enumerate(company.wanted):
        result: Match | str = company.match(number)
        if isinstance(result, Tied):
            if result.row.id in held or company.is_claimed(number, result):
                result = "collision"
            else:
                held.add(result.row.id)
        elif result is None and wanted.code in codes:
            result = "collision"
        results.append(result)
    return results


def _add(
    found: Figures,
    world: MatchingWorld,
    company: GrownApart,
    results: Sequence[Match | str],
    rules: Sequence[str],
    sources: KeyIndex,
) -> None:
    rows = {row["Code"]: row for row in company.rows}
    for number, (party, result) in enumerate(zip(world.source, results, strict=True)):
        code = party["Code"]
        truth = company.truth[code]
        found.findable += len(truth) == 1
        if isinstance(result, Tied):
            if result.row.id in truth:
                found.right[result.rule] += 1
                found.found += len(truth) == 1
            else:
                found.wrong.append((code, result.row.id, result.rule))
        elif isinstance(result, (Ambiguous, str)):
            found.told["ambiguous" if isinstance(result, Ambiguous) else result] += 1
        else:
            found.created += 1
            found.missed += [
                (code, rule)
                for rule in rules
                if (key := key_of(ACCOUNTS, rule, code, party)) and sources.find(rule, key) == [number]
                if any(key == key_of(ACCOUNTS, rule, row, rows[row]) for row in truth)
            ]


def _desired(party: Party) -> Desired:
    return Desired(SourceKey(100, party["Code"]), party["Code"], party, party)
