"""The checkout's meltano.yml as Meltano runs it, in a folder of its own and without installing anything."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from environments import bin_of
from sandbox_driver import SOURCE, Sandbox
from singer_driver import Ran
from warm_start import BIN

MELTANO_YML = Path(__file__).parents[1] / "meltano.yml"
OUR_OWN = "-e ${MELTANO_PROJECT_ROOT}"
NOWHERE = "http://127.0.0.1:9"


def manifest() -> dict[str, Any]:
    """What meltano.yml says, and the files of the checkout that it includes."""
    plan = dict(yaml.safe_load(MELTANO_YML.read_text(encoding="utf-8")))
    plan["plugins"] = {}
    for file in sorted((MELTANO_YML.parent / "meltano.d").glob("*.meltano.yml")):
        part = yaml.safe_load(file.read_text(encoding="utf-8"))
        for kind, listed in part["plugins"].items():
            plan["plugins"].setdefault(kind, []).extend(listed)
        plan["jobs"] += part.get("jobs", ())
    return plan


def plugins(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every plugin that it names."""
    return [plugin for kind in plan["plugins"].values() for plugin in kind]


class MeltanoProject:
    """Our plugins out of this environment, others out of theirs; those not named here cannot be installed."""

    def __init__(self, sandbox: Sandbox, folder: Path, *others: str, programs: Path = BIN, **settings: str) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._meltano = programs / "meltano"
        plan = manifest()
        for plugin in plugins(plan):
            if "inherit_from" in plugin:
                continue
            if plugin.get("pip_url", OUR_OWN).startswith(OUR_OWN):
                plugin.pop("pip_url", None)
                plugin["executable"] = str(programs / plugin.get("executable", plugin["name"]))
            elif plugin["name"] in others:
                del plugin["pip_url"]
                plugin["executable"] = str(bin_of(plugin["name"]) / plugin["executable"])
        (folder / "meltano.yml").write_text(yaml.safe_dump(plan, sort_keys=False), encoding="utf-8")
        own = ("MELTANO_", "TAP_", "TARGET_", "MAPPER_")
        self.env = {name: text for name, text in os.environ.items() if not name.startswith(own)}
        self.env |= {
            "MELTANO_PROJECT_ROOT": str(folder),
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "MELTANO_CLI_DISABLE_VERSION_CHECK": "1",
            "MELTANO_HUB_API_ROOT": NOWHERE,
            "UV_INDEX_URL": NOWHERE,
            "TAP_EXACTONLINE_DIVISIONS": f"[{SOURCE}]",
        }
        for name, value in sandbox.config(store_url=f"sqlite:///{folder / 'store.db'}").items():
            self.env |= {f"TAP_EXACTONLINE_{name.upper()}": value, f"TARGET_EXACTONLINE_{name.upper()}": value}
        self.env |= settings

    def start(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        """Meltano with these arguments, as a process of its own."""
        return subprocess.Popen(
            [str(self._meltano), *arguments],
            cwd=self.folder,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ask(self, *arguments: str, **env: str) -> Ran:
        """What Meltano answers to these arguments."""
        process = self.start(*arguments, **env)
        output, log = process.communicate(timeout=300)
        return Ran(process.returncode, output, log)

    def run(self, *blocks: str, **env: str) -> Ran:
        """One run, which must succeed."""
        ran = self.ask("run", *blocks, **env)
        assert ran.status == 0, ran.log
        return ran
