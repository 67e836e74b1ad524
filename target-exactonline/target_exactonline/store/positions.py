"""How far each company is read and planned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from exactonline_client.feeds.bookmark import Position
from exactonline_client.store import Store
from sqlalchemy import ColumnElement, and_, select

from target_exactonline.store.rows import packed, pages, unpacked, upsert
from target_exactonline.store.tables import planned, positions

ANY_SCOPE = "*"
"""Scope of what the first edition had planned: it stands for every scope until one is planned anew."""


@dataclass(frozen=True, slots=True)
class Planned:
    """How far a company is planned."""

    version: int
    settings: str | None
    """Digest of the settings; None fits all."""


class Positions:
    """Positions of one entity, by company."""

    def __init__(self, store: Store, entity: str) -> None:
        self._store = store
        self._entity = entity

    def read(self, company: int) -> Position:
        """Return how far the mirror of a company is read."""
        query = select(positions.c.bookmark).where(self._at(company))
        with self._store.read() as connection:
            kept = unpacked(connection.execute(query).scalar_one_or_none())
        return Position.of_json(kept)

    def is_suspect(self, company: int) -> bool:
        """Return whether a company took a create and has shown no row since."""
        query = select(positions.c.is_suspect).where(self._at(company))
        with self._store.read() as connection:
            return bool(connection.execute(query).scalar_one_or_none())

    def suspect(self, company: int, suspect: bool) -> None:  # noqa: FBT001 - what is kept
        """Keep whether a company took a create and shows no row."""
        self.keep(company, self.read(company), is_suspect=suspect)

    def keep(self, company: int, position: Position, *, is_suspect: bool) -> None:
        """Keep how far the mirror of a company is read."""
        row = {"company": company, "entity": self._entity, "bookmark": packed(position.as_json())}
        row["is_suspect"] = is_suspect
        with self._store.write(f"company-{company}") as connection:
            upsert(connection, positions, [row])

    def read_again(self, company: int) -> None:
        """Let an entity without a feed be read in the next run, whenever it was read last."""
        position = self.read(company)
        if position.rows is not None:
            again = replace(position, rows=replace(position.rows, read_at=None))
            self.keep(company, again, is_suspect=self.is_suspect(company))

    def planned(self, companies: Iterable[int], scope: str) -> dict[int, Planned]:
        """Return how far these companies are planned."""
        found: dict[int, Planned] = {}
        with self._store.read() as connection:
            for page in pages(companies):
                query = select(planned).where(
                    planned.c.company.in_(page),
                    planned.c.entity == self._entity,
                    planned.c.scope.in_((scope, ANY_SCOPE)),
                )
                for row in connection.execute(query.order_by(planned.c.scope)):  # "*" comes first
                    found[row.company] = Planned(row.version, row.settings)
        return found

    def keep_planned(self, company: int, scope: str, position: Planned) -> None:
        """Keep how far a company is planned."""
        row = {"company": company, "entity": self._entity, "scope": scope}
        old = and_(planned.c.company == company, planned.c.entity == self._entity, planned.c.scope == ANY_SCOPE)
        with self._store.write(f"company-{company}") as connection:
            connection.execute(planned.delete().where(old))
            upsert(connection, planned, [{**row, "version": position.version, "settings": position.settings}])

    def forget_planned(self, company: int, scope: str) -> None:
        """Let a company be planned from the first source record on, should it ever be named again."""
        here = and_(planned.c.company == company, planned.c.entity == self._entity)
        with self._store.write(f"company-{company}") as connection:
            connection.execute(planned.delete().where(here, planned.c.scope.in_((scope, ANY_SCOPE))))

    def _at(self, company: int) -> ColumnElement[bool]:
        return and_(positions.c.company == company, positions.c.entity == self._entity)
