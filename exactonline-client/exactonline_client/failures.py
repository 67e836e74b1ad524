"""Errors add up: what is given up because of them, and when a deferred record is tried again.

A failure belongs to the smallest thing that explains it. A record that fails is put aside; its company is given up for
the run only after several different records failed alike with no success in between; a site only after several
companies did.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from enum import IntEnum

from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    ExactError,
    Kind,
    NotFoundError,
    RecordRefusedError,
    WrongCompanyError,
)

RECORDS_IN_A_ROW = 3
COMPANIES_IN_A_ROW = 3
PAUSES = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""Between the tries of a deferred record; the last one for all that follow."""
TRIES_AT_MOST = 5
TRIED_AT_MOST = timedelta(days=7)

_SPREAD: frozenset[Kind] = frozenset({"unreachable", "fault", "contract_limit"})
"""Kinds that companies can have in common. Limits of a minute or day, and blocks after errors, are each one's own."""


class GivenUp(IntEnum):
    """What one more error makes the caller give up for this run."""

    NOTHING = 0
    """The error asks for another look at the row."""
    RECORD = 1
    COMPANY = 2
    SITE = 3


class Failures:
    """Errors of one run so far. Safe for threads."""

    def __init__(self, *, records: int = RECORDS_IN_A_ROW, companies: int = COMPANIES_IN_A_ROW) -> None:
        """Give a company up after this many different records in a row, and a site after this many companies."""
        self._records_allowed = records
        self._companies_allowed = companies
        self._mutex = threading.Lock()
        self._records: dict[tuple[str, int, Kind], set[str]] = {}
        self._companies: dict[tuple[str, str], set[int]] = {}
        self._given_up: dict[tuple[str, int | None], GivenUp] = {}

    def add(self, site: str, company: int, record: str, error: ExactError) -> GivenUp:
        """Take in an error, and return what is given up now because of it and of those before.

        Args:
            site: Site or connection; companies of different ones are not compared.
            record: Anything that tells records of a company apart; empty for an error of none, as of a list.
        """
        if isinstance(error, (AlreadyExistsError, NotFoundError)):
            return self.given_up(site, company)
        with self._mutex:
            found = self._scope(site, company, record, error)
            if found is GivenUp.SITE:
                self._given_up[site, None] = found
            if found is GivenUp.COMPANY:
                self._given_up[site, company] = found
            return max(found, self._so_far(site, company))

    def add_success(self, site: str, company: int) -> None:
        """Take in that a call of this company went well: it is not sick, and neither is its site."""
        with self._mutex:
            for key in [key for key in self._records if key[:2] == (site, company)]:
                del self._records[key]
            for of_site in [key for key in self._companies if key[0] == site]:
                del self._companies[of_site]

    def given_up(self, site: str, company: int) -> GivenUp:
        """Return COMPANY or SITE if one is given up for this run, else NOTHING."""
        with self._mutex:
            return self._so_far(site, company)

    def _so_far(self, site: str, company: int) -> GivenUp:
        return self._given_up.get((site, None)) or self._given_up.get((site, company), GivenUp.NOTHING)

    def _scope(self, site: str, company: int, record: str, error: ExactError) -> GivenUp:
        if error.scope == "site":
            return GivenUp.SITE
        if error.scope == "record" and record:
            if isinstance(error, RecordRefusedError):
                return GivenUp.RECORD  # a verdict says nothing on the next record
            failed = self._records.setdefault((site, company, error.kind), set())
            failed.add(record)
            if len(failed) < self._records_allowed:
                return GivenUp.RECORD
        return self._company(site, company, error)

    def _company(self, site: str, company: int, error: ExactError) -> GivenUp:
        """COMPANY, or SITE if enough others failed alike since the last success."""
        alike = _in_common(error)
        if alike is None:
            return GivenUp.COMPANY
        failed = self._companies.setdefault((site, alike), set())
        failed.add(company)
        return GivenUp.SITE if len(failed) >= self._companies_allowed else GivenUp.COMPANY


def _in_common(error: ExactError) -> str | None:
    """What companies that fail like this have in common, or None if it is each one's own."""
    if isinstance(error, WrongCompanyError):
        return "wrong company"
    if isinstance(error, DivisionRefusedError):
        return error.advice.cause if error.advice.concerns_more_than_one_company else None
    return error.kind if error.kind in _SPREAD else None


def next_try(tries: int, first_failed_at: datetime, now: datetime) -> datetime | None:
    """Return the instant before which a deferred record is not tried again, or None if it is given up for good.

    Args:
        tries: How often it failed so far, from 1.
        first_failed_at: When that began.
        now: When it failed last.
    """
    if tries >= TRIES_AT_MOST or now - first_failed_at >= TRIED_AT_MOST:
        return None
    return now + PAUSES[min(max(tries, 1), len(PAUSES)) - 1]
