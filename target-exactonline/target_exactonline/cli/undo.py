"""`target-exactonline-store undo`: a run of its own that takes back an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from exactonline_client.settings import PROPERTIES
from exactonline_client.store import Store

from target_exactonline.settings import OWN_SETTINGS
from target_exactonline.store import tables
from target_exactonline.store.plan_lists import PlanLists
from target_exactonline.undo_run import UndoRun

PROGRAM = f"target-exactonline/{version('exactonline-target')}"


def take_back(
    config: Mapping[str, Any], run_id: str, division: int | None, code: str | None, *, delete: bool, dry_run: bool
) -> tuple[int, list[dict[str, Any]]]:
    """Take back a run; return the exit status, and what was or would be sent, as lines of its plans."""
    complete = {**completed(config), "dry_run": dry_run}
    run = UndoRun(complete, run_id, code=code, delete=delete, program=PROGRAM)
    store_url, sites = str(complete["store_url"]), run.sites
    number = run.number
    status = run.undo(division)
    with Store.open(store_url, tables.metadata) as store:
        lists = PlanLists(store, sites)
        return status, [line for plan in lists.of_run(number) for line in lists.changes(plan)]


def completed(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the defaults of those that are not set."""
    return {**dict(_defaults()), **config}


def _defaults() -> Iterator[tuple[str, Any]]:
    for name, about in {**PROPERTIES, **OWN_SETTINGS}.items():
        if "default" in about:
            yield name, about["default"]
