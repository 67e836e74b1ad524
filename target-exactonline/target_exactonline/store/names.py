"""Names of the rows that a company holds."""

from __future__ import annotations

from collections.abc import Sequence

from exactonline_client.store import Store
from sqlalchemy import select

from target_exactonline.store.rows import pages, unpacked
from target_exactonline.store.tables import companies, mirror, sites


def names_of(store: Store, site: str, division: int, codes: Sequence[str], entity: str = "accounts") -> dict[str, str]:
    """Return the names of the rows under these codes, as far as they are known."""
    found: dict[str, str] = {}
    query = (
        select(mirror.c.code, mirror.c.content)
        .join(companies, companies.c.id == mirror.c.company)
        .join(sites, sites.c.id == companies.c.site)
        .where(sites.c.url == site, companies.c.division == division, mirror.c.entity == entity)
    )
    with store.read() as connection:
        for page in pages(codes):
            for row in connection.execute(query.where(mirror.c.code.in_(page))):
                found[row.code] = str(unpacked(row.content).get("Name") or "")
    return found
