"""The store of a run, opened once: all that planning and writing read and keep."""

from __future__ import annotations

from collections.abc import Sequence

from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.store import Store

from target_exactonline.store.approvals import Approvals
from target_exactonline.store.companies import Companies
from target_exactonline.store.copies import Copies
from target_exactonline.store.matches import Matches
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.plans import Plans
from target_exactonline.store.positions import Positions
from target_exactonline.store.proofs import ReferenceProofs
from target_exactonline.store.sources import Sources


class Memory:
    """What is known of one entity, in all companies."""

    def __init__(self, store: Store, entity: Entity) -> None:
        self.store = store
        self.entity = entity
        self.companies = Companies(store)
        self.copies = Copies(store, entity)
        self.plans = Plans(store)
        self.matches = Matches(store, entity)
        self.positions = Positions(store, entity.stream)
        self.approvals = Approvals(store)
        self.proofs = ReferenceProofs(store)
        self._sources: dict[str, Sources] = {}

    def sources(self, site: str) -> Sources:
        """Return the source records that go to companies of a site."""
        if site not in self._sources:
            self._sources[site] = Sources(self.store, self.companies.site(site), self.entity)
        return self._sources[site]

    def mirror(self, company: int) -> Mirror:
        """Return the rows of a company."""
        return Mirror(self.store, self.copies, company, self.entity)

    def known(self, sites: Sequence[str]) -> dict[int, Company]:
        """Return all companies of these sites by number."""
        return self.companies.known(sites)
