"""A run that takes back what an earlier one did: within the same limits, and with a history of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from exactonline_client.errors import ConfigurationError

from target_exactonline.applying.lane import Lane
from target_exactonline.applying.task import Shared, Task
from target_exactonline.applying.undoing import UndoLane
from target_exactonline.planning.undo import Taking
from target_exactonline.run import Run
from target_exactonline.store.history import History

logger = logging.getLogger(__name__)

LAST = "last"
"""In the place of a run's id: the newest that changed anything."""


class UndoRun(Run):
    """Takes back what one run did, in all companies or in one."""

    def __init__(self, config: Mapping[str, Any], taking: Taking, *, code: str | None, program: str) -> None:
        fixed = {
            "fan_out": None,
            "reconcile": False,
            "on_source_deletion": "block",
        }  # so that it is read what is blocked
        super().__init__({**config, **fixed}, program=program, stop=threading.Event(), logger=logger)
        self._history = History(self._database, self._connections.sites)
        self._taking = replace(taking, run=self._history.newest() or LAST) if taking.run == LAST else taking
        self._numbers = self._history.runs_of(self._taking.run)
        self._code = code
        if not self._numbers:
            raise ConfigurationError(
                f"The store knows no run {taking.run}; `target-exactonline-store runs` lists them."
            )

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
        earlier = partial(self._history.done, self._numbers, task.number, shared.memory.entity.stream, self._code)
        return UndoLane(task, shared, earlier, self._taking)
