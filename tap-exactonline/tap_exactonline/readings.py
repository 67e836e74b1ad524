"""Reads the source divisions: what is new of each, or all of it where the bookmark no longer fits, and why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from exactonline_client.client import ExactClient
from exactonline_client.connections import Reached
from exactonline_client.entities import ACCOUNTS, DELETIONS
from exactonline_client.odata import Row
from exactonline_client.store import Store

from tap_exactonline.bookmarks import LOG_KEPT, UNKNOWN, Bookmark, Reading, digest, why_in_full
from tap_exactonline.known import KnownAccounts

logger = logging.getLogger(__name__)

LOG_FIELDS = ("ID", "EntityKey", "EntityType", "Division", "Timestamp", "DeletedDate")
NO_BOOKMARK = "there is no bookmark"
WENT_BACK = "rows that were read before are neither there nor in the deletion log, as after a restored backup"
TOO_OLD = "the last reading lies further back than Exact's deletion log"
A_TICK = timedelta(microseconds=1)

LogPosition = Callable[[int], tuple[Bookmark | None, Sequence[str]]]
"""Division → where the last reading of its deletion log ended, and the properties to read of it."""


class Readings:
    """The source divisions, and what was read of them in this run."""

    def __init__(
        self, divisions: Sequence[int], reach: Mapping[int, Reached], store: Store, log_position: LogPosition
    ) -> None:
        self.divisions = divisions
        self.reach = reach
        self._store = store
        self._log_position = log_position
        self._log: dict[tuple[int, int], list[Row]] = {}
        self._series: dict[int, str] = {}
        self._read_in_full: dict[int, datetime] = {}

    def accounts(
        self, division: int, bookmark: Bookmark | None, fields: Sequence[str]
    ) -> Generator[Row, None, Bookmark | None]:
        """The accounts of a division that have not gone out yet, and the bookmark after them.

        None for a bookmark: the old one stays, since what was read is not to be believed.
        """
        moved_at, known = self.reach[division].division.moved_at, self._known(division)
        began, last = self._begin(division, bookmark), known.last_reading(division)
        why: str | None = NO_BOOKMARK
        if bookmark is not None:
            why = why_in_full(bookmark, fields=frozenset(fields), moved_at=moved_at, stored_at=last)
        reading = Reading(bookmark, began)
        if why is None:
            yield from self._new_accounts(division, reading, fields)
            if self._lost_its_place(division, reading):
                why = TOO_OLD if bookmark and _is_too_old(bookmark, began) else WENT_BACK
        if why is not None:
            logger.info("Division %d is read in full: %s.", division, why)
            reading = Reading(None, began, sent=reading.sent)
            yield from self._new_accounts(division, reading, fields)
            if not reading.rows and bookmark is not None and bookmark.timestamp:
                _disbelieve(division)
                return None
            if reading.rows:
                self._read_in_full[division] = began
        known.end_reading(division, began)
        after = reading.bookmark(self._now_at_most(division), fields=frozenset(fields), moved_at=moved_at)
        self._series[division] = after.series
        return after

    def deletions(
        self, division: int, bookmark: Bookmark | None, fields: Sequence[str]
    ) -> Generator[Row, None, Bookmark | None]:
        """The deletions of a division that have not gone out yet, and the bookmark after them.

        Where the log cannot tell them all, all accounts of the division are compared with those ever read of it.
        """
        began, moved_at = self._begin(division, bookmark), self.reach[division].division.moved_at
        series = self._series.get(division, bookmark.series if bookmark else "")
        chosen = tuple(dict.fromkeys((*LOG_FIELDS, *fields)))
        why_compare, why = _why_compare(bookmark, series, began), None
        if bookmark is not None:
            why = why_in_full(bookmark, fields=frozenset(chosen), moved_at=moved_at, stored_at=began)
            if series == bookmark.series and moved_at != bookmark.moved_at:
                why_compare = why_compare or why
        log_fits = bookmark is not None and why is None and bookmark.series == series
        reading = Reading(bookmark if log_fits else None, began)
        rows = self._deletion_log(division, reading.after, chosen)
        told = self._still_true(division, reading.new(rows))
        yield from told
        if why_compare is not None:
            gone = self._gone(division, began, why_compare)
            if gone is None:
                return None
            keys = {row["EntityKey"] for row in told}
            yield from (_as_deletion(division, key, reading.newest) for key in gone if key not in keys)
        after = reading.bookmark(self._now_at_most(division), fields=frozenset(chosen), moved_at=moved_at)
        return after.of_series(series)

    def _new_accounts(self, division: int, reading: Reading, fields: Sequence[str]) -> Iterator[Row]:
        client, known = self._client(division), self._known(division)
        for rows in client.pages(ACCOUNTS, division, select=fields, after=reading.after):
            new = reading.new(rows)
            known.see(division, [row["ID"] for row in new], reading.started_at)
            yield from new

    def _lost_its_place(self, division: int, reading: Reading) -> bool:
        """Whether rows are missing that were not deleted, as far as the log goes back."""
        missing = reading.missing()
        if not missing:
            return False
        bookmark, fields = self._log_position(division)
        rows = self._deletion_log(division, bookmark.after if bookmark else 0, (*LOG_FIELDS, *fields))
        if UNKNOWN in missing:
            return not any(int(row["Timestamp"]) > (bookmark.timestamp if bookmark else 0) for row in rows)
        return not missing <= {digest(row["EntityKey"]) for row in self._still_true(division, rows)}

    def _deletion_log(self, division: int, after: int, fields: Sequence[str]) -> list[Row]:
        """The log above a row version, asked for once in a run: it also tells what is missing among the accounts."""
        if (division, after) not in self._log:
            select = tuple(dict.fromkeys(fields))
            pages = self._client(division).pages(DELETIONS, division, select=select, after=after)
            accounts = (None, ACCOUNTS.deleted_type)
            rows = [row for page in pages for row in page if row.get("EntityType") in accounts and row["EntityKey"]]
            self._log[division, after] = rows
        return self._log[division, after]

    def _still_true(self, division: int, rows: Sequence[Row]) -> list[Row]:
        """Deletions of accounts that are not there again: none that a later reading has seen."""
        seen = self._known(division).last_seen(division, [row["EntityKey"] for row in rows])
        return [row for row in rows if not _was_before(row.get("DeletedDate"), seen.get(row["EntityKey"]))]

    def _gone(self, division: int, began: datetime, why: str) -> list[str] | None:
        """Accounts that were read once and are not there now; None if the division shows none at all."""
        known = self._known(division)
        if not known.any(division):
            return []
        read_at = self._read_in_full.get(division)
        if read_at is None:
            logger.info("All accounts of division %d are compared with those known: %s.", division, why)
            seen, read_at = 0, began
            for rows in self._client(division).pages(ACCOUNTS, division, select=("ID", "Timestamp"), after=0):
                known.see(division, [row["ID"] for row in rows], read_at)
                seen += len(rows)
            if not seen:
                _disbelieve(division)
                return None
        return known.unseen(division, read_at)

    def _begin(self, division: int, bookmark: Bookmark | None) -> datetime:
        """Now by Exact's clock, and in any case after the last reading: the answers tell whole seconds only."""
        last = self._known(division).last_reading(division), bookmark.read_at if bookmark else None
        return max([self._client(division).exacts_now(), *(at + A_TICK for at in last if at is not None)])

    def _now_at_most(self, division: int) -> datetime:
        client = self._client(division)
        return client.budgets.exacts_now_at_most(client.now())

    def _client(self, division: int) -> ExactClient:
        return self.reach[division].client

    def _known(self, division: int) -> KnownAccounts:
        return KnownAccounts(self._store, self._client(division).settings.base_url)


def _why_compare(bookmark: Bookmark | None, series: str, began: datetime) -> str | None:
    """Why the deletion log cannot tell all that was deleted since the last reading, or None."""
    if bookmark is None:
        return NO_BOOKMARK
    if bookmark.series != series:
        return "its row versions are new"
    return TOO_OLD if _is_too_old(bookmark, began) else None


def _is_too_old(bookmark: Bookmark, began: datetime) -> bool:
    return bookmark.read_at is not None and began - bookmark.read_at > LOG_KEPT


def _was_before(deleted_date: str | None, seen_at: datetime | None) -> bool:
    return deleted_date is not None and seen_at is not None and datetime.fromisoformat(deleted_date) < seen_at


def _disbelieve(division: int) -> None:
    logger.warning(
        "Division %d shows no account, though it did before: a missing right looks like that, so nothing is taken for "
        "deleted. Give the user the right to read accounts in it. If it is empty indeed, take it off the divisions.",
        division,
    )


def _as_deletion(division: int, account_id: str, timestamp: int) -> Row:
    """A row of the deletion log for an account whose own row the log does not show; the same each time."""
    return {
        "ID": str(uuid5(NAMESPACE_URL, f"exactonline-deletion:{division}:{account_id}")),
        "EntityKey": account_id,
        "EntityType": ACCOUNTS.deleted_type,
        "DeletedBy": None,
        "DeletedDate": None,
        "Division": division,
        "Timestamp": timestamp,
    }
