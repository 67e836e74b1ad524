"""What was not written and is not settled: what waits for a later run, what was refused, and what is held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from exactonline_client.odata import Row
from exactonline_client.store import Store
from sqlalchemy import ColumnElement, and_, delete, func, or_, select

from target_exactonline.planning.model import SourceKey
from target_exactonline.reporting.outcomes import source_as_object
from target_exactonline.store.copies import UNDONE
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.rows import packed, unpacked
from target_exactonline.store.tables import companies, copies, sites, sources

State = Literal["parked", "refused", "held"]
STATES: dict[str, State] = {"deferred": "parked", "refused": "refused", "held": "held"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A copy that is not as it is desired."""

    site: str
    division: int
    entity: str
    code: str
    state: State
    kind: str | None
    reason: str | None
    first_seen: datetime | None
    tries: int
    next_try: datetime | None
    """None for the next run."""
    source: SourceKey
    values: Row
    """What the source record says."""

    def as_object(self) -> dict[str, Any]:
        """Return all of it in types that JSON has."""
        return {
            "entity": self.entity,
            "division": self.division,
            "code": self.code,
            "state": self.state,
            "kind": self.kind,
            "reason": self.reason,
            "first_seen": self.first_seen.isoformat() if self.first_seen else None,
            "attempts": self.tries,
            "next_try": self.next_try.isoformat() if self.next_try else None,
            "source": source_as_object(self.source),
            "wanted": self.values,
        }


class Deferred:
    """What is not settled at some sites."""

    def __init__(self, store: Store, urls: Sequence[str]) -> None:
        self._store = store
        self._sets = FieldSets(store)
        self._here = sites.c.url.in_(urls)

    def waiting(
        self,
        state: State | None = None,
        division: int | None = None,
        code: str | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[Waiting]:
        """Yield what waits, the oldest first."""
        query = _LIST.where(*self._chosen(state, division, code))
        query = query.order_by(copies.c.first_seen, companies.c.division, copies.c.code)
        with self._store.read() as connection:
            for row in connection.execute(query.limit(limit).offset(offset)):
                yield Waiting(
                    row.url,
                    row.division,
                    row.entity,
                    row.code,
                    STATES[row.state],
                    row.kind,
                    row.reason,
                    row.first_seen,
                    row.tries,
                    row.next_try,
                    SourceKey(row.source_division, row.key),
                    self._sets.unpacked(row.content, connection),
                )

    def count(self, state: State | None = None) -> int:
        """Return how many wait."""
        query = _LIST.where(*self._chosen(state, None, None)).with_only_columns(func.count())
        with self._store.read() as connection:
            return int(connection.execute(query).scalar_one())

    def forget(self, state: State | None = None, division: int | None = None, code: str | None = None) -> int:
        """Let nothing of it wait any longer, until its source record changes; return how much that was."""
        with self._store.write() as connection:
            found = self._pairs(connection, self._chosen(state, division, code))
            for company, source in found:
                here = and_(copies.c.company == company, copies.c.source == source)
                settled = {"state": "tied", "kind": None, "reason": None, "refused": None, "tries": 0, "next_try": None}
                tied = copies.update().where(here, copies.c.target_id.is_not(None)).values(**settled)
                connection.execute(tied)
                connection.execute(delete(copies).where(here, copies.c.target_id.is_(None)))
        return len(found)

    def try_again(self, division: int, code: str) -> int:
        """Let the next run try what Exact refused although nothing of it changed; return how much that is."""
        with self._store.write() as connection:
            found = self._pairs(connection, self._chosen("refused", division, code))
            for company, source in found:
                here = and_(copies.c.company == company, copies.c.source == source)
                again = {"state": "deferred", "refused": None, "next_try": None, "tries": 0}
                connection.execute(copies.update().where(here).values(**again))
        return len(found)

    def release(self, division: int | None = None, code: str | None = None, run: str | None = None) -> int:
        """Let the next run do again what was undone, or held for another reason; return how much that is."""
        undone = copies.c.besides.contains(f'"{UNDONE}":{{"')
        chosen = [self._here, or_(copies.c.state == "held", undone), *_of(division, code)]
        if run is not None:
            of_fields = and_(undone, copies.c.besides.contains(f',"{run}"]', autoescape=True))
            chosen.append(or_(copies.c.reason.contains(f" {run}.", autoescape=True), of_fields))
        with self._store.write() as connection:
            found = self._pairs(connection, chosen)
            for company, source in found:
                here = and_(copies.c.company == company, copies.c.source == source)
                besides = unpacked(connection.execute(select(copies.c.besides).where(here)).scalar_one())
                besides.pop("held", None)
                besides.pop(UNDONE, None)
                again = {
                    "state": "deferred",
                    "kind": None,
                    "next_try": None,
                    "besides": packed(besides) if besides else None,
                }
                connection.execute(copies.update().where(here).values(**again))
        return len(found)

    def _pairs(self, connection: Any, chosen: Sequence[ColumnElement[bool]]) -> list[Any]:
        query = _LIST.where(*chosen).with_only_columns(copies.c.company, copies.c.source)
        return [tuple(row) for row in connection.execute(query)]

    def _chosen(self, state: State | None, division: int | None, code: str | None) -> list[ColumnElement[bool]]:
        wanted = [name for name, shown in STATES.items() if state in (None, shown)]
        return [self._here, copies.c.state.in_(wanted), *_of(division, code)]


def _of(division: int | None, code: str | None) -> list[ColumnElement[bool]]:
    named = [(companies.c.division, division), (copies.c.code, code)]
    return [column == value for column, value in named if value is not None]


_LIST = (
    select(
        copies,
        sites.c.url,
        companies.c.division,
        sources.c.entity,
        sources.c.division.label("source_division"),
        sources.c.key,
        sources.c.content,
    )
    .join(companies, companies.c.id == copies.c.company)
    .join(sites, sites.c.id == companies.c.site)
    .join(sources, sources.c.id == copies.c.source)
)
