"""Which codes the accounts of a source company refer to, kept for a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS, Reference
from exactonline_client.lists.entries import Entry, KeptList
from exactonline_client.lists.matrix import REFERENCES_TO_LISTS, Use
from exactonline_client.lists.reader import Lists

IN_USE = "in_use"
"""Name under which the store keeps it, as if it were a list: code → the accounts that refer to it."""
GOOD_FOR = timedelta(days=1)


class InUse:
    """Codes in use at one source company."""

    def __init__(self, lists: Lists, company: Company) -> None:
        self._lists = lists
        self._company = company

    def is_fresh(self, client: ExactClient) -> bool:
        """Return whether it is known well enough."""
        read_at = self._lists.memory.get(self._company, IN_USE).read_at
        return read_at is not None and timedelta(0) <= client.now() - read_at < GOOD_FOR

    def uses(self, client: ExactClient, names: Mapping[str, Reference]) -> list[Use]:
        """Return the codes that fields hold; the accounts are read once a day."""
        if not self.is_fresh(client):
            self._read(client)
        kept = self._lists.memory.get(self._company, IN_USE)
        found = []
        for entry in kept.entries:
            reference = names.get(entry.description)
            if reference is not None:
                code = self._code(client, reference, entry.code)
                if code is not None:
                    found.append(Use(reference, code, frozenset(entry.meaning["accounts"])))
        return found

    def _read(self, client: ExactClient) -> None:
        held: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        select = ("ID", "Timestamp", *REFERENCES_TO_LISTS)
        for rows in client.pages(ACCOUNTS, self._company.division, select=select, after=0):
            for row in rows:
                for name in REFERENCES_TO_LISTS:
                    if row.get(name):
                        held[name, row[name]].append(row["ID"])
        entries = tuple(
            Entry(
                key=f"{name} {value}",
                code=value,
                slot=REFERENCES_TO_LISTS[name].slot,
                description=name,
                meaning={"accounts": accounts},
                is_usable=True,
            )
            for (name, value), accounts in held.items()
        )
        self._lists.memory.keep(self._company, IN_USE, KeptList(entries, read_at=client.now()))

    def _code(self, client: ExactClient, reference: Reference, value: str) -> str | None:
        """Return the code of what a field holds; a GUID by the list of the company."""
        if reference.is_by_code:
            return value
        entry = self._lists.get(self._company, reference.list).by_key.get(value)
        if entry is None and self._lists.may_be_read(client, self._company, reference.list):
            entry = client.run(self._lists.read(client, self._company, reference.list)).by_key.get(value)
        return entry.code if entry is not None else None
