"""What was created, updated, deleted and refused, over all runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from exactonline_client.store import Store
from sqlalchemy import and_, or_, select

from target_exactonline.planning.undo import Earlier
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.plans import UNDO, fields_of
from target_exactonline.store.rows import ROWS_AT_A_TIME, unpacked
from target_exactonline.store.runs import LINES, line_of
from target_exactonline.store.settlement import IN_HISTORY, TIES
from target_exactonline.store.tables import changes, companies, runs, sites

DONE = ("created", "updated", "deleted")


class History:
    """The history of some sites."""

    def __init__(self, store: Store, urls: Sequence[str]) -> None:
        self._store = store
        self._sets = FieldSets(store)
        here = select(companies.c.id).join(sites, sites.c.id == companies.c.site).where(sites.c.url.in_(urls))
        self._here = or_(changes.c.company.in_(here), changes.c.company.is_(None))

    def lines(
        self, division: int | None = None, code: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Return lines as in outcomes.jsonl, the newest first, each with what is evidence of it."""
        query = self._chosen(division, code).order_by(changes.c.number.desc()).limit(limit).offset(offset)
        with self._store.read() as connection:
            return [self._line(row) for row in connection.execute(query).all()]

    def every(self, division: int | None = None, code: str | None = None) -> Iterator[dict[str, Any]]:
        """Yield all of these lines, the oldest first."""
        after = 0
        while True:
            query = self._chosen(division, code).where(changes.c.number > after)
            with self._store.read() as connection:
                rows = connection.execute(query.order_by(changes.c.number).limit(ROWS_AT_A_TIME)).all()
            if not rows:
                return
            after = rows[-1].number
            yield from map(self._line, rows)

    def _chosen(self, division: int | None, code: str | None) -> Any:
        ended = or_(changes.c.outcome.in_([one.value for one in IN_HISTORY]), changes.c.action.in_(TIES))
        query = LINES.add_columns(runs.c.started_by).where(self._here, ended, runs.c.dry_run.is_not(True))
        if division is not None:
            query = query.where(companies.c.division == division)
        return query if code is None else query.where(changes.c.code == code)

    def _line(self, row: Any) -> dict[str, Any]:
        """Return a change with who started the run, the plan, who approved it, and the rule that tied the row."""
        evidence = {"run": row.run, "run_id": row.run_id, "started_by": row.started_by, "plan": row.plan}
        rules = {"action": row.action, "approved_by": row.approved_by, "matched_on": row.matched_on}
        return {**line_of(self._sets, row), **evidence, **rules}

    def runs_of(self, run_id: str) -> list[int]:
        """Return the numbers of the runs with this id; of several processes that shared it, each."""
        query = select(runs.c.number).where(runs.c.id == run_id, runs.c.dry_run.is_(False))
        with self._store.read() as connection:
            return list(connection.execute(query).scalars())

    def newest(self) -> str | None:
        """Return the id of the newest run that changed anything."""
        query = select(runs.c.id).join(changes, changes.c.run == runs.c.number).where(self._here, _DONE)
        with self._store.read() as connection:
            newest = query.where(runs.c.dry_run.is_(False)).order_by(runs.c.number.desc()).limit(1)
            return connection.execute(newest).scalar_one_or_none()

    def companies_of(self, numbers: Sequence[int]) -> list[int]:
        """Return in which companies these runs changed anything, by the store's number."""
        query = select(changes.c.company).where(changes.c.run.in_(numbers), _DONE).distinct()
        with self._store.read() as connection:
            return [one for one in connection.execute(query).scalars() if one is not None]

    def done(self, numbers: Sequence[int], company: int, entity: str, code: str | None = None) -> Iterator[Earlier]:
        """Yield what these runs did in a company to an entity: source record by source record, the oldest first."""
        source = number = 0
        while True:
            later = or_(changes.c.source > source, and_(changes.c.source == source, changes.c.number > number))
            mine = (changes.c.run.in_(numbers), changes.c.company == company, changes.c.entity == entity)
            query = select(changes).where(*mine, _DONE, later)
            if code is not None:
                query = query.where(changes.c.code == code)
            query = query.order_by(changes.c.source, changes.c.number).limit(ROWS_AT_A_TIME)
            with self._store.read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            source, number = rows[-1].source, rows[-1].number
            yield from map(self._earlier, rows)

    def _earlier(self, row: Any) -> Earlier:
        is_undo = bool(unpacked(row.besides).get(UNDO))
        fields = fields_of(self._sets, row)
        return Earlier(row.source, row.code, row.action, fields, row.target_id, row.matched_on, is_undo)


_DONE = or_(changes.c.outcome.in_(DONE), changes.c.action.in_(TIES))
