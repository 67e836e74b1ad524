"""Tells of records of which nothing was done in one company."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from exactonline_client.entities import Entity

from target_exactonline.applying.pending import Pending
from target_exactonline.planning.model import SourceRecord
from target_exactonline.planning.terms import Candidate
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.settlement import Ended

logger = logging.getLogger(__name__)

NOT_REACHED = "The run was stopped before its turn. It comes again in the next run."
MERGED = "Merged with a newer record of the same source record in the same run."

_OUTCOMES = {"create": Outcome.CREATED, "delete": Outcome.DELETED}


class Telling:
    """What is told in one company."""

    def __init__(self, recorder: CompanyRecorder, division: int, entity: Entity) -> None:
        self._recorder = recorder
        self._division = division
        self._entity = entity

    def not_reached(self, records: Iterable[SourceRecord]) -> None:
        """Tell of records that had no turn; no STATE acknowledges them, so they come again."""
        for record in records:
            self._skipped(record, None, NOT_REACHED)

    def merged(self, page: Sequence[Candidate]) -> None:
        """Tell of records that became part of a newer one of the same source record."""
        for candidate in page:
            for _ in range(candidate.merged):
                self._skipped(candidate.source.record, "superseded", MERGED)

    def planned(self, work: Pending, number: int | None) -> None:
        """Tell of a change that a dry run leaves in its plan."""
        change, source = work.change, work.source.record
        result = Result(
            self._division,
            source.code or change.code,
            Outcome.PARKED if change.waits else _OUTCOMES.get(change.action, Outcome.UPDATED),
            self._recorder.now(),
            "approval" if change.waits else None,
            change.waits or change.reason,
            change.fields,
            entity=self._entity.stream,
            source=source.key,
            matched_on=change.matched_on,
            target_code=change.target_code,
            not_sent=change.not_sent,
        )
        self._recorder.end(Ended(result, work.source.number, number, change=change.number))

    def doubles(self, told: str | None) -> None:
        """Tell of rows of the company that may be one party twice."""
        if told is not None:
            logger.warning("Division %d: %s", self._division, told)
            self._recorder.note(f"Division {self._division}: {told}")

    def _skipped(self, record: SourceRecord, kind: str | None, reason: str) -> None:
        result = Result(
            self._division,
            record.code,
            Outcome.SKIPPED,
            self._recorder.now(),
            kind,
            reason,
            entity=self._entity.stream,
            source=record.key,
        )
        self._recorder.end(Ended(result, is_news=False))
