"""What this program can say of its memory to `exactonline check`."""

from __future__ import annotations

from datetime import datetime

from exactonline_client.programs import Program
from exactonline_client.store import Store
from sqlalchemy import func, select

from target_exactonline.store.tables import companies, copies, metadata, sites


def last_write(store: Store, site: str, division: int) -> datetime | None:
    """When we last wrote to a division with success, or None if never."""
    newest = (
        select(func.max(copies.c.written_at))
        .join(companies, companies.c.id == copies.c.company)
        .join(sites, sites.c.id == companies.c.site)
        .where(sites.c.url == site, companies.c.division == division)
    )
    with store.read() as connection:
        at: datetime | None = connection.execute(newest).scalar_one()
    return at


PROGRAM = Program(metadata, last_write)
