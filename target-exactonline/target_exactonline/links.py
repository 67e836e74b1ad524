"""What we wrote into each division, of which source account it is a copy, and what was about to be written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exactonline_client.odata import Row
from sqlalchemy import select, update

from target_exactonline.plan import LastWritten
from target_exactonline.sited import CODES_AT_A_TIME, SitedStore, chunks, instant, packed
from target_exactonline.sources import Source
from target_exactonline.tables import intents, links, parked


class Links(SitedStore):
    """The copies that we know."""

    def links(self, division: int, codes: Sequence[str]) -> dict[str, LastWritten]:
        """What we wrote under these codes before."""
        found: dict[str, LastWritten] = {}
        with self._store.read() as connection:
            for some in chunks(codes):
                for row in connection.execute(select(links).where(self._in(links, division), links.c.code.in_(some))):
                    found[row.code] = _last_written(row)
        return found

    def all_links(self, division: int) -> Iterator[dict[str, LastWritten]]:
        """All copies of a division, some hundred at a time, but for those whose source account is gone."""
        after = ""
        while True:
            query = select(links).where(self._in(links, division), links.c.code > after, links.c.gone.is_(None))
            with self._store.read() as connection:
                rows = connection.execute(query.order_by(links.c.code).limit(CODES_AT_A_TIME)).all()
            if not rows:
                return
            after = rows[-1].code
            yield {row.code: _last_written(row) for row in rows}

    def linked_divisions(self) -> list[int]:
        """Divisions in which we know copies."""
        query = select(links.c.division).where(links.c.site.in_(self._sites)).distinct().order_by(links.c.division)
        with self._store.read() as connection:
            return list(connection.execute(query).scalars())

    def copies_of(self, source: Source) -> list[tuple[int, str]]:
        """Division and code of each copy of a source account, written or waiting, unless it is known to be gone."""
        found: set[tuple[int, str]] = set()
        with self._store.read() as connection:
            for table in (links, parked):
                query = select(table.c.division, table.c.code).where(
                    table.c.site.in_(self._sites),
                    table.c.source_division == source.division,
                    table.c.source_id == source.account_id,
                )
                if table is links:
                    query = query.where(links.c.gone.is_(None))
                found |= {(row.division, row.code) for row in connection.execute(query)}
        return sorted(found)

    def note_gone(self, copies: Sequence[tuple[int, str]]) -> None:
        """The source accounts of these copies are gone, and nothing was done about it."""
        with self._store.write() as connection:
            for division, code in copies:
                here = (self._in(links, division), links.c.code == code, links.c.gone.is_(None))
                connection.execute(update(links).where(*here).values(gone="{}"))

    def has_blocked(self) -> bool:
        """Whether we blocked any copy because its source account is gone."""
        query = select(links.c.code).where(links.c.site.in_(self._sites), links.c.gone.is_not(None))
        with self._store.read() as connection:
            return connection.execute(query.where(links.c.gone != "{}").limit(1)).first() is not None

    def intend(self, division: int, values: Mapping[str, Row]) -> None:
        """Remember, before it is sent, what is about to be written under each code.

        If the run is killed before it can note what became of that, the next one knows its own writing again.
        """
        rows = [(division, {"code": code, "intended": packed(row)}) for code, row in values.items()]
        with self._store.write() as connection:
            self._upsert(connection, intents, rows)

    def intended(self, division: int, codes: Sequence[str]) -> dict[str, Row]:
        """What was about to be written under these codes, by a run that did not come to note the outcome."""
        found: dict[str, Row] = {}
        with self._store.read() as connection:
            for some in chunks(codes):
                query = select(intents).where(self._in(intents, division), intents.c.code.in_(some))
                found.update((row.code, json.loads(row.intended)) for row in connection.execute(query))
        return found


def link_row(code: str, link: LastWritten) -> dict[str, Any]:
    """A link as the store keeps it."""
    return {
        "code": code,
        "account_id": link.account_id,
        "written": packed(link.values),
        "written_at": link.written_at.isoformat() if link.written_at else None,
        "besides": packed(link.besides) if link.besides else None,
        "source_division": link.source.division if link.source else None,
        "source_id": link.source.account_id if link.source else None,
        "gone": None if link.gone is None else packed(link.gone),
    }


def _last_written(row: Any) -> LastWritten:
    return LastWritten(
        row.account_id,
        json.loads(row.written),
        instant(row.written_at),
        besides=json.loads(row.besides) if row.besides else {},
        source=source_in(row),
        gone=None if row.gone is None else {name: (one[0], one[1]) for name, one in json.loads(row.gone).items()},
    )


def source_in(row: Any) -> Source | None:
    """The source account that a row names, if it names one."""
    return None if row.source_id is None else Source(row.source_division, row.source_id)
