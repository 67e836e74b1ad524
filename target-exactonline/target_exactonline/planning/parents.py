"""Accounts that contacts, addresses and bank accounts belong to: which row of a company each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from target_exactonline.planning.model import Desired, Existing, SourceRecord
from target_exactonline.planning.references import Referred, Translator
from target_exactonline.planning.situations import Situations
from target_exactonline.store.copies import KeptCopy
from target_exactonline.store.memory import Memory
from target_exactonline.store.sources import Remembered

Place = tuple[int, str]
"""Source company and code of an account; 0 for one of no Exact company."""
Placed = Mapping[Place, str | None]
"""What a dry run does about accounts: Exact's ID of the row that it ties, or None if it creates one."""


class Parents:
    """What one company should hold, each with the row of its account; records are made known a page at a time."""

    def __init__(
        self,
        company: int,
        site: str,
        desire: Callable[[SourceRecord], Desired | None],
        translator: Translator,
        accounts: Memory,
        placed: Placed,
    ) -> None:
        self._company = company
        self._desire = desire
        self.translator = translator
        self._sources = accounts.sources(site)
        self._copies = accounts.copies
        self._mirror = accounts.mirror(company)
        self._placed = placed
        self._accounts: dict[Place, Referred] = {}

    def desire(self, record: SourceRecord) -> Desired | None:
        """Return what the company should hold of a record that was made known, or None if it is not wanted."""
        desired = self._desire(record)
        return desired if desired is None else self.translator.resolved(desired, self._accounts)

    def learn(self, page: Sequence[SourceRecord], situations: Situations, *, is_last: bool = False) -> None:
        """Look up the accounts that some records belong to, in the place of those of an earlier page."""
        wanted = {(one.references_of, one.code) for one in map(self._desire, page) if one is not None}
        codes = sorted({code for _, code in wanted})
        known: dict[str, list[Remembered]] = {}
        for one in self._sources.with_code(codes, addressed_to=self._company):
            known.setdefault(one.record.code, []).append(one)
        copies = self._copies.of(self._company, [one.number for some in known.values() for one in some])
        rows = self._mirror.by_id([kept.copy.target_id for kept in copies.values() if kept.copy.target_id])
        at_code = self._mirror.by_code(codes)
        self._accounts = {
            place: self._row(place, known.get(place[1], ()), copies, rows, at_code.get(place[1])) for place in wanted
        }

    def _row(
        self,
        place: Place,
        known: Sequence[Remembered],
        copies: Mapping[int, KeptCopy],
        rows: Mapping[str, Existing],
        at_code: Existing | None,
    ) -> Referred:
        division, _ = place
        if place in self._placed:
            return Referred(self._placed[place], is_coming=True)
        meant = [one for one in known if one.record.key.division == division] or ([] if division else known)
        for one in meant:
            kept = copies.get(one.number)
            if kept is not None and kept.copy.target_id in rows:
                return Referred(kept.copy.target_id)
        if division or meant:  # its account is known, and has no row here
            return Referred(None)
        return Referred(at_code.id if at_code is not None else None)
