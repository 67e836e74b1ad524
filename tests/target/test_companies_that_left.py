"""A company that was archived since the list of all companies was read, where the settings name no targets."""

from typing import Any

import pytest
from command_driver import Command
from sandbox_driver import SOURCE, customer, small_world
from singer_driver import Project, Ran

MANY = range(201, 262)
"""More than are listed each time, so that the list is kept for a day."""
NORTH, SOUTH = 201, 202
ALL_ACTIVE: dict[str, Any] = {"exclude_divisions": list(MANY[2:])}


def copied(project: Project, before: Ran | None, *, with_mapper: bool) -> Ran:
    read = project.read(state=before.state if before else None)
    assert read.status == 0, read.log
    if not with_mapper:
        return project.load(read.output, fan_out=ALL_ACTIVE)
    return project.load(project.mapper.run_here(ALL_ACTIVE, given=read.output).output)


@pytest.mark.parametrize("with_mapper", [False, True])
def test_a_company_that_the_kept_list_still_shows_as_active_is_left_out_until_it_is(
    project: Project, with_mapper: bool
) -> None:
    sandbox = project.sandbox
    sandbox.reset(small_world(1, targets=MANY, accounts={NORTH: [customer(1)], SOUTH: [customer(1)]}))
    first = copied(project, None, with_mapper=with_mapper)
    sandbox.change_division(NORTH, status=2)
    sandbox.edit(SOURCE, "1", City="Ede")

    second = copied(project, first, with_mapper=with_mapper)

    assert (first.status, second.status) == (0, 0)
    assert "The target division 201 (Company 201) is archived" in second.log
    assert [(line["division"], line["outcome"]) for line in project.outcomes] == [(SOUTH, "updated")]
    assert second.state not in (None, first.state)
    assert project.writes(NORTH) == []

    sandbox.change_division(NORTH, status=1)
    assert Command(sandbox, project.folder).run("status").status == 0  # reads the list from Exact
    third = copied(project, second, with_mapper=with_mapper)

    assert third.status == 0
    assert sandbox.account(NORTH, "1")["City"] == "Ede"
