"""Reference lists as the store keeps them: one row per company and list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Integer, String, Table, Text, delete, select

from exactonline_client.companies import Company
from exactonline_client.lists.entries import Entry, KeptList
from exactonline_client.store import Store, metadata

COMPANIES_AT_A_TIME = 500

reference_lists = Table(
    "reference_lists",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True, autoincrement=False),
    Column("list", String, primary_key=True),
    Column("read_at", String),
    Column("refused_at", String),
    Column("refusal", Text),
    Column("digest", String),
    Column("entries", Text),
)
"""digest: of the entries, without keys and words that no decision depends on."""


class ListMemory:
    """The lists that a store knows."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def get(self, company: Company, name: str) -> KeptList:
        """Return a list as it is known; an empty one that was never read."""
        query = select(reference_lists).where(*_of(company), reference_lists.c.list == name)
        with self.store.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return KeptList()
        entries = tuple(Entry(*one) for one in json.loads(row.entries or "[]"))
        return KeptList(entries, _instant(row.read_at), _instant(row.refused_at), row.refusal or "")

    def keep(self, company: Company, name: str, kept: KeptList) -> None:
        """Keep a list that was just read, or that it could not be."""
        entries = sorted(kept.entries)
        row = {
            "site": company.site,
            "division": company.division,
            "list": name,
            "read_at": kept.read_at.isoformat() if kept.read_at else None,
            "refused_at": kept.refused_at.isoformat() if kept.refused_at else None,
            "refusal": kept.refusal or None,
            "digest": _digest(entries) if kept.read_at else None,
            "entries": json.dumps(entries, ensure_ascii=False, separators=(",", ":")),
        }
        with self.store.write() as connection:
            connection.execute(delete(reference_lists).where(*_of(company), reference_lists.c.list == name))
            connection.execute(reference_lists.insert(), row)

    def refuse(self, company: Company, name: str, at: datetime, why: str) -> KeptList:
        """Keep that a list may not be read; what was known of it is no longer believed."""
        kept = replace(KeptList(), refused_at=at, refusal=why)
        self.keep(company, name, kept)
        return kept

    def digests(self, site: str, divisions: Iterable[int], names: Sequence[str]) -> dict[int, Mapping[str, str]]:
        """Return a short text for each list of these companies that changes when an entry does."""
        table, found = reference_lists.c, dict[int, dict[str, str]]()
        listed = list(divisions)
        with self.store.read() as connection:
            for start in range(0, len(listed), COMPANIES_AT_A_TIME):
                some = listed[start : start + COMPANIES_AT_A_TIME]
                query = select(table.division, table.list, table.digest).where(
                    table.site == site, table.division.in_(some), table.list.in_(names), table.digest.is_not(None)
                )
                for row in connection.execute(query):
                    found.setdefault(row.division, {})[row.list] = row.digest
        return dict(found)


def _of(company: Company) -> tuple[ColumnElement[bool], ...]:
    return reference_lists.c.site == company.site, reference_lists.c.division == company.division


def _digest(entries: Sequence[Entry]) -> str:
    decisive = [[one.key, one.code, one.slot, one.meaning, one.is_usable] for one in entries]
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
