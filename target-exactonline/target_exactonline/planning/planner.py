"""Makes the plan of one company: looks at each source record once, and writes down what is to be done.

What needs no call ends here. The rest becomes rows of the plan, which is then shown, checked and applied as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from exactonline_client.entities import Entity

from target_exactonline.planning import decide as decisions
from target_exactonline.planning.model import (
    Copy,
    Create,
    Decision,
    Delete,
    Desired,
    Existing,
    Holder,
    Refuse,
    Replace,
    Rules,
    Situation,
    Skip,
    SourceRecord,
    Unchanged,
    Update,
)
from target_exactonline.planning.recovery import Unfinished, Written, noted, recovered
from target_exactonline.planning.safety import Counts
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.copies import Copies, KeptCopy
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.plans import Change, Plans, steps
from target_exactonline.store.settlement import Ended
from target_exactonline.store.sources import Remembered, Sources

RANKS = {"delete": 0, "block": 0, "update": 1, "create": 2}
"""The order of writing. What was deferred before goes first, in the same order."""
AFTER_DEFERRED = 10
NOT_AS_WRITTEN = "It was not as it was written before:"
NOT_TRIED_AGAIN = " (Not tried again: nothing of it changed since.)"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A source record that a company is to be held against."""

    source: Remembered
    number: int | None = None
    """Of the record that came in, if it did in this run."""
    merged: int = 0
    """Records that came in before it and became part of it."""
    change: int | None = None
    """Of a record that is decided on again: the number of its change."""
    is_second_look: bool = False
    """Whether it was refused before, and is looked at in case somebody has mended what it met."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Settings and circumstances of a plan."""

    division: int
    entity: Entity
    rules: Rules
    today: str
    """In the company, as a date without offset."""
    retry_refused: bool = False
    reconcile: bool = False


@dataclass(slots=True)
class _Facts:
    """What is known of the records of a page."""

    copies: Mapping[int, KeptCopy] = field(default_factory=dict)
    by_id: dict[str, Existing] = field(default_factory=dict)
    by_code: dict[str, Existing] = field(default_factory=dict)
    holders: Mapping[str, tuple[int, Holder]] = field(default_factory=dict)
    claims: Mapping[str, list[tuple[int, Holder]]] = field(default_factory=dict)
    unfinished: Mapping[int, list[Change]] = field(default_factory=dict)
    successors: Sequence[tuple[int, Desired]] = ()
    """What the company should hold of the source records that have the code of a deleted one."""


class Planner:
    """Plans for one company and entity."""

    def __init__(
        self,
        company: int,
        terms: Terms,
        desire: Callable[[SourceRecord], Desired | None],
        copies: Copies,
        sources: Sources,
        mirror: Mirror,
        plans: Plans,
        recorder: CompanyRecorder,
    ) -> None:
        self._company = company
        self.terms = terms
        self._desire = desire
        self._copies = copies
        self._sources = sources
        self._mirror = mirror
        self._plans = plans
        self._recorder = recorder
        self._left_open: Sequence[int] = plans.left_open(company, terms.entity.stream)
        self._claimed: dict[str, Holder] = {}
        """Codes that creates of this plan take."""
        self._tied: dict[str, Holder] = {}
        """Rows that became a copy in this plan."""
        self.counts = Counts()
        self.compared = 0
        """Copies that nothing came in for and that were held against their rows."""
        self.differing = 0
        """Of those, the ones that are put right."""
        self.numbers: dict[int, int] = {}
        """Of records that came in and have changes in the plan, by source record."""

    def look_at(self, page: Sequence[Candidate]) -> list[Change]:
        """Decide on some records; return the changes, and end what needs none."""
        facts = self._facts(page)
        found: list[Change] = []
        for candidate in page:
            found += self._decided(candidate, facts)
        return found

    def is_wanted(self, candidate: Candidate) -> bool:
        """Return whether the company is to hold a record, by today's settings, or to give up its copy."""
        if candidate.source.record.is_deleted:
            return candidate.source.number > 0  # a deletion of what was never seen is nothing for anybody
        return self._desire(candidate.source.record) is not None

    def forget_killed_plans(self) -> None:
        """Close what killed runs left open, once every record of it was looked at."""
        if self._left_open:
            self._plans.abandon(self._left_open, self._company)

    def again(self, change: Change, source: Remembered) -> list[Change]:
        """Decide once more on a record after the company turned out to hold something else than was known.

        The mirror knows it by now.
        """
        facts = self._facts([Candidate(source)])
        self._claimed.pop(source.record.code, None)
        candidate = Candidate(source, self.numbers.pop(source.number, None), change=change.number)
        return [replace(one, number=change.number) for one in self._decided(candidate, facts)]

    # Facts

    def _facts(self, page: Sequence[Candidate]) -> _Facts:
        numbers = [one.source.number for one in page]
        facts = _Facts(self._copies.of(self._company, numbers))
        if self._left_open:
            facts.unfinished = self._plans.unfinished(self._left_open, numbers)
        ids = [kept.copy.target_id for kept in facts.copies.values() if kept.copy.target_id]
        facts.by_id = self._mirror.by_id(ids)
        codes = [one.source.record.code for one in page if self._needs_code(one, facts)]
        if codes:
            facts.by_code = self._mirror.by_code(codes)
            facts.holders = self._copies.holders(self._company, list(facts.by_code.values()))
            facts.claims = self._copies.claims(self._company, [one for one in codes if one not in facts.by_code])
        gone = [one.source.record.code for one in page if one.source.record.is_deleted]
        if gone:
            facts.successors = self._successors(gone)
        return facts

    def _successors(self, codes: Sequence[str]) -> list[tuple[int, Desired]]:
        found = ((one.number, self._desire(one.record)) for one in self._sources.with_code(codes))
        return [(number, desired) for number, desired in found if desired is not None]

    def _needs_code(self, candidate: Candidate, facts: _Facts) -> bool:
        """Return whether the row under the code matters: not where the tied row bears it already."""
        kept = facts.copies.get(candidate.source.number)
        row = facts.by_id.get(kept.copy.target_id) if kept and kept.copy.target_id else None
        return row is None or row.code != candidate.source.record.code

    def _situation(self, source: Remembered, desired: Desired | None, copy: Copy | None, facts: _Facts) -> Situation:
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
        holder = self._tied.get(at_code.id)
        if holder is None and (known := facts.holders.get(at_code.id)) is not None and known[0] != number:
            holder = known[1]
        if holder is not None and holder.source == desired.source:
            holder = None
        return Situation(copy, tied, at_code, holder, version=source.version)

    # Decisions

    def _decided(self, candidate: Candidate, facts: _Facts) -> list[Change]:
        source, number = candidate.source.record, candidate.source.number
        kept = facts.copies.get(number)
        copy = kept.with_row(facts.by_id.get(kept.copy.target_id or "")) if kept is not None else None
        desired = None if source.is_deleted else self._desire(source)
        if desired is None and (copy is None or not source.is_deleted):
            self._forget(candidate, copy)
            return []
        if desired is not None and source.problems:
            desired = replace(desired, problems=source.problems)
        self.compared += self._is_compared(candidate, copy)
        happened = None
        if number in facts.unfinished:
            copy, happened = self._recover(candidate, copy, facts)
        situation = self._situation(candidate.source, desired, copy, facts)
        decision = self._judged(candidate, desired, situation)
        match decision:
            case Refuse():
                self._refused(candidate, copy, decision, kept)
            case Skip():
                self._skipped(candidate, copy, decision)
            case Unchanged():
                self._unchanged(candidate, desired, situation, decision, kept, happened)
            case _:
                return self._changes(candidate, desired, copy, decision, situation, facts)
        return []

    def _judged(self, candidate: Candidate, desired: Desired | None, situation: Situation) -> Decision:
        copy, terms = situation.copy, self.terms
        decision = decisions.decide(terms.entity, desired, situation, terms.rules, terms.today)
        if copy is None or copy.refused is None or terms.retry_refused:
            return decision
        if isinstance(decision, (Create, Update, Replace, Delete)) and decisions.digest(decision) == copy.refused:
            return Refuse("rejected", f"{copy.reason}{NOT_TRIED_AGAIN}")
        return decision

    def _recover(
        self, candidate: Candidate, copy: Copy | None, facts: _Facts
    ) -> tuple[Copy | None, tuple[int, Outcome] | None]:
        """Take for ours what a killed run wrote and could not note."""
        source = candidate.source.record
        for change in facts.unfinished[candidate.source.number]:
            decision = change.decision
            target_id = None if isinstance(decision, Create) else decision.target_id
            row = facts.by_id.get(target_id) if target_id else facts.by_code.get(source.code)
            left = Unfinished(source.key, change.code, decision)
            after = recovered(self.terms.entity, left, row, copy)
            if after is None:
                continue
            if row is not None:
                facts.by_id[row.id] = row
            outcomes = {"create": Outcome.CREATED, "delete": Outcome.DELETED}
            copy, happened = after, (change.number, outcomes.get(change.action, Outcome.UPDATED))
            return copy, happened
        return copy, None

    # Ends

    def _result(
        self,
        candidate: Candidate,
        outcome: Outcome,
        kind: str | None = None,
        reason: str | None = None,
        matched_on: str | None = None,
        target_code: str | None = None,
    ) -> Result:
        source = candidate.source.record
        return Result(
            self.terms.division,
            source.code,
            outcome,
            self._recorder.now(),
            kind,
            reason,
            entity=self.terms.entity.stream,
            source=source.key,
            matched_on=matched_on,
            target_code=target_code,
        )

    def _unchanged(
        self,
        candidate: Candidate,
        desired: Desired | None,
        situation: Situation,
        decision: Unchanged,
        kept: KeptCopy | None,
        happened: tuple[int, Outcome] | None,
    ) -> None:
        source = candidate.source.record
        row = _row_of(decision.target_id, situation)
        holder = situation.holder
        before = situation.copy if situation.copy and situation.copy.target_id == decision.target_id else None
        if before is None and holder is not None:
            before = holder.copy
        written = Written(decision.target_id, None, row.code if row is not None else None)
        after = noted(source.key, source.code, desired.values if desired else None, before, decision, written)
        first_seen = situation.copy.first_seen if situation.copy is not None else None
        after = replace(
            after, state="tied", kind=None, reason=None, refused=None, tries=0, next_try=None,
            first_seen=first_seen or self._recorder.now(),
        )  # fmt: skip
        if row is not None:
            self._tied[row.id] = Holder(source.key, "", is_deleted=False)
        is_silent = candidate.number is None
        if desired is None:
            is_silent |= self.terms.rules.on_source_deletion == "ignore" or after.gone is not None
        if desired is None and not is_silent:
            after = replace(after, gone={})  # there is nothing left to do, and nothing more to be said
        is_news = kept is None or kept.with_row(row) != after
        if not is_silent:
            self.counts.add("unchanged")
        self._recorder.end(
            Ended(
                self._result(
                    candidate, Outcome.UNCHANGED, None, None, after.matched_on, row.code if row is not None else None
                ),
                candidate.source.number,
                candidate.number,
                copy=after if is_news else None,
                existing=row,
                change=candidate.change,
                happened=happened,
                is_silent=is_silent,
            )
        )

    def _refused(self, candidate: Candidate, copy: Copy | None, decision: Refuse, kept: KeptCopy | None) -> None:
        source = candidate.source.record
        before = copy or Copy(source.key, source.code, first_seen=self._recorder.now())
        reason = self._labelled(source, decision.reason)
        code = before.code if decision.kind == "code_changed" else source.code
        after = replace(before, code=code, state="refused", kind=decision.kind, next_try=None)
        if decision.kind != "rejected":
            after = replace(after, reason=reason)
        is_news = copy is None or (copy.state, copy.kind, copy.reason) != (after.state, after.kind, after.reason)
        is_silent = candidate.number is None and not is_news and candidate.change is None
        if not is_silent:
            self.counts.add("refused")
        self._recorder.end(
            Ended(
                self._result(candidate, Outcome.REFUSED, decision.kind, reason),
                candidate.source.number,
                candidate.number,
                copy=after if after != copy else None,
                existing=None if copy is None else self._row_now(copy),
                change=candidate.change,
                is_silent=is_silent,
                is_news=is_news,
            )
        )

    def _skipped(self, candidate: Candidate, copy: Copy | None, decision: Skip) -> None:
        self.counts.add("skipped")
        is_over = copy is not None and copy.target_id is None and decision.kind == "source_deleted"
        self._recorder.end(
            Ended(
                self._result(candidate, Outcome.SKIPPED, decision.kind, decision.reason),
                candidate.source.number,
                candidate.number,
                forget=is_over,
                change=candidate.change,
            )
        )

    def _forget(self, candidate: Candidate, copy: Copy | None) -> None:
        """Drop what is wanted here no longer, or never was; a row that we are tied to stays known."""
        is_untied = copy is not None and copy.target_id is None
        self._recorder.pass_over(candidate.number, candidate.source.number if is_untied else None)

    def _changes(
        self,
        candidate: Candidate,
        desired: Desired | None,
        copy: Copy | None,
        decision: Create | Update | Replace | Delete,
        situation: Situation,
        facts: _Facts,
    ) -> list[Change]:
        source, number = candidate.source.record, candidate.source.number
        me = Holder(source.key, str(source.values.get("Name") or ""), is_deleted=False)
        if candidate.number is not None:
            self.numbers[number] = candidate.number
        base = 0 if copy is not None and copy.state == "deferred" else AFTER_DEFERRED
        row = situation.tied or situation.at_code
        found = []
        todo = steps(decision)
        for step in todo:
            change = Change(
                number,
                source.code,
                step,
                reason=self._found_differing(candidate, copy, situation.tied),
                target_code=row.code if row is not None and not isinstance(step, Create) else None,
                is_followed=step is not todo[-1],
            )
            found.append(replace(change, rank=base + RANKS[change.action]))
            self.counts.add(change.action)
            if isinstance(step, Create):
                self._claimed[source.code] = me
            else:
                self._tied[step.target_id] = me
        return found

    def _found_differing(self, candidate: Candidate, copy: Copy | None, row: Existing | None) -> str | None:
        """Return what was found of a copy that nothing came in for, and that is put right."""
        if not self._is_compared(candidate, copy) or copy is None:
            return None
        self.differing += 1
        if row is None:
            return f"{NOT_AS_WRITTEN} deleted."
        return (
            f"{NOT_AS_WRITTEN} modified {row.modified_at:%Y-%m-%d %H:%M:%S %z}." if row.modified_at else NOT_AS_WRITTEN
        )

    def _is_compared(self, candidate: Candidate, copy: Copy | None) -> bool:
        return self.terms.reconcile and candidate.number is None and copy is not None and copy.target_id is not None

    def _row_now(self, copy: Copy) -> Existing | None:
        return self._mirror.by_id([copy.target_id]).get(copy.target_id) if copy.target_id else None

    def _labelled(self, source: SourceRecord, reason: str) -> str:
        label = f"{self.terms.entity.title} {source.code or 'without a code'} in division {self.terms.division}"
        return reason if reason.startswith(("Exact", label)) else f"{label}: {reason}"


def _row_of(target_id: str | None, situation: Situation) -> Existing | None:
    rows: Iterable[Existing | None] = (situation.tied, situation.at_code)
    return next((row for row in rows if row is not None and row.id == target_id), None)


def _goes_first(other: Holder, number: int, facts: _Facts, desired: Desired) -> bool:
    """Return whether another record's claim to a free code is better: it has a row, or was known earlier."""
    claims = facts.claims.get(desired.code, [])
    return bool(claims) and claims[0][1] == other and claims[0][0] != number
