"""meltano.yml for a machine where Meltano and our plugins share one environment: nothing is installed at run time.

    python deploy/one_environment.py meltano.yml /opt/exactonline/bin > /project/meltano.yml

Plugins that others wrote are left out, with the jobs that need them.
"""
# ruff: noqa: INP001 - a program in a folder of recipes, not a package

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

OUR_OWN = "-e ${MELTANO_PROJECT_ROOT}"


def whole(path: Path) -> dict[str, Any]:
    """The plan in a file, with what the files bring that it includes."""
    yaml = YAML(typ="safe")
    plan: dict[str, Any] = yaml.load(path)
    plan.setdefault("plugins", {})
    for pattern in plan.get("include_paths", ()):
        for file in sorted(path.parent.glob(pattern)):
            part = yaml.load(file)
            for kind, plugins in part.get("plugins", {}).items():
                plan["plugins"].setdefault(kind, []).extend(plugins)
            plan["jobs"] += part.get("jobs", ())
    return plan


def in_one_environment(plan: dict[str, Any], programs: Path) -> dict[str, Any]:
    """The plan with our plugins alone, and those that inherit from them, each as the program that is in this folder."""
    blocks = set()
    for kind, plugins in plan["plugins"].items():
        ours = [plugin for plugin in plugins if plugin.get("pip_url", "").startswith(OUR_OWN)]
        names = {plugin["name"] for plugin in ours}
        heirs = [plugin for plugin in plugins if plugin.get("inherit_from") in names]
        for plugin in ours:
            del plugin["pip_url"]
            plugin["executable"] = str(programs / plugin["executable"])
            blocks |= {plugin["name"], *(mapping["name"] for mapping in plugin.get("mappings", ()))}
        blocks |= {plugin["name"] for plugin in heirs}
        plan["plugins"][kind] = [*ours, *heirs]
    plan["jobs"] = [job for job in plan["jobs"] if {block for task in job["tasks"] for block in task.split()} <= blocks]
    return plan


if __name__ == "__main__":
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    yaml.dump(in_one_environment(whole(Path(sys.argv[1])), Path(sys.argv[2])), sys.stdout)
