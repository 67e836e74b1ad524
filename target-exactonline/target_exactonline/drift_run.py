"""A run that looks for what people changed in the companies, and writes nothing to them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from target_exactonline.applying.drifting import DriftLane
from target_exactonline.applying.lane import Lane
from target_exactonline.applying.task import Shared, Task
from target_exactonline.run import Run

logger = logging.getLogger(__name__)


class DriftRun(Run):
    """Compares what was written with what is there."""

    def __init__(self, config: Mapping[str, Any], *, program: str) -> None:
        trial = {**config, "dry_run": True, "reconcile": False, "report_path": None, "webhook_url": None}
        super().__init__(trial, program=program, stop=threading.Event(), logger=logger)
        self.found: list[dict[str, Any]] = []

    def look(self, division: int | None) -> int:
        """Look into all companies that hold copies, or into one; return the exit status."""
        known = self._memory.known(self._connections.sites).values()
        wanted = [one.division for one in known if division in (None, one.division)]
        self.parts.recall(self._database, self._memory.companies, self._connections.sites)
        if wanted:
            self._go(self._usable(wanted, set(wanted), self._divisions(wanted)))
        return self.end()

    def _lane(self, task: Task, shared: Shared) -> Lane:
        return DriftLane(task, shared, self.found.append)
