"""Where Meltano may keep its state: each lets the next run begin where the last one ended, on an empty disk too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from meltano_driver import MeltanoProject
from sandbox_driver import SOURCE, Sandbox
from singer_driver import outcomes

PIPELINE = ("tap-exactonline", "target-exactonline")
CUSTOMERS, TARGETS = 3, 3


def lose_the_disk(project: MeltanoProject) -> None:
    """All that Meltano keeps in the folder is gone; the store is elsewhere."""
    shutil.rmtree(project.folder / ".meltano")
    shutil.rmtree(project.folder / "output")


def written(project: MeltanoProject, environment: str) -> int:
    """How many records the last run of an environment was about."""
    return len(outcomes(project.folder / "output" / environment))


@pytest.mark.timeout(600)
def test_a_system_database_on_postgresql_keeps_the_bookmark(
    sandbox: Sandbox, postgres_url: str, tmp_path: Path
) -> None:
    system = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    project = MeltanoProject(sandbox, tmp_path / "project", MELTANO_DATABASE_URI=system)
    project.run(*PIPELINE)
    assert written(project, "sandbox") == CUSTOMERS * TARGETS

    lose_the_disk(project)
    sandbox.edit(SOURCE, "2", City="Gent")
    project.run(*PIPELINE)

    assert written(project, "sandbox") == TARGETS


@pytest.mark.timeout(600)
def test_a_folder_keeps_the_bookmarks_of_two_environments_apart(sandbox: Sandbox, tmp_path: Path) -> None:
    states = tmp_path / "states"
    project = MeltanoProject(sandbox, tmp_path / "project", MELTANO_STATE_BACKEND_URI=f"file://{states}")
    project.run(*PIPELINE)

    lose_the_disk(project)
    in_production = project.ask("--environment=production", "run", *PIPELINE)
    assert in_production.status == 0, in_production.log
    sandbox.edit(SOURCE, "2", City="Gent")
    project.run(*PIPELINE)

    assert written(project, "production") == CUSTOMERS * TARGETS
    assert written(project, "sandbox") == TARGETS
    kept = {path.parent.name for path in states.glob("*/state.json")}
    assert kept == {f"{name}:tap-exactonline-to-target-exactonline" for name in ("sandbox", "production")}
