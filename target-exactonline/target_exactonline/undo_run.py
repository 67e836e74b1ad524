"""A run that takes back what an earlier one did: within the same limits, and with a history of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from exactonline_client.errors import ConfigurationError

from target_exactonline.applying.lane import Lane
from target_exactonline.applying.task import Shared, Task
from target_exactonline.applying.undoing import Earlier, UndoLane
from target_exactonline.planning.undo import Done
from target_exactonline.run import Run
from target_exactonline.store.history import History

logger = logging.getLogger(__name__)


class UndoRun(Run):
    """Takes back what one run did, in all companies or in one."""

    def __init__(self, config: Mapping[str, Any], run_id: str, *, code: str | None, delete: bool, program: str) -> None:
        super().__init__(
            {**config, "fan_out": None, "reconcile": False}, program=program, stop=threading.Event(), logger=logger
        )
        self._history = History(self._database, self._connections.sites)
        self._numbers = self._history.runs_of(run_id)
        self._code = code
        self._delete = delete
        self._reason = f"Undone: run {run_id}."
        if not self._numbers:
            raise ConfigurationError(f"The store knows no run {run_id}; `target-exactonline-store runs` lists them.")

    @property
    def sites(self) -> list[str]:
        """Return the sites of this run."""
        return self._connections.sites

    @property
    def number(self) -> int:
        """Return the number of this run in the store."""
        return self._kept.number

    def undo(self, division: int | None) -> int:
        """Take it back, and return the exit status."""
        known = self._memory.known(self._connections.sites)
        companies = [known[one] for one in self._history.companies_of(self._numbers) if one in known]
        wanted = [one for one in companies if division in (None, one.division)]
        if wanted:
            reach = self._divisions([one.division for one in wanted])
            self._go(self._usable([one.division for one in wanted], {one.division for one in wanted}, reach))
        return self.end()

    def _lane(self, task: Task, shared: Shared) -> Lane:
        return UndoLane(task, shared, partial(self._earlier, task.number), delete=self._delete, reason=self._reason)

    def _earlier(self, company: int) -> Iterator[Sequence[Earlier]]:
        for page in self._history.done(self._numbers, company, self._code):
            yield [
                Earlier(source, code, Done(action, fields, target_id), rule)  # type: ignore[arg-type] # one of the actions
                for source, code, action, fields, target_id, rule in page
            ]
