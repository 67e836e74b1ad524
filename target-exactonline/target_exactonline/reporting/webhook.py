"""A run's summary for a webhook: counts and names of companies, nothing of a customer. Never a reason to fail."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from exactonline_client.settings import webhook_address
from exactonline_client.transport import post_json

from target_exactonline.store.runs import DivisionCounts

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5


def summary(
    *,
    started_at: datetime,
    ended_at: datetime,
    status: int,
    dry_run: bool,
    sources: Sequence[int],
    divisions: Sequence[DivisionCounts],
    calls: int,
) -> dict[str, Any]:
    """What the webhook gets. The verdict of the run is not in it: it may quote what Exact said of a customer."""
    return {
        "program": "target-exactonline",
        "started_at": started_at.isoformat(timespec="seconds"),
        "ended_at": ended_at.isoformat(timespec="seconds"),
        "exit_status": status,
        "dry_run": dry_run,
        "sources": list(sources),
        "calls": calls,
        "received": sum(division.received for division in divisions),
        "outcomes": dict(sum((Counter(division.outcomes) for division in divisions), Counter())),
        "divisions": [asdict(division) for division in divisions],
    }


class Webhook:
    """Where a run's summary goes, if anywhere.

    Raises:
        ConfigurationError: The address cannot be used; found before anything is written to Exact.
    """

    def __init__(self, config: Mapping[str, Any], *, program: str) -> None:
        self._address = webhook_address(config.get("webhook_url"))
        self._program = program

    def send(self, content: Mapping[str, Any]) -> None:
        """Send it once; what goes wrong is logged and changes nothing."""
        if self._address is None:
            return
        body = json.dumps(content).encode()
        problem = post_json(self._address, body, program=self._program, timeout_seconds=TIMEOUT_SECONDS)
        if problem is not None:
            logger.warning("The webhook did not take the summary of this run (%s); the run itself is as told.", problem)
