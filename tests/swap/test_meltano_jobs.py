"""The plugins that others wrote, as meltano.yml has them ready: pinned, custom, and with a job each."""

from __future__ import annotations

import re

import pytest
from environments import REQUIREMENTS
from meltano_driver import OUR_OWN, manifest, plugins

ALL = {plugin["name"]: plugin for plugin in plugins(manifest())}
OTHERS = {name: plugin for name, plugin in ALL.items() if not plugin.get("pip_url", OUR_OWN).startswith(OUR_OWN)}
HEIRS = {name: plugin for name, plugin in ALL.items() if "inherit_from" in plugin}


def test_nothing_in_the_project_is_asked_of_the_hub() -> None:
    custom = {name for name, plugin in ALL.items() if "namespace" in plugin}

    assert [name for name in ALL if HEIRS.get(name, {"inherit_from": name})["inherit_from"] not in custom] == []


@pytest.mark.parametrize("name", OTHERS)
def test_the_version_that_a_user_gets_is_the_one_that_is_tested(name: str) -> None:
    tested = re.findall(r"^([\w-]+==[\w.]+)", (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8"), re.MULTILINE)

    assert set(OTHERS[name]["pip_url"].split()) <= set(tested)


@pytest.mark.parametrize("name", [*OTHERS, *HEIRS])
def test_every_plugin_has_a_job(name: str) -> None:
    blocks = {name, *(mapping["name"] for mapping in ALL[name].get("mappings", ()))}

    assert [job["name"] for job in manifest()["jobs"] for task in job["tasks"] if blocks & set(task.split())]
