"""Accounts that others refer to by their code: which row of a company each is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from target_exactonline.planning.model import Desired, SourceRecord
from target_exactonline.planning.references import Referred, Translator
from target_exactonline.planning.situations import Situations
from target_exactonline.store.copies import Copies
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.sources import Sources


class References:
    """What one company should hold, with its references resolved; records are made known a page at a time."""

    def __init__(
        self,
        company: int,
        desire: Callable[[SourceRecord], Desired | None],
        translator: Translator,
        sources: Sources,
        copies: Copies,
        mirror: Mirror,
        *,
        is_trial: bool,
    ) -> None:
        """Take all of it.

        Args:
            is_trial: Whether records that come in are kept nowhere, so that a code that nobody knows may be theirs.
        """
        self._company = company
        self._desire = desire
        self.translator = translator
        self._sources = sources
        self._copies = copies
        self._mirror = mirror
        self._is_trial = is_trial
        entity = translator.entity
        self._names = [one.travels_as for one in entity.references.values() if one.list == entity.stream]
        self._accounts: dict[tuple[int, str], Referred] = {}

    def desire(self, record: SourceRecord) -> Desired | None:
        """Return what the company should hold of a record that was made known, or None if it is not wanted."""
        desired = self._desire(record)
        return desired if desired is None else self.translator.resolved(desired, self._accounts)

    def learn(self, page: Sequence[SourceRecord], situations: Situations, *, is_last: bool = False) -> None:
        """Look up the accounts that some records refer to, in the place of those of an earlier page.

        Args:
            page: The records.
            situations: What the plan so far has tied.
            is_last: Whether the plan has seen all records, so that nothing else is to come.
        """
        self._accounts = {}
        wanted = {place for one in page for place in self._referred_to(one)}
        if not wanted:
            return
        codes = sorted({code for _, code in wanted})
        known = self._sources.with_code(codes)
        copies = self._copies.of(self._company, [one.number for one in known])
        rows = self._mirror.by_id([kept.copy.target_id for kept in copies.values() if kept.copy.target_id])
        at_code = self._mirror.by_code(codes)
        for one in known:
            kept, place = copies.get(one.number), (one.record.key.division, one.record.code)
            target_id = kept.copy.target_id if kept is not None and kept.copy.target_id in rows else None
            row = at_code.get(one.record.code)
            if target_id is None and row is not None and situations.is_tied(row.id, one.record.key):
                target_id = row.id
            if target_id is not None or place not in self._accounts:
                self._accounts[place] = Referred(target_id, self._desire(one.record) is not None)
        for place in wanted - self._accounts.keys():
            row = at_code.get(place[1])
            self._accounts[place] = Referred(row.id if row is not None else None, self._is_trial and not is_last)

    def _referred_to(self, record: SourceRecord) -> Iterator[tuple[int, str]]:
        """Yield source company and code of each account that a record refers to."""
        if all(record.values.get(name) is None for name in self._names):
            return
        desired, entity = self._desire(record), self.translator.entity
        if desired is None:
            return
        for name, code in desired.references.items():
            if code is not None and entity.references[name].list == entity.stream:
                yield desired.references_of, code
