"""One entity in a run: what came in of it, what is remembered, and what the settings want of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from exactonline_client.companies import Company
from exactonline_client.connections import Reached
from exactonline_client.entities import ACCOUNTS, COPIED, Entity
from exactonline_client.store import Store
from exactonline_client.transport import utc_now

from target_exactonline.addressing import Addressing
from target_exactonline.applying.task import Task
from target_exactonline.intake.intake import Intake
from target_exactonline.intake.spool import Incoming, Spool
from target_exactonline.planning.model import Rules
from target_exactonline.reporting.checkpoints import Checkpoints
from target_exactonline.reporting.recorder import Recorder
from target_exactonline.run_references import RunReferences
from target_exactonline.settings import Decisions
from target_exactonline.store.companies import Companies
from target_exactonline.store.memory import Memory
from target_exactonline.store.sources import Remembered, Sources
from target_exactonline.work import Work

logger = logging.getLogger(__name__)


class Part:
    """What a run does about one entity."""

    def __init__(
        self,
        entity: Entity,
        store: Store,
        addressing: Addressing,
        decisions: Decisions,
        reach: Mapping[int, Reached],
        recorder: Recorder,
        checkpoints: Checkpoints,
        *,
        dry_run: bool,
    ) -> None:
        self.entity = entity
        self.memory = Memory(store, entity)
        self.spool = Spool(entity)
        self.intake = Intake(entity, self.spool, recorder, checkpoints)
        self._addressing = addressing
        self._decisions = decisions
        self._wanted = addressing.wanted(entity)
        self.references = RunReferences(store, addressing, self._wanted, self.intake, reach)
        self.work = Work(
            self.memory,
            self.spool,
            addressing,
            self._wanted,
            self.rules_of,
            dry_run=dry_run,
            reconcile=decisions.reconcile,
            retry_refused=decisions.retry_refused,
            lists_digest=self.references.digest,
            now=utc_now,
        )
        self.due: set[int] | None = None
        """Codes of the companies that it is to be planned for; None for all of the run's."""

    def rules_of(self, division: int) -> Rules:
        """Return what decides on the records of one company."""
        return self._wanted.rules(self._decisions.of(division))

    def fields(self) -> frozenset[str]:
        """Return the fields that are compared."""
        return self.work.fields(self.intake.fields, blocks=self._decisions.blocks)

    def tasks(self, companies: Mapping[Company, Reached], numbers: Mapping[Company, int]) -> Iterator[Task]:
        """Yield what is to be planned, by company."""
        mine = {company: one for company, one in companies.items() if self.due is None or company.division in self.due}
        scope = self.work.scope(tuple(numbers[company] for company in mine))
        planned = self.memory.positions.planned([numbers[company] for company in mine], self._addressing.scope)
        for company, one in mine.items():
            number, position = numbers[company], planned.get(numbers[company])
            yield Task(
                company,
                number,
                one.division,
                one.client,
                self.rules_of(company.division),
                partial(self._wanted.desire, company.division),
                partial(self.work.candidates, company, number, scope, position),
                partial(self.work.records, company, number),
                partial(self.work.values, company, number, scope),
                self.work.planned_after(company, position),
                partial(self.work.settings, company),
                self._addressing.scope,
                self.spool.count(company.division) if position is None else self.memory.copies.count_waiting(number),
            )

    def take_children_of_deleted(self, accounts: Part, sites: Sequence[str]) -> None:
        """Take what belongs to accounts that were deleted for deleted too: it went with them."""
        numbers = {company.division: number for number, company in self.memory.known(sites).items()}
        for page in accounts.spool.pages():
            gone = [one for one in page if one.record.is_deleted]
            for target in {one.target for one in gone}:
                keys = [one.record.key for one in gone if one.target == target]
                for site in sites:
                    self._take_children_of(accounts.memory.sources(site).of_keys(keys), site, target, numbers)

    def take_main_rows(self, accounts: Part, sites: Sequence[str]) -> None:
        """Take in which row of each account that came in is its main one: the row itself may not come in."""
        main = self.entity.main
        if main is None or not self._wanted.carries_main_rows:
            return
        for page in accounts.spool.pages():
            mains = {
                (one.record.key.division, one.record.code): str(one.record.values[main.field] or "").lower()
                for one in page
                if main.field in one.record.values and not one.target
            }
            for site in sites if mains else ():
                known = [one.record for one in self.memory.sources(site).with_code([code for _, code in mains])]
                told = [(one, mains.get((one.key.division, one.code)) == one.key.id) for one in known]
                self.intake.accept_fields(
                    [
                        replace(one, values={main.flag: is_main}, problems=())
                        for one, is_main in told
                        if (one.key.division, one.code) in mains and bool(one.values.get(main.flag)) is not is_main
                    ]
                )

    def _take_children_of(
        self, accounts: Sequence[Remembered], site: str, target: int, numbers: Mapping[int, int]
    ) -> None:
        number = numbers.get(target, 0)
        places = {(one.record.key.division, one.record.code) for one in accounts}
        known = self.memory.sources(site).with_code([code for _, code in places], addressed_to=number)
        children = (one.record for one in known if one.record.company == number)
        self.intake.accept_deletions([one.key for one in children if (one.key.division, one.code) in places], target)


class Parts:
    """The entities of a run, in the order in which they are written."""

    def __init__(self, make: Callable[[Entity], Part]) -> None:
        self._make = make
        self._parts: dict[str, Part] = {}

    def __iter__(self) -> Iterator[Part]:
        return iter([self._parts[stream] for stream in COPIED if stream in self._parts])

    def of(self, entity: Entity) -> Part:
        """Return what the run does about one entity."""
        if entity.stream not in self._parts:
            self._parts[entity.stream] = self._make(entity)
        return self._parts[entity.stream]

    @property
    def sources(self) -> list[int]:
        """Return the companies that records came from, as far as they said."""
        return sorted(set[int]().union(*(part.intake.sources for part in self)))

    @property
    def left_out(self) -> bool:
        """Return whether a trial's limit left out any record."""
        return any(part.intake.left_out for part in self)

    def incoming(self) -> Iterator[tuple[Part, Incoming]]:
        """Yield all that came in."""
        for part in self:
            for page in part.spool.pages():
                yield from ((part, one) for one in page)

    def recall(self, store: Store, companies: Companies, sites: Sequence[str]) -> None:
        """Take part in what is remembered of entities that nothing came in for."""
        for stream, entity in COPIED.items():
            known = (Sources(store, companies.site(site), entity) for site in sites)
            if stream not in self._parts and any(one.has_any() for one in known):
                self.of(entity)

    def take_deletions(self, sites: Sequence[str]) -> None:
        """Take in what a full reading did not bring, and what belonged to accounts that were deleted."""
        for part in self:
            for target, gone in part.work.unseen(sites):
                logger.info("%d records are gone from their source: it was read in full, without them.", len(gone))
                part.intake.accept_deletions(gone, target)
            if part.entity.parent is not None:
                part.take_children_of_deleted(self.of(ACCOUNTS), sites)
                part.take_main_rows(self.of(ACCOUNTS), sites)

    def settle_due(self, sites: Sequence[str]) -> set[int]:
        """Say of each entity which companies it is due in; return the codes of those that records came in for.

        Raises:
            ConfigurationError: The settings do not say where records go, or contradict what was seen.
        """
        named, visited = set[int](), set[int]()
        for part in self:
            addressed = part.work.addressed()
            part.due = addressed | part.work.remembered(sites, self.sources, visited)
            named |= addressed
            visited |= part.due
        return named

    def close(self) -> None:
        """Forget what came in."""
        for part in self:
            part.spool.close()
