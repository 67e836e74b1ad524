"""What Meltano makes of our logs: one JSON object a line, with our measures as numbers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from meltano_driver import MeltanoProject
from sandbox_driver import Sandbox


@pytest.mark.timeout(300)
def test_meltano_finds_our_measures_in_our_logs(sandbox: Sandbox, tmp_path: Path) -> None:
    project = MeltanoProject(sandbox, tmp_path / "project")

    ran = project.ask("--log-format=json", "run", "tap-exactonline", "target-exactonline")

    assert ran.status == 0, ran.log
    lines = [json.loads(line) for line in ran.log.splitlines()]
    of_plugins = [line for line in lines if line.get("string_id") in {"tap-exactonline", "target-exactonline"}]
    assert {line["string_id"] for line in of_plugins} == {"tap-exactonline", "target-exactonline"}
    measured = Counter(
        (line["string_id"], line["metric_info"]["metric"]) for line in of_plugins if line.get("metric_info")
    )
    assert measured["tap-exactonline", "exact_calls"] > 0
    assert measured["target-exactonline", "exact_calls"] > 0
    assert measured["target-exactonline", "record_outcomes"] == len(sandbox.journal(method="POST")) // 3
