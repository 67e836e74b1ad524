"""First contact in one company, for a page of source records at a time: what people decided, then the rules.

Nothing is read for it that is not in the store, and nothing at all where the code is the only rule and nobody decided
anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from target_exactonline.planning import collisions
from target_exactonline.planning.match_keys import CODE, REGISTERED, KeyIndex, key_of
from target_exactonline.planning.matching import Ambiguous, Match, Tied, better_claims, match, rows_of
from target_exactonline.planning.model import (
    Contact,
    Copy,
    Desired,
    Existing,
    Holder,
    Refuse,
    Skip,
    SourceKey,
    SourceRecord,
)
from target_exactonline.planning.terms import Terms
from target_exactonline.store.matches import BY_HAND, Decided
from target_exactonline.store.memory import Memory
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.sources import Remembered

DOUBLES_SHOWN = 20


@dataclass(slots=True)
class Page:
    """Source records that are tied to no row yet, and what the company should hold of each."""

    wanted: dict[int, Desired]
    by_code: Mapping[str, Existing]
    hits: dict[int, dict[str, list[Existing]]] = field(default_factory=dict)
    """By record and rule, the rows that may have its value."""


class FirstContact:
    """What source records without a row find in one company."""

    def __init__(
        self,
        company: int,
        terms: Terms,
        memory: Memory,
        mirror: Mirror,
        values: Callable[[], KeyIndex],
        records: Callable[[Sequence[int]], dict[int, Remembered]],
    ) -> None:
        """Take all of it.

        Args:
            values: Returns the values of all source records that the company gets.
            records: Returns source records by number.
        """
        self._company = company
        self._entity = terms.entity
        self._rules = terms.rules.match_on
        self._overwrites = terms.rules.on_collision == "overwrite"
        self._memory = memory
        self._mirror = mirror
        self._values = values
        self._records = records
        self._decisions: Mapping[SourceKey, Decided] | None = None
        self._rows: tuple[Mapping[str, KeyIndex], list[str]] | None = None
        self.doubles: str | None = None
        """Registered numbers that several rows of the company have, in words; known once the rules were asked."""
        self._has_planned = False

    def forget_rows(self) -> None:
        """Give back the memory that a plan took; what is looked at once more is looked for by its code."""
        self._rows, self._has_planned = None, True

    def tell(self, number: int, target_id: str) -> None:
        """Pass over which row a source record is: the code says it."""

    def contacts(
        self,
        page: Sequence[Remembered],
        tied: Mapping[int, Existing],
        by_code: Mapping[str, Existing],
        desire: Callable[[SourceRecord], Desired | None],
    ) -> dict[int, Contact]:
        """Return what first contact comes to, by source record, where it is not settled by the code alone.

        Args:
            page: Source records.
            tied: By record, the rows that are there of those that are tied.
            by_code: Rows under the codes of the records.
            desire: Returns what the company should hold of a record.
        """
        decided = self._decided([one.record.key for one in page])
        found = {
            one.number: Contact(refusal=Skip("held", decided[one.record.key].reason))
            for one in page
            if one.record.key in decided and decided[one.record.key].verdict == "left_out"
        }
        new = [one for one in page if one.number not in {*found, *tied} and not one.record.is_deleted]
        for one in (one for one in new if one.record.key in decided):
            found[one.number] = self._by_person(one, decided[one.record.key], by_code)
        if self._rules == (CODE,):
            return found
        wanted = {one.number: desired for one in new if (desired := desire(one.record)) is not None}
        rest = Page({number: one for number, one in wanted.items() if number not in found}, by_code)
        return found | self._by_rules(rest, desire)

    # By people

    def _decided(self, keys: Sequence[SourceKey]) -> dict[SourceKey, Decided]:
        if self._decisions is None:
            self._decisions = self._memory.matches.of(self._company)
        return {key: self._decisions[key] for key in keys if key in self._decisions}

    def _by_person(self, one: Remembered, decided: Decided, by_code: Mapping[str, Existing]) -> Contact:
        """Return what somebody wants of a record that has no row."""
        code = one.record.code
        match decided.verdict:
            case "tied":
                row = self._mirror.by_id([decided.target_id or ""]).get(decided.target_id or "")
                if row is not None:
                    return Contact(row, BY_HAND)
                return Contact(refusal=Refuse("ambiguous", decided.without_row))
            case "untied":
                return Contact(refusal=Refuse("ambiguous", decided.broken, self._candidates(one.number)))
            case _ if code in by_code:
                taken = collisions.taken(code, by_code[code].values.get("Name"), "it is to be a new one")
                return Contact(refusal=Refuse("collision", taken, (by_code[code].id,)))
            case _:
                return Contact()

    def _candidates(self, number: int) -> tuple[str, ...]:
        kept = self._memory.copies.of(self._company, [number]).get(number)
        return kept.copy.candidates if kept is not None else ()

    # By rules

    def _by_rules(self, page: Page, desire: Callable[[SourceRecord], Desired | None]) -> dict[int, Contact]:
        self._look_up(page)
        matches = {number: self._match(page, number) for number in page.wanted}
        claimed = self._claimed(matches, desire)
        contacts = {number: self._contact(page, number, matches[number], claimed.get(number)) for number in matches}
        return {number: one for number, one in contacts.items() if one is not None}

    def _contact(self, page: Page, number: int, found: Match, claim: tuple[str, Holder] | None) -> Contact | None:
        match found:
            case Tied(row, rule) if claim is not None:
                why = collisions.found_by_another(rule, row.code or row.id, *claim)
                return Contact(refusal=Refuse("collision", why, (row.id,)))
            case Tied(row, rule):
                return Contact(row, rule) if rule != CODE else None
            case Ambiguous():
                return Contact(refusal=Refuse("ambiguous", found.reason, tuple(row.id for row in rows_of(found))))
        at_code = page.by_code.get(page.wanted[number].code)
        if at_code is None or CODE in self._rules:
            return None
        why = collisions.taken(page.wanted[number].code, at_code.values.get("Name"), "match_on does not go by the code")
        return Contact(refusal=Refuse("collision", why, (at_code.id,)))

    def _match(self, page: Page, number: int) -> Match:
        return match(
            self._entity, self._rules, page.wanted[number], page.hits.get(number, {}), overwrites=self._overwrites
        )

    def _look_up(self, page: Page) -> None:
        """Find the rows that may have the values of some records, with one look into the mirror."""
        places: dict[int, dict[str, list[str]]] = {number: {} for number in page.wanted}
        for number, desired in page.wanted.items():
            for rule, key in self._keys(desired):
                if not set(self._values().find(rule, key)) - {number}:
                    places[number][rule] = self._ids(rule, key)
        ids = sorted({one for rules in places.values() for some in rules.values() for one in some})
        rows = self._mirror.by_id(ids)
        for number, rules in places.items():
            page.hits[number] = {rule: [rows[one] for one in some if one in rows] for rule, some in rules.items()}
            at_code = page.by_code.get(page.wanted[number].code)
            page.hits[number][CODE] = [at_code] if at_code is not None else []

    def _keys(self, desired: Desired) -> Iterator[tuple[str, str]]:
        for rule in () if self._has_planned else self._rules:
            key = key_of(self._entity, rule, desired.code, desired.identity) if rule != CODE else None
            if key is not None:
                yield rule, key

    def _ids(self, rule: str, key: str) -> list[str]:
        if self._rows is None:
            self._rows = self._indexed()
            self.doubles = self._doubles(*self._rows)
        index, ids = self._rows
        return [ids[place] for place in index[rule].find(rule, key)]

    def _indexed(self) -> tuple[Mapping[str, KeyIndex], list[str]]:
        """Return the values of all rows of the company by rule, and their IDs."""
        index, ids = {rule: KeyIndex() for rule in self._rules if rule != CODE}, list[str]()
        for row in (row for page in self._mirror.pages() for row in page):
            for rule, values in index.items():
                values.add(rule, key_of(self._entity, rule, row.code, row.values), len(ids))
            ids.append(row.id)
        return index, ids

    def _doubles(self, index: Mapping[str, KeyIndex], ids: Sequence[str]) -> str | None:
        """Return in words which rows may be one party twice."""
        groups = [(rule, some) for rule in REGISTERED if rule in index for some in index[rule].shared()]
        shown = groups[:DOUBLES_SHOWN]
        rows = self._mirror.by_id(sorted({ids[place] for _, some in shown for place in some}))
        codes = [(rule, sorted(rows[ids[one]].code or ids[one] for one in some)) for rule, some in shown]
        told = [f"{rule} of {' and '.join(some)}" for rule, some in codes]
        more = f", and {len(groups) - len(shown)} more" if len(groups) > len(shown) else ""
        return f"One party may be here twice, by the same {'; '.join(told)}{more}." if groups else None

    # Claims

    def _claimed(
        self, matches: Mapping[int, Match], desire: Callable[[SourceRecord], Desired | None]
    ) -> dict[int, tuple[str, Holder]]:
        """Return the records that are led to a row which a better rule gives to another one, with the rule and whom."""
        claims = {
            number: list(better_claims(self._entity, self._rules, found, self._values(), number))
            for number, found in matches.items()
            if isinstance(found, Tied) and self._rules.index(found.rule) > 0
        }
        others = self._records(sorted({other for some in claims.values() for other, _ in some}))
        if not others:
            return {}
        copies = {number: kept.copy for number, kept in self._memory.copies.of(self._company, sorted(others)).items()}
        theirs = self._their_matches(others, desire)
        found: dict[int, tuple[str, Holder]] = {}
        for number, some in claims.items():
            tied = matches[number]
            for other, rule in some:
                if isinstance(tied, Tied) and other in theirs and _leads_to(theirs[other], tied, copies.get(other)):
                    record = others[other].record
                    whom = Holder(record.key, str(record.values.get("Name") or ""), is_deleted=False)
                    found.setdefault(number, (rule, whom))
        return found

    def _their_matches(
        self, others: Mapping[int, Remembered], desire: Callable[[SourceRecord], Desired | None]
    ) -> dict[int, Match]:
        decided = self._decided([one.record.key for one in others.values()])
        free = {number: one.record for number, one in others.items() if one.record.key not in decided}
        wanted = {number: desired for number, one in free.items() if (desired := desire(one)) is not None}
        page = Page(wanted, self._mirror.by_code([one.code for one in wanted.values()]))
        self._look_up(page)
        return {number: self._match(page, number) for number in wanted}


def _leads_to(theirs: Match, tied: Tied, copy: Copy | None) -> bool:
    """Return whether another record's match is this row; one that has a row elsewhere claims none."""
    is_elsewhere = copy is not None and copy.target_id not in (None, tied.row.id)
    return not is_elsewhere and tied.row.id in {row.id for row in rows_of(theirs)}
