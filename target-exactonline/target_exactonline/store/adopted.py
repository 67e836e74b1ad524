"""Fields of single rows that the target owns because a person said so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from sqlalchemy import and_, select

from target_exactonline.store.rows import packed, unpacked
from target_exactonline.store.tables import companies, copies, sites

ADOPTED = "adopted"


class Adopted:
    """Adopts fields and gives them back, at some sites."""

    def __init__(self, store: Store, urls: Sequence[str]) -> None:
        self._store = store
        self._here = sites.c.url.in_(urls)

    def adopt(self, division: int, code: str, names: Sequence[str]) -> list[str]:
        """Let the target own fields of a row from now on; return all that it owns so.

        Raises:
            ConfigurationError: No copy has this code there.
        """
        return self._change(division, code, lambda owned: sorted({*owned, *names}))

    def give_back(self, division: int, code: str, names: Sequence[str]) -> list[str]:
        """Let the rules decide again on fields of a row; return those that the target still owns.

        Raises:
            ConfigurationError: No copy has this code there.
        """
        return self._change(division, code, lambda owned: sorted(set(owned) - set(names)))

    def _change(self, division: int, code: str, change: Any) -> list[str]:
        query = select(copies.c.company, copies.c.source, copies.c.besides)
        query = query.join(companies, companies.c.id == copies.c.company).join(sites, sites.c.id == companies.c.site)
        query = query.where(self._here, companies.c.division == division, copies.c.code == code)
        with self._store.write() as connection:
            row = connection.execute(query.where(copies.c.target_id.is_not(None))).first()
            if row is None:
                raise ConfigurationError(f"No copy has the code {code} in division {division}.")
            besides = unpacked(row.besides)
            owned = change(besides.get(ADOPTED, ()))
            kept = {**besides, ADOPTED: owned} if owned else {k: v for k, v in besides.items() if k != ADOPTED}
            here = and_(copies.c.company == row.company, copies.c.source == row.source)
            again = {"besides": packed(kept) if kept else None, "state": "deferred", "kind": None, "next_try": None}
            connection.execute(copies.update().where(here).values(**again))
        return list(owned)
