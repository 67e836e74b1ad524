"""Settings in each way in which users give them, as Meltano hands them to a plugin."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from meltano_driver import MeltanoProject, manifest, plugins
from sandbox_driver import Sandbox

ROOT = Path(__file__).parents[2]
DECLARED = {
    plugin["name"]: plugin["settings"] for plugin in plugins(manifest()) if plugin["name"].endswith("-exactonline")
}
VALUES: dict[str, Any] = {
    "array": ["a", "b"],
    "boolean": True,
    "integer": 7,
    "object": {"customers": {"Code": "str(code)", "old": "__NULL__"}},
    "string": "some text",
}
OF_ITS_OWN = {
    "base_url": "https://start.exactonline.be",
    "connections": [{"name": "nl", "client_id": "a", "client_secret": "b"}],
    "divisions": [100, 101],
    "expected_divisions": {"100": "Holding"},
    "fan_out": {"target_divisions": [201], "fields": ["*", "Blocked"], "field_rules": {"Phone": "initial"}},
}


def given(plugin: str) -> dict[str, Any]:
    """A value for every setting that is declared."""
    return {
        one["name"]: OF_ITS_OWN.get(
            one["name"], one["options"][-1]["value"] if "options" in one else VALUES[one["kind"]]
        )
        for one in DECLARED[plugin]
    }


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def handed_over(project: MeltanoProject, plugin: str, **env: str) -> dict[str, Any]:
    ran = project.ask("invoke", "--dump=config", plugin, **env)
    assert ran.status == 0, ran.log
    return dict(json.loads(ran.output))


@pytest.fixture
def meltano(sandbox: Sandbox, tmp_path: Path) -> MeltanoProject:
    project = MeltanoProject(sandbox, tmp_path / "project")
    for name in [name for name in project.env if name.startswith(("TAP_", "TARGET_"))]:
        del project.env[name]
    return project


@pytest.mark.parametrize("plugin", ["tap-exactonline", "target-exactonline"])
def test_every_setting_comes_through_from_the_environment(meltano: MeltanoProject, plugin: str) -> None:
    prefix = plugin.upper().replace("-", "_")

    found = handed_over(
        meltano, plugin, **{f"{prefix}_{name.upper()}": as_text(one) for name, one in given(plugin).items()}
    )

    assert found == given(plugin)


def test_every_setting_comes_through_from_a_file_of_variables(meltano: MeltanoProject) -> None:
    wanted = given("target-exactonline")
    lines = [f"TARGET_EXACTONLINE_{name.upper()}='{as_text(one)}'" for name, one in wanted.items()]
    (meltano.folder / ".env").write_text("\n".join(lines), encoding="utf-8")

    assert handed_over(meltano, "target-exactonline") == wanted


def test_every_setting_comes_through_from_the_project_s_file(meltano: MeltanoProject) -> None:
    wanted = given("target-exactonline")
    (meltano.folder / "meltano.d").mkdir()
    own = {"plugins": {"loaders": [{"name": "target-own", "inherit_from": "target-exactonline", "config": wanted}]}}
    (meltano.folder / "meltano.d" / "own.yml").write_text(json.dumps(own), encoding="utf-8")

    assert handed_over(meltano, "target-own") == wanted


@pytest.mark.parametrize(
    ("setting", "value"),
    [("fan_out", OF_ITS_OWN["fan_out"]), ("stream_maps", VALUES["object"]), ("max_creates", 7), ("dry_run", True)],
)
def test_a_setting_that_is_set_by_command_comes_through(meltano: MeltanoProject, setting: str, value: Any) -> None:
    ran = meltano.ask("config", "set", "target-exactonline", setting, as_text(value))
    assert ran.status == 0, ran.log

    assert handed_over(meltano, "target-exactonline")[setting] == value


def test_a_project_of_ones_own_takes_a_plugin_by_its_definition(meltano: MeltanoProject) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    meltano (add .*)$", page, re.MULTILINE)
    (meltano.folder / "meltano.yml").write_text("version: 1\nenvironments: [{name: dev}]\n", encoding="utf-8")

    added = meltano.ask(*command.replace("docs/", f"{ROOT}/docs/").split(), "--no-install")

    assert added.status == 0, added.log
    found = handed_over(meltano, "tap-exactonline", TAP_EXACTONLINE_DIVISIONS="[100]", TAP_EXACTONLINE_CLIENT_ID="a")
    assert found == {"divisions": [100], "client_id": "a"}
