"""A source company and its targets, kept equal run after run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from click.testing import CliRunner
from singer_driver import Project, Ran
from target_exactonline.cli.store_command import main

NORTH, SOUTH, WEST = 201, 202, 203


def all_of(*divisions: int) -> dict[str, Any]:
    return {"target_divisions": list(divisions)}


class Group:
    """A source company and its targets, kept equal run after run: by the target alone, or behind the mapping step."""

    def __init__(self, project: Project, way: str) -> None:
        self.project = project
        self.sandbox = project.sandbox
        self._way = way
        self._state: dict[str, Any] | None = None

    def run(
        self, fan_out: Mapping[str, Any] | None = None, read: Mapping[str, Any] | None = None, **target: Any
    ) -> Ran:
        """Tap to target; the STATE that comes out is the next run's."""
        wanted = dict(fan_out)
        found = self.project.read(state=self._state, **(read or {}))
        assert found.status == 0, found.log
        if self._way == "mapping step":
            mapped = self.project.mapper.run_here(wanted, given=found.output)
            assert mapped.status == 0, mapped.log
            ran = self.project.load(mapped.output, **target)
        else:
            ran = self.project.load(found.output, fan_out=wanted, **target)
        self._state = ran.state or self._state
        return ran

    def first_reading(self) -> None:
        """Forget the STATE, as a pipeline of another name would not have it."""
        self._state = None

    def kinds(self, division: int) -> dict[str, str | None]:
        """Outcome or kind of each code of the last run, in one company."""
        lines = [line for line in self.project.outcomes if line["division"] == division]
        return {line["code"]: line["kind"] or line["outcome"] for line in lines}

    def waiting(self, which: str) -> list[dict[str, Any]]:
        """What the command line lists as parked or refused."""
        ran = store_command(self.project, which, "--json")
        return [json.loads(line) for line in ran.splitlines()]


def store_command(project: Project, *arguments: str) -> str:
    """The output of target-exactonline-store with the project's settings."""
    config = project.folder / "store-settings.json"
    config.write_text(json.dumps(project.target_config()), encoding="utf-8")
    ran = CliRunner().invoke(main, [*arguments, "--config", str(config)], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.stdout
