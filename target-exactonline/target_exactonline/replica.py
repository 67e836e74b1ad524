"""What each target division holds now: kept between runs, refreshed by sync and the deletion log.

The first read of a division takes a call per 1000 accounts; later ones take one for what changed and one for what was
deleted, unless what changed covers all there is.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from exactonline_client.client import ExactClient
from exactonline_client.divisions import Division
from exactonline_client.entities import ACCOUNTS, DELETIONS
from exactonline_client.exchange import Waiting
from exactonline_client.odata import Row

from target_exactonline.plan import Present
from target_exactonline.store import ReadPosition, TargetStore

logger = logging.getLogger(__name__)

LOG_KEPT = timedelta(days=55)
"""Exact keeps deletions for two months; after this long a division is compared in full."""
ALWAYS_READ = ("ID", "Code", "Modified", "Timestamp")


def present_of(row: Row) -> Present:
    """A row as read by key or code, in the form the plan compares with."""
    modified = row.get("Modified")
    values = {name: value for name, value in row.items() if name not in ALWAYS_READ}
    return Present(row["ID"], values, datetime.fromisoformat(modified) if modified else None)


def _select(fields: frozenset[str]) -> tuple[str, ...]:
    return (*ALWAYS_READ, *(name for name in ACCOUNTS.writable if name in fields and name != "Code"))


@dataclass(slots=True)
class _Reading:
    """What one pass over a division's sync pages brought."""

    timestamp: int
    ids: set[str]
    codes: set[str]


class Replica:
    """The target divisions as far as we know them."""

    def __init__(self, client: ExactClient, store: TargetStore, fields: frozenset[str]) -> None:
        self._client = client
        self._store = store
        self._fields = fields
        self.select_single = tuple(name for name in _select(fields) if name != "Timestamp")

    def refresh(self, division: Division) -> Waiting[bool]:
        """Bring the replica of a division up to date; answers whether the division looks empty."""
        started_at = self._client.exacts_now()
        position = self._store.position(division.code)
        known = self._store.codes(division.code)
        why_in_full = self._why_in_full(division, position, known)
        if position is None or why_in_full:
            if why_in_full:
                logger.info("Division %d is read in full: %s", division.code, why_in_full)
            return (yield from self._read_in_full(division.code, position, started_at))
        # One row back: the last row seen must come again, or Exact's row versions are not those that we knew.
        fields = position.fields | self._fields  # what was compared once stays known, whatever this run compares
        reading = yield from self._read(division.code, max(0, position.timestamp - 1), fields)
        gone: list[str] = []
        deleted_timestamp = position.deleted_timestamp
        if not known <= reading.codes:
            gone, deleted_timestamp = yield from self._read_deletions(division.code, deleted_timestamp)
        if position.timestamp and not reading.ids and not gone:
            logger.info("Division %d is read in full: its row versions are not those of the last run", division.code)
            return (yield from self._read_in_full(division.code, position, started_at))
        kept = ReadPosition(max(position.timestamp, reading.timestamp), deleted_timestamp, fields, started_at)
        self._store.end_refresh(division.code, kept, gone, None)
        return not self._store.codes(division.code)

    def _why_in_full(self, division: Division, position: ReadPosition | None, known: set[str]) -> str | None:
        if position is None:
            return None
        if not self._fields <= position.fields:
            return "more fields are compared than in the last run"
        if self._client.exacts_now() - position.read_at > LOG_KEPT:
            return "the last run lies further back than Exact's deletion log"
        if division.moved_at is not None and division.moved_at > position.read_at:
            return "Exact moved it to another database"
        return None if known else "it was empty"

    def _read_in_full(self, division: int, position: ReadPosition | None, started_at: datetime) -> Waiting[bool]:
        fields = (position.fields if position else frozenset()) | self._fields
        reading = yield from self._read(division, 0, fields)
        # The log as well is read from its start next time: where row versions are new, so are those of deletions.
        kept = ReadPosition(reading.timestamp, 0, fields, started_at)
        self._store.end_refresh(division, kept, [], reading.codes)
        return not reading.codes

    def _read(self, division: int, after: int, fields: frozenset[str]) -> Waiting[_Reading]:
        reading, select = _Reading(after, set(), set()), _select(fields)
        link = None
        while True:
            page = yield from self._client.page(ACCOUNTS, division, select=select, after=after, link=link)
            self._store.keep_rows(division, page.rows)
            reading.timestamp = max([reading.timestamp, *(row["Timestamp"] for row in page.rows)])
            reading.ids.update(row["ID"] for row in page.rows)
            reading.codes.update(row["Code"] for row in page.rows if row["Code"])
            if page.next_link is None:
                return reading
            link = page.next_link

    def _read_deletions(self, division: int, after: int) -> Waiting[tuple[list[str], int]]:
        gone: list[str] = []
        timestamp, link = after, None
        while True:
            page = yield from self._client.page(
                DELETIONS, division, select=("EntityKey", "EntityType", "Timestamp"), after=after, link=link
            )
            rows = [row for row in page.rows if row.get("EntityType") in (None, ACCOUNTS.deleted_type)]
            gone += [row["EntityKey"] for row in rows if row.get("EntityKey")]
            timestamp = max([timestamp, *(row["Timestamp"] for row in page.rows)])
            if page.next_link is None:
                return gone, timestamp
            link = page.next_link
