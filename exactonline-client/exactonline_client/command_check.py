"""`exactonline check`: whether a run can start, before anything is written."""

from __future__ import annotations

import json
from pathlib import Path

import click

from exactonline_client.command_line import Codes, chosen, meant_divisions, options, plainly, read_config
from exactonline_client.connections import Connections
from exactonline_client.programs import installed
from exactonline_client.proof import prove
from exactonline_client.standing import PROGRAM, Patience
from exactonline_client.store import Store


@click.command(
    epilog="""
\b
Examples:
  exactonline check
  exactonline check --source 2000100 --targets 2000101,2000102
  exactonline check --config target.json --source 2000100 --json

Without --source and --targets they are those of the settings: divisions of a tap, target_divisions of a target or its
fan_out, in --config or in TAP_EXACTONLINE_DIVISIONS and TARGET_EXACTONLINE_FAN_OUT. If no targets are set, or with
--connection, all active divisions but the sources.

Exit status: 0 a run can start, 1 it cannot, with the reasons, 2 misspelt.
"""
)
@options
@click.option("--source", "sources", type=Codes(), help="Divisions that are read.")
@click.option("--targets", type=Codes(), help="Divisions that are written.")
@plainly
def check(
    *,
    config_file: Path | None,
    name: str | None,
    as_json: bool,
    sources: list[int] | None,
    targets: list[int] | None,
) -> None:
    """Tell whether a run can start: store, logins, and each division. It writes nothing to any company.

    It reads each list that a run reads, and asks whether the user may write, which Exact answers without a write. That
    costs a call per connection and one per 60 divisions that it lists, two per source and four per target.
    """
    config = read_config(config_file)
    settings = chosen(config, name)
    meant = meant_divisions(config if config_file else None) if name is None else {}
    fan_out = meant.get("fan_out") or meant
    programs = installed()
    with (
        Store.open(settings[0].store_url, *(one.tables for one in programs)) as store,
        Connections(settings, store, program=PROGRAM, sleep=Patience()) as connections,
    ):
        readiness = prove(
            connections,
            store,
            sources=sources or meant.get("divisions") or (),
            targets=targets or fan_out.get("target_divisions"),
            excluded=fan_out.get("exclude_divisions") or (),
            expected=config.get("expected_divisions") or {},
            last_write=lambda site, code: max(
                filter(None, (one.last_write(store, site, code) for one in programs)), default=None
            ),
        )
    lines = [json.dumps(one, ensure_ascii=False) for one in readiness.as_json()]
    click.echo("\n".join(lines) if as_json else readiness.as_text())
    raise SystemExit(0 if readiness.is_ready else 1)
