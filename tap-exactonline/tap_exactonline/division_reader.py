"""Reads the source divisions: what is new of each, or all of it where the bookmark no longer fits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from exactonline_client.companies import Company
from exactonline_client.connections import Reached
from exactonline_client.entities import ACCOUNTS
from exactonline_client.exchange import Waiting
from exactonline_client.feeds.bookmark import Bookmark, Position
from exactonline_client.feeds.reader import Feed, FeedReader, Reading
from exactonline_client.lists.memory import ListMemory
from exactonline_client.lists.reader import Lists
from exactonline_client.odata import Row
from exactonline_client.store import Store

from tap_exactonline.companions import Companions
from tap_exactonline.known import KnownAccounts

LogPosition = Callable[[int], tuple[Bookmark | None, Collection[str]] | None]
"""Division → the bookmark of its deletions and the properties to read of them; None if they are not selected."""


class DivisionReader:
    """The source divisions, each read once in a run: its accounts, and its deletions with them."""

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
        reading = yield from self._rows(division, Position(bookmark, log_bookmark), fields, log_fields)
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
            reading = yield from self._rows(division, Position(None, bookmark), None, fields)
        if reading.position is None or reading.position.log is None:
            return None
        yield from reading.log
        for account_id in reading.vanished:
            yield _as_deletion(division, account_id, reading.position.log.timestamp)
        return reading.position.log

    def _rows(
        self, division: int, position: Position, fields: Collection[str] | None, log_fields: Collection[str] | None
    ) -> Generator[Row, None, Reading]:
        client, known = self.reach[division].client, self._known(division)
        companions = Companions(client, self.lists, known, fields or ())
        feed = FeedReader(client, self._store, known.company, ACCOUNTS).read(
            position,
            known.ids,
            select=fields,
            moved_at=self.reach[division].division.moved_at,
            deletions=log_fields,
        )
        while True:
            rows, reading = client.run(_next_page(feed))
            known.see(rows)
            yield from companions.completed(rows)
            if reading is not None:
                yield from companions.rest()
                return reading

    def _known(self, division: int) -> KnownAccounts:
        return KnownAccounts(self._store, Company(self.reach[division].client.settings.base_url, division))


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
