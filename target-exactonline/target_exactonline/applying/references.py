"""References where they meet a company: its lists are read as far as needed, and what Exact keeps is looked at."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import REFERENCE_LISTS, Entity
from exactonline_client.error_texts import lists_named
from exactonline_client.errors import ExactError, RecordRefusedError, TryLaterError
from exactonline_client.exchange import Waiting
from exactonline_client.lists.entries import KeptList, as_code
from exactonline_client.lists.policies import Policy
from exactonline_client.lists.reader import Lists
from exactonline_client.odata import Row

from target_exactonline.planning.compare import same
from target_exactonline.planning.model import Desired, NotSent, SourceRecord
from target_exactonline.planning.references import DROPPED, Translator
from target_exactonline.store.proofs import ReferenceProofs

logger = logging.getLogger(__name__)

Place = tuple[Company, ExactClient]


@dataclass(frozen=True, slots=True)
class ReferenceTerms:
    """What the companies of a run have in common where references are concerned."""

    fields: frozenset[str]
    """References that travel."""
    policies: Mapping[str, Policy]
    lists: Lists
    source: Callable[[int], Place | None]
    """Returns where a source company is read, or None if it is not within reach."""


class CompanyReferences:
    """References of one company."""

    def __init__(
        self,
        entity: Entity,
        company: Company,
        number: int,
        client: ExactClient,
        terms: ReferenceTerms,
        proofs: ReferenceProofs,
    ) -> None:
        self._entity = entity
        self._company = company
        self._number = number
        self._client = client
        self._terms = terms
        self._proofs = proofs
        known = proofs.of(number)
        self._kept = known.kept
        self._dropped = known.dropped
        self.translator = Translator(entity, company.division, terms.policies, self._list, self._source_list)

    def read_lists(self, wanted: Iterable[Desired]) -> Waiting[None]:
        """Read the lists that some records need: of this company, and of the ones that they come from."""
        here: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
        there: defaultdict[tuple[int, str], set[tuple[int, str]]] = defaultdict(set)
        for desired in wanted:
            for reference, code, looked_for in self.translator.lists_of(desired):
                kind = REFERENCE_LISTS[reference.list]
                here[reference.list].add((reference.slot, as_code(kind, looked_for)))
                if desired.references_of and kind.meaning:
                    there[desired.references_of, reference.list].add((reference.slot, as_code(kind, code)))
        for (division, name), codes in there.items():
            place = self._terms.source(division)
            if place is not None:
                yield from self._of_source(place, name, codes)
        for name, codes in here.items():
            yield from self._brought_up((self._company, self._client), name, codes)
        self.translator.dropped.update(
            {place: why for place, (digest, why) in self._dropped.items() if digest == self._digest(place[0])}
        )

    def made_sure(self, target_id: str, sent: Row, record: SourceRecord) -> Waiting[tuple[Row, tuple[NotSent, ...]]]:
        """Read back the first references of each kind; return what the row holds of them, and those that were dropped.

        That a row cannot be read now says nothing of it.
        """
        names = [name for name in sent if name in self._entity.references and sent[name] and name not in self._kept]
        if not names:
            return {}, ()
        try:
            row = yield from self._client.read(self._entity, self._company.division, target_id, names)
        except ExactError:
            return {}, ()
        if row is None:
            return {}, ()
        not_sent = []
        for name in names:
            if same(self._entity.fields[name], row.get(name), sent[name]):
                self._kept.add(name)
                self._proofs.keep(self._number, name)
            else:
                yield from self._drop(name, sent[name], DROPPED)
                code = record.values.get(self._entity.references[name].travels_as)
                not_sent.append(NotSent(name, str(code or ""), "missing", DROPPED))
        return {name: row.get(name) for name in names}, tuple(not_sent)

    def left_out(self, sent: Row, error: RecordRefusedError) -> Waiting[bool]:
        """Leave out from now on the references that a refusal is about; return whether there were any."""
        named = lists_named(error.said)
        if named is None:
            return False
        ours = [name for name in sent if name in self._entity.references and sent[name]]
        meant = [name for name in ours if self._entity.references[name].list in named] or ours
        for name in meant:
            yield from self._drop(name, sent[name], f"Exact said: {error.said}")
        return bool(meant)

    def has_dropped(self, sent: Row) -> bool:
        """Return whether any of these values was not taken since the plan was made."""
        dropped = self.translator.dropped
        return bool(dropped) and any(place in sent.items() for place in dropped)

    # Lists

    def _list(self, name: str) -> KeptList:
        return self._terms.lists.get(self._company, name)

    def _source_list(self, division: int, name: str) -> KeptList:
        place = self._terms.source(division)
        if place is None:
            return KeptList(refusal=f"Division {division} is not within reach of this login.")
        return self._terms.lists.get(place[0], name)

    def _of_source(self, place: Place, name: str, codes: set[tuple[int, str]]) -> Waiting[None]:
        try:
            yield from self._brought_up(place, name, codes)
        except TryLaterError as error:
            logger.warning("%s: its list of %ss cannot be read now. %s", place[0], REFERENCE_LISTS[name].title, error)

    def _brought_up(self, place: Place, name: str, codes: set[tuple[int, str]]) -> Waiting[None]:
        """Read a list that is too old, or that lacks a code, unless it was read in this run."""
        company, client = place
        lists = self._terms.lists
        lacks = codes - lists.get(company, name).by_code.keys()
        if not lists.is_fresh(client, company, name) or (lacks and lists.may_be_read(client, company, name)):
            yield from lists.read(client, company, name)

    def _drop(self, name: str, value: str, why: str) -> Waiting[None]:
        """Remember that a value is not to be sent, as long as its list is what it is now."""
        self.translator.dropped[name, value] = why
        kind, lists = self._entity.references[name].list, self._terms.lists
        if kind not in REFERENCE_LISTS:
            return
        if lists.may_be_read(self._client, self._company, kind):
            with suppress(TryLaterError):
                yield from lists.read(self._client, self._company, kind)
        self._proofs.keep(self._number, name, value, self._digest(name), why)

    def _digest(self, name: str) -> str:
        kind = self._entity.references[name].list
        known = self._terms.lists.memory.digests(self._company.site, [self._company.division], [kind])
        return known.get(self._company.division, {}).get(kind, "")
