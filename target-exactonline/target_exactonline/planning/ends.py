"""Ends of records that need no call: nothing differs, it is refused, or the settings do not want it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from exactonline_client.odata import Row

from target_exactonline.planning.identity import identifying
from target_exactonline.planning.model import (
    Copy,
    Desired,
    Existing,
    Holder,
    NotSent,
    Refuse,
    Situation,
    Skip,
    SourceRecord,
    Unchanged,
    Wait,
)
from target_exactonline.planning.recovery import Written, noted
from target_exactonline.planning.references import in_wait
from target_exactonline.planning.safety import Counts
from target_exactonline.planning.situations import Situations
from target_exactonline.planning.terms import Candidate, Terms
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.settlement import TIE, Ended


class Ends:
    """Ends of one plan."""

    def __init__(
        self, terms: Terms, counts: Counts, recorder: CompanyRecorder, situations: Situations, mirror: Mirror
    ) -> None:
        self._terms = terms
        self._counts = counts
        self._recorder = recorder
        self._situations = situations
        self._mirror = mirror

    def _result(
        self,
        candidate: Candidate,
        outcome: Outcome,
        kind: str | None = None,
        reason: str | None = None,
        matched_on: str | None = None,
        target_code: str | None = None,
        not_sent: Sequence[NotSent] = (),
    ) -> Result:
        source = candidate.source.record
        return Result(
            self._terms.division,
            source.code,
            outcome,
            self._recorder.now(),
            kind,
            reason,
            entity=self._terms.entity.stream,
            source=source.key,
            matched_on=matched_on,
            target_code=target_code,
            not_sent=tuple(not_sent),
        )

    def unchanged(
        self,
        candidate: Candidate,
        desired: Desired | None,
        situation: Situation,
        decision: Unchanged,
        known: Copy | None,
        happened: tuple[int, Outcome] | None,
    ) -> None:
        """Note that nothing differs, and what is known of the copy by now."""
        source = candidate.source.record
        row = _row_of(decision.target_id, situation)
        holder = situation.holder
        before = situation.copy if situation.copy and situation.copy.target_id == decision.target_id else None
        if before is None and holder is not None:
            before = holder.copy
        written = Written(decision.target_id, None, row.code if row is not None else None)
        after = noted(source.key, source.code, desired.values if desired else None, before, decision, written)
        first_seen = situation.copy.first_seen if situation.copy is not None else None
        after = after.having(
            state="tied", kind=None, reason=None, refused=None, tries=0, next_try=None,
            first_seen=first_seen or self._recorder.now(),
        )  # fmt: skip
        not_sent = desired.not_sent if desired is not None else ()
        after = in_wait(self._terms.entity, after, not_sent)
        is_silent = candidate.number is None
        if desired is None:
            is_silent |= self._terms.rules.on_source_deletion == "ignore" or after.gone is not None
        if desired is None and not is_silent:
            after = replace(after, gone={})  # there is nothing left to do, and nothing more to be said
        is_news = decision.target_id is not None and known != after
        if row is not None and desired is not None and is_news:
            self._situations.tie(row.id, Holder(source.key, "", is_deleted=False))
        if not is_silent:
            self._counts.add("unchanged")
        elif candidate.number is None and not (is_news or happened or candidate.change):
            return  # a copy that was looked at unasked and is as it was
        self._recorder.end(
            Ended(
                self._result(
                    candidate,
                    Outcome.UNCHANGED,
                    matched_on=after.matched_on,
                    target_code=row.code if row is not None else None,
                    not_sent=not_sent,
                ),
                candidate.source.number,
                candidate.number,
                copy=after if is_news else None,
                existing=row,
                change=candidate.change,
                happened=happened,
                action=TIE if _is_tie(decision, known) else None,
                identity=self._identity(candidate),
                is_silent=is_silent,
            )
        )

    def tied_to_another(self, candidate: Candidate, situation: Situation, row: Existing) -> Copy:
        """Note that a row is the copy of a source record in the place of another, which is still to be blocked."""
        source, before = candidate.source.record, situation.copy
        left = (*before.behind, before.target_id) if before is not None and before.target_id else ()
        known = before or Copy(source.key, source.code)
        rule = "+".join(self._terms.entity.same_row[0].fields)
        behind = tuple(one for one in dict.fromkeys(left) if one != row.id)
        after = replace(known, code=source.code, target_id=row.id, baseline={}, written_at=None, matched_on=rule)
        after = replace(after, state="tied", kind=None, reason=None, refused=None, gone=None, behind=behind)
        result = self._result(candidate, Outcome.UNCHANGED, matched_on=rule)
        number = candidate.source.number
        self._recorder.end(Ended(result, number, copy=after, existing=row, action=TIE, is_silent=True))
        self._situations.tie(row.id, Holder(source.key, "", is_deleted=False))
        return after

    def refused(self, candidate: Candidate, copy: Copy | None, decision: Refuse) -> None:
        """Note a refusal; one that was there before is told only of a record that came in."""
        source = candidate.source.record
        before = copy or self._new(candidate)
        reason = self._labelled(source, decision.reason)
        row = None if copy is None else self._row_now(copy)
        code = source.code if row is None or row.code == source.code else before.code  # its change is still to be told
        after = replace(before, code=code, state="refused", kind=decision.kind, next_try=None)
        after = replace(after, candidates=decision.candidates)
        if decision.kind != "rejected":
            after = replace(after, reason=reason)
        is_news = copy is None or (copy.state, copy.kind, copy.reason) != (after.state, after.kind, after.reason)
        is_silent = candidate.number is None and not is_news and candidate.change is None
        if not is_silent:
            self._counts.add("refused")
        self._recorder.end(
            Ended(
                self._result(candidate, Outcome.REFUSED, decision.kind, reason),
                candidate.source.number,
                candidate.number,
                copy=after if after != copy else None,
                existing=row,
                change=candidate.change,
                is_silent=is_silent,
                is_news=is_news,
                identity=self._identity(candidate),
            )
        )

    def waits(self, candidate: Candidate, copy: Copy | None, decision: Wait) -> None:
        """Note that a record is due once what it belongs to is there; one that waited before is told if it came in."""
        source, now = candidate.source.record, self._recorder.now()
        reason = self._labelled(source, decision.reason)
        before = copy or Copy(source.key, source.code, first_seen=now)
        after = replace(before, state="deferred", kind=decision.kind, reason=reason, next_try=None)
        is_news = copy is None or (copy.state, copy.kind, copy.reason) != (after.state, after.kind, after.reason)
        is_silent = candidate.number is None and not is_news
        if not is_silent:
            self._counts.add("deferred")
        self._recorder.end(
            Ended(
                self._result(candidate, Outcome.PARKED, decision.kind, reason),
                candidate.source.number,
                candidate.number,
                copy=after if after != copy else None,
                existing=None if copy is None else self._row_now(copy),
                change=candidate.change,
                is_silent=is_silent,
                is_news=is_news,
            )
        )

    def skipped(self, candidate: Candidate, copy: Copy | None, decision: Skip) -> None:
        """Note that the settings do not want it written."""
        self._counts.add("skipped")
        is_over = copy is not None and copy.target_id is None and decision.kind == "source_deleted"
        self._recorder.end(
            Ended(
                self._result(candidate, Outcome.SKIPPED, decision.kind, decision.reason),
                candidate.source.number,
                candidate.number,
                copy=_held(copy or self._new(candidate), decision),
                forget=is_over,
                change=candidate.change,
                identity=self._identity(candidate),
            )
        )

    def _new(self, candidate: Candidate) -> Copy:
        source = candidate.source.record
        return Copy(source.key, source.code, first_seen=self._recorder.now())

    def _identity(self, candidate: Candidate) -> Row | None:
        """Return what says who a source record is that came in for a dry run, and is kept nowhere else."""
        is_kept = candidate.source.number > 0
        return None if is_kept else identifying(self._terms.entity.identity, candidate.source.record.values)

    def forget(self, candidate: Candidate, copy: Copy | None) -> None:
        """Drop what is wanted here no longer, or never was; a row that we are tied to stays known."""
        is_untied = copy is not None and copy.target_id is None
        self._recorder.pass_over(candidate.number, candidate.source.number if is_untied else None)

    def _row_now(self, copy: Copy) -> Existing | None:
        return self._mirror.by_id([copy.target_id]).get(copy.target_id) if copy.target_id else None

    def _labelled(self, source: SourceRecord, reason: str) -> str:
        label = f"{self._terms.entity.title} {source.code or 'without a code'} in division {self._terms.division}"
        return reason if reason.startswith(("Exact", label)) else f"{label}: {reason}"


def _held(copy: Copy, decision: Skip) -> Copy | None:
    """Return a copy that waits no longer, since it is left alone, or None if that is so already."""
    if decision.kind != "held" or copy.state == "held":
        return None
    return replace(copy, state="held", kind="held", reason=decision.reason, next_try=None)


def _is_tie(decision: Unchanged, known: Copy | None) -> bool:
    """Return whether a rule makes a row the copy of a source record now."""
    if decision.matched_on is None or decision.target_id is None:
        return False
    return known is None or known.target_id != decision.target_id


def _row_of(target_id: str | None, situation: Situation) -> Existing | None:
    rows: Iterable[Existing | None] = (situation.tied, situation.at_code)
    return next((row for row in rows if row is not None and row.id == target_id), None)
