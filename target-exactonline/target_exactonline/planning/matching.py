"""How a source record finds its row at first contact, by the ranked rules of `match_on`. Pure.

hits by rule ─▶ the first rule that hits ─▶ Tied     one row, and nothing that speaks against it
                                          └▶ Ambiguous  several rows, or one that may be another party
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from exactonline_client.entities import Entity, IdentityRule
from exactonline_client.odata import Row

from target_exactonline.planning import collisions
from target_exactonline.planning.identity import (
    ADDRESS,
    Evidence,
    country_of,
    evidence,
    is_valid,
    normal,
    plain,
    roles_of,
)
from target_exactonline.planning.match_keys import CODE, KeyIndex, key_of
from target_exactonline.planning.model import Desired, Existing

WAYS_OUT = "Tie it to one of them (tie), leave it out (leave-out), or let it be created (as-new)."
OF_ONE_COUNTRY = frozenset({"ChamberOfCommerce", "RSIN", "Name+Postcode", "Name+City"})
"""Rules whose value may stand for another party in another country."""
CHECKED = {"VATNumber": "vat", "RSIN": "bsn"}
"""Registered numbers with check digits, and the name of the check."""


@dataclass(frozen=True, slots=True)
class Tied:
    """The one row that a rule found."""

    row: Existing
    rule: str


@dataclass(frozen=True, slots=True)
class Possible:
    """A row that may be a source record's."""

    row: Existing
    agrees: tuple[str, ...]
    """Fields that agree."""
    doubts: tuple[str, ...] = ()
    """What speaks against it, in words."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """What a rule found, of which nobody but a person can say which it is."""

    rule: str
    candidates: tuple[Possible, ...]

    @property
    def reason(self) -> str:
        """Return it in words, with the evidence."""
        listed = "; ".join(map(_described, self.candidates))
        if len(self.candidates) == 1:
            return f"{self.rule} finds an account here that may be another party: {listed}. {WAYS_OUT}"
        return f"{self.rule} finds several accounts here: {listed}. {WAYS_OUT}"


Match = Tied | Ambiguous | None


def rows_of(match: Match) -> tuple[Existing, ...]:
    """Return the rows that a match speaks of."""
    match match:
        case Tied(row):
            return (row,)
        case Ambiguous(_, candidates):
            return tuple(one.row for one in candidates)
        case _:
            return ()


def match(
    entity: Entity,
    rules: Sequence[str],
    wanted: Desired,
    hits: Mapping[str, Sequence[Existing]],
    *,
    overwrites: bool = False,
) -> Match:
    """Return the row that a source record finds at first contact.

    Args:
        entity: Of the record and the rows.
        rules: The setting `match_on`.
        wanted: What is desired of the source record.
        hits: By rule, the rows that may have its value; none where several source records share it.
        overwrites: Whether a row under the code is taken whoever it is.
    """
    doubtful: Possible | None = None
    for rule in rules:
        key = key_of(entity, rule, wanted.code, wanted.identity)
        found = [row for row in hits.get(rule, ()) if key and key_of(entity, rule, row.code, row.values) == key]
        if rule == CODE:
            row = next(iter(found), None)
            if row is None or (not overwrites and collisions.other_party(entity, wanted.identity, row.values)):
                continue
            doubtful = None if overwrites else _namesake(entity, rules, wanted.identity, row)
            if doubtful is None:
                return Tied(row, rule)
        elif found:
            doubts = [_doubts(entity, rule, wanted.identity, row.values) for row in found]
            if len(found) == 1 and not doubts[0]:
                return Tied(found[0], rule)
            return Ambiguous(rule, tuple(map(partial(_possible, entity, wanted.identity), found, doubts)))
    return Ambiguous(CODE, (doubtful,)) if doubtful is not None else None


def better_claims(
    entity: Entity, rules: Sequence[str], tied: Tied, sources: KeyIndex, number: int
) -> Iterator[tuple[int, str]]:
    """Yield the other source records that a better rule may lead to a row, each with the rule.

    Args:
        entity: Of all of them.
        rules: The setting `match_on`.
        tied: The row and the rule that led to it.
        sources: The values of all source records.
        number: Of the record that was led to it.
    """
    for rule in rules[: rules.index(tied.rule)]:
        found = sources.find(rule, key_of(entity, rule, tied.row.code, tied.row.values))
        if number not in found and (len(found) == 1 or rule == CODE):
            yield from ((other, rule) for other in found)


def agreeing(entity: Entity, one: Row, other: Row) -> tuple[str, ...]:
    """Return the fields in which two parties agree, of those that say who they are."""
    rule = entity.identity
    if rule is None:
        return ()
    found = evidence(rule, one, other)
    names = [] if found.names_differ or not (one.get(rule.name) and other.get(rule.name)) else [rule.name]
    names += [name for name in found.agrees if name not in (rule.name, ADDRESS)]
    for name in (rule.postcode or "", "City"):
        key = key_of(entity, name, None, one)
        if key is not None and key == key_of(entity, name, None, other):
            names.append(name)
    return (*names, *(rule.address_lines[:1] if ADDRESS in found.agrees else ()))


def _namesake(entity: Entity, rules: Sequence[str], source: Row, row: Existing) -> Possible | None:
    """Return a row under the code that has the name alone in common, with registered numbers that contradict.

    By the code alone it is one party, since the names agree; where other rules are there, they go first.
    """
    doubts = _doubts(entity, CODE, source, row.values) if len(rules) > 1 else ()
    if not doubts or set(agreeing(entity, source, row.values)) - {"Name", "City"}:
        return None
    return _possible(entity, source, row, doubts)


def _possible(entity: Entity, source: Row, row: Existing, doubts: tuple[str, ...]) -> Possible:
    return Possible(row, agreeing(entity, source, row.values), doubts)


def _doubts(entity: Entity, rule: str, source: Row, existing: Row) -> tuple[str, ...]:
    """Return what shows that a hit may be another party."""
    return tuple(_told_apart(entity.identity, rule, source, existing)) if entity.identity is not None else ()


def _told_apart(identity: IdentityRule, rule: str, source: Row, existing: Row) -> Iterator[str]:
    found = evidence(identity, source, existing)
    for name in dict.fromkeys((*identity.decisive, *CHECKED)):
        if name in found.differs and not _is_mistyped(identity, name, source, existing):
            yield f"{name} is {existing[name]} here and {source[name]} at the source"
    here, there = country_of(identity, existing), country_of(identity, source)
    if rule in OF_ONE_COUNTRY and here and there and here != there:
        yield f"{identity.country} is {here} here and {there} at the source"
    ours, theirs = roles_of(identity, source), roles_of(identity, existing)
    if ours is not None and theirs is not None and len(ours) == len(theirs) == 1 and ours != theirs:
        yield f"it is only a {', '.join(theirs)} here and only a {', '.join(ours)} at the source"
    if rule == "Name+Postcode" and _lives_elsewhere(identity, found):
        yield "the house number is another one, and nothing else agrees"


def _lives_elsewhere(identity: IdentityRule, found: Evidence) -> bool:
    return ADDRESS in found.differs and set(found.agrees) <= {identity.name}


def _is_mistyped(identity: IdentityRule, name: str, one: Row, other: Row) -> bool:
    """Return whether two numbers are a slip of the keys apart, of which the check digits show that it is one."""
    if name not in CHECKED:
        return False
    here, there = country_of(identity, one), country_of(identity, other)
    pairs = (str(one[name]), here or there), (str(other[name]), there or here)
    forms = [normal(identity.evidence[name], *pair) for pair in pairs], [_bare(*pair) for pair in pairs]
    return any(_one_slip(*two) for two in forms) and any(is_valid(*pair, CHECKED[name]) is False for pair in pairs)


def _bare(value: str, country: str) -> str:
    """Return a number without the country before it."""
    return re.sub(r"^[a-z]{2}(?=\d)", "", plain(value)).removeprefix(country.lower())


def _one_slip(one: str, other: str) -> bool:
    """Return whether one character is wrong, missing or too much, or two have changed places."""
    short, long = sorted((one, other), key=len)
    start = next((at for at, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    short, long = short[start:], long[start:]
    is_swapped = len(short) > 1 and short[:2] == long[1::-1] and short[2:] == long[2:]
    return short[1:] == long[1:] or short == long[1:] or is_swapped


def _described(one: Possible) -> str:
    name = one.row.values.get("Name") or "without a name"
    agrees = (
        f"{' and '.join(one.agrees)} agree{'s' if len(one.agrees) == 1 else ''}" if one.agrees else "nothing agrees"
    )
    doubts = f", but {' and '.join(one.doubts)}" if one.doubts else ""
    return f"{one.row.code or one.row.id} {name!r} ({agrees}{doubts})"
