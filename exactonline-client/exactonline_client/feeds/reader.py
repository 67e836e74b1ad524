"""Reads a company's feed of one entity, and its deletion log, from where the last reading ended."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import Entity, deletions_of
from exactonline_client.feeds.bookmark import (
    LOG_KEPT,
    WENT_BACK,
    Bookmark,
    Kept,
    Pass,
    Position,
    has_moved,
    why_in_full,
)
from exactonline_client.feeds.daily import MODIFIED, read_daily
from exactonline_client.feeds.memory import FeedMemory
from exactonline_client.feeds.reading import Events, Feed, Known, Reading, take_pages, warn_of_nothing
from exactonline_client.odata import ROW_VERSION, Row
from exactonline_client.pages import Link
from exactonline_client.store import Store

__all__ = ["Feed", "FeedReader", "Known", "Reading", "take_pages"]

logger = logging.getLogger(__name__)

DELETED = "DeletedDate"
LOG_FIELDS = ("ID", "EntityKey", "EntityType", ROW_VERSION, DELETED)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is asked of one reading."""

    name: str
    began_at: datetime
    position: Position
    known: Known
    fields: frozenset[str]
    log_fields: frozenset[str] | None
    moved_at: datetime | None


class FeedReader:
    """Reads the rows and deletions of one entity in one company; one that has no feed is read once a day."""

    def __init__(self, client: ExactClient, store: Store, company: Company, entity: Entity) -> None:
        self._client = client
        self._memory = FeedMemory(store, company, entity.name)
        self._company = company
        self._entity = entity
        self._log_entity = deletions_of(entity)

    def read(
        self,
        position: Position,
        known: Known,
        *,
        select: Collection[str] | None,
        moved_at: datetime | None = None,
        deletions: Collection[str] | None = (),
        in_full: str | None = None,
    ) -> Feed:
        """Yield what is new since a position, in pages, and return what else is to be known.

        The log is read before the rows. So a deletion of a row that comes after it was taken back, and no dates have
        to be compared: Exact's are wall time, which has an hour twice at the end of summer time.

        Args:
            position: Where the last reading ended.
            known: What the consumer holds. Asked for at the end of a reading in full.
            select: The properties wanted. The key, the row version and the date of change come in any case. None if
                rows are not wanted: then the log's word is taken as it is.
            moved_at: When Exact last moved the company.
            deletions: The properties wanted of the log, beside LOG_FIELDS. None if deletions are not wanted: then the
                log is read only to explain rows that are missing.
            in_full: Why all rows are to be read, if the consumer knows of a reason.
        """
        log_fields = None if deletions is None else frozenset(deletions)
        task = _Task(
            uuid4().hex[:12], self._begin(position), position, known, frozenset(select or ()), log_fields, moved_at
        )
        if self._entity.sync_path is None:
            daily = partial(read_daily, self._client, self._company, self._entity, position, known)
            return (yield from daily(task.fields, began_at=task.began_at, moved_at=moved_at, in_full=in_full))
        if select is None:
            return (yield from self._read_log(task))
        why = in_full or self._why_in_full(task)
        if why is None:
            reading = yield from self._read_news(task)
            if reading is not None:
                return reading
            why = WENT_BACK
        of_what = f" for {self._entity.stream.replace('_', ' ')}" if self._entity.parent else ""
        logger.info("%s is read in full%s: %s.", str(self._company).capitalize(), of_what, why)
        return (yield from self._read_in_full(task, why))

    def _why_in_full(self, task: _Task) -> str | None:
        rows = task.position.rows
        if rows is None or rows.series:
            stored_at = self._memory.last_reading(rows.series) if rows else None
        else:  # a bookmark of the first edition fits a store that knows rows
            stored_at = None if next(iter(task.known()), None) is None else rows.read_at
        return why_in_full(
            task.position,
            fields=task.fields,
            log_fields=task.log_fields,
            moved_at=task.moved_at,
            began_at=task.began_at,
            stored_at=stored_at,
        )

    def _read_news(self, task: _Task) -> Events[Reading | None]:
        """Read what changed; None if the feed is not the one that the position belongs to."""
        before, log, told = task.position, None, list[Row]()
        if task.log_fields is not None:
            log = self._pass(self._log_entity, before.log, task)
            yield from take_pages(self._pages(self._log_entity, log, task), told.extend)
            if log.missing(written_after=task.began_at - LOG_KEPT):
                return None
        rows = self._pass(self._entity, before.rows, task)
        covered = before.log.covers if log and before.log else rows.after
        for event in self._pages(self._entity, rows, task, after=min(rows.after, covered)):
            if not isinstance(event, datetime):
                keys = [row[self._entity.key] for row in event]
                self._memory.keep(rows.series, self._entity.name, {key: rows.sent[key] for key in keys})
            yield event
        told = [row for row in told if row["EntityKey"] not in rows.seen]
        deleted = {row["EntityKey"] for row in told}
        if not rows.found_its_place(deleted):
            again = self._pass(self._log_entity, before.log, task)
            late: list[Row] = []
            yield from take_pages(self._pages(self._log_entity, again, task), late.extend)
            explained = deleted | {row["EntityKey"] for row in late if row["EntityKey"] not in rows.seen}
            if not rows.found_its_place(explained):
                return None
            if log is None:
                deleted = explained
        return self._end(task, rows, log, Reading(None, task.began_at, None, len(rows.seen), tuple(told)), deleted)

    def _read_in_full(self, task: _Task, why: str) -> Feed:
        before, log, told = task.position.rows, None, list[Row]()
        if task.log_fields is not None:
            log = self._pass(self._log_entity, None, task)
            if not self._knows_nothing(task):
                yield from take_pages(self._pages(self._log_entity, log, task), told.extend)
        rows = self._pass(self._entity, None, task)
        series_before = before.series if before else ""
        for event in self._pages(self._entity, rows, task):
            if series_before and not isinstance(event, datetime):
                self._memory.forget(series_before)  # whoever comes with the old bookmark reads in full as well
                series_before = ""
            yield event
        told = [row for row in told if row["EntityKey"] not in rows.seen]
        logged = {row["EntityKey"] for row in told}
        vanished = tuple(sorted(key for key in task.known() if key not in rows.seen and key not in logged))
        reading = Reading(None, task.began_at, why, len(rows.seen), tuple(told), vanished)
        if not rows.seen and (vanished or (before and before.timestamp and not told)):
            warn_of_nothing(self._company, self._entity)
            return replace(reading, log=(), vanished=())
        return self._end(task, rows, log, reading)

    def _knows_nothing(self, task: _Task) -> bool:
        """Return whether the log can wait: nothing is known that it could delete, and its own rows are not wanted.

        What is deleted while the rows are read is found by the next reading, which begins at the start of the log.
        """
        return not task.log_fields and task.position.rows is None and next(iter(task.known()), None) is None

    def _read_log(self, task: _Task) -> Feed:
        before = task.position.log
        if before and has_moved(before, task.moved_at):
            before = None
        log, told = self._pass(self._log_entity, before, task), list[Row]()
        yield from take_pages(self._pages(self._log_entity, log, task), told.extend)
        return self._end(task, None, log, Reading(None, task.began_at, log=tuple(told)))

    def _end(
        self, task: _Task, rows: Pass | None, log: Pass | None, reading: Reading, deleted: Collection[str] = ()
    ) -> Reading:
        """Keep what the next reading looks for, and return the reading with where that begins."""
        ended_at = self._client.budgets.exacts_now_at_most(self._client.now())
        position, covers = task.position, task.position.log.covers if task.position.log else 0
        keep: dict[str, Mapping[str, Kept]] = {}
        above: dict[str, int] = {}
        if rows:
            mark = rows.bookmark(ended_at, fields=task.fields, moved_at=task.moved_at)
            position, covers = replace(position, rows=mark), mark.floor
            keep[self._entity.name] = rows.to_keep(mark.floor) if rows.begins_series else {}
            above[self._entity.name] = rows.after
        if log:
            fields = task.log_fields or frozenset()
            mark = log.bookmark(ended_at, fields=fields, moved_at=task.moved_at, covers=covers)
            position = replace(position, log=mark)
            keep[self._log_entity.name] = log.to_keep(mark.floor) if log.begins_series else log.sent
            above[self._log_entity.name] = log.after
        (first, *_) = (one for one in (rows, log) if one)
        self._memory.end(
            first.series,
            task.began_at,
            keep=keep,
            above=above,
            deleted=(self._entity.name, sorted(deleted)),
            begins=first.begins_series,
        )
        return replace(reading, position=position)

    def _begin(self, position: Position) -> datetime:
        """Return Exact's time now, and in any case none before the last reading."""
        last = [one.read_at for one in (position.rows, position.log) if one and one.read_at]
        return max([self._client.exacts_now(), *last])

    def _pass(self, entity: Entity, bookmark: Bookmark | None, task: _Task) -> Pass:
        kept = {}
        if bookmark and bookmark.series:
            kept = self._memory.kept(bookmark.series, entity.name, bookmark.floor)
        written = DELETED if entity is self._log_entity else MODIFIED
        return Pass(entity.key, written, bookmark, kept, task.name, task.began_at)

    def _pages(self, entity: Entity, one_pass: Pass, task: _Task, after: int | None = None) -> Events[None]:
        """Yield the new rows of a feed, page by page; of the log only those of this entity."""
        is_log = entity is self._log_entity
        wanted = (*LOG_FIELDS, *sorted(task.log_fields or ())) if is_log else (MODIFIED, *sorted(task.fields))
        readable = frozenset(entity.selectable)
        select = [name for name in dict.fromkeys((entity.key, ROW_VERSION, *wanted)) if name in readable]
        link: Link | None = None
        while True:
            page = yield from self._client.page(
                entity,
                self._company.division,
                select=select,
                after=one_pass.after if after is None else after,
                link=link,
            )
            new = one_pass.take(page.rows)
            if is_log:
                kinds = (None, entity.deleted_type)
                new = [row for row in new if row.get("EntityType") in kinds and row.get("EntityKey")]
            if new:
                yield new
            if page.next_link is None:
                return
            link = page.next_link
