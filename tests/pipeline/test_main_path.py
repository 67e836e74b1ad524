"""The main job, four ways: by Meltano and by plain pipes, each without and with the mapping step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from meltano_driver import MeltanoProject
from sandbox_driver import SOURCE, Sandbox, World, customer, small_world
from singer_driver import Project, outcomes, piped

NORTH, SOUTH, EMPTY, ARCHIVED = TARGETS = (201, 202, 203, 204)
MADE_BY_THE_SERVER = {"ID", "Timestamp", "Created", "Modified"}
SOURCE_CUSTOMERS = 6
Companies = dict[int, list[dict[str, Any]]]


def world() -> World:
    """Companies that hold some of the customers already, one under another name, and parties of their own."""
    same = customer(1)
    source = [
        same,
        customer(2, Name="Café Ísafjörður, Ærø & Zoë N.V.", Country="BE", Language="FR", VATNumber="BE0403019261"),
        customer(3, Name="Scheepswerf Noord B.V.", ChamberOfCommerce="22031977"),
        customer(4, IsSupplier=True, Website="https://klant4.example", Phone=None, Email=None),
        customer(5, Email="jan@@bakker"),
        customer(60001, Name="R" * 50, AddressLine2="t.a.v. 'de boekhouding'", EstablishedDate="2019-07-01T00:00:00"),
    ]
    accounts = {
        SOURCE: source,
        NORTH: [same, customer(4, City="Breda"), customer(900, Name="Eigen klant")],
        SOUTH: [customer(3, Name="Bakkerij Zuid", ChamberOfCommerce="34110987")],
    }
    return small_world(targets=TARGETS, accounts=accounts, divisions={ARCHIVED: {"status": 2}})


def companies(sandbox: Sandbox) -> Companies:
    """What every division holds, but for what the server makes anew each time."""
    return {
        division: [
            {name: value for name, value in account.items() if name not in MADE_BY_THE_SERVER}
            for account in sandbox.accounts(division)
        ]
        for division in (SOURCE, *TARGETS)
    }


def run_pipes(sandbox: Sandbox, folder: Path, *, with_mapper: bool) -> None:
    folder.mkdir()
    project = Project(sandbox, folder)
    tap = project.tap.command(project.tap_config())
    mapper = [project.mapper.command({})] if with_mapper else []
    target = project.target.command(project.target_config(**({} if with_mapper else {"fan_out": {}})))
    ran = piped(tap, *mapper, target)
    assert [one.status for one in ran] == [0] * len(ran), ran[-1].log


@pytest.mark.timeout(900)
def test_four_ways_end_in_the_same_state_and_meltano_starts_its_next_run_there(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.reset(world())
    run_pipes(sandbox, tmp_path / "pipes", with_mapper=False)
    by_pipes = companies(sandbox)

    sandbox.reset(world())
    run_pipes(sandbox, tmp_path / "mapped", with_mapper=True)
    by_mapped_pipes = companies(sandbox)

    sandbox.reset(world())
    mapped = MeltanoProject(sandbox, tmp_path / "mapped-meltano")
    mapped.run("tap-exactonline", "fan-out", "target-exactonline")
    by_mapped_meltano = companies(sandbox)

    sandbox.reset(world())
    meltano = MeltanoProject(sandbox, tmp_path / "meltano")
    meltano.run("tap-exactonline", "target-exactonline")
    by_meltano = companies(sandbox)

    assert by_mapped_pipes == by_pipes
    assert by_mapped_meltano == by_pipes
    assert by_meltano == by_pipes
    assert len(outcomes(mapped.folder / "output" / "sandbox")) == SOURCE_CUSTOMERS * 3

    sandbox.forget_calls()
    meltano.run("tap-exactonline", "target-exactonline")

    assert sandbox.calls() <= 5
    assert {call["method"] for call in sandbox.journal()} == {"GET"}


def test_the_main_job_leaves_each_company_with_the_customers_that_may_go_there(
    sandbox: Sandbox, project: Project
) -> None:
    sandbox.reset(world())
    before = companies(sandbox)

    ran = project.copy()

    after = companies(sandbox)
    assert ran.status == 0
    assert (after[SOURCE], after[ARCHIVED]) == (before[SOURCE], before[ARCHIVED])
    assert sandbox.codes(NORTH) == ["1", "2", "3", "4", "60001", "900"]
    assert sandbox.codes(SOUTH) == sandbox.codes(EMPTY) == ["1", "2", "3", "4", "60001"]
    assert sandbox.account(NORTH, "4")["City"] == "Utrecht"
    assert sandbox.account(SOUTH, "3")["Name"] == "Bakkerij Zuid"
    assert sandbox.account(EMPTY, "2")["Name"] == sandbox.account(SOURCE, "2")["Name"]
    assert [one for one in after[NORTH] if one["Code"] == "900"] == [
        one for one in before[NORTH] if one["Code"] == "900"
    ]
