"""`target-exactonline-store drift`, `adopt` and `give-back`: what people changed in the companies."""

from __future__ import annotations

from pathlib import Path

import click

from target_exactonline.cli.lines import database, known_fields, of_config, read_config, show, sites_of
from target_exactonline.store.adopted import Adopted

COLUMNS = ("division", "code", "field", "ours", "theirs", "modified_at", "modified_by", "will")
_DIVISION = click.option("--division", type=int, required=True, help="The company.")
_CODE = click.option("--code", required=True, help="The account's code at the source.")
_FIELDS = click.option("--field", "fields", multiple=True, required=True, help="A property; may be given again.")


@click.command()
@of_config
@click.option("--division", type=int, help="Only this division.")
def drift(*, config_file: Path | None, division: int | None, as_json: bool) -> None:
    """Show what people changed since it was written, and what the rules will do about it; writes nothing."""
    from target_exactonline.cli.undo import PROGRAM, completed  # noqa: PLC0415 - the whole target, for one command
    from target_exactonline.drift_run import DriftRun  # noqa: PLC0415

    run = DriftRun(completed(read_config(config_file)), program=PROGRAM)
    status = run.look(division)
    show(run.found, COLUMNS, as_json=as_json)
    raise SystemExit(status)


@click.command()
@of_config
@_DIVISION
@_CODE
@_FIELDS
def adopt(*, config_file: Path | None, as_json: bool, division: int, code: str, fields: tuple[str, ...]) -> None:
    """Let the company own fields of one account: what it holds there stays, whatever the source says."""
    config = read_config(config_file)
    owned = Adopted(database(config), sites_of(config)).adopt(division, code, known_fields(fields))
    show([{"division": division, "code": code, "fields": owned}], ("division", "code", "fields"), as_json=as_json)


@click.command("give-back")
@of_config
@_DIVISION
@_CODE
@_FIELDS
def give_back(*, config_file: Path | None, as_json: bool, division: int, code: str, fields: tuple[str, ...]) -> None:
    """Let the rules decide again on fields that were adopted; the next run that compares the account obeys them."""
    config = read_config(config_file)
    owned = Adopted(database(config), sites_of(config)).give_back(division, code, known_fields(fields))
    show([{"division": division, "code": code, "fields": owned}], ("division", "code", "fields"), as_json=as_json)
