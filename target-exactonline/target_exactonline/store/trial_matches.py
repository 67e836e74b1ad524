"""What the newest dry run would make of first contact in a company, as long as no real run came after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from exactonline_client.entities import Entity
from sqlalchemy import and_, select
from sqlalchemy.engine import Connection

from target_exactonline.reporting.outcomes import Outcome
from target_exactonline.store.plans import IDENTITY, ORIGIN
from target_exactonline.store.rows import RECORDS_AT_A_TIME, packed, pages, unpacked
from target_exactonline.store.settlement import TIE
from target_exactonline.store.tables import changes, plans, runs, sources


class TrialRow(NamedTuple):
    """What became of one source record, with the members that a row of `copies` and its source record have."""

    number: int
    run: str
    """Id of the dry run."""
    source: int
    """Below zero if the source record is kept nowhere."""
    target_id: str | None
    matched_on: str | None
    state: str
    kind: str | None
    besides: str
    code: str
    division: int
    key: str
    content: str
    at: datetime


class Trial(NamedTuple):
    """A plan of a dry run."""

    plan: int
    run: str

    def rows(self, connection: Connection, code: str | None = None) -> Iterator[list[TrialRow]]:
        """Yield what became of all source records, or of those with a code."""
        after = 0
        while True:
            query = _CHANGES.where(changes.c.plan == self.plan, changes.c.number > after)
            query = query if code is None else query.where(changes.c.code == code)
            found = connection.execute(query.order_by(changes.c.number).limit(RECORDS_AT_A_TIME)).all()
            if not found:
                return
            after = found[-1].number
            yield [self._row(row) for row in found if row.key is not None or ORIGIN in unpacked(row.besides)]

    def of_sources(self, connection: Connection, numbers: Sequence[int]) -> dict[int, TrialRow]:
        """Return what became of source records, by number."""
        found: dict[int, TrialRow] = {}
        for page in pages(numbers):
            query = _CHANGES.where(changes.c.plan == self.plan, changes.c.source.in_(page))
            for row in connection.execute(query.order_by(changes.c.number)):
                found.setdefault(row.source, self._row(row))
        return found

    def _row(self, row: Any) -> TrialRow:
        besides = unpacked(row.besides)
        division, key = besides.get(ORIGIN) or (row.division, row.key)
        is_tie = row.action == TIE or (row.action == "update" and row.matched_on is not None)
        candidates = besides.get("candidates") or [row.target_id]
        return TrialRow(
            row.number,
            self.run,
            row.source,
            row.target_id if is_tie else None,
            row.matched_on,
            "refused" if row.outcome == Outcome.REFUSED.value else "new",
            row.kind,
            packed({"candidates": [one for one in candidates if one]}),
            row.code,
            division,
            key,
            row.content or packed(besides.get(IDENTITY, {})),
            row.at,
        )


def newest_trial(connection: Connection, company: int, entity: Entity) -> Trial | None:
    """Return the newest plan of a company, if it is a dry run's."""
    mine = and_(plans.c.company == company, plans.c.entity == entity.stream)
    query = select(plans.c.id, plans.c.is_trial, runs.c.id.label("run")).join(runs, runs.c.number == plans.c.run)
    row = connection.execute(query.where(mine).order_by(plans.c.id.desc()).limit(1)).one_or_none()
    return Trial(row.id, row.run) if row is not None and row.is_trial else None


_CHANGES = select(changes, sources.c.division, sources.c.key, sources.c.content).join(
    sources, sources.c.id == changes.c.source, isouter=True
)
