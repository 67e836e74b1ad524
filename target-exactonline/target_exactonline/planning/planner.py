"""Makes the plan of one company: looks at each source record once, and writes down what is to be done.

What needs no call ends here. The rest becomes rows of the plan, which is then shown, checked and applied as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from target_exactonline.planning import decide as decisions
from target_exactonline.planning.ends import Ends
from target_exactonline.planning.first_contact import FirstContact
from target_exactonline.planning.identity import identifying
from target_exactonline.planning.late import LAST, Late, LateReferences
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
    Situation,
    Skip,
    SourceRecord,
    Unchanged,
    Update,
    Wait,
)
from target_exactonline.planning.parents import Parents, Place
from target_exactonline.planning.referred import References
from target_exactonline.planning.safety import Counts
from target_exactonline.planning.siblings import Siblings
from target_exactonline.planning.signing import Signing
from target_exactonline.planning.situations import Facts, Situations, taken_for_ours
from target_exactonline.planning.terms import Candidate, Terms
from target_exactonline.reporting.outcomes import Outcome
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.copies import Copies
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.plans import Change, Plans, steps
from target_exactonline.store.sources import Remembered, Sources

RANKS = {"delete": 0, "block": 0, "update": 1, "create": 2}
"""The order of writing. What was deferred before goes first, in the same order."""
AFTER_DEFERRED = 10
NOT_AS_WRITTEN = "It was not as it was written before:"
NOT_TRIED_AGAIN = " (Not tried again: nothing of it changed since.)"


class Planner:
    """Plans for one company and entity."""

    def __init__(
        self,
        company: int,
        terms: Terms,
        references: References | Parents,
        first_contact: FirstContact | Siblings,
        copies: Copies,
        sources: Sources,
        mirror: Mirror,
        plans: Plans,
        signing: Signing,
        recorder: CompanyRecorder,
    ) -> None:
        self._company = company
        self.terms = terms
        self.references = references
        self._desire = references.desire
        self._situations = Situations(company, references.desire, sources, copies, mirror, first_contact)
        self.first_contact = first_contact
        self._late = LateReferences(terms.entity, self._situations)
        self._plans = plans
        self.signing = signing
        self._left_open: Sequence[int] = plans.left_open(company, terms.entity.stream)
        self.counts = Counts()
        self._ends = Ends(terms, self.counts, recorder, self._situations, mirror)
        self.compared = 0
        """Copies that nothing came in for and that were held against their rows."""
        self.differing = 0
        """Of those, the ones that are put right."""
        self.placed: dict[Place, str | None] = {}
        """What a dry run does about each record that has or gets a row, for what belongs to it."""
        self.numbers: dict[int, int] = {}
        """Of records that came in and have changes in the plan, by source record."""

    def look_at(self, page: Sequence[Candidate]) -> list[Change]:
        """Decide on some records; return the changes, and end what needs none."""
        self.references.learn([one.source.record for one in page], self._situations)
        self.signing.learn([one.source.record.code for one in page])
        facts = self._situations.facts([one.source for one in page])
        unfinished = self._unfinished(page)
        self._situations.add_siblings(facts, [one for some in unfinished.values() for one in some])
        found: list[Change] = []
        for candidate in page:
            found += self._decided(candidate, facts, unfinished.get(candidate.source.number, ()))
        return found

    def late(self) -> Iterator[list[Change]]:
        """Yield what is to be set once the accounts that this plan creates have rows; all records were looked at."""
        for page in self._late.pages():
            sources = [one.candidate.source for one in page]
            self.references.learn([one.record for one in sources], self._situations, is_last=True)
            self.signing.learn([one.record.code for one in sources])
            facts = self._situations.facts(sources)
            yield [change for one in page for change in self._set_later(one, facts)]
        self.first_contact.forget_rows()

    def _set_later(self, one: Late, facts: Facts) -> list[Change]:
        source = one.candidate.source
        change = self._late.change(one, self._desire(source.record), AFTER_DEFERRED)
        if change is None:
            last = replace(one.candidate, is_last=True)
            return [] if one.is_planned else self._decided(last, facts, ())
        if not one.is_planned and one.candidate.number is not None:
            self.numbers[source.number] = one.candidate.number
        self.counts.add(change.action)
        return self.signing.signed([change])

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
        self.references.learn([source.record], self._situations, is_last=True)
        self.signing.learn([source.record.code])
        facts = self._situations.facts([source])
        self._situations.unclaim(source.record.code)
        candidate = Candidate(source, self.numbers.pop(source.number, None), change=change.number)
        again = self._decided(candidate, facts, ())
        if change.is_second:
            again = [replace(one, not_sent=tuple(left for left in one.not_sent if left.waits)) for one in again]
        if change.is_late and change.waits is None:  # it was approved, or needs none, before its value was known
            again = [
                replace(one, waits=None, approved_by=change.approved_by)
                for one in again
                if one.fields.keys() <= change.fields.keys()
            ] or again
        return [replace(one, number=change.number) for one in again]

    def _unfinished(self, page: Sequence[Candidate]) -> Mapping[int, list[Change]]:
        """Return what killed runs were about to do with these records."""
        if not self._left_open:
            return {}
        return self._plans.unfinished(self._left_open, [one.source.number for one in page])

    # Decisions

    def _decided(self, candidate: Candidate, facts: Facts, unfinished: Sequence[Change]) -> list[Change]:
        source, number = candidate.source.record, candidate.source.number
        kept = facts.copies.get(number)
        copy = kept.with_row(facts.by_id.get(kept.copy.target_id or "")) if kept is not None else None
        desired = None if source.is_deleted else self._desire(source)
        if desired is None and (copy is None or not source.is_deleted):
            self._ends.forget(candidate, copy)
            return []
        if desired is not None and source.problems:
            desired = replace(desired, problems=source.problems)
        self.compared += self._is_compared(candidate, copy)
        known = copy
        copy, happened = self._recovered(candidate, copy, facts, unfinished)
        blocks, situation, decision = self._considered(candidate, desired, copy, facts)
        if isinstance(decision, Replace) and (row := self._another_row(desired, situation)) is not None:
            facts.by_id[row.id] = row
            known = self._ends.tied_to_another(candidate, situation, row)
            blocks, situation, decision = self._considered(candidate, desired, known, facts)
        copy = situation.copy
        if isinstance(decision, Unchanged) and any(self._was_refused(copy, block) for block in blocks):
            decision = _not_again(copy)
        match decision:
            case Refuse():
                self._ends.refused(candidate, copy, decision)
            case Skip():
                self._ends.skipped(candidate, copy, decision)
            case Wait():
                self._ends.waits(candidate, copy, decision)
            case Unchanged() if self._late.take(candidate, desired, is_planned=False):
                pass
            case Unchanged():
                self._place(source, decision.target_id)
                self._ends.unchanged(candidate, desired, situation, decision, known, happened)
                return self._left_behind(candidate, blocks)
            case _:
                self._late.take(candidate, desired, is_planned=True)
                changes = self._changes(candidate, desired, copy, decision, situation)
                return [*changes, *self._left_behind(candidate, blocks)]
        return []

    def _left_behind(self, candidate: Candidate, blocks: Sequence[Update]) -> list[Change]:
        """Return the changes that block rows which others replaced, where no run came to it."""
        source = candidate.source
        found: list[Change] = []
        for block in blocks:
            change = Change(source.number, source.record.code, block, AFTER_DEFERRED + LAST, is_left_behind=True)
            found += self.signing.signed([change])
            self.counts.add("block")
        return found

    def _recovered(
        self, candidate: Candidate, copy: Copy | None, facts: Facts, unfinished: Sequence[Change]
    ) -> tuple[Copy | None, tuple[int, Outcome] | None]:
        """Return the copy after what a killed run did with a record, and the change that came about."""
        if not unfinished:
            return copy, None
        source = candidate.source.record
        is_free = partial(self._situations.is_free, source=source.key)
        after, happened = taken_for_ours(self.terms.entity, source, copy, facts, unfinished, is_free)
        if happened is not None:
            facts.contacts.pop(candidate.source.number, None)
        return after, happened

    def _considered(
        self, candidate: Candidate, desired: Desired | None, copy: Copy | None, facts: Facts
    ) -> tuple[list[Update], Situation, Decision]:
        """Return what blocks the rows that a copy left behind, all that is known, and what is decided."""
        blocks = self._situations.left_behind(copy, facts, self.terms.today) if copy is not None else []
        if copy is not None:
            copy = copy.having(behind=tuple(one.target_id for one in blocks))
        situation = self._situations.situation(candidate.source, desired, copy, facts)
        return blocks, situation, self._judged(candidate, desired, situation)

    def _another_row(self, desired: Desired | None, situation: Situation) -> Existing | None:
        """Return the row that is there already in the place of the one that a record of an account has."""
        if self.terms.entity.parent is None or desired is None or situation.tied is None or self.terms.is_trial:
            return None
        return self._situations.another_row(desired, situation.tied)

    def _judged(self, candidate: Candidate, desired: Desired | None, situation: Situation) -> Decision:
        copy, terms = situation.copy, self.terms
        decision = decisions.decide(terms.entity, desired, situation, terms.rules, terms.today)
        if isinstance(decision, (Create, Update, Replace, Delete)) and self._was_refused(copy, decision):
            return _not_again(copy)
        return decision

    def _was_refused(self, copy: Copy | None, decision: Create | Update | Replace | Delete) -> bool:
        """Return whether Exact refused this very change before, and the settings do not want it tried again."""
        if copy is None or copy.refused is None or self.terms.retry_refused:
            return False
        return decisions.digest(decision) == copy.refused

    # Changes

    def _changes(
        self,
        candidate: Candidate,
        desired: Desired | None,
        copy: Copy | None,
        decision: Create | Update | Replace | Delete,
        situation: Situation,
    ) -> list[Change]:
        source, number = candidate.source.record, candidate.source.number
        me = Holder(source.key, str(source.values.get("Name") or ""), is_deleted=False)
        if candidate.number is not None:
            self.numbers[number] = candidate.number
        base = 0 if copy is not None and copy.state == "deferred" else AFTER_DEFERRED
        replaced = isinstance(decision, Replace) and decision.creates_first
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
                origin=source.key if number < 0 else None,
                identity=identifying(self.terms.entity.identity, source.values) if number < 0 else {},
                not_sent=desired.not_sent if desired is not None else (),
                is_left_behind=replaced and step is not todo[0],
            )
            found.append(replace(change, rank=base + self._rank(change, source)))
            self.counts.add(change.action)
            if isinstance(step, Create):
                self._situations.claim(source.code, me)
            elif not change.is_left_behind:
                self._situations.tie(step.target_id, me)
        self._place(source, None if isinstance(todo[-1], Create) else row.id if row is not None else None)
        return self.signing.signed(found)

    def _place(self, source: SourceRecord, target_id: str | None) -> None:
        if self.terms.is_trial and not source.is_deleted:
            self.placed[source.key.division, source.code] = target_id

    def _rank(self, change: Change, source: SourceRecord) -> int:
        """Return the place of a change in the order of writing."""
        entity, values = self.terms.entity, source.values
        if change.is_left_behind or (entity.last and change.fields.get(entity.last, (None, False))[1]):
            return LAST
        if change.action == "create" and entity.first and values.get(entity.first):
            return RANKS["update"]
        return RANKS[change.action]

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


def _not_again(copy: Copy | None) -> Refuse:
    return Refuse("rejected", f"{copy.reason if copy is not None else ''}{NOT_TRIED_AGAIN}")
