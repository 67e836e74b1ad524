"""Copies: which row of a company is tied to which source record, what we wrote to it, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from exactonline_client.entities import Entity
from exactonline_client.odata import Row
from exactonline_client.store import Store
from sqlalchemy import and_, bindparam, delete, func, or_, select
from sqlalchemy.engine import Connection

from target_exactonline.planning.model import Copy, Existing, Holder, SourceKey
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.rows import RECORDS_AT_A_TIME, ROWS_AT_A_TIME, packed, pages, unpacked, upsert
from target_exactonline.store.tables import copies, sources

UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """A copy as the store has it: of what we wrote only what the row no longer holds."""

    copy: Copy
    """Its baseline holds the exceptions only."""
    written: tuple[str, ...]
    """Fields that we wrote."""

    def with_row(self, row: Existing | None) -> Copy:
        """Return the copy with all that we wrote to it."""
        if not self.written:
            return self.copy
        values: Mapping[str, Any] = row.values if row is not None else {}
        baseline = dict(zip(self.written, map(values.get, self.written), strict=True)) | dict(self.copy.baseline)
        return replace(self.copy, baseline=baseline)


class Copies:
    """The copies of one entity in all companies; safe for threads."""

    def __init__(self, store: Store, entity: Entity) -> None:
        self._store = store
        self._of_entity = sources.c.entity == entity.stream
        self._by_code = or_(copies.c.matched_on.is_(None), copies.c.matched_on == entity.natural_key)
        self._sets = FieldSets(store)

    def of(self, company: int, numbers: Sequence[int]) -> dict[int, KeptCopy]:
        """Return the copies of these source records in a company, by the number of the record."""
        found: dict[int, KeptCopy] = {}
        with self._store.read() as connection:
            for page in pages(numbers):
                query = _COPIES.where(copies.c.company == company, copies.c.source.in_(page))
                for row in connection.execute(query).all():
                    found[row.source] = self._kept(connection, row)
        return found

    def holders(self, company: int, rows: Sequence[Existing]) -> dict[str, tuple[int, Holder]]:
        """Return whose copies these rows are, by Exact's ID: the source record's number, and who it is."""
        found: dict[str, tuple[int, Holder]] = {}
        by_id = {row.id: row for row in rows}
        with self._store.read() as connection:
            for page in pages(by_id):
                query = _COPIES.add_columns(sources.c.is_deleted, sources.c.content).where(
                    copies.c.company == company, copies.c.target_id.in_(page)
                )
                for row in connection.execute(query):
                    copy = self._kept(connection, row).with_row(by_id[row.target_id])
                    found[row.target_id] = (row.source, replace(self._holder(connection, row), copy=copy))
        return found

    def claims(self, company: int, codes: Sequence[str]) -> dict[str, list[tuple[int, Holder]]]:
        """Return which source records that live want these codes in a company, the earliest first.

        One whose code has changed at the source since wants the old one no longer, nor one that a rule tied to a row
        under another code.
        """
        found: dict[str, list[tuple[int, Holder]]] = {}
        with self._store.read() as connection:
            for page in pages(codes):
                query = _HOLDERS.where(
                    copies.c.company == company,
                    copies.c.code.in_(page),
                    sources.c.code == copies.c.code,
                    sources.c.is_deleted.is_(False),
                    self._by_code,
                    self._of_entity,
                )
                for row in connection.execute(query.order_by(copies.c.target_id.is_(None), copies.c.source)):
                    found.setdefault(row.code, []).append((row.source, self._holder(connection, row)))
        return found

    def waiting(self, company: int, condition: Any, now: datetime) -> Iterator[dict[int, bool]]:
        """Yield the source records of copies that are due again or were refused, and whether they were refused."""
        after = 0
        query = select(copies.c.source, copies.c.state).join(sources, sources.c.id == copies.c.source)
        due = or_(_is_due(now), copies.c.state == "refused")
        while True:
            some = query.where(copies.c.company == company, copies.c.source > after, self._of_entity, due, condition)
            with self._store.read() as connection:
                rows = connection.execute(some.order_by(copies.c.source).limit(RECORDS_AT_A_TIME)).all()
            if not rows:
                return
            after = rows[-1].source
            yield {row.source: row.state == "refused" for row in rows}

    def count_waiting(self, company: int) -> int:
        """Return how many source records wait for a company."""
        query = select(func.count()).select_from(copies.join(sources, sources.c.id == copies.c.source))
        with self._store.read() as connection:
            waits = query.where(copies.c.company == company, copies.c.state == "deferred", self._of_entity)
            return int(connection.execute(waits).scalar_one())

    def has_due(
        self, company: int, condition: Any, now: datetime, *, or_refused: bool = False, aside: str | None = None
    ) -> bool:
        """Return whether a company has copies that wait and may be tried now, or that Exact refused.

        Args:
            company: By number.
            condition: Which source records.
            now: On our clock.
            or_refused: Whether those that Exact refused count.
            aside: A kind of waiting that does not count.
        """
        due = or_(_is_due(now), copies.c.refused.is_not(None)) if or_refused else _is_due(now)
        query = select(copies.c.source).join(sources, sources.c.id == copies.c.source)
        query = query.where(copies.c.company == company, self._of_entity, due, condition)
        if aside is not None:
            query = query.where(copies.c.kind.is_distinct_from(aside))
        with self._store.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def companies_waiting(self, companies: Sequence[int], condition: Any) -> list[int]:
        """Return those of the companies in which any of the source records waits."""
        found: list[int] = []
        with self._store.read() as connection:
            for page in pages(companies):
                query = select(copies.c.company).where(self._waiting(page, condition)).distinct()
                found += connection.execute(query).scalars()
        return found

    def forget_unwanted(self, company: int, condition: Any) -> None:
        """Let none of the source records wait in a company that the settings name no longer."""
        unwanted = self._waiting([company], condition)
        tied = copies.update().where(unwanted, copies.c.target_id.is_not(None))
        settled = {"state": "tied", "kind": None, "reason": None, "next_try": None, "tries": 0}
        with self._store.write(f"company-{company}") as connection:
            connection.execute(tied.values(**settled))
            connection.execute(delete(copies).where(unwanted))

    def forget_moments(self, company: int) -> None:
        """Forget when the rows of a company were written, since they are no longer as they were then."""
        mine = and_(copies.c.company == company, copies.c.written_at.is_not(None))
        with self._store.write(f"company-{company}") as connection:
            connection.execute(copies.update().where(mine).values(written_at=None))

    def _waiting(self, companies: Sequence[int], condition: Any) -> Any:
        mine = select(sources.c.id).where(self._of_entity, condition)
        return and_(copies.c.company.in_(companies), copies.c.state != "tied", copies.c.source.in_(mine))

    def any_blocked(self) -> bool:
        """Return whether any row was changed because its source record was deleted."""
        query = select(copies.c.source).where(copies.c.besides.contains('"gone":{"'))
        with self._store.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def all(self, company: int) -> Iterator[list[int]]:
        """Yield the source records of all copies of a company."""
        after = 0
        while True:
            query = select(copies.c.source).join(sources, sources.c.id == copies.c.source)
            query = query.where(copies.c.company == company, copies.c.source > after, self._of_entity)
            with self._store.read() as connection:
                numbers = list(connection.execute(query.order_by(copies.c.source).limit(ROWS_AT_A_TIME)).scalars())
            if not numbers:
                return
            after = numbers[-1]
            yield numbers

    # Within a transaction

    def write(self, connection: Connection, company: int, kept: Mapping[int, tuple[Copy, Existing | None]]) -> None:
        """Keep copies, each with the row that it is tied to as it is now; whoever else was tied to it is no longer."""
        if not kept:
            return
        ids = [copy.target_id for copy, _ in kept.values() if copy.target_id]
        taken = and_(copies.c.company == company, copies.c.target_id.in_(ids), copies.c.source.not_in(list(kept)))
        connection.execute(copies.update().where(taken).values(target_id=None, written=None, baseline=None))
        upsert(connection, copies, [self._row(connection, company, number, *one) for number, one in kept.items()])

    def forget(self, connection: Connection, company: int, numbers: Sequence[int]) -> None:
        """Drop copies."""
        for page in pages(numbers):
            connection.execute(delete(copies).where(copies.c.company == company, copies.c.source.in_(page)))

    def keep_baselines(
        self, connection: Connection, company: int, before: Mapping[str, Existing], after: Mapping[str, Existing]
    ) -> None:
        """Note, of rows that change, what we wrote to them where they hold something else from now on."""
        if not before:
            return
        query = select(copies.c.source, copies.c.target_id, copies.c.written, copies.c.baseline).where(
            copies.c.company == company, copies.c.written.is_not(None), copies.c.target_id.in_(list(before))
        )
        changed = []
        for row in connection.execute(query).all():
            ours = unpacked(row.baseline)
            names = self._sets.names(row.written, connection)
            kept = _exceptions(names, ours, before[row.target_id], after.get(row.target_id))
            if kept != ours:
                changed.append({"of_source": row.source, "kept": packed(kept) if kept else None})
        if changed:
            mine = and_(copies.c.company == company, copies.c.source == bindparam("of_source"))
            connection.execute(copies.update().where(mine).values(baseline=bindparam("kept")), changed)

    # Beneath

    def _kept(self, connection: Connection, row: Any) -> KeptCopy:
        besides = unpacked(row.besides)
        gone = besides.get("gone")
        copy = Copy(
            SourceKey(row.division, row.key),
            row.code,
            row.target_id,
            unpacked(row.baseline),
            row.written_at,
            row.matched_on,
            None if gone is None else {name: (one[0], one[1]) for name, one in gone.items()},
            frozenset(besides.get("theirs", ())),
            frozenset(besides.get("adopted", ())),
            besides.get("seen", {}),
            frozenset(besides.get("altered", ())),
            row.state,
            row.kind,
            row.reason,
            row.refused,
            besides.get("held"),
            row.first_seen,
            row.tries,
            row.next_try,
            tuple(besides.get("candidates", ())),
            {name: (one[0], one[1]) for name, one in besides.get(UNDONE, {}).items()},
            tuple(besides.get("behind", ())),
        )
        return KeptCopy(copy, () if row.written is None else self._sets.names(row.written, connection))

    def _row(
        self, connection: Connection, company: int, number: int, copy: Copy, row: Existing | None
    ) -> dict[str, Any]:
        exceptions = _exceptions(tuple(copy.baseline), copy.baseline, None, row)
        besides = {
            "gone": None if copy.gone is None else {name: list(one) for name, one in copy.gone.items()},
            "theirs": sorted(copy.theirs) or None,
            "adopted": sorted(copy.adopted) or None,
            "seen": copy.seen or None,
            "altered": sorted(copy.altered) or None,
            "held": copy.held_at,
            UNDONE: copy.undone or None,
            "behind": copy.behind or None,
            "candidates": (copy.state == "refused" and copy.candidates) or None,
        }
        kept = {name: value for name, value in besides.items() if value is not None}
        return {
            "company": company,
            "source": number,
            "code": copy.code,
            "target_id": copy.target_id,
            "written": self._sets.number(connection, tuple(sorted(copy.baseline))) if copy.baseline else None,
            "baseline": packed(exceptions) if exceptions else None,
            "written_at": copy.written_at,
            "matched_on": copy.matched_on,
            "state": copy.state,
            "kind": copy.kind,
            "reason": copy.reason,
            "refused": copy.refused,
            "besides": packed(kept) if kept else None,
            "first_seen": copy.first_seen,
            "tries": copy.tries,
            "next_try": copy.next_try,
        }

    def _holder(self, connection: Connection, row: Any) -> Holder:
        name = self._sets.unpacked(row.content, connection).get("Name") or ""
        return Holder(SourceKey(row.division, row.key), name, row.is_deleted)


def _exceptions(names: Sequence[str], ours: Mapping[str, Any], before: Existing | None, after: Existing | None) -> Row:
    """Return what we wrote where the row, as it is after a change, holds something else."""
    then: Mapping[str, Any] = before.values if before is not None else {}
    now: Mapping[str, Any] = after.values if after is not None else {}
    kept: Row = {}
    for name in names:
        value = ours[name] if name in ours else then.get(name)
        if after is None or now.get(name) != value:
            kept[name] = value
    return kept


def _is_due(now: datetime) -> Any:
    return and_(copies.c.state == "deferred", or_(copies.c.next_try.is_(None), copies.c.next_try <= now))


_COPIES = select(copies, sources.c.division, sources.c.key).join(sources, sources.c.id == copies.c.source)
_HOLDERS = select(
    copies.c.source,
    copies.c.target_id,
    copies.c.code,
    sources.c.division,
    sources.c.key,
    sources.c.is_deleted,
    sources.c.content,
).join(sources, sources.c.id == copies.c.source)
