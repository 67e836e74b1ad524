"""`target-exactonline-store`: what waits, what was refused, what happened, as a table or as JSON Lines."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from exactonline_client.command_line import from_json, load_environment, plainly
from exactonline_client.settings import PROPERTIES
from exactonline_client.store import Store
from rich.console import Console
from rich.table import Table

from target_exactonline.store import tables
from target_exactonline.store.deferred import Deferred, State
from target_exactonline.store.history import History
from target_exactonline.store.plan_lists import PlanLists
from target_exactonline.store.runs import RUN_BY_VARIABLE, Runs

F = TypeVar("F", bound=Callable[..., Any])

CHANGE = ("entity", "division", "code", "action", "changes", "kind", "reason")
PREFIXES = ("TARGET_EXACTONLINE", "EXACTONLINE")
EXAMPLES = """
\b
Examples:
  target-exactonline-store parked --config config.json
  target-exactonline-store history --division 201 --code 10042
  target-exactonline-store runs --limit 10
  target-exactonline-store forget refused --division 201

The store and the sites are those of --config, or of the variables store_url, base_url and connections of
TARGET_EXACTONLINE_ or EXACTONLINE_ in the environment or in .env.
"""


def _setting(name: str, config: dict[str, Any]) -> str:
    variables = (f"{prefix}_{name.upper()}" for prefix in PREFIXES)
    given = config.get(name) or next(filter(None, map(os.environ.get, variables)), None)
    return str(given or PROPERTIES[name]["default"])


def _sites(config: dict[str, Any]) -> list[str]:
    """Every site that the target writes to."""
    found = (from_json(f"{prefix}_CONNECTIONS") for prefix in PREFIXES)
    connections = config.get("connections") or next(filter(None, found), None)
    if not connections:
        return [_setting("base_url", config).rstrip("/")]
    return [str(one.get("base_url") or PROPERTIES["base_url"]["default"]).rstrip("/") for one in connections]


def _deferred(config_file: Path | None) -> Deferred:
    config = _config(config_file)
    return Deferred(_database(config), _sites(config))


def _config(config_file: Path | None) -> dict[str, Any]:
    try:
        return dict(json.loads(config_file.read_text(encoding="utf-8"))) if config_file else {}
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{config_file} cannot be read: {error}") from None


def _database(config: dict[str, Any]) -> Store:
    return Store.open(_setting("store_url", config), tables.metadata)


def _of_config(command: F) -> F:
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("--config", "config_file", type=path, help="The target's settings.")(as_json(plainly(command)))


def _options(command: F) -> F:
    code = click.option("--code", help="Only accounts with this code.")
    division = click.option("--division", type=int, help="Only this division.")
    return _of_config(division(code(command)))


@click.group(epilog=EXAMPLES)
def main() -> None:
    """Look into what target-exactonline remembers between runs."""
    load_environment()


@main.command()
@_options
def parked(*, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """List changes that wait for the next run, with the reason."""
    _list("parked", config_file, division, code, as_json=as_json)


@main.command()
@_options
def refused(*, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """List records that were refused; they are looked at again in each run, and sent again when they change."""
    _list("refused", config_file, division, code, as_json=as_json)


@main.command()
@_options
@click.option("--limit", type=int, default=100, show_default=True, help="At most so many, newest first.")
def history(*, config_file: Path | None, division: int | None, code: str | None, as_json: bool, limit: int) -> None:
    """List what was created, updated and refused, newest first."""
    config = _config(config_file)
    events = History(_database(config), _sites(config)).lines(division, code, limit)
    columns = ("at", "division", "code", "outcome", "kind", "changes", "reason")
    _show(events, columns, as_json=as_json)


@main.command()
@_of_config
@click.option("--limit", type=int, default=20, show_default=True, help="At most so many, newest first.")
def runs(*, config_file: Path | None, as_json: bool, limit: int) -> None:
    """List the runs: when, by whom, and how they ended; a run without an end is under way, or was killed."""
    kept = Runs(_database(_config(config_file))).newest(limit)
    columns = ("number", "started_at", "ended_at", "started_by", "status", "verdict")
    _show([one.as_object() for one in kept], columns, as_json=as_json)


@main.command()
@click.argument("state", type=click.Choice(["parked", "refused", "all"]))
@_options
def forget(*, state: str, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """Drop parked or refused changes. A parked change is lost with it until its source record changes again."""
    chosen: State | None = None if state == "all" else "parked" if state == "parked" else "refused"
    count = _deferred(config_file).forget(chosen, division, code)
    click.echo(json.dumps({"forgotten": count}) if as_json else f"{count} forgotten.")


@main.command()
@_options
def retry(*, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """Let the next run try a refused change again although nothing of it changed; give --division and --code."""
    if division is None or code is None:
        raise click.UsageError("Give --division and --code; the setting retry_refused tries all again.")
    count = _deferred(config_file).try_again(division, code)
    click.echo(json.dumps({"tried_again": count}) if as_json else f"{count} is tried again in the next run.")


@main.command()
@_of_config
@click.option("--run", "run_id", help="Only plans of the run with this id.")
@click.option("--plan", type=int, help="Show the changes of this plan.")
@click.option("--limit", type=int, default=100, show_default=True, help="At most so many plans, newest first.")
def plans(*, config_file: Path | None, run_id: str | None, plan: int | None, limit: int, as_json: bool) -> None:
    """List plans: what each run decided for each company; with --plan the changes of one."""
    config = _config(config_file)
    listed = PlanLists(_database(config), _sites(config))
    if plan is not None:
        _show(listed.changes(plan), CHANGE, as_json=as_json)
        return
    columns = ("plan", "run", "division", "name", "counts", "unsafe", "approval", "at")
    _show(listed.plans(run_id, limit), columns, as_json=as_json)


@main.command()
@_options
@click.option("--run", "run_id", required=True, help="The id of the run to take back; `runs` lists them.")
@click.option("--delete", is_flag=True, help="Delete what it created; without it that is blocked.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken back, and write nothing.")
@click.option("--by", help="Who takes it back, for the history.")
def undo(
    *,
    config_file: Path | None,
    run_id: str,
    division: int | None,
    code: str | None,
    delete: bool,
    dry_run: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Take back what a run did, where the companies still hold what it wrote. It is held until `release`."""
    from target_exactonline.cli.undo import take_back  # noqa: PLC0415 - the whole target, for one command

    if by:
        os.environ[RUN_BY_VARIABLE] = by
    status, lines = take_back(_config(config_file), run_id, division, code, delete=delete, dry_run=dry_run)
    _show(lines, CHANGE, as_json=as_json)
    raise SystemExit(status)


@main.command()
@_options
@click.option("--run", "run_id", help="Only what was held when this run was undone.")
def release(
    *, config_file: Path | None, division: int | None, code: str | None, run_id: str | None, as_json: bool
) -> None:
    """Let the next run do again what was undone."""
    count = _deferred(config_file).release(division, code, run_id)
    click.echo(json.dumps({"released": count}) if as_json else f"{count} released.")


def _list(state: State, config_file: Path | None, division: int | None, code: str | None, *, as_json: bool) -> None:
    columns = ("division", "code", "kind", "first_seen", "attempts", "next_try", "reason")
    found = _deferred(config_file).waiting(state, division, code)
    _show((one.as_object() for one in found), columns, as_json=as_json)


def _show(rows: Iterable[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(_cell(row[column]) for column in columns))
    Console().print(table if table.row_count else "Nothing.")


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(_pair(name, one) for name, one in value.items())
    return "" if value is None else str(value)


def _pair(name: str, value: Any) -> str:
    return f"{name}: {value[0]!r} → {value[1]!r}" if isinstance(value, list) else f"{name}: {value}"
