"""`target-exactonline-store approve` and `reject`: what a person says of changes that wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from exactonline_client.errors import ConfigurationError
from exactonline_client.transport import utc_now

from target_exactonline.cli.lines import database, of_config, read_config, setting, show, sites_of
from target_exactonline.store.approvals import Chosen, Verdicts
from target_exactonline.store.runs import RUN_BY_VARIABLE

F = TypeVar("F", bound=Callable[..., Any])
COLUMNS = ("plan", "division", "code", "action", "changes", "approved_by")


def _options(command: F) -> F:
    for option in (
        click.option("--by", help=f"Who says so; without it {RUN_BY_VARIABLE}."),
        click.option("--entity", help="Only changes of this stream."),
        click.option("--code", help="Only accounts with this code."),
        click.option("--division", type=int, help="Only this division."),
        click.option("--plan", type=int, help="Changes of this plan."),
        click.option("--run", "run_id", help="Changes of the run with this id; last: the newest with any that wait."),
    ):
        command = option(command)
    return of_config(command)


@click.command()
@_options
def approve(*, config_file: Path | None, as_json: bool, by: str | None, **chosen: Any) -> None:
    """Approve changes that wait; the next run sends those that are still the same.

    An approval is for exactly this before and after. If either moves, it is void, and the change waits again.
    """
    config = read_config(config_file)
    show(_verdicts(config).approve(_chosen(chosen), _person(by), utc_now()), COLUMNS, as_json=as_json)


@click.command()
@_options
@click.option("--reason", required=True, help="Why, for the history.")
def reject(*, config_file: Path | None, as_json: bool, by: str | None, reason: str, **chosen: Any) -> None:
    """Reject changes that wait: they are held until their source changes, or until `release`."""
    config = read_config(config_file)
    show(_verdicts(config).reject(_chosen(chosen), _person(by), reason), (*COLUMNS, "reason"), as_json=as_json)


def _verdicts(config: dict[str, Any]) -> Verdicts:
    four_eyes = str(setting("four_eyes", config) or "").lower() in ("true", "1", "yes")
    return Verdicts(database(config), sites_of(config), four_eyes=four_eyes)


def _chosen(given: dict[str, Any]) -> Chosen:
    if given["run_id"] is None and given["plan"] is None:
        raise click.UsageError("Give --run or --plan; `target-exactonline-store plans` lists both.")
    return Chosen(given["run_id"], given["plan"], given["division"], given["code"], given["entity"])


def _person(by: str | None) -> str:
    name = (by or os.environ.get(RUN_BY_VARIABLE) or "").strip()
    if not name:
        raise ConfigurationError(f"Who approves or rejects must have a name: give --by, or {RUN_BY_VARIABLE}.")
    return name
