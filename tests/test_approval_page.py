"""Every command and program of docs/approval.md, run as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from sandbox_driver import customer
from test_documents_run import CODES, ROOT, blocks, checkout, run

PAGE = "docs/approval.md"
SOURCE, NORTH, SOUTH = CODES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout whose companies are empty."""
    return checkout(tmp_path, {SOURCE: [customer(number) for number in (1, 2)], NORTH: [], SOUTH: []})


@pytest.mark.timeout(600)
def test_every_command_of_the_page_does_what_the_page_says(folder: Path) -> None:
    waiting, approving, drift, evidence, program = blocks(PAGE)
    (adopting,) = re.findall(r"`(target-exactonline-store adopt[^`]*)`", (ROOT / PAGE).read_text(encoding="utf-8"))

    def held() -> list[str]:
        said = run(folder, f"exactonline-sandbox accounts {NORTH} --db .exactonline/world.db")
        return sorted(row["Code"].strip() for row in json.loads(said))

    run(folder, waiting.text)
    assert held() == []

    said = run(folder, approving.text)
    assert len(re.findall('"approved_by": "B. Smit"', said)) == 4
    run(folder, waiting.text)
    assert held() == ["1", "2"]

    assert run(folder, drift.text).strip() == ""
    assert "Phone" in run(folder, adopting)
    run(folder, evidence.text)
    (folder / "look.py").write_text(program.text, encoding="utf-8")
    found = run(folder, "python look.py")
    assert "None -> 030-1234567, created by " in found
    assert "approved by B. Smit" in found
