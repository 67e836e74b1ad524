"""All that is known where source records meet one company, read a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from exactonline_client.entities import Entity

from target_exactonline.planning.first_contact import FirstContact
from target_exactonline.planning.model import (
    Contact,
    Copy,
    Create,
    Desired,
    Existing,
    Holder,
    Situation,
    SourceKey,
    SourceRecord,
    Update,
)
from target_exactonline.planning.recovery import Unfinished, recovered
from target_exactonline.planning.siblings import Siblings, is_same, same_rows
from target_exactonline.planning.source_deletions import blocking, is_blocked
from target_exactonline.reporting.outcomes import Outcome
from target_exactonline.store.copies import Copies, KeptCopy
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.plans import Change
from target_exactonline.store.sources import Remembered, Sources


@dataclass(slots=True)
class Facts:
    """What is known of the records of a page."""

    copies: Mapping[int, KeptCopy] = field(default_factory=dict)
    by_id: dict[str, Existing] = field(default_factory=dict)
    by_code: dict[str, Existing] = field(default_factory=dict)
    holders: dict[str, tuple[int, Holder]] = field(default_factory=dict)
    claims: Mapping[str, list[tuple[int, Holder]]] = field(default_factory=dict)
    contacts: dict[int, Contact] = field(default_factory=dict)
    """What first contact came to, where it is not settled by the code alone."""
    siblings: Mapping[str, Sequence[Existing]] = field(default_factory=dict)
    """Rows that belong to the accounts which the records of killed runs belong to, by account."""
    taken_over: frozenset[str] = frozenset()
    """Rows that were left behind, and are somebody's copy again."""
    successors: Sequence[tuple[int, Desired]] = ()
    """What the company should hold of the source records that have the code of a deleted one."""


class Situations:
    """Situations of one company, with what the plan so far has given away."""

    def __init__(
        self,
        company: int,
        desire: Callable[[SourceRecord], Desired | None],
        sources: Sources,
        copies: Copies,
        mirror: Mirror,
        first_contact: FirstContact | Siblings,
    ) -> None:
        self._company = company
        self._entity = sources.entity
        self._desire = desire
        self._sources = sources
        self._copies = copies
        self._mirror = mirror
        self._first_contact = first_contact
        self._claimed: dict[str, Holder] = {}
        """Codes that creates of this plan take."""
        self._tied: dict[str, Holder] = {}
        """Rows that became a copy in this plan."""

    def claim(self, code: str, who: Holder) -> None:
        """Note that a source record gets a row under this code, where rows have one."""
        if self._entity.parent is None:
            self._claimed[code] = who

    def unclaim(self, code: str) -> None:
        """Note that it does not, after all."""
        self._claimed.pop(code, None)

    def left_behind(self, copy: Copy, facts: Facts, today: str) -> list[Update]:
        """Return what blocks the rows that a copy left behind and that nobody has blocked or taken over since."""
        rows = [facts.by_id[one] for one in copy.behind if one in facts.by_id.keys() - facts.taken_over]
        blocked = ((row.id, blocking(self._entity, row, today)) for row in rows if row.id not in self._tied)
        return [Update(key, changes, "block") for key, changes in blocked if changes]

    def another_row(self, desired: Desired, row: Existing) -> Existing | None:
        """Return the row that is there already in the place of one that has to be replaced, and is nobody's copy."""
        if desired.parent is None:
            return None
        rows = self._mirror.of_parents([desired.parent])[desired.parent]
        held = self._copies.holders(self._company, rows)
        taken, rules = {row.id, *held, *self._tied}, self._entity.same_row
        free = (one for one in rows if one.id not in taken and not is_blocked(self._entity, one))
        found = [one for one in free if any(is_same(rule, desired.identity, one.values) for rule in rules)]
        return found[0] if len(found) == 1 else None

    def tie(self, target_id: str, who: Holder) -> None:
        """Note that this row is a source record's copy."""
        self._tied[target_id] = who

    def is_tied(self, target_id: str, source: SourceKey) -> bool:
        """Return whether this plan made a row the copy of a source record."""
        holder = self._tied.get(target_id)
        return holder is not None and holder.source == source

    def is_free(self, target_id: str, source: SourceKey) -> bool:
        """Return whether this plan made a row no other source record's copy."""
        holder = self._tied.get(target_id)
        return holder is None or holder.source == source

    def is_claimed(self, code: str) -> bool:
        """Return whether this plan creates a row under a code."""
        return code in self._claimed

    def facts(self, page: Sequence[Remembered]) -> Facts:
        """Return what is known of some source records."""
        numbers = [one.number for one in page]
        facts = Facts(self._copies.of(self._company, numbers))
        known = [kept.copy for kept in facts.copies.values()]
        ids = [copy.target_id for copy in known if copy.target_id] + [one for copy in known for one in copy.behind]
        facts.by_id = self._mirror.by_id(ids)
        left = [row for copy in known for one in copy.behind if (row := facts.by_id.get(one)) is not None]
        facts.taken_over = frozenset(self._copies.holders(self._company, left)) if left else frozenset()
        codes = [one.record.code for one in page if self._needs_code(one, facts)]
        if codes:
            facts.by_code = self._mirror.by_code(codes)
            facts.holders = self._copies.holders(self._company, list(facts.by_code.values()))
            facts.claims = self._copies.claims(self._company, [one for one in codes if one not in facts.by_code])
        self._add_contacts(page, facts)
        gone = [one.record.code for one in page if one.record.is_deleted]
        if gone and self._entity.parent is None:
            facts.successors = self._successors(gone)
        return facts

    def add_siblings(self, facts: Facts, unfinished: Sequence[Change]) -> None:
        """Look up the rows among which those may be that a killed run created, but for the copies of others."""
        if self._entity.parent is None:
            return
        creates = [one.decision.values for one in unfinished if isinstance(one.decision, Create)]
        rows = self._mirror.of_parents(sorted({str(sent.get(self._entity.parent.field)) for sent in creates}))
        held = self._copies.holders(self._company, [row for some in rows.values() for row in some])
        facts.siblings = {key: [row for row in some if row.id not in held] for key, some in rows.items()}

    def situation(self, source: Remembered, desired: Desired | None, copy: Copy | None, facts: Facts) -> Situation:
        """Return all that is known where one source record meets the company."""
        contact = facts.contacts.get(source.number)
        if contact is not None and contact.refusal is not None:
            return Situation(copy, version=source.version, refusal=contact.refusal)
        if contact is not None and contact.row is not None and desired is not None:
            holder = self._holder(contact.row, source.number, desired, facts)
            if holder is None or self._entity.parent is None:
                return Situation(copy, None, contact.row, contact.matched_on, holder=holder, version=source.version)
        number = source.number
        tied = facts.by_id.get(copy.target_id) if copy and copy.target_id else None
        if desired is None:
            record = source.record
            heirs = (one for other, one in facts.successors if other != number and one.code == record.code)
            return Situation(copy, tied, version=source.version, last_seen=record.values, successor=next(heirs, None))
        if tied is not None and tied.code == desired.code:
            return Situation(copy, tied, version=source.version)
        at_code = facts.by_code.get(desired.code)
        if at_code is None:
            rival = self._claimed.get(desired.code)
            if rival is None or rival.source == desired.source:
                others = [who for other, who in facts.claims.get(desired.code, ()) if other != number]
                rival = others[0] if others and _goes_first(others[0], number, facts, desired) else None
            return Situation(copy, tied, rival=rival, version=source.version)
        holder = self._holder(at_code, number, desired, facts)
        return Situation(copy, tied, at_code, holder=holder, version=source.version)

    def _holder(self, row: Existing, number: int, desired: Desired, facts: Facts) -> Holder | None:
        """Return whose copy a row is, if it is another's."""
        holder = self._tied.get(row.id)
        if holder is None and (known := facts.holders.get(row.id)) is not None and known[0] != number:
            holder = known[1]
        return None if holder is not None and holder.source == desired.source else holder

    def _add_contacts(self, page: Sequence[Remembered], facts: Facts) -> None:
        ids = {number: kept.copy.target_id or "" for number, kept in facts.copies.items()}
        tied = {number: facts.by_id[key] for number, key in ids.items() if key in facts.by_id}
        facts.contacts = self._first_contact.contacts(page, tied, facts.by_code, self._desire)
        rows = [one.row for one in facts.contacts.values() if one.row is not None and one.row.id not in facts.holders]
        if rows:
            facts.holders |= self._copies.holders(self._company, rows)

    def _needs_code(self, source: Remembered, facts: Facts) -> bool:
        """Return whether the row under the code matters: not where the tied row bears it already, or none has one."""
        if self._entity.parent is not None:
            return False
        kept = facts.copies.get(source.number)
        row = facts.by_id.get(kept.copy.target_id) if kept and kept.copy.target_id else None
        return row is None or row.code != source.record.code

    def _successors(self, codes: Sequence[str]) -> list[tuple[int, Desired]]:
        found = ((one.number, self._desire(one.record)) for one in self._sources.with_code(codes))
        return [(number, desired) for number, desired in found if desired is not None]


def _goes_first(other: Holder, number: int, facts: Facts, desired: Desired) -> bool:
    """Return whether another record's claim to a free code is better: it has a row, or was known earlier."""
    claims = facts.claims.get(desired.code, [])
    return bool(claims) and claims[0][1] == other and claims[0][0] != number


def taken_for_ours(
    entity: Entity,
    source: SourceRecord,
    copy: Copy | None,
    facts: Facts,
    unfinished: Sequence[Change],
    is_free: Callable[[str], bool],
) -> tuple[Copy | None, tuple[int, Outcome] | None]:
    """Return the copy after what a killed run wrote and could not note, and that change with its outcome."""
    for change in unfinished:
        if change.is_left_behind:
            continue
        for row in _rows_of(entity, change, source, facts):
            if row is not None and isinstance(change.decision, Create) and not is_free(row.id):
                continue
            after = recovered(entity, Unfinished(source.key, change.code, change.decision), row, copy)
            if after is None:
                continue
            if row is not None:
                facts.by_id[row.id] = row
            outcomes = {"create": Outcome.CREATED, "delete": Outcome.DELETED}
            outcome = outcomes.get(change.action, Outcome.UPDATED)
            return _behind(after, unfinished), (change.number, outcome)
    return copy and _behind(copy, unfinished), None


def _behind(copy: Copy, unfinished: Sequence[Change]) -> Copy:
    """Return a copy with the rows that a killed run was about to block in its place."""
    left = [one.target_id for one in unfinished if one.is_left_behind and one.target_id is not None]
    known = dict.fromkeys((*copy.behind, *left))
    return copy.having(behind=tuple(one for one in known if one != copy.target_id))


def _rows_of(entity: Entity, change: Change, source: SourceRecord, facts: Facts) -> Sequence[Existing | None]:
    """Return the rows of which one is what a killed run may have written; None for one that is not there."""
    if not isinstance(change.decision, Create):
        return [facts.by_id.get(change.decision.target_id)]
    if entity.parent is None:
        return [facts.by_code.get(source.code)]
    sent = change.decision.values
    return same_rows(entity, sent, facts.siblings.get(sent.get(entity.parent.field) or "", ()))
