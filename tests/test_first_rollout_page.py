"""Every command of docs/first-rollout.md, run as it stands there, in companies that have customers of their own."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from sandbox_driver import customer
from test_documents_run import CODES, blocks, checkout, run

PAGE = "docs/first-rollout.md"
SOURCE, NORTH, SOUTH = CODES
VAT = {10042: "BE0403019261", 10043: "BE0417497106"}


def known(number: int, **fields: Any) -> dict[str, Any]:
    return customer(number, **{"VATNumber": VAT.get(number), "Phone": None, **fields})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout whose companies know two of four customers, one of them twice, and somebody else under a code."""
    here = [known(10042, Code="20077"), known(10043, Code="20078"), known(10043, Code="20079")]
    another = {"Code": "10044", "Name": "Bakkerij De Zon", "Status": "C", "Email": "brood@dezon.example"}
    held = {SOURCE: [known(number) for number in range(10042, 10046)], NORTH: [*here, another], SOUTH: []}
    return checkout(tmp_path, held)


def accounts(folder: Path, division: int) -> dict[str, str]:
    said = run(folder, f"exactonline-sandbox accounts {division} --db .exactonline/world.db")
    return {row["Code"].strip(): row["Name"] for row in json.loads(said)}


def blocked(folder: Path, division: int) -> set[str]:
    said = run(folder, f"exactonline-sandbox accounts {division} --db .exactonline/world.db")
    return {row["Code"].strip() for row in json.loads(said) if row.get("Blocked")}


def matches(folder: Path) -> dict[str, tuple[str, str | None]]:
    lines = [json.loads(line) for line in run(folder, "target-exactonline-store matches --json").splitlines()]
    return {line["code"]: (line["state"], line["target_code"]) for line in lines if line["division"] == NORTH}


@pytest.mark.timeout(600)
def test_every_command_of_the_page_does_what_the_page_says(folder: Path) -> None:
    rules, preview, first, listed, decisions, sheet, again, undo, release, redo = blocks(PAGE)
    before = accounts(folder, NORTH)

    run(folder, rules.text)
    run(folder, preview.text)

    assert accounts(folder, NORTH) == before
    run(folder, first.text)
    assert accounts(folder, NORTH) == {**before, "10045": "Klant 10045 B.V."}
    assert matches(folder) == {"10042": ("tied", "20077"), "10043": ("ambiguous", None), "10044": ("collision", None)}
    assert "20078" in run(folder, listed.text)

    run(folder, decisions.text)
    assert matches(folder) == {"10042": ("as_new", None), "10043": ("tied", "20079"), "10044": ("left_out", None)}

    run(folder, sheet.text.splitlines()[0])
    with (folder / "matches.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["by"] for row in csv.DictReader(file) if row["division"] == str(NORTH)} == {"A. de Boer"}
    run(folder, sheet.text)
    run(folder, again.text)
    assert accounts(folder, NORTH) == {**before, "10045": "Klant 10045 B.V.", "10042": "Klant 10042 B.V."}

    run(folder, undo.text)
    assert blocked(folder, NORTH) == {"10042"}
    run(folder, redo.text)
    assert blocked(folder, NORTH) == set()
    run(folder, undo.text)
    run(folder, release.text)
    run(folder, again.text)
    assert blocked(folder, NORTH) == set()
