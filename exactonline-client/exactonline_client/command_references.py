"""`exactonline references`: what the codes that customers refer to come to in other companies, before any run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import click

from exactonline_client.command_line import Codes, chosen, meant_divisions, options, plainly, read_config
from exactonline_client.companies import Company
from exactonline_client.connections import Connections, Reached
from exactonline_client.divisions import ACTIVE, problems
from exactonline_client.entities import ACCOUNTS, Reference
from exactonline_client.errors import ConfigurationError
from exactonline_client.lists.entries import KeptList
from exactonline_client.lists.in_use import InUse
from exactonline_client.lists.matrix import REFERENCES_TO_LISTS, TO_MEND, Cell, Use, as_text, cells, verdict
from exactonline_client.lists.memory import ListMemory
from exactonline_client.lists.policies import Policy, policies
from exactonline_client.lists.reader import Lists
from exactonline_client.standing import PROGRAM, Patience
from exactonline_client.store import Store

SIDE_BY_SIDE = 8
SOMETHING_TO_MEND = 3
OF_RIGHTS_FEW_HAVE = frozenset({"AccountManager"})
"""Looked at only where the settings name them."""


@click.command(
    epilog="""
\b
Examples:
  exactonline references --source 2000100
  exactonline references --source 2000100 --targets 2000101,2000102 --json
  exactonline references --source 2000100 --config target.json

Fields, maps and targets are those of the settings: fields, references and target_divisions of a target's fan_out, in
--config or in TARGET_EXACTONLINE_FAN_OUT. Without fields: every reference; without targets: all active divisions.

Exit status: 0 every code in use means the same in every company, 3 one is missing or another thing somewhere, 1 it
could not be looked at, with one line that says why, 2 misspelt.
"""
)
@options
@click.option("--source", required=True, type=int, help="The division whose customers are copied.")
@click.option("--targets", type=Codes(), help="Divisions that get them.")
@plainly
def references(
    *, config_file: Path | None, name: str | None, as_json: bool, source: int, targets: list[int] | None
) -> None:
    """Show payment conditions, VAT codes, ledger accounts … in use at the source, and what they are elsewhere.

    It writes nothing. Each list of a company is read once a week at most, the customers of the source once a day.
    """
    config = read_config(config_file)
    settings = chosen(config, name)
    meant = meant_divisions(config if config_file else None)
    fan_out = meant.get("fan_out") or meant
    with (
        Store.open(settings[0].store_url) as store,
        Connections(settings, store, program=PROGRAM, sleep=Patience()) as connections,
    ):
        matrix = Matrix(connections, store, policies(ACCOUNTS, fan_out.get("references")), _fields(fan_out))
        found = matrix.look(source, targets or fan_out.get("target_divisions"))
    if as_json:
        lines = [json.dumps(cell.as_object(), ensure_ascii=False) for cell in found]
    else:
        lines = [*as_text(matrix.names, found), verdict(found)]
    for line in lines:
        click.echo(line)
    raise SystemExit(SOMETHING_TO_MEND if any(cell.state in TO_MEND for cell in found) else 0)


def _fields(fan_out: Mapping[str, Any]) -> dict[str, Reference]:
    """The references that the settings let travel, or all."""
    given = fan_out.get("fields")
    listed = given.get(ACCOUNTS.stream) if isinstance(given, Mapping) else given
    travelling = {name: one.field for name, one in ACCOUNTS.by_travelling_name.items()}
    named = [travelling.get(one, one) for one in listed or ()]
    wanted = [one for one in named if one in REFERENCES_TO_LISTS]
    every = [one for one in REFERENCES_TO_LISTS if one not in OF_RIGHTS_FEW_HAVE]
    return {one: REFERENCES_TO_LISTS[one] for one in (wanted or every)}


class Matrix:
    """Looks at one source company and its targets."""

    def __init__(
        self, connections: Connections, store: Store, rules: Mapping[str, Policy], fields: Mapping[str, Reference]
    ) -> None:
        self._connections = connections
        self._lists = Lists(ListMemory(store))
        self._rules = rules
        self._fields = fields
        self.names: dict[int, str] = {}

    def look(self, source: int, targets: Sequence[int] | None) -> list[Cell]:
        """Return every cell.

        Raises:
            ConfigurationError: A division is not within reach, or cannot be used.
        """
        named = [int(code) for code in targets or ()]
        reach = self._connections.listed_today([source, *named])
        wanted = named or [
            code for code, one in sorted(reach.items()) if one.division.status == ACTIVE and code != source
        ]
        divisions = {code: one.division for code, one in reach.items()}
        for use, codes in (("source", [source]), ("target", wanted)):
            for problem in problems(use, codes, divisions, {}):  # type: ignore[arg-type] # one of the two
                raise ConfigurationError(problem)
        self.names = {code: reach[code].division.name for code in wanted}
        origin, client = _company(reach[source]), reach[source].client
        uses = InUse(self._lists, origin).uses(client, self._fields)
        in_use = {one.reference.list for one in uses}
        for name in in_use:
            self._known(reach[source], name)
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            found = pool.map(lambda code: self._cells(origin, reach[code], uses), wanted)
        return [cell for one in found for cell in one]

    def _cells(self, origin: Company, target: Reached, uses: Sequence[Use]) -> list[Cell]:
        here = {name: self._known(target, name) for name in {one.reference.list for one in uses}}
        there = partial(self._lists.get, origin)
        return list(cells(target.division.code, uses, self._rules, there, here.__getitem__))

    def _known(self, reached: Reached, name: str) -> KeptList:
        company, client = _company(reached), reached.client
        if not self._lists.is_fresh(client, company, name):
            return client.run(self._lists.read(client, company, name))
        return self._lists.get(company, name)


def _company(reached: Reached) -> Company:
    return Company(reached.client.settings.base_url, reached.division.code)
