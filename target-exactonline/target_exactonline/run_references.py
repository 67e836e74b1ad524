"""References of one run: which travel, which lists decide on them, and where these are read."""

from __future__ import annotations

from collections.abc import Mapping

from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.connections import Reached
from exactonline_client.entities import ACCOUNTS
from exactonline_client.lists.memory import ListMemory
from exactonline_client.lists.reader import Lists
from exactonline_client.store import Store

from target_exactonline.addressing import Addressing, Wanted
from target_exactonline.applying.references import ReferenceTerms
from target_exactonline.intake.intake import Intake


class RunReferences:
    """What the companies of a run have in common where references are concerned."""

    def __init__(
        self, store: Store, addressing: Addressing, wanted: Wanted, intake: Intake, reach: Mapping[int, Reached]
    ) -> None:
        self._lists = Lists(ListMemory(store))
        self._addressing = addressing
        self._wanted = wanted
        self._intake = intake
        self._reach = reach

    def terms(self) -> ReferenceTerms:
        """Return what each company needs of it."""
        return ReferenceTerms(self._fields(), self._wanted.policies, self._lists, self._source)

    def sources(self) -> set[int]:
        """Return the companies whose lists say what the codes mean that travel."""
        return self._intake.sources.union(self._addressing.sources or ()) if self._fields() else set()

    def digest(self, company: Company) -> object:
        """Return what changes with the lists that references of a company are in, here and where they come from."""
        names = sorted(
            {self._wanted.entity.references[name].list for name in self._wanted.references} - {ACCOUNTS.stream}
        )
        if not (names and self._addressing.has_fan_out):
            return None
        known = self._lists.memory.digests(company.site, sorted({company.division, *self.sources()}), names)
        return {str(division): lists for division, lists in known.items()} or None

    def _fields(self) -> frozenset[str]:
        """Return the references that travel in this run."""
        if self._addressing.has_fan_out:
            return frozenset(self._wanted.references)
        named = self._wanted.entity.by_travelling_name
        given = self._intake.fields & named.keys()
        return frozenset(named[name].field for name in given if not named[name].is_by_code)

    def _source(self, division: int) -> tuple[Company, ExactClient] | None:
        """Return where a source company is read, or None if it is not within reach."""
        reached = self._reach.get(division)
        return None if reached is None else (Company(reached.client.settings.base_url, division), reached.client)
