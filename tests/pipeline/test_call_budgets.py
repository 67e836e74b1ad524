"""How many calls a copy of N accounts into M divisions may take."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from sandbox_driver import SOURCE, Sandbox, customer, small_world
from singer_driver import Project

PAGE = 10


def split(project: Project) -> tuple[list[dict[str, Any]], int]:
    """The writes since the journal was emptied, and the number of all other calls but those to log in."""
    writes = project.writes()
    return writes, project.sandbox.calls() - len(writes)


N = 1100
"""More than a page of a feed holds, which is 1,000."""
THE_LAST_HOUR = 2 * 4
"""Pages of the rows that were written within the hour, in three companies and the source, which are read again since
others may have been committed late among them."""


@pytest.mark.timeout(900)
def test_more_accounts_than_a_page_holds_into_three_companies_stay_within_the_budgets(
    sandbox_factory: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = sandbox_factory(small_world(N))
    project = Project(sandbox, tmp_path)

    read = project.read()
    loaded = project.load(read.output, fan_out={})
    writes, others = split(project)
    assert (loaded.status, len(writes)) == (0, 3 * N)
    assert {call["method"] for call in writes} == {"POST"}
    assert others <= 13
    assert [len(sandbox.codes(division)) for division in (201, 202, 203)] == [N] * 3

    sandbox.forget_calls()
    project.copy()
    writes, others = split(project)
    assert writes == []
    assert others <= 13 + THE_LAST_HOUR

    for number in range(1, N, N // 20):
        sandbox.edit(SOURCE, str(number), City="Maastricht", Postcode="6211 AA")
    sandbox.forget_calls()
    read = project.read(state=loaded.state)
    loaded = project.load(read.output, fan_out={})
    writes, others = split(project)
    assert [call["method"] for call in writes] == ["PUT"] * 60
    assert {tuple(sorted(call["body"])) for call in writes} == {("City", "Postcode")}
    assert others <= 11 + THE_LAST_HOUR

    sandbox.forget_calls()
    project.copy(state=loaded.state)
    assert sandbox.calls() <= 5
    assert split(project)[0] == []


@pytest.mark.parametrize(("accounts", "divisions"), [(1, 1), (PAGE, 1), (PAGE + 1, 2), (35, 3), (25, 6)])
def test_a_first_load_takes_a_create_per_copy_and_few_other_calls(
    project: Project, accounts: int, divisions: int
) -> None:
    targets = range(201, 201 + divisions)
    pages = {"sync": PAGE, "bulk": PAGE}
    project.sandbox.reset(small_world(accounts, targets=targets, limits={"page_sizes": pages}))

    loaded = project.copy()

    writes, others = split(project)
    assert loaded.status == 0
    assert len(writes) == accounts * divisions
    assert others <= ceil(accounts / PAGE) + 2 * divisions + 5


@pytest.mark.parametrize("divisions", [1, 3, 6])
def test_a_run_in_which_nothing_changed_takes_five_calls_at_most(project: Project, divisions: int) -> None:
    project.sandbox.reset(small_world(5, targets=range(201, 201 + divisions)))
    state = project.copy().state
    project.sandbox.forget_calls()

    loaded = project.copy(state=state)

    assert loaded.status == 0
    assert project.sandbox.calls() <= 5
    assert project.writes() == []


def test_a_change_in_one_company_alone_is_not_written_to_the_others(project: Project) -> None:
    state = project.copy().state
    project.sandbox.advance(60)
    project.sandbox.edit(202, "2", City="Delft")
    project.sandbox.edit(SOURCE, "2", Phone="030-7654321")
    project.sandbox.forget_calls()

    project.copy(state=state)

    bodies = {call["division"]: call["body"] for call in project.writes()}
    assert bodies == {
        201: {"Phone": "030-7654321"},
        202: {"Phone": "030-7654321", "City": "Utrecht"},
        203: {"Phone": "030-7654321"},
    }


def test_companies_that_hold_the_same_already_get_no_write(project: Project) -> None:
    customers = [customer(number) for number in range(1, 4)]
    project.sandbox.reset(small_world(accounts={201: customers, 202: customers, 203: customers}))

    project.copy()

    assert project.writes() == []
