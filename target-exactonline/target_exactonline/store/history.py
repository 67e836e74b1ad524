"""What was created, updated, deleted and refused, over all runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exactonline_client.store import Store
from sqlalchemy import or_, select

from target_exactonline.store.runs import LINES, line_of
from target_exactonline.store.settlement import IN_HISTORY
from target_exactonline.store.tables import changes, companies, sites


class History:
    """The history of some sites."""

    def __init__(self, store: Store, urls: Sequence[str]) -> None:
        self._store = store
        here = select(companies.c.id).join(sites, sites.c.id == companies.c.site).where(sites.c.url.in_(urls))
        self._here = or_(changes.c.company.in_(here), changes.c.company.is_(None))

    def lines(
        self, division: int | None = None, code: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Return lines as in outcomes.jsonl, the newest first, each with the number of its run."""
        query = LINES.where(self._here, changes.c.outcome.in_([one.value for one in IN_HISTORY]))
        if division is not None:
            query = query.where(companies.c.division == division)
        if code is not None:
            query = query.where(changes.c.code == code)
        with self._store.read() as connection:
            rows = connection.execute(query.order_by(changes.c.number.desc()).limit(limit).offset(offset)).all()
        return [{**line_of(row), "run": row.run} for row in rows]
