"""Reads the source divisions: what is new of each, or all of it where the bookmark no longer fits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from exactonline_client.companies import Company
from exactonline_client.connections import Reached
from exactonline_client.entities import ACCOUNTS, Entity
from exactonline_client.exchange import Waiting
from exactonline_client.feeds.bookmark import Bookmark, Position
from exactonline_client.feeds.reader import Feed, FeedReader, Known, Reading
from exactonline_client.lists.memory import ListMemory
from exactonline_client.lists.reader import Lists
from exactonline_client.odata import Row
from exactonline_client.store import Store

from tap_exactonline.children import Children
from tap_exactonline.companions import Companions
from tap_exactonline.known import KnownRows

LogPosition = Callable[[int], tuple[Bookmark | None, Collection[str]] | None]
"""Division → the bookmark of its deletions and the properties to read of them; None if they are not selected."""


class DivisionReader:
    """The source divisions, each read once in a run: its accounts with their deletions, and what belongs to them."""

    def __init__(
        self, divisions: Sequence[int], reach: Mapping[int, Reached], store: Store, log_position: LogPosition
    ) -> None:
        self.divisions = divisions
        self.reach = reach
        self._store = store
        self._log_position = log_position
        self._read: dict[int, Reading] = {}
        self.lists = Lists(ListMemory(store))

    def accounts(
        self, division: int, bookmark: Bookmark | None, fields: Collection[str]
    ) -> Generator[Row, None, Bookmark | None]:
        """Yield the accounts of a division that are new, and return the bookmark after them; None: keep the old one."""
        log_bookmark, log_fields = self._log_position(division) or (None, None)
        reading = yield from self._accounts(division, Position(bookmark, log_bookmark), fields, log_fields)
        self._read[division] = reading
        return reading.position.rows if reading.position else None

    def deletions(
        self, division: int, bookmark: Bookmark | None, fields: Collection[str]
    ) -> Generator[Row, None, Bookmark | None]:
        """Yield the new deletions of a division, and return the bookmark after them; None: keep the old one.

        They were read along with the accounts, or are read now if accounts are not selected.
        """
        reading = self._read.get(division)
        if reading is None:
            reading = yield from self._accounts(division, Position(None, bookmark), None, fields)
        if reading.position is None or reading.position.log is None:
            return None
        yield from reading.log
        for account_id in reading.vanished:
            yield _as_deletion(division, account_id, reading.position.log.timestamp)
        return reading.position.log

    def children(
        self, entity: Entity, division: int, position: Position, fields: Collection[str]
    ) -> Generator[Row, None, Position | None]:
        """Yield what is new of an entity that belongs to accounts, with its deletions, and return the new position.

        None: keep the old one.
        """
        if entity.parent is None:
            raise TypeError(f"{entity.title} has no parent")
        known = self._known(division, entity)
        children = Children(entity.parent, known, self._companions(division, entity, fields))
        read_at = position.rows.read_at if position.rows else None
        held = known.ids if entity.sync_path else partial(known.ids, reported_until=read_at)
        reading = yield from self._rows(entity, division, position, held, children.completed, select=fields)
        yield from children.rest()
        if reading.position is None:
            return None
        if entity.sync_path is None:
            client = self.reach[division].client
            known.miss(reading.vanished, client.budgets.exacts_now_at_most(client.now()))
        yield from children.deletions(reading)
        return reading.position

    def _accounts(
        self, division: int, position: Position, fields: Collection[str] | None, log_fields: Collection[str] | None
    ) -> Generator[Row, None, Reading]:
        known, companions = self._known(division, ACCOUNTS), self._companions(division, ACCOUNTS, fields or ())

        def completed(rows: Sequence[Row]) -> Iterable[Row]:
            known.see(rows)  # those of a page refer to each other
            return companions.completed(rows)

        reading = yield from self._rows(
            ACCOUNTS, division, position, known.ids, completed, select=fields, deletions=log_fields
        )
        yield from companions.rest()
        return reading

    def _rows(
        self,
        entity: Entity,
        division: int,
        position: Position,
        known: Known,
        completed: Callable[[list[Row]], Iterable[Row]],
        *,
        select: Collection[str] | None,
        deletions: Collection[str] | None = (),
    ) -> Generator[Row, None, Reading]:
        """Yield what is new of an entity, each page as `completed` returns it, and return what the reading came to."""
        client, moved_at = self.reach[division].client, self.reach[division].division.moved_at
        reader = FeedReader(client, self._store, self._company(division), entity)
        feed = reader.read(position, known, select=select, moved_at=moved_at, deletions=deletions)
        while True:
            rows, reading = client.run(_next_page(feed))
            yield from completed(rows)
            if reading is not None:
                return reading

    def _companions(self, division: int, entity: Entity, wanted: Collection[str]) -> Companions:
        return Companions(self.reach[division].client, self.lists, self._known(division, ACCOUNTS), entity, wanted)

    def _known(self, division: int, entity: Entity) -> KnownRows:
        return KnownRows(self._store, self._company(division), entity)

    def _company(self, division: int) -> Company:
        return Company(self.reach[division].client.settings.base_url, division)


def _next_page(feed: Feed) -> Waiting[tuple[list[Row], Reading | None]]:
    """Return the next rows of a feed, or what it came to."""
    try:
        while isinstance(event := next(feed), datetime):
            yield event
        return event, None
    except StopIteration as end:
        return [], end.value


def _as_deletion(division: int, account_id: str, timestamp: int) -> Row:
    """Return a row of the deletion log for an account that the log does not show; the same each time."""
    return {
        "ID": str(uuid5(NAMESPACE_URL, f"exactonline-deletion:{division}:{account_id}")),
        "EntityKey": account_id,
        "EntityType": ACCOUNTS.deleted_type,
        "DeletedBy": None,
        "DeletedDate": None,
        "Division": division,
        "Timestamp": timestamp,
    }
