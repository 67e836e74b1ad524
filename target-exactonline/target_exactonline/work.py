"""What a run has to do: which companies, and which source records for each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exactonline_client.companies import Company
from exactonline_client.entities import Entity

from target_exactonline.addressing import Addressing, Wanted
from target_exactonline.intake.spool import Incoming, Spool
from target_exactonline.planning.match_keys import KeyIndex, key_of
from target_exactonline.planning.merge import merged
from target_exactonline.planning.model import Rules, SourceKey, SourceRecord
from target_exactonline.planning.terms import Candidate
from target_exactonline.store.memory import Memory
from target_exactonline.store.positions import Planned
from target_exactonline.store.sources import Remembered, Scope, Sources


@dataclass(frozen=True, slots=True)
class Due:
    """How far a company is planned, and from where it has to be planned now."""

    after: int
    settings: str


class Work:
    """The source records of one run, those that came in and those that are remembered."""

    def __init__(
        self,
        memory: Memory,
        spool: Spool,
        addressing: Addressing,
        wanted: Wanted,
        rules_of: Callable[[int], Rules],
        *,
        dry_run: bool,
        reconcile: bool,
        retry_refused: bool,
        lists_digest: Callable[[Company], object],
        now: Callable[[], datetime],
    ) -> None:
        self._memory = memory
        self._spool = spool
        self._addressing = addressing
        self._wanted = wanted
        self._rules_of = rules_of
        self._dry_run = dry_run
        self._reconcile = reconcile
        self._retry_refused = retry_refused
        self._lists_digest = lists_digest
        self._now = now
        self._values: dict[tuple[str, object], KeyIndex] = {}

    @property
    def _entity(self) -> Entity:
        return self._memory.entity

    # Which companies

    def addressed(self) -> set[int]:
        """Return the codes of the companies that records came in for.

        Raises:
            ConfigurationError: The settings do not say where records go, or contradict what was seen.
        """
        found: set[int] = set()
        for division, target in self._spool.places():
            found |= {target} if target else self._addressing.targets(division)
        return found

    def remembered(self, sites: Sequence[str], sources: Sequence[int], visited: Collection[int] = ()) -> set[int]:
        """Return the codes of the companies that something remembered is due in.

        Args:
            sites: That this run's logins reach.
            sources: Companies that records came from.
            visited: Companies whose accounts are looked at, so that what waits for one may have its turn.
        """
        known = self._memory.known(sites)
        targets = self._addressing.all_targets(sources)
        mine = {
            number: company
            for number, company in known.items()
            if company.division in targets or not self._addressing.has_fan_out
        }
        scope = self.scope(tuple(mine))
        planned = self._memory.positions.planned(mine, self._addressing.scope)
        found = {
            company.division
            for number, company in mine.items()
            if self._is_due(number, company, scope, planned.get(number), is_visited=company.division in visited)
        }
        new = targets - {company.division for company in mine.values()}
        if new and any(self._memory.sources(site).has_changed(scope, 0, 0) for site in sites):
            found |= new
        return found

    def _is_due(
        self, number: int, company: Company, scope: Scope, planned: Planned | None, *, is_visited: bool
    ) -> bool:
        if self._addressing.limit is not None:
            return False
        condition = scope.of(number)
        aside = "parent" if self._entity.parent is not None and not is_visited else None
        if self._memory.copies.has_due(number, condition, self._now(), or_refused=self._retry_refused, aside=aside):
            return True
        sources = self._memory.sources(company.site)
        due = self._due(company, planned)
        return due.after < sources.newest() and sources.has_changed(scope, number, due.after)

    def scope(self, companies: tuple[int, ...]) -> Scope:
        """Return which remembered source records belong to this run."""
        divisions = self._addressing.sources
        return Scope(
            companies,
            frozenset(divisions) if divisions is not None else None,
            fans_out=self._addressing.has_fan_out,
            addressed=not self._addressing.has_fan_out,
        )

    def settings(self, company: Company) -> str:
        """Return the digest of what decides on a company's rows: settings, and the lists that references are in."""
        return self._wanted.digest(company.division, self._rules_of(company.division), self._lists_digest(company))

    def _due(self, company: Company, planned: Planned | None) -> Due:
        settings = self.settings(company)
        if planned is None or planned.settings not in (None, settings) or self._reconcile:
            return Due(0, settings)
        return Due(planned.version, settings)

    # What came in

    def remember(self, companies: Mapping[Company, int], everywhere: Sequence[str]) -> None:
        """Keep what the records that came in say: those that settings fan out for all sites, since settings change.

        Args:
            companies: Those of this run, with their numbers.
            everywhere: The sites that this run's logins reach. Others in the store are not its own.
        """
        numbers = {company.division: number for company, number in companies.items()}
        sites = {company.division: company.site for company in companies}
        self._fill(everywhere)
        for page in self._spool.pages():
            by_site: dict[str, list[SourceRecord]] = {}
            for one in page:
                if one.record.is_deleted:
                    continue
                if not one.target:
                    for site in everywhere:
                        by_site.setdefault(site, []).append(one.record)
                elif one.target in sites:
                    record = replace(one.record, company=numbers[one.target])
                    by_site.setdefault(sites[one.target], []).append(record)
            for site, records in by_site.items():
                self._memory.sources(site).remember(records)
            gone = {(numbers.get(one.target, 0), one.record.key) for one in page if one.record.is_deleted}
            for site in everywhere if gone else ():
                self._mark_deleted(self._memory.sources(site), gone)

    def _fill(self, sites: Sequence[str]) -> None:
        """Let a site that is new know what the others know."""
        if len(sites) < 2:
            return
        known = [site for site in sites if self._memory.sources(site).fanned_out()]
        for site in (site for site in sites if known and site not in known):
            after = 0
            while page := self._memory.sources(known[0]).fanned_out(after):
                self._memory.sources(site).remember([one.record for one in page])
                after = page[-1].number

    def _mark_deleted(self, sources: Sources, gone: set[tuple[int, SourceKey]]) -> None:
        """Note that records are gone: those addressed to one company by its number, all with the key by 0."""
        found = [
            replace(one.record, is_deleted=True)
            for one in sources.of_keys([key for _, key in gone])
            if not gone.isdisjoint({(0, one.record.key), (one.record.company, one.record.key)})
        ]
        sources.remember(found)

    def unseen(self, sites: Sequence[str]) -> Iterator[tuple[int, list[SourceKey]]]:
        """Yield what streams that were read in full did not bring: the company that it was addressed to, or 0.

        A reading says nothing of the companies of which it brought nothing: they may be another pipeline's.
        """
        for stream, places in self._spool.activated().items():
            known = self._memory.known(sites)
            for page in (page for site in sites for page in self._memory.sources(site).of_stream(stream)):
                gone: dict[int, list[SourceKey]] = {}
                for record in (one.record for one in page):
                    target = known[record.company].division if record.company else 0
                    is_told_of = (target, record.key.division) in places
                    if is_told_of and not self._spool.has_come(stream, target, record.key):
                        gone.setdefault(target, []).append(record.key)
                yield from gone.items()

    def targets_of(self, one: Incoming) -> Sequence[int]:
        """Return the codes of the companies that a record goes to."""
        return (one.target,) if one.target else sorted(self._addressing.targets(one.record.key.division))

    def fields(self, incoming: set[str], *, blocks: bool) -> frozenset[str]:
        """Return the fields that are compared."""
        entity = self._entity
        fields = frozenset(entity.safe_to_copy) | self._wanted.compared
        if not self._addressing.has_fan_out:
            named = entity.by_travelling_name
            fields |= {named[name].field if name in named else name for name in incoming}
        if entity.parent is not None:
            fields |= {entity.main.flag} if entity.main is not None else set()
            fields |= {entity.parent.field, *(name for rule in entity.same_row for name in rule.fields)}
        if entity.blocking is not None and (blocks or entity.never_changes or self._memory.copies.any_blocked()):
            fields |= entity.blocking.fields
        return fields

    # Per company

    def candidates(
        self, company: Company, number: int, scope: Scope, planned: Planned | None
    ) -> Iterator[list[Candidate]]:
        """Yield the source records that a company has to be held against: what came in first."""
        sources, seen = self._memory.sources(company.site), set[int]()
        for page in self._spool.pages():
            mine = [one for one in page if company.division in self.targets_of(one)]
            found = self._incoming(sources, number, mine)
            seen |= {one.source.number for one in found}
            if found:
                yield found
        if self._addressing.limit is not None:
            return
        due = self._due(company, planned)
        for known in sources.changed(scope, number, due.after, sources.newest()):
            fresh = [Candidate(one) for one in known if one.number not in seen]
            seen |= {one.number for one in known}
            if fresh:
                yield fresh
        for waiting in self._memory.copies.waiting(number, scope.of(number), self._now()):
            records = sources.by_number([one for one in waiting if one not in seen])
            if records:
                yield [Candidate(one, is_second_look=waiting[key]) for key, one in records.items()]

    def _incoming(self, sources: Sources, number: int, mine: Sequence[Incoming]) -> list[Candidate]:
        """Return what came in for a company, as it is remembered by now: another run may have brought something newer.

        In a dry run it is not, so each record is completed here.
        """
        stored = {one.record.key: one for one in sources.of_keys([one.record.key for one in mine], (0, number))}
        found = []
        for one in mine:
            known = stored.get(one.record.key)
            if known is None:
                record = replace(one.record, company=number) if one.target else one.record
                known = Remembered(-one.number, 0, record)
            elif self._dry_run:
                known = self._completed(one.record, known, sources.newest())
            found.append(Candidate(known, one.number, one.merged))
        return found

    def _completed(self, record: SourceRecord, known: Remembered, newest: int) -> Remembered:
        """Return a record that came in, completed by what is remembered of it, with the version that it would get."""
        if record.is_deleted:
            complete = replace(known.record, is_deleted=True)
        else:
            complete = replace(merged(self._entity, record, known.record), company=known.record.company)
        is_new = complete != replace(known.record, stream=complete.stream)
        return Remembered(known.number, newest + 1 if is_new else known.version, complete)

    def clear(self) -> None:
        """Forget what came in, which was planned."""
        self._spool.clear()
        self._values.clear()

    def values(self, company: Company, number: int, scope: Scope) -> KeyIndex:
        """Return the values of all source records that a company gets, as the rules of first contact look at them."""
        divisions = scope.divisions or ()
        wanted = tuple(sorted(one for one in divisions if company.division in self._addressing.targets(one)))
        place = (company.site, wanted if scope.fans_out and wanted else number)
        if place not in self._values:
            self._values[place] = self._indexed(company, number, scope)
        return self._values[place]

    def _indexed(self, company: Company, number: int, scope: Scope) -> KeyIndex:
        sources, seen, index = self._memory.sources(company.site), set[int](), KeyIndex()
        rules = self._rules_of(company.division).match_on
        for page in self._everybody(company, number, scope, sources):
            for one in (one for one in page if one.number not in seen):
                seen.add(one.number)
                record = one.record
                if not record.is_deleted and self._wanted.desire(company.division, record) is not None:
                    for rule in rules:
                        index.add(rule, key_of(self._entity, rule, record.code, record.values), one.number)
        return index

    def _everybody(self, company: Company, number: int, scope: Scope, sources: Sources) -> Iterator[list[Remembered]]:
        """Yield all source records of a run that a company may get, what came in first: a dry run keeps it nowhere."""
        for page in self._spool.pages() if self._dry_run else ():
            mine = [one for one in page if company.division in self.targets_of(one)]
            yield [one.source for one in self._incoming(sources, number, mine)]
        yield from sources.changed(scope, number, 0, sources.newest())

    def records(self, company: Company, number: int, numbers: Sequence[int]) -> dict[int, Remembered]:
        """Return source records by number; those of a dry run, which are not kept, have numbers below zero."""
        found = self._memory.sources(company.site).by_number([one for one in numbers if one > 0])
        for key, one in self._spool.get([-one for one in numbers if one < 0]).items():
            found[-key] = Remembered(-key, 0, replace(one.record, company=number if one.target else 0))
        return found

    def planned_after(self, company: Company, planned: Planned | None) -> Planned | None:
        """Return how far a company is planned once all of its candidates were looked at."""
        if self._addressing.limit is not None:
            return None
        return Planned(self._memory.sources(company.site).newest(), self.settings(company))

    def forget_unwanted(self, sites: Sequence[str], sources: Sequence[int]) -> None:
        """Let nothing wait in a company that the settings name no longer; should it return, it is planned anew.

        A company whose newest plan was made without any of this run's belongs to another pipeline on this store.
        """
        targets = self._addressing.all_targets(sources)
        if not targets or self._addressing.limit is not None:
            return
        known = self._memory.known(sites)
        ours = tuple(number for number, company in known.items() if company.division in targets)
        condition = self.scope(ours).of(0)
        waiting = self._memory.copies.companies_waiting([one for one in known if one not in ours], condition)
        for number in self._memory.plans.made_beside(waiting, ours):
            release = self._memory.store.try_lock(f"lane-{number}")
            if release is None:  # another run is at it, so it is somebody's
                continue
            try:
                self._memory.copies.forget_unwanted(number, condition)
                self._memory.positions.forget_planned(number, self._addressing.scope)
            finally:
                release()
        for site in sites:
            self._memory.sources(site).forget_deleted()
