"""What all commands of `target-exactonline-store` do alike: options, settings, and lines as a table or as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from exactonline_client.command_line import from_json, plainly
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError
from exactonline_client.settings import PROPERTIES
from exactonline_client.store import Store
from rich.console import Console
from rich.table import Table

from target_exactonline.store import tables

F = TypeVar("F", bound=Callable[..., Any])

PREFIXES = ("TARGET_EXACTONLINE", "EXACTONLINE")


def setting(name: str, config: dict[str, Any]) -> str:
    """Return a setting as text: of the file, the environment, or its default."""
    variables = (f"{prefix}_{name.upper()}" for prefix in PREFIXES)
    given = config.get(name) or next(filter(None, map(os.environ.get, variables)), None)
    return str(given or PROPERTIES.get(name, {}).get("default") or "")


def sites_of(config: dict[str, Any]) -> list[str]:
    """Return every site that the target writes to."""
    found = (from_json(f"{prefix}_CONNECTIONS") for prefix in PREFIXES)
    connections = config.get("connections") or next(filter(None, found), None)
    if not connections:
        return [setting("base_url", config).rstrip("/")]
    return [str(one.get("base_url") or PROPERTIES["base_url"]["default"]).rstrip("/") for one in connections]


def read_config(config_file: Path | None) -> dict[str, Any]:
    """Return the settings of a file; none without one."""
    try:
        return dict(json.loads(config_file.read_text(encoding="utf-8"))) if config_file else {}
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{config_file} cannot be read: {error}") from None


def database(config: dict[str, Any]) -> Store:
    """Open the store that the settings name."""
    return Store.open(setting("store_url", config), tables.metadata)


def of_config(command: F) -> F:
    """Add the options that every command has."""
    as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("--config", "config_file", type=path, help="The target's settings.")(as_json(plainly(command)))


def of_account(command: F) -> F:
    """Add the options that choose accounts."""
    code = click.option("--code", help="Only accounts with this code.")
    division = click.option("--division", type=int, help="Only this division.")
    return of_config(division(code(command)))


def known_fields(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of properties as they were given.

    Raises:
        ConfigurationError: One of them cannot be written.
    """
    for name in names:
        if name not in ACCOUNTS.writable:
            raise ConfigurationError(f"{name} is no property of an account that can be written.")
    return names


def show(rows: Iterable[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Print rows: these columns of them, or all of each as JSON."""
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
