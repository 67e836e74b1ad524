"""What a run came to, as metrics of the Singer SDK: Meltano and whoever reads the log find numbers in them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exactonline_client.plugin import Measure, measured
from singer_sdk import metrics

from target_exactonline.store.runs import DivisionCounts

logger = logging.getLogger(metrics.METRICS_LOGGER_NAME)


def log(
    divisions: Sequence[DivisionCounts],
    calls: Mapping[int | None, int],
    waited_seconds: Mapping[int | None, float],
) -> None:
    """Log calls, waits and outcomes, each by division."""
    for measure, value, tags in (*measured(calls, waited_seconds), *_outcomes(divisions)):
        # The SDK's own list of names is closed; it takes no more of a name than its value.
        metrics.log(logger, metrics.Point("counter", measure, value, tags))  # type: ignore[arg-type]


def _outcomes(divisions: Sequence[DivisionCounts]) -> Iterator[tuple[Measure, float, dict[str, Any]]]:
    for division in divisions:
        for outcome, count in division.outcomes.items():
            if count:
                yield Measure.OUTCOMES, count, {"division": division.code, "outcome": outcome}
