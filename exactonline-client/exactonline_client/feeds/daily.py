"""Reads an entity that Exact has no feed of: all its rows, once a day at most."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timezone

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.feeds.bookmark import MOVED, NO_BOOKMARK, Bookmark, Position, has_moved
from exactonline_client.feeds.reading import Feed, Known, Reading, warn_of_nothing
from exactonline_client.odata import ROW_VERSION
from exactonline_client.pages import Link

logger = logging.getLogger(__name__)

MODIFIED = "Modified"
NEW_DAY = "Exact has no feed of it, and the last reading was on another day"


def read_daily(
    client: ExactClient,
    company: Company,
    entity: Entity,
    position: Position,
    known: Known,
    fields: frozenset[str],
    *,
    began_at: datetime,
    moved_at: datetime | None,
    in_full: str | None,
) -> Feed:
    """Yield all rows, in pages, or none where the last reading is good for today; the arguments are a FeedReader's.

    What the consumer holds and was not read is deleted. A reading that can be skipped costs no call, and ends where
    and when the last one did. Rows have no row version; they get 1, which says that they were read.
    """
    before = position.rows
    why = in_full or _why_now(before, fields, moved_at, began_at)
    if why is None:
        return Reading(position, (before and before.read_at) or began_at)
    logger.info("%s: each %s is read: %s.", str(company).capitalize(), entity.name, why)
    readable = frozenset(entity.selectable)
    select = [name for name in dict.fromkeys((entity.key, MODIFIED, *sorted(fields))) if name in readable]
    seen: set[str] = set()
    link: Link | None = None
    while True:
        page = yield from client.page(entity, company.division, variant="single", select=select, link=link)
        new = {row[entity.key]: {**row, ROW_VERSION: 1} for row in page.rows if row[entity.key] not in seen}
        seen.update(new)
        if new:
            yield list(new.values())
        link = page.next_link
        if link is None:
            break
    vanished = tuple(sorted(key for key in known() if key not in seen))
    reading = Reading(None, began_at, why, len(seen), vanished=vanished)
    if vanished and not seen:
        warn_of_nothing(company, entity)
        return replace(reading, vanished=())
    return replace(reading, position=Position(Bookmark(0, 0, fields=fields, read_at=began_at, moved_at=moved_at)))


def _why_now(before: Bookmark | None, fields: frozenset[str], moved_at: datetime | None, now: datetime) -> str | None:
    """Return why the rows have to be read now, or None. Days are those of UTC, by which Exact counts calls."""
    if before is None or before.read_at is None:
        return NO_BOOKMARK
    if has_moved(before, moved_at):
        return MOVED
    if new := fields - before.fields:
        return f"more is selected than it was read with: {', '.join(sorted(new))}"
    days = {at.astimezone(timezone.utc).date() for at in (before.read_at, now)}
    return NEW_DAY if len(days) > 1 else None
