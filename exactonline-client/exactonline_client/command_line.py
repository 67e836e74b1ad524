"""What the subcommands of `exactonline` do alike: options, settings, and one line for what a person can mend."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from dotenv import load_dotenv

from exactonline_client.errors import ConfigurationError, ExactError
from exactonline_client.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])
TEXTS = ("base_url", "client_id", "client_secret", "refresh_token", "store_url")
JSONS = ("connections", "expected_divisions")
REDIRECT_VARIABLE = "EXACTONLINE_REDIRECT_URI"
VARIABLES = {*(f"EXACTONLINE_{name.upper()}" for name in (*TEXTS, *JSONS)), REDIRECT_VARIABLE}
NOT_IN_EVERY_FILE = ("client_id", "client_secret")


class Codes(click.ParamType[list[int]]):
    """Codes of divisions, parted by commas."""

    name = "N,N..."

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> list[int]:
        """The codes in a text."""
        try:
            return value if isinstance(value, list) else [int(one) for one in str(value).split(",")]
        except ValueError:
            self.fail(f"{value!r} is no list of division codes, such as 2000101,2000102.", parameter, context)


def load_environment() -> None:
    """Take the variables of a file .env in this folder that the environment lacks."""
    load_dotenv(Path(".env"))


def options(command: F) -> F:
    """Add the options that all subcommands have."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for programs."),
        click.option("--connection", "name", help="The connection of this name, where the settings have several."),
        click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="The settings file of a tap or target.",
        ),
    ):
        command = option(command)
    return command


def plainly(command: F) -> F:
    """Tell an error in one line."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except ExactError as error:
            raise click.ClickException(str(error)) from None

    return run  # type: ignore[return-value] # the same signature


def read_config(config_file: Path | None) -> dict[str, Any]:
    """The settings by name: those of the file, which are those of the run, or those of the environment."""
    given: dict[str, Any] = {name: value for name in TEXTS if (value := os.environ.get(f"EXACTONLINE_{name.upper()}"))}
    if config_file is None:
        found = {name: from_json(f"EXACTONLINE_{name.upper()}") for name in JSONS}
        return {**given, **{name: value for name, value in found.items() if value is not None}}
    try:
        config = json.loads(config_file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The settings in {config_file} cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise ConfigurationError(f"The settings in {config_file} must be a JSON object.")
    return {**{name: given[name] for name in NOT_IN_EVERY_FILE if name in given}, **config}


def from_json(variable: str) -> Any:
    """The value in a variable of the environment, or None if it is not set.

    Raises:
        ConfigurationError: It is no JSON; its text is not shown, since it may hold secrets.
    """
    try:
        return json.loads(os.environ.get(variable) or "null")
    except ValueError:
        raise ConfigurationError(f"The variable {variable} holds no JSON.") from None


def chosen(config: dict[str, Any], name: str | None) -> list[Settings]:
    """The connections that are meant: all, or the one of this name."""
    every = Settings.all_from_config(config)
    found = [one for one in every if name in {None, one.name}]
    if not found:
        raise ConfigurationError(f"The settings have no connection {name}; they have {_names(every)}.")
    return found


def one_of(config: dict[str, Any], name: str | None) -> Settings:
    """The only connection, or the one of this name."""
    found = chosen(config, name)
    if len(found) > 1:
        raise ConfigurationError(f"Say which connection, by --connection: {_names(found)}.")
    return found[0]


def _names(settings: list[Settings]) -> str:
    return ", ".join(one.name or "only one, without a name" for one in settings)


def meant_divisions(config: dict[str, Any] | None) -> dict[str, Any]:
    """Where the settings of tap and target say which divisions they read and write: the file, or the environment."""
    if config is not None:
        return config
    return {
        "divisions": from_json("TAP_EXACTONLINE_DIVISIONS"),
        "fan_out": from_json("TARGET_EXACTONLINE_FAN_OUT"),
    }
