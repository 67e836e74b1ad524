"""Rules of `match_on`: the value by which a party is looked for, in one form however it is written. Pure."""

from __future__ import annotations

import difflib
import hashlib
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final, Literal, get_args

from exactonline_client.entities import Entity, IdentityRule
from exactonline_client.errors import ConfigurationError
from exactonline_client.odata import Row

from target_exactonline.planning.identity import country_of, normal, plain, plain_name, postcode

MatchRule = Literal["Code", "VATNumber", "ChamberOfCommerce", "RSIN", "Email", "Name+Postcode", "Name+City"]
CODE: Final = "Code"
REGISTERED: Final = ("VATNumber", "ChamberOfCommerce", "RSIN")
"""Rules by a number that a register gives, which no two parties have in common."""
RULES: Final[tuple[MatchRule, ...]] = get_args(MatchRule)

_FOLDED = {rule.casefold(): rule for rule in RULES}

SHORTEST_NUMBER = 5
"""Digits; a registered number with fewer holds a place."""
NO_COURT = re.compile(r"hr[ab]\d+")
"""A number of the German register without its court, of which every court has one."""
CITIES = {
    "sgravenhage": "denhaag",
    "thehague": "denhaag",
    "shertogenbosch": "denbosch",
    "anvers": "antwerpen",
    "antwerp": "antwerpen",
    "bruxelles": "brussel",
    "brussels": "brussel",
    "gand": "gent",
    "liege": "luik",
}


def match_rules(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the rules that the setting `match_on` names.

    Raises:
        ConfigurationError: It names none, an unknown one, or one twice.
    """
    if given is None:
        return (CODE,)
    if not given:
        raise ConfigurationError(f"match_on is empty. Name one rule at least, of {', '.join(RULES)}; or unset it.")
    for name in given:
        if name not in RULES:
            close = difflib.get_close_matches(name.casefold(), _FOLDED, n=1, cutoff=0.5)
            meant = f" Did you mean {_FOLDED[close[0]]}?" if close else ""
            raise ConfigurationError(f"match_on: {name!r} is no rule.{meant} There are {', '.join(RULES)}.")
        if list(given).count(name) > 1:
            raise ConfigurationError(
                f"match_on names {name} more than once. The first place counts; take off the rest."
            )
    return tuple(given)


def key_of(entity: Entity, rule: str, code: str | None, values: Row) -> str | None:
    """Return the normalised value that a party is looked for by, or None if it has none that identifies anybody."""
    if rule == CODE:
        return code or None
    identity = entity.identity
    if identity is None:
        return None
    parts = [_part(identity, name, values) for name in rule.split("+")]
    return "\n".join(parts) if all(parts) else None


class KeyIndex:
    """Which parties have a value, by rule: some bytes for each, so that a large company fits.

    Two values in a great many may fall together, so whoever is found is compared before it counts.
    """

    def __init__(self) -> None:
        self._digests, self._places = array("Q"), array("q")
        self._is_sorted = True

    def add(self, rule: str, key: str | None, place: int) -> None:
        """Note that the party with this number has a value; a second time makes no difference."""
        if key is not None:
            self._digests.append(_digest(rule, key))
            self._places.append(place)
            self._is_sorted = False

    def find(self, rule: str, key: str | None) -> list[int]:
        """Return the numbers of those who have a value, in order."""
        if key is None:
            return []
        self._sort()
        digest = _digest(rule, key)
        start = bisect_left(self._digests, digest)
        return sorted(set(self._places[start : bisect_right(self._digests, digest, start)]))

    def shared(self) -> Iterator[list[int]]:
        """Yield the numbers of those who have a value in common, in order, for each such value."""
        self._sort()
        for _, group in groupby(range(len(self._digests)), key=self._digests.__getitem__):
            found = sorted({self._places[place] for place in group})
            if len(found) > 1:
                yield found

    def _sort(self) -> None:
        if not self._is_sorted:
            order = sorted(range(len(self._digests)), key=self._digests.__getitem__)
            self._digests = array("Q", map(self._digests.__getitem__, order))
            self._places = array("q", map(self._places.__getitem__, order))
            self._is_sorted = True


def _digest(rule: str, key: str) -> int:
    return int.from_bytes(hashlib.blake2b(f"{rule}\n{key}".encode(), digest_size=8).digest(), "big")


def _part(identity: IdentityRule, name: str, values: Row) -> str:
    value, country = values.get(name), country_of(identity, values)
    if name == identity.name:
        return plain_name(str(value or ""))
    if name == identity.postcode:
        return postcode(value, country)
    likeness = identity.evidence.get(name)
    if likeness is None:
        return _city(value)
    text = normal(likeness, value, country)
    return "" if likeness in {"number", "vat"} and _holds_a_place(plain(text)) else text


def _holds_a_place(number: str) -> bool:
    digits = re.sub(r"\D", "", number).lstrip("0")
    return len(digits) < SHORTEST_NUMBER or len(set(digits)) == 1 or NO_COURT.fullmatch(number) is not None


def _city(value: Any) -> str:
    text = plain(re.sub(r"\(.*?\)", "", str(value or "")))
    return CITIES.get(text, text)
