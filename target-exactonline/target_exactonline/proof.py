"""What this program can say of its memory to `exactonline check`."""

from __future__ import annotations

from datetime import datetime

from exactonline_client.programs import Program
from exactonline_client.store import Store
from sqlalchemy import func, select

from target_exactonline.tables import links, metadata


def last_write(store: Store, site: str, division: int) -> datetime | None:
    """When we last wrote to a division with success, or None if never."""
    newest = select(func.max(links.c.written_at)).where(links.c.site == site, links.c.division == division)
    with store.read() as connection:
        at = connection.execute(newest).scalar_one()
    return datetime.fromisoformat(at) if at else None


PROGRAM = Program(metadata, last_write)
