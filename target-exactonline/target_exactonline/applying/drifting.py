"""Looks for what people changed in one company, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exactonline_client import odata
from exactonline_client.errors import ExactError
from exactonline_client.exchange import Waiting

from target_exactonline.applying.endings import CompanyGivenUpError
from target_exactonline.applying.lane import Lane
from target_exactonline.applying.task import Shared, Task
from target_exactonline.planning.drift import Drift, drifts
from target_exactonline.store.rows import pages

ASKED_AT_A_TIME = 25
"""Rows in one filter; an address is good for about 2,000 characters."""
MODIFIED_BY = "ModifierFullName"


class DriftLane(Lane):
    """The looking into one company."""

    def __init__(self, task: Task, shared: Shared, tell: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(task, shared)
        self._tell = tell

    def _work(self) -> Waiting[None]:
        division, memory, entity = self._task.division.code, self._shared.memory, self._entity
        try:
            yield from self._refresh()
            for numbers in memory.copies.all(self._task.number):
                found = self._drifts(numbers)
                names = yield from self._modifiers(list({one.target_id for one in found if one.field is not None}))
                for one in found:
                    self._tell(one.as_object(division, entity.stream, names.get(one.target_id)))
        except (ExactError, CompanyGivenUpError) as error:
            self.fault = str(error)

    def _drifts(self, numbers: Sequence[int]) -> list[Drift]:
        memory, rules = self._shared.memory, self._task.rules
        kept = memory.copies.of(self._task.number, numbers)
        rows = self._mirror.by_id([one.copy.target_id for one in kept.values() if one.copy.target_id])
        found: list[Drift] = []
        for one in kept.values():
            row = rows.get(one.copy.target_id or "")
            found += drifts(self._entity, one.with_row(row), row, rules)
        return found

    def _modifiers(self, ids: Sequence[str]) -> Waiting[dict[str, str]]:
        """Return who changed rows last, by Exact's word."""
        entity, names = self._entity, dict[str, str]()
        for some in pages(ids, ASKED_AT_A_TIME):
            page = yield from self._task.client.page(
                entity,
                self._task.division.code,
                variant="bulk",
                select=(entity.key, MODIFIED_BY),
                where=odata.any_of(entity.fields[entity.key], some),
            )
            names |= {row[entity.key]: row[MODIFIED_BY] for row in page.rows if row.get(MODIFIED_BY)}
        return names
