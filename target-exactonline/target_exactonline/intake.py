"""Records on their way into the spool: numbered, checked, and told off at once when they can go nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from exactonline_client.entities import ACCOUNTS
from exactonline_client.odata import Row
from mapper_exactonline.fan_out import FanOut, seen_division, source_division

from target_exactonline.ledger import Ledger
from target_exactonline.outcomes import Outcome, Tally
from target_exactonline.sources import Source
from target_exactonline.spool import DELETIONS_STREAM, Spool, Wanted
from target_exactonline.store import PutAside
from target_exactonline.values import Checked

LIVES_ON = "An account was deleted at the source, but its code lives on there as another one."


class Copier:
    """Copies records to the target divisions, as the mapping step does."""

    def __init__(self, fan_out: FanOut) -> None:
        self._fan_out = fan_out
        self._taken: dict[str, int] = {}
        self._targets: dict[int | None, tuple[int, ...]] = {}
        self.left_out = 0
        """Records beyond the trial's `limit`."""
        self.seen: dict[int, int] = {}
        """Status of each division in the stream `divisions`."""

    def copies(self, stream: str, record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The record's copies; none once the trial's `limit` is reached."""
        taken = self._taken.get(stream, 0)
        if self._fan_out.limit is not None and taken >= self._fan_out.limit:
            self.left_out += 1
            return
        self._taken[stream] = taken + 1
        source = source_division(record)
        if source not in self._targets:
            self._targets[source] = self._fan_out.targets(source, self.seen)
        yield from self._fan_out.copies(record, self._targets[source])

    @property
    def sources(self) -> set[int]:
        """Divisions that records came from, as far as they said."""
        return {source for source in self._targets if source is not None}

    def see(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Learn from the stream `divisions` where copies may go."""
        self.seen.update(map(seen_division, records))
        self._targets.clear()


class Intake:
    """Numbers what comes in and puts it into the spool."""

    def __init__(self, spool: Spool, ledger: Ledger, tally: Tally) -> None:
        self._spool = spool
        self._ledger = ledger
        self._tally = tally
        self._last_numbers = count(2**61)
        self.number = 0
        """Of the last record that came in."""
        self.fields: set[str] = set()
        """All fields that any record wants written."""

    def accept(self, stream: str, records: Iterable[Checked]) -> None:
        """Take in checked records; one that is wrong ends here."""
        good: list[Wanted] = []
        for record in records:
            self._tally.receive(record.division)
            if record.division is None or record.problems:
                self._refuse(record)
                continue
            self.number += 1
            self.fields.update(record.values)
            good.append(Wanted(self.number, record.division, record.code, stream, record.values, source=record.source))
        self._put(good)

    def accept_parked(self, changes: Iterable[PutAside]) -> None:
        """Take in what an earlier run put aside, before all that came in by this one; newer wishes overtake it."""
        old = list(changes)
        first = -len(old)
        for place, one in enumerate(old):
            self._tally.receive(one.division)
            self.fields.update(one.wanted)
            wanted = Wanted(
                first + place,
                one.division,
                one.code,
                one.stream,
                one.wanted,
                one.first_seen,
                one.attempts,
                one.source,
            )
            if not self._spool.put_unless_there(wanted):
                self._overtaken(one.division, one.code)

    def accept_deletion(self, source: Source, copies: Iterable[tuple[int, str]]) -> None:
        """Take in that a source account was deleted, of which these are the copies: division and code."""
        for division, code in copies:
            self._tally.receive(division)
            other = self._spool.source_of(division, code)
            if other not in (None, source):
                self._ledger.never_addressed(division, code, Outcome.SKIPPED, LIVES_ON)
                continue
            self.number += 1
            self._put([Wanted(self.number, division, code, DELETIONS_STREAM, {}, source=source)])

    def accept_unless_there(self, division: int, code: str, stream: str, values: Row, source: Source | None) -> bool:
        """Take in, after all that came in, what a copy should hold; unless a record for it came. Safe for threads."""
        number = next(self._last_numbers)
        if not self._spool.put_unless_there(Wanted(number, division, code, stream, values, source=source)):
            return False
        self._tally.receive(division)
        return True

    def _put(self, records: list[Wanted]) -> None:
        for division, code in self._spool.put(records):
            self._overtaken(division, code)

    def _overtaken(self, division: int, code: str) -> None:
        self._ledger.never_addressed(division, code, Outcome.SKIPPED, "Overtaken by a newer record in the same run.")

    def _refuse(self, record: Checked) -> None:
        problems = list(record.problems)
        if record.division is None and not any(problem.startswith("Division") for problem in problems):
            problems.insert(0, "Division is empty")
        where = f" ({record.origin})" if record.origin else ""
        self._ledger.never_addressed(
            record.division,
            record.code,
            Outcome.REFUSED,
            f"{ACCOUNTS.name.capitalize()} {record.code or 'without a code'} in division {record.division or '?'}"
            f"{where}: {'; '.join(problems)}. Not sent; correct it in the source and run again.",
        )
