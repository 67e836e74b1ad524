"""`target-exactonline-store undo`: a run of its own that takes back an earlier one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from exactonline_client.errors import ConfigurationError
from exactonline_client.settings import PROPERTIES
from exactonline_client.store import Store

from target_exactonline.cli.lines import PREFIXES
from target_exactonline.planning.undo import Taking
from target_exactonline.settings import OWN_SETTINGS
from target_exactonline.store import tables
from target_exactonline.store.plan_lists import PlanLists
from target_exactonline.undo_run import UndoRun

PROGRAM = f"target-exactonline/{version('exactonline-target')}"


def take_back(
    config: Mapping[str, Any], taking: Taking, division: int | None, code: str | None, *, dry_run: bool
) -> tuple[int, list[dict[str, Any]]]:
    """Take back a run; return the exit status, and what was or would be sent, as lines of its plans."""
    complete = {**completed(config), "dry_run": dry_run}
    run = UndoRun(complete, taking, code=code, program=PROGRAM)
    store_url, sites = str(complete["store_url"]), run.sites
    number = run.number
    status = run.undo(division)
    with Store.open(store_url, tables.metadata) as store:
        lists = PlanLists(store, sites)
        return status, [line for plan in lists.of_run(number) for line in lists.changes(plan)]


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings completed by those of the environment, and by the defaults of those that are not set."""
    found: dict[str, Any] = {}
    for name, about in {**PROPERTIES, **OWN_SETTINGS}.items():
        given = next(filter(None, (os.environ.get(f"{prefix}_{name.upper()}") for prefix in PREFIXES)), None)
        if given is not None:
            found[name] = given if "string" in about["type"] else from_json_text(name, given)
        elif "default" in about:
            found[name] = about["default"]
    return {**found, **config}


def from_json_text(name: str, text: str) -> Any:
    """Return the value of a setting that is no text.

    Raises:
        ConfigurationError: It is no JSON; it is not shown, since it may hold secrets.
    """
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigurationError(f"The setting {name} in the environment holds no JSON.") from None
