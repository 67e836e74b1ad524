"""Source records as they were last seen: one row per record, however many copies it has.

Each change of a record gives it a new version, above all earlier ones of this store. So a company that was planned up
to a version finds what is left to plan above it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exactonline_client.entities import Entity
from exactonline_client.store import Store
from sqlalchemy import and_, bindparam, exists, func, or_, select, true
from sqlalchemy.engine import Connection

from target_exactonline.planning.merge import merged
from target_exactonline.planning.model import SourceKey, SourceRecord
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.rows import RECORDS_AT_A_TIME, packed, pages, unpacked
from target_exactonline.store.tables import copies, sources, versions

Place = tuple[int, SourceKey]
"""The company that a record was addressed to, or 0, and its key."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A source record with its number and version."""

    number: int
    version: int
    record: SourceRecord


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of the remembered source records are a run's own."""

    companies: tuple[int, ...]
    """Target companies of the run, by number."""
    divisions: frozenset[int] | None
    """Source companies of the run; None where its streams do not say."""
    fans_out: bool
    addressed: bool
    """Whether records that were addressed to one company belong to it."""

    def of(self, company: int) -> Any:
        """Return the condition for the records that may go to one of the companies.

        Where it is not known which companies are read, a record belongs to the run if it has a copy in one of the run's
        companies: another pipeline on the same store is left alone.
        """
        choices = []
        if self.addressed:
            choices.append(sources.c.company == company)
        if self.fans_out:
            theirs = copies.alias("theirs")
            has_copy = exists().where(theirs.c.source == sources.c.id, theirs.c.company.in_(self.companies))
            if self.divisions is None:
                choices.append(and_(sources.c.company == 0, has_copy))
            else:
                foreign = and_(sources.c.division == 0, has_copy)
                choices.append(and_(sources.c.company == 0, or_(sources.c.division.in_(self.divisions), foreign)))
        return or_(*choices) if choices else sources.c.id < 0


class Sources:
    """The source records of one site and entity."""

    def __init__(self, store: Store, site: int, entity: Entity) -> None:
        self._store = store
        self._site = site
        self.entity = entity
        self._sets = FieldSets(store)
        self._mine = and_(sources.c.site == site, sources.c.entity == entity.stream)

    def remember(self, records: Sequence[SourceRecord]) -> None:
        """Keep what these records say, one of each at most; one that says nothing new keeps its version."""
        for page in pages(records):
            with self._store.write("sources") as connection:
                known = self._find(connection, [(one.company, one.key) for one in page])
                rows = [row for one in page if (row := self._row(connection, one, known.get((one.company, one.key))))]
                if not rows:
                    continue
                version = _next_versions(connection, len(rows))
                for place, row in enumerate(rows):
                    row["version"] = version + place
                _write(connection, rows)

    def get(self, places: Sequence[Place]) -> dict[Place, Remembered]:
        """Return the records with these keys, as far as they are known."""
        found: dict[Place, Remembered] = {}
        with self._store.read() as connection:
            for page in pages(places):
                found |= self._find(connection, page)
        return found

    def by_number(self, numbers: Sequence[int]) -> dict[int, Remembered]:
        """Return the records with these numbers."""
        found: dict[int, Remembered] = {}
        with self._store.read() as connection:
            for page in pages(numbers):
                query = select(sources).where(self._mine, sources.c.id.in_(page))
                found |= {row.id: self._remembered(connection, row) for row in connection.execute(query)}
        return found

    def with_code(self, codes: Sequence[str], addressed_to: int = 0) -> list[Remembered]:
        """Return the records with these codes that settings fan out, but for those that were deleted.

        Args:
            addressed_to: A company, to have those as well that were addressed to it.
        """
        found: list[Remembered] = []
        live = and_(self._mine, sources.c.company.in_({0, addressed_to}), sources.c.is_deleted.is_(False))
        with self._store.read() as connection:
            for page in pages(codes):
                query = select(sources).where(live, sources.c.code.in_(page))
                found += [self._remembered(connection, row) for row in connection.execute(query).all()]
        return found

    def has_any(self) -> bool:
        """Return whether any record is known."""
        with self._store.read() as connection:
            return connection.execute(select(sources.c.id).where(self._mine).limit(1)).first() is not None

    def newest(self) -> int:
        """Return the highest version given so far."""
        query = select(versions.c.value).where(versions.c.name == sources.name)
        with self._store.read() as connection:
            return int(connection.execute(query).scalar_one_or_none() or 0)

    def changed(self, scope: Scope, company: int, after: int, upto: int) -> Iterator[list[Remembered]]:
        """Yield the records that may go to a company and have a version above `after`, by version."""
        while True:
            query = select(sources).where(
                self._mine, sources.c.version > after, sources.c.version <= upto, scope.of(company)
            )
            with self._store.read() as connection:
                rows = connection.execute(query.order_by(sources.c.version).limit(RECORDS_AT_A_TIME))
                found = [self._remembered(connection, row) for row in rows.all()]
            if not found:
                return
            after = found[-1].version
            yield found

    def has_changed(self, scope: Scope, company: int, after: int) -> bool:
        """Return whether any record for a company has a version above `after`."""
        query = select(sources.c.id).where(self._mine, sources.c.version > after, scope.of(company)).limit(1)
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def of_keys(self, keys: Sequence[SourceKey], companies: Sequence[int] | None = None) -> list[Remembered]:
        """Return the records with these keys that were addressed to one of some companies, or to whichever."""
        found: list[Remembered] = []
        wanted = set(keys)
        addressed = sources.c.company.in_(companies) if companies is not None else true()
        with self._store.read() as connection:
            for page in pages(keys):
                query = select(sources).where(self._mine, addressed, _has_key(page))
                rows = (self._remembered(connection, row) for row in connection.execute(query).all())
                found += [one for one in rows if one.record.key in wanted]
        return found

    def of_stream(self, stream: str) -> Iterator[list[Remembered]]:
        """Yield the records that a stream brought, but for those that were deleted."""
        after = 0
        while True:
            mine = and_(self._mine, sources.c.stream == stream, sources.c.is_deleted.is_(False), sources.c.id > after)
            with self._store.read() as connection:
                rows = connection.execute(select(sources).where(mine).order_by(sources.c.id).limit(RECORDS_AT_A_TIME))
                found = [self._remembered(connection, row) for row in rows.all()]
            if not found:
                return
            after = found[-1].number
            yield found

    def fanned_out(self, after: int = 0) -> list[Remembered]:
        """Return a page of the records that settings fan out, those with a number above `after`."""
        mine = and_(self._mine, sources.c.company == 0, sources.c.id > after)
        with self._store.read() as connection:
            rows = connection.execute(select(sources).where(mine).order_by(sources.c.id).limit(RECORDS_AT_A_TIME))
            return [self._remembered(connection, row) for row in rows.all()]

    def forget_deleted(self) -> None:
        """Drop records that were deleted at the source and have no copy.

        The last one stays: SQLite would give its number, which the history keeps, to the next record.
        """
        no_copy = ~exists().where(copies.c.source == sources.c.id)
        with self._store.write("sources") as connection:
            is_last = sources.c.id == connection.execute(select(func.max(sources.c.id))).scalar_one()
            connection.execute(sources.delete().where(self._mine, sources.c.is_deleted, no_copy, ~is_last))

    def _find(self, connection: Connection, places: Sequence[Place]) -> dict[Place, Remembered]:
        wanted = set(places)
        addressed = sources.c.company.in_({company for company, _ in places})
        query = select(sources).where(self._mine, addressed, _has_key([key for _, key in places]))
        rows = connection.execute(query).all()
        found = {(row.company, SourceKey(row.division, row.key)): self._remembered(connection, row) for row in rows}
        return {place: one for place, one in found.items() if place in wanted}

    def _row(self, connection: Connection, record: SourceRecord, known: Remembered | None) -> dict[str, Any] | None:
        """Return the row to write, or None if nothing changed."""
        if known is not None:
            record = merged(self.entity, record, known.record)
            if record == replace(known.record, stream=record.stream):
                return None
        return {
            "id": known.number if known else None,
            "site": self._site,
            "entity": self.entity.stream,
            "company": record.company,
            "division": record.key.division,
            "key": record.key.id,
            "code": record.code,
            "content": self._sets.packed(connection, record.values),
            "problems": packed(record.problems) if record.problems else None,
            "is_deleted": record.is_deleted,
            "stream": record.stream,
        }

    def _remembered(self, connection: Connection, row: Any) -> Remembered:
        record = SourceRecord(
            SourceKey(row.division, row.key),
            row.code,
            self._sets.unpacked(row.content, connection),
            tuple(unpacked(row.problems)) if row.problems else (),
            row.is_deleted,
            row.company,
            row.stream,
        )
        return Remembered(row.id, row.version, record)


def _write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    new = [row for row in rows if row["id"] is None]
    for row in new:
        del row["id"]
    if new:
        connection.execute(sources.insert(), new)
    changed = ("code", "content", "problems", "is_deleted", "stream", "version")
    old = [{"of_id": row["id"], **{f"new_{name}": row[name] for name in changed}} for row in rows if row.get("id")]
    if old:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in changed}
        connection.execute(sources.update().where(sources.c.id == bindparam("of_id")).values(values), old)


def _next_versions(connection: Connection, count: int) -> int:
    """Take so many versions, and return the first."""
    mine = versions.c.name == sources.name
    before = connection.execute(select(versions.c.value).where(mine)).scalar_one_or_none()
    if before is None:
        connection.execute(versions.insert(), {"name": sources.name, "value": count})
        return 1
    connection.execute(versions.update().where(mine).values(value=before + count))
    return int(before) + 1


def _has_key(keys: Sequence[SourceKey]) -> Any:
    """Return a condition that finds records with these keys by the index, and some others."""
    return and_(sources.c.division.in_({key.division for key in keys}), sources.c.key.in_({key.id for key in keys}))
