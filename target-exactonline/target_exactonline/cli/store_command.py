"""`target-exactonline-store`: what waits, what was refused, what happened, as a table or as JSON Lines."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click
from exactonline_client.command_line import load_environment

from target_exactonline.cli.approvals import approve, reject
from target_exactonline.cli.drift import adopt, drift, give_back
from target_exactonline.cli.lines import database, known_fields, of_account, of_config, read_config, show, sites_of
from target_exactonline.cli.matches import COMMANDS
from target_exactonline.store.deferred import Deferred, State
from target_exactonline.store.history import History
from target_exactonline.store.plan_lists import PlanLists
from target_exactonline.store.runs import RUN_BY_VARIABLE, Runs

CHANGE = ("entity", "division", "code", "action", "changes", "kind", "reason")
EXAMPLES = """
\b
Examples:
  target-exactonline-store parked --config config.json
  target-exactonline-store history --division 201 --code 10042
  target-exactonline-store runs --limit 10
  target-exactonline-store forget refused --division 201
  target-exactonline-store matches --state ambiguous
  target-exactonline-store tie --division 201 --code 10042 --to 20077

The store and the sites are those of --config, or of the variables store_url, base_url and connections of
TARGET_EXACTONLINE_ or EXACTONLINE_ in the environment or in .env.
"""


@click.group(epilog=EXAMPLES)
def main() -> None:
    """Look into what target-exactonline remembers between runs."""
    load_environment()


for command in (*COMMANDS, approve, reject, drift, adopt, give_back):
    main.add_command(command)


@main.command()
@of_account
def parked(*, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """List changes that wait for the next run, with the reason."""
    _list("parked", config_file, division, code, as_json=as_json)


@main.command()
@of_account
def refused(*, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """List records that were refused; they are looked at again in each run, and sent again when they change."""
    _list("refused", config_file, division, code, as_json=as_json)


@main.command()
@of_account
@click.option("--limit", type=int, default=100, show_default=True, help="At most so many, newest first.")
@click.option("--all", "is_whole", is_flag=True, help="All of it, oldest first, as an auditor wants it.")
def history(
    *, config_file: Path | None, division: int | None, code: str | None, as_json: bool, limit: int, is_whole: bool
) -> None:
    """List what was created, updated and refused: when, by which run and plan, who started and who approved it."""
    config = read_config(config_file)
    kept = History(database(config), sites_of(config))
    events = kept.every(division, code) if is_whole else kept.lines(division, code, limit)
    columns = ("at", "division", "code", "outcome", "kind", "changes", "reason")
    show(events, columns, as_json=as_json)


@main.command()
@of_config
@click.option("--limit", type=int, default=20, show_default=True, help="At most so many, newest first.")
def runs(*, config_file: Path | None, as_json: bool, limit: int) -> None:
    """List the runs: when, by whom, and how they ended; a run without an end is under way, or was killed."""
    kept = Runs(database(read_config(config_file))).newest(limit)
    columns = ("number", "started_at", "ended_at", "started_by", "status", "verdict")
    show([one.as_object() for one in kept], columns, as_json=as_json)


@main.command()
@click.argument("state", type=click.Choice(["parked", "refused", "all"]))
@of_account
def forget(*, state: str, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """Drop parked or refused changes. A parked change is lost with it until its source record changes again."""
    chosen: State | None = None if state == "all" else "parked" if state == "parked" else "refused"
    count = _deferred(config_file).forget(chosen, division, code)
    click.echo(json.dumps({"forgotten": count}) if as_json else f"{count} forgotten.")


@main.command()
@of_account
def retry(*, config_file: Path | None, division: int | None, code: str | None, as_json: bool) -> None:
    """Let the next run try a refused change again although nothing of it changed; give --division and --code."""
    if division is None or code is None:
        raise click.UsageError("Give --division and --code; the setting retry_refused tries all again.")
    count = _deferred(config_file).try_again(division, code)
    click.echo(json.dumps({"tried_again": count}) if as_json else f"{count} is tried again in the next run.")


@main.command()
@of_config
@click.option("--run", "run_id", help="Only plans of the run with this id.")
@click.option("--plan", type=int, help="Show the changes of this plan.")
@click.option("--limit", type=int, default=100, show_default=True, help="At most so many plans, newest first.")
def plans(*, config_file: Path | None, run_id: str | None, plan: int | None, limit: int, as_json: bool) -> None:
    """List plans: what each run decided for each company; with --plan the changes of one."""
    config = read_config(config_file)
    listed = PlanLists(database(config), sites_of(config))
    if plan is not None:
        show(listed.changes(plan), CHANGE, as_json=as_json)
        return
    columns = ("plan", "run", "division", "name", "counts", "unsafe", "approval", "at")
    show(listed.plans(run_id, limit), columns, as_json=as_json)


@main.command()
@of_account
@click.option(
    "--run",
    "run_id",
    required=True,
    help="The id of the run to take back, of those in `runs`; last: the newest that wrote.",
)
@click.option("--field", "fields", multiple=True, help="Only this field; may be given again.")
@click.option("--delete", is_flag=True, help="Delete what it created; without it that is blocked.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken back, and write nothing.")
@click.option("--by", help="Who takes it back, for the history.")
def undo(
    *,
    config_file: Path | None,
    run_id: str,
    division: int | None,
    code: str | None,
    fields: tuple[str, ...],
    delete: bool,
    dry_run: bool,
    by: str | None,
    as_json: bool,
) -> None:
    """Take back what a run did, where the companies still hold what it wrote. It is held until `release`."""
    from target_exactonline.cli.undo import take_back  # noqa: PLC0415
    from target_exactonline.planning.undo import Taking  # noqa: PLC0415 - the whole target, for one command

    if by:
        os.environ[RUN_BY_VARIABLE] = by
    taking = Taking(run_id, delete, frozenset(known_fields(fields)))
    status, lines = take_back(read_config(config_file), taking, division, code, dry_run=dry_run)
    show(lines, CHANGE, as_json=as_json)
    raise SystemExit(status)


@main.command()
@of_account
@click.option("--run", "run_id", help="Only what was held when this run was undone.")
def release(
    *, config_file: Path | None, division: int | None, code: str | None, run_id: str | None, as_json: bool
) -> None:
    """Let the next run do again what was undone."""
    count = _deferred(config_file).release(division, code, run_id)
    click.echo(json.dumps({"released": count}) if as_json else f"{count} released.")


def _deferred(config_file: Path | None) -> Deferred:
    config = read_config(config_file)
    return Deferred(database(config), sites_of(config))


def _list(state: State, config_file: Path | None, division: int | None, code: str | None, *, as_json: bool) -> None:
    columns = ("division", "code", "kind", "first_seen", "attempts", "next_try", "reason")
    found = _deferred(config_file).waiting(state, division, code)
    show((one.as_object() for one in found), columns, as_json=as_json)
