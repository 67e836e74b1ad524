"""The main job, four ways: by Meltano and by plain pipes, each without and with the mapping step."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sandbox_driver import SOURCE, Sandbox, World, customer, small_world
from singer_driver import BIN, Project, outcomes, piped

NORTH, SOUTH, EMPTY, ARCHIVED = TARGETS = (201, 202, 203, 204)
MELTANO_YML = Path(__file__).parents[2] / "meltano.yml"
MADE_BY_THE_SERVER = {"ID", "Timestamp", "Created", "Modified"}
Companies = dict[int, list[dict[str, Any]]]


def world() -> World:
    """Companies that hold some of the customers already, one under another name, and parties of their own."""
    same = customer(1)
    source = [
        same,
        customer(2, Name="Café Ísafjörður – Ærø & Zoë N.V.", Country="BE", Language="FR", VATNumber="BE0403019261"),
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


@pytest.fixture
def by_pipes(sandbox: Sandbox, tmp_path: Path) -> Callable[..., Companies]:
    def run(*, with_mapper: bool) -> Companies:
        sandbox.reset(world())
        folder = tmp_path / f"pipes-{with_mapper}"
        folder.mkdir()
        project = Project(sandbox, folder)
        tap = project.tap.command(project.tap_config())
        mapper = [project.mapper.command({})] if with_mapper else []
        target = project.target.command(project.target_config(**({} if with_mapper else {"fan_out": {}})))
        ran = piped(tap, *mapper, target)
        assert [one.status for one in ran] == [0] * len(ran), ran[-1].log
        return companies(sandbox)

    return run


@pytest.fixture
def meltano(sandbox: Sandbox, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Meltano in a project of its own: the checkout's meltano.yml, with the programs of this environment."""
    sandbox.reset(world())
    plan = yaml.safe_load(MELTANO_YML.read_text(encoding="utf-8"))
    for plugins in plan["plugins"].values():
        for plugin in plugins:
            del plugin["pip_url"]
            plugin["executable"] = str(BIN / plugin["executable"])
    (tmp_path / "meltano.yml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    own = {name: text for name, text in os.environ.items() if not name.startswith(("MELTANO_", "TAP_", "TARGET_"))}
    own |= {
        "MELTANO_PROJECT_ROOT": str(tmp_path),
        "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
        "TAP_EXACTONLINE_DIVISIONS": f"[{SOURCE}]",
    }
    shared = sandbox.config(store_url=f"sqlite:///{tmp_path / 'store.db'}")
    for name, value in shared.items():
        own |= {f"TAP_EXACTONLINE_{name.upper()}": value, f"TARGET_EXACTONLINE_{name.upper()}": value}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(BIN / "meltano"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_meltano_ends_where_plain_pipes_end_and_finds_nothing_to_do_afterwards(
    by_pipes: Callable[..., Companies], meltano: Callable[..., Any], sandbox: Sandbox
) -> None:
    expected = by_pipes(with_mapper=False)
    sandbox.reset(world())

    first = meltano("run", "tap-exactonline", "target-exactonline")

    assert first.returncode == 0, first.stderr
    assert companies(sandbox) == expected

    sandbox.forget_calls()
    second = meltano("run", "tap-exactonline", "target-exactonline")

    assert second.returncode == 0, second.stderr
    assert sandbox.calls() <= 5
    assert {call["method"] for call in sandbox.journal()} == {"GET"}


def test_meltano_with_the_mapping_step_ends_where_plain_pipes_without_it_end(
    by_pipes: Callable[..., Companies], meltano: Callable[..., Any], sandbox: Sandbox, tmp_path: Path
) -> None:
    expected = by_pipes(with_mapper=False)
    sandbox.reset(world())

    ran = meltano("run", "tap-exactonline", "fan-out", "target-exactonline")

    assert ran.returncode == 0, ran.stderr
    assert companies(sandbox) == expected
    assert len(outcomes(tmp_path / "output" / "sandbox")) == 6 * 3


def test_plain_pipes_end_alike_without_and_with_the_mapping_step(by_pipes: Callable[..., Companies]) -> None:
    assert by_pipes(with_mapper=True) == by_pipes(with_mapper=False)


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
    assert [one for one in after[NORTH] if one["Code"] == "900"] == [one for one in before[NORTH] if one["Code"] == "900"]
