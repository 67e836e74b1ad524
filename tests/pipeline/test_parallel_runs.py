"""Two runs at a time in one checkout, in the way that docs/deployment.md tells."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from meltano_driver import MeltanoProject
from sandbox_driver import SOURCE, Sandbox, customer, small_world
from singer_driver import outcomes

SOUTH, TARGETS = 110, (201, 202)
DEPLOYMENT = Path(__file__).parents[2] / "docs" / "deployment.md"
BOTH = (("tap-exactonline", "target-exactonline"), ("tap-south", "target-south"))


def with_second_names(project: MeltanoProject) -> None:
    """Add to meltano.yml what the documentation says."""
    (block,) = re.findall(r"```yaml\n(.*?)```", DEPLOYMENT.read_text(encoding="utf-8"), re.DOTALL)
    path = project.folder / "meltano.yml"
    plan = yaml.safe_load(path.read_text(encoding="utf-8"))
    for kind, plugins in yaml.safe_load(block)["plugins"].items():
        plan["plugins"][kind] += plugins
    path.write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")


def first_step() -> list[str]:
    """What the documentation tells to do before two runs at a time, for Meltano."""
    (command,) = re.findall(r"^    meltano (upgrade .*)$", DEPLOYMENT.read_text(encoding="utf-8"), re.MULTILINE)
    return command.split()


def run_both(project: MeltanoProject) -> None:
    running = [project.start("run", *blocks) for blocks in BOTH]
    ended = [(process.communicate(timeout=600)[1], process.returncode) for process in running]
    assert [status for _, status in ended] == [0, 0], "\n".join(log for log, _ in ended)


@pytest.fixture(params=["sqlite", "postgres"])
def system_database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Variables that name a database for Meltano itself; none for its own SQLite file."""
    if request.param == "sqlite":
        return {}
    url = str(request.getfixturevalue("postgres_url"))
    return {"MELTANO_DATABASE_URI": url.replace("postgresql://", "postgresql+psycopg://")}


@pytest.mark.timeout(900)
def test_two_first_runs_at_a_time_cross_no_bookmarks_and_write_nothing_twice(
    sandbox: Sandbox, tmp_path: Path, system_database: dict[str, str]
) -> None:
    north = [customer(number) for number in (1, 2, 3)]
    south = [customer(number) for number in (11, 12)]
    sandbox.reset(small_world(targets=(SOUTH, *TARGETS), accounts={SOURCE: north, SOUTH: south}))
    both_targets = json.dumps({"target_divisions": TARGETS})
    project = MeltanoProject(
        sandbox,
        tmp_path / "project",
        TARGET_EXACTONLINE_FAN_OUT=both_targets,
        TARGET_SOUTH_FAN_OUT=both_targets,
        TAP_SOUTH_DIVISIONS=f"[{SOUTH}]",
        **system_database,
    )
    with_second_names(project)
    assert project.ask(*first_step()).status == 0

    run_both(project)

    assert [sandbox.codes(target) for target in TARGETS] == [["1", "11", "12", "2", "3"]] * 2
    assert len(sandbox.journal(method="POST", endpoint="crm/Accounts")) == (len(north) + len(south)) * len(TARGETS)

    sandbox.forget_calls()
    sandbox.edit(SOUTH, "11", City="Gent")
    run_both(project)

    assert [sandbox.account(target, "11")["City"] for target in TARGETS] == ["Gent"] * 2
    writes = [call for call in sandbox.journal(endpoint="crm/Accounts") if call["method"] != "GET"]
    assert [(call["method"], call["division"]) for call in sorted(writes, key=lambda call: call["division"])] == [
        ("PUT", target) for target in TARGETS
    ]
    assert {line["code"] for line in outcomes(project.folder / "output" / "south")} == {"11"}
    assert outcomes(project.folder / "output" / "sandbox") == []
