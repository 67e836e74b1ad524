"""Bank accounts whose number changed: the new row comes first, and the old one is blocked whatever happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest
from child_life import iban
from child_target import Family
from click.testing import CliRunner
from quick_waits import short_waits
from sandbox_driver import SOURCE, small_world
from singer_children import lines
from singer_driver import Project
from singer_group import NORTH, SOUTH, all_of
from target_driver import InProcessTarget
from target_exactonline.cli.store_command import main as store_command

FIRST, SECOND, THIRD = map(iban, (1, 2, 3))
LOOK_SECONDS = 0.01


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with short_waits():
        yield


@pytest.fixture
def family(target: InProcessTarget) -> Family:
    """One account with one bank account, which every company has, and whose number has changed since."""
    rows = {"BankAccounts": [{"Account": "1", "BankAccount": FIRST, "Main": True}]}
    target.sandbox.reset(small_world(1, children={SOURCE: rows}))
    family = Family(target)
    family.sync()
    change(family, SECOND)
    return family


def change(family: Family, number: str) -> None:
    (row,) = family.sandbox.children(SOURCE, "BankAccounts")
    family.sandbox.fill_children(SOURCE, "BankAccounts", [{"ID": row["ID"], "BankAccount": number}])


def numbers(family: Family, division: int = NORTH) -> dict[str, bool]:
    """Whether each number is blocked; a number that is there twice is an error."""
    rows = family.sandbox.children(division, "BankAccounts")
    assert len({row["BankAccount"] for row in rows}) == len(rows)
    return {row["BankAccount"]: row["Blocked"] for row in rows}


DONE = {FIRST: True, SECOND: False}


def is_quiet(family: Family) -> bool:
    family.sandbox.forget_calls()
    family.sync()
    return family.writes() == 0


@pytest.mark.parametrize("when", ["before it is carried out", "once it is"])
def test_a_run_that_is_killed_in_between_leaves_the_old_number_to_the_next_one(
    family: Family, tmp_path: Path, when: str
) -> None:
    sandbox = family.sandbox
    method, applied = ("PUT", False) if when.startswith("before") else ("POST", True)
    sandbox.fault(
        "slow", seconds=20, applied=applied, method=method, endpoint="crm/BankAccounts", division=NORTH, times=1
    )
    sandbox.forget_calls()
    project = Project(sandbox, tmp_path)
    source = tmp_path / "killed.input"
    source.write_text(lines({"accounts": [], **family.told()}), encoding="utf-8")
    settings = {"fan_out": all_of(NORTH), "bank_accounts_unapproved": True}
    process = project.target.start(project.target_config(**settings), "--input", str(source))
    while process.poll() is None and SECOND not in numbers(family):
        sleep(LOOK_SECONDS)
    process.kill()
    process.communicate()
    assert numbers(family) == {FIRST: False, SECOND: False}

    family.sync()

    assert numbers(family) == DONE
    assert numbers(family, SOUTH) == DONE
    assert is_quiet(family)


@pytest.mark.parametrize("told_again", [True, False])
def test_a_block_that_had_to_wait_is_carried_out_later(family: Family, told_again: bool) -> None:
    sandbox = family.sandbox
    sandbox.fault("status", status=503, body="", method="PUT", endpoint="crm/BankAccounts", division=NORTH, times=90)
    family.sync()
    assert numbers(family) == {FIRST: False, SECOND: False}
    sandbox.clear_faults()

    family.sync(told=None if told_again else {})

    assert numbers(family) == DONE
    assert is_quiet(family)


def test_a_number_that_changes_again_meanwhile_leaves_two_to_block(family: Family) -> None:
    sandbox = family.sandbox
    sandbox.fault("status", status=503, body="", method="PUT", endpoint="crm/BankAccounts", division=NORTH, times=90)
    family.sync()
    change(family, THIRD)
    sandbox.clear_faults()

    family.sync()

    assert numbers(family) == {FIRST: True, SECOND: True, THIRD: False}
    assert is_quiet(family)


def test_a_block_that_exact_refuses_is_told_and_not_sent_again(family: Family) -> None:
    family.sandbox.fault("error", text="Niet toegestaan", method="PUT", endpoint="crm/BankAccounts", times=90)
    ran = family.sync()
    assert [(line["outcome"], line["kind"]) for line in ran.outcomes if line["outcome"] == "refused"] == [
        ("refused", "rejected")
    ] * 2

    assert is_quiet(family)
    family.sandbox.clear_faults()
    family.sync(retry_refused=True)

    assert numbers(family) == DONE


def test_a_row_that_somebody_deletes_meanwhile_needs_no_block(family: Family) -> None:
    sandbox = family.sandbox
    sandbox.fault("status", status=503, body="", method="PUT", endpoint="crm/BankAccounts", division=NORTH, times=90)
    family.sync()
    sandbox.clear_faults()
    (old,) = [row["ID"] for row in sandbox.children(NORTH, "BankAccounts") if row["BankAccount"] == FIRST]
    sandbox.remove_child(NORTH, "BankAccounts", old)

    family.sync()

    assert numbers(family) == {SECOND: False}
    assert is_quiet(family)


def test_a_create_of_which_nothing_is_known_is_not_sent_again(family: Family) -> None:
    """Exact has no feed of bank accounts: only a full reading shows what was created."""
    sandbox, where = family.sandbox, {"endpoint": "crm/BankAccounts", "division": NORTH}
    sandbox.fault("lost_answer", method="POST", **where, times=1)
    sandbox.fault("status", status=503, body="", method="GET", **where, times=90)
    family.sync()
    sandbox.clear_faults()

    family.sync()
    family.sync()

    assert numbers(family) == DONE
    assert is_quiet(family)


def test_a_new_number_goes_once_it_is_approved(family: Family, tmp_path: Path) -> None:
    family.sync(bank_accounts_unapproved=False)
    assert numbers(family) == {FIRST: False}
    config = tmp_path / "store.json"
    config.write_text(json.dumps(family.target.config()), encoding="utf-8")
    approve = ["approve", "--run", "last", "--by", "B. Smit", "--config", str(config)]
    assert CliRunner().invoke(store_command, approve, catch_exceptions=False).exit_code == 0

    family.sync(bank_accounts_unapproved=False)

    assert numbers(family) == DONE
