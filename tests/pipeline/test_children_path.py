"""What belongs to accounts, from the tap to every company, without and with the mapping step."""

from __future__ import annotations

from typing import Any

import pytest
from child_world import CHILDREN
from sandbox_driver import SOURCE, TARGETS, small_world
from singer_children import ENTITIES, held
from singer_driver import Project, Ran

QUIET = 7
"""Calls of a run after which nothing changed: divisions, and rows and deletions of accounts, contacts and addresses."""


@pytest.fixture(params=["fan_out", "mapping step"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def copied(project: Project, way: str, state: Any = None) -> Ran:
    """What the tap read, once the companies have it."""
    project.sandbox.forget_calls()
    streams = ("divisions", "accounts", "deleted_accounts", *ENTITIES)
    read = project.read("--catalog", project.selection(*streams), state=state)
    assert read.status == 0, read.log
    settings = {"bank_accounts_unapproved": True, "on_source_deletion": "block"}
    if way == "fan_out":
        loaded = project.load(read.output, fan_out={}, **settings)
    else:
        loaded = project.load(project.mapper.run_here({}, given=read.output).output, **settings)
    assert loaded.status == 0, loaded.log
    return read


def test_every_company_holds_what_the_source_holds_and_a_quiet_run_writes_nothing(project: Project, way: str) -> None:
    project.sandbox.reset(small_world(children={SOURCE: CHILDREN}))

    first = copied(project, way)
    copied(project, way, first.state)

    for stream in ENTITIES:
        source = held(project.sandbox, SOURCE, stream)
        assert [held(project.sandbox, division, stream) for division in TARGETS] == [source] * len(TARGETS)
    assert (project.writes(), project.sandbox.calls()) == ([], QUIET)


def test_a_contact_that_was_deleted_ends_in_every_company(project: Project, way: str) -> None:
    project.sandbox.reset(small_world(children={SOURCE: CHILDREN}))
    first = copied(project, way)
    (smit,) = (row for row in project.sandbox.children(SOURCE, "Contacts") if row["LastName"] == "Smit")
    project.sandbox.remove_child(SOURCE, "Contacts", smit["ID"])

    copied(project, way, first.state)

    assert [
        (call["division"], list(call["body"])) for call in sorted(project.writes(), key=lambda one: one["division"])
    ] == [(division, ["EndDate"]) for division in TARGETS]
