"""References to accounts that the plan itself makes: set once these have their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from exactonline_client.entities import Entity

from target_exactonline.planning.model import Desired, NotSent, Update
from target_exactonline.planning.situations import Situations
from target_exactonline.planning.terms import Candidate
from target_exactonline.store.plans import Change
from target_exactonline.store.rows import RECORDS_AT_A_TIME, pages

LAST = 3
"""Rank of what builds on creates."""


class Late(NamedTuple):
    """A record that refers to accounts which may get their rows in this plan."""

    candidate: Candidate
    awaited: Sequence[NotSent]
    is_planned: bool
    """Whether the plan has a change of it already."""


class LateReferences:
    """What of one plan waits for the rest of it."""

    def __init__(self, entity: Entity, situations: Situations) -> None:
        self._entity = entity
        self._situations = situations
        self._waiting: list[Late] = []

    def take(self, candidate: Candidate, desired: Desired | None, *, is_planned: bool) -> bool:
        """Put a record aside if it refers to an account that may come; return whether it was."""
        if desired is None or candidate.is_last or candidate.change is not None:
            return False
        own, of = self._entity.stream, self._entity.references
        awaited = [one for one in desired.not_sent if one.waits and of[one.field].list == own]
        if awaited:
            self._waiting.append(Late(candidate, awaited, is_planned))
        return bool(awaited)

    def pages(self) -> Iterator[Sequence[Late]]:
        """Yield what waited, once."""
        waiting, self._waiting = self._waiting, []
        yield from pages(waiting, RECORDS_AT_A_TIME)

    def change(self, late: Late, desired: Desired | None, rank: int) -> Change | None:
        """Return the change that sets what refers to rows of this plan, which has yet to be resolved; or None."""
        there = desired.values if desired is not None else {}
        coming = {
            one.field: (None, one.code)
            for one in late.awaited
            if self._situations.is_claimed(one.code) or there.get(one.field) is not None
        }
        if not coming:
            return None
        source = late.candidate.source
        origin = source.record.key if source.number < 0 else None
        return Change(
            source.number, source.record.code, Update("", coming), rank + LAST, origin=origin, is_second=late.is_planned
        )
