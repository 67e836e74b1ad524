"""Reads reference lists of companies, no oftener than needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import REFERENCE_LISTS, Entity
from exactonline_client.errors import DivisionRefusedError, NotFoundError, UnexpectedReplyError, WrongCompanyError
from exactonline_client.exchange import Waiting
from exactonline_client.lists.entries import KeptList, entries_of
from exactonline_client.lists.memory import ListMemory
from exactonline_client.odata import Row
from exactonline_client.pages import Link

GOOD_FOR = timedelta(days=7)
REFUSAL_GOOD_FOR = timedelta(days=1)
"""A refusal counts among the errors of which Exact allows ten an hour."""
LOOK_AGAIN = timedelta(milliseconds=200)
"""How often a list is looked for that another thread or process is reading."""


class Lists:
    """The lists of the companies of one run; each is read at most once in it."""

    def __init__(self, memory: ListMemory) -> None:
        self._memory = memory
        self._known: dict[tuple[Company, str], KeptList] = {}
        self._read: set[tuple[Company, str]] = set()

    @property
    def memory(self) -> ListMemory:
        """What the store knows."""
        return self._memory

    def get(self, company: Company, name: str) -> KeptList:
        """Return a list as it is known, without a call."""
        if (company, name) not in self._known:
            self._known[company, name] = self._memory.get(company, name)
        return self._known[company, name]

    def is_fresh(self, client: ExactClient, company: Company, name: str) -> bool:
        """Return whether a list need not be read, as long as all codes are found in it."""
        known, now = self.get(company, name), client.now()
        if (company, name) in self._read:
            return True
        if known.refused_at is not None:
            return timedelta(0) <= now - known.refused_at < REFUSAL_GOOD_FOR
        return known.read_at is not None and timedelta(0) <= now - known.read_at < GOOD_FOR

    def may_be_read(self, client: ExactClient, company: Company, name: str) -> bool:
        """Return whether a code that is not found in a list is a reason to read it: not again in this run."""
        is_refused = self.get(company, name).refused_at is not None and self.is_fresh(client, company, name)
        return (company, name) not in self._read and not is_refused

    def read(self, client: ExactClient, company: Company, name: str) -> Waiting[KeptList]:
        """Read a list and keep it, or that it may not be read.

        Raises:
            TryLaterError: A limit is reached.
            WrongCompanyError: Exact answered for another company.
        """
        while (release := self._memory.store.try_lock(f"list-{company.site}-{company.division}-{name}")) is None:
            yield client.now() + LOOK_AGAIN
        try:
            if (company, name) not in self._read:
                yield from self._read_now(client, company, name)
        finally:
            release()
        return self.get(company, name)

    def _read_now(self, client: ExactClient, company: Company, name: str) -> Waiting[None]:
        kind, slots = REFERENCE_LISTS[name], dict[str, int]()
        self._read.add((company, name))
        try:
            if kind.names is not None:
                lists = yield from _rows(client, company, kind.names, ("ID", "SequenceNumber"))
                slots = {row["ID"]: row.get("SequenceNumber") or 0 for row in lists}
            besides = (*kind.meaning, *kind.unusable, *filter(None, (kind.last_day,)))
            named = ("AccountClassificationName",) if kind.names is not None else ()
            wanted = (kind.entity.key, kind.code, "Description", *besides, *named)
            select = [one for one in dict.fromkeys(wanted) if one in kind.entity.fields]
            rows = yield from _rows(client, company, kind.entity, select)
        except WrongCompanyError:
            raise
        except (DivisionRefusedError, NotFoundError, UnexpectedReplyError) as error:
            self._known[company, name] = self._unreadable(client, company, name, error)
            return
        entries = entries_of(kind, rows, slots, f"{client.exacts_now():%Y-%m-%d}")
        kept = KeptList(entries, read_at=client.now())
        self._memory.keep(company, name, kept)
        self._known[company, name] = kept

    def _unreadable(self, client: ExactClient, company: Company, name: str, error: Exception) -> KeptList:
        """Remember a refusal for a day; what was only a fault of Exact's is tried again in the next run."""
        kind = REFERENCE_LISTS[name]
        why = f"The list of {kind.title}s of {company} cannot be read: {error}"
        if isinstance(error, UnexpectedReplyError) and (error.status or 500) >= 500:
            known = self._memory.get(company, name)
            return known if known.is_readable else replace(KeptList(), refusal=why)
        return self._memory.refuse(company, name, client.now(), why)


def _rows(client: ExactClient, company: Company, entity: Entity, select: Sequence[str]) -> Waiting[list[Row]]:
    """All rows of a list, by the endpoint that gives the most at a time."""
    is_feed = entity.sync_path is not None
    wanted = (*select, "Timestamp") if is_feed else select
    options: dict[str, Any] = {"variant": "sync", "after": 0} if is_feed else {"variant": "single"}
    page_of: Callable[..., Any] = client.page
    rows: list[Row] = []
    link: Link | None = None
    while True:
        page = yield from page_of(entity, company.division, select=wanted, link=link, **options)
        rows += page.rows
        link = page.next_link
        if link is None:
            return rows
