"""The program of docs/approval.md, on the history of a customer whose telephone number many hands changed."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project
from singer_group import NORTH, SOUTH, Group, all_of, store_command
from test_documents_run import ROOT
from warm_start import BIN

ANNA, BERT = "Anna de Boer", "Bert Smit"
RULES = ["Code", "VATNumber"]


@pytest.fixture
def group(project: Project, monkeypatch: pytest.MonkeyPatch) -> Group:
    """A company that has the customer under another code, with the number that it had long ago."""
    monkeypatch.setenv("EXACTONLINE_RUN_BY", ANNA)
    group = Group(project, "fan_out")
    source = [customer(1, VATNumber="BE0403019261", Phone="1"), customer(2)]
    here = {**source[0], "Code": "30"}
    group.sandbox.reset(small_world(accounts={SOURCE: source, NORTH: [here], SOUTH: [{**here, "Phone": "0"}]}))
    return group


def run(group: Group, **settings: object) -> str:
    ran = group.run(all_of(NORTH, SOUTH), match_on=RULES, **settings)
    assert ran.status == 0, ran.log
    return str(json.loads(store_command(group.project, "runs", "--json").splitlines()[0])["id"])


def answers(group: Group) -> list[str]:
    """What the program of the page prints of customer 1 in one of the companies."""
    history = group.project.folder / "history.jsonl"
    history.write_text(store_command(group.project, "history", "--all", "--json"), encoding="utf-8")
    page = (ROOT / "docs/approval.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in program.splitlines() if line]) <= 10
    command = [BIN / "python", "-c", program.replace("2000101", str(NORTH))]
    done = subprocess.run(command, cwd=group.project.folder, capture_output=True, text=True, check=True)
    return [re.sub(r"^\S+T\S+: ", "", line).strip() for line in done.stdout.splitlines()]


def test_it_says_who_changed_the_field_when_why_and_who_approved_it(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(group)
    group.sandbox.edit(SOURCE, "1", Phone="2")
    run(group, require_approval=["updates"])
    store_command(group.project, "approve", "--run", "last", "--by", BERT)
    approved = run(group, require_approval=["updates"])
    group.sandbox.advance(3600)
    group.sandbox.edit(NORTH, "30", Phone="3")
    monkeypatch.setenv("EXACTONLINE_RUN_BY", "night job")
    restored = run(group, reconcile=True)
    store_command(group.project, "undo", "--run", restored, "--field", "Phone", "--by", "C. Vos")

    found = answers(group)

    assert [line.rpartition(" ")[0] if ", run " in line else line for line in found] == [
        f"1 -> 2, updated by {ANNA}, run",
        f"approved by {BERT}, tied by VATNumber: as the source has it",
        "3 -> 2, updated by night job, run",
        found[3],
        "2 -> 3, updated by C. Vos, run",
        f"approved by None, tied by VATNumber: Undone: run {restored}.",
    ]
    assert found[0].endswith(approved)
    assert found[3].startswith("approved by None, tied by VATNumber: It was not as it was written before: modified ")


def test_a_tie_that_changed_nothing_is_in_the_history_with_its_rule(group: Group) -> None:
    rollout = run(group)
    store_command(group.project, "undo", "--run", rollout, "--by", ANNA)

    lines = [json.loads(line) for line in store_command(group.project, "history", "--all", "--json").splitlines()]

    ties = [line for line in lines if (line["division"], line["code"]) == (NORTH, "1")]
    names = ("action", "outcome", "matched_on", "target_code", "started_by")
    assert [tuple(line[name] for name in names) for line in ties] == [
        ("tie", "unchanged", "VATNumber", "30", ANNA),
        ("untie", "unchanged", "VATNumber", "30", ANNA),
    ]
    assert ties[1]["reason"] == f"Undone: run {rollout}."
