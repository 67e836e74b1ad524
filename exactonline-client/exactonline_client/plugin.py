"""What the programs of this project do alike at their command line: one clear line for what a person can mend.

A mixin for plugin classes of the Singer SDK, which it does not import: it only goes before them in the list of bases.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, ClassVar

from exactonline_client.errors import ConfigurationError, ExactError


class Measure(str, Enum):
    """Names of what tap and target measure, beside the SDK's own (record_count and its kin)."""

    CALLS = "exact_calls"
    """Requests to Exact, by division."""
    WAIT_SECONDS = "exact_wait_seconds"
    """How long they waited for limits, tokens and their next try, by division."""
    OUTCOMES = "record_outcomes"
    """Records by division and by how they ended."""


def measured(
    calls: Mapping[int | None, int], waited_seconds: Mapping[int | None, float]
) -> Iterator[tuple[Measure, float, dict[str, Any]]]:
    """What a program's requests came to: name, value and tags of each measure."""
    for division, count in calls.items():
        yield Measure.CALLS, count, {"division": division}
    for division, seconds in waited_seconds.items():
        yield Measure.WAIT_SECONDS, round(seconds, 3), {"division": division}


class PlainErrors:
    """Ends a program with one line and exit status 1 where the SDK would print a traceback or a setting's value."""

    logger: logging.Logger
    config_jsonschema: ClassVar[dict[str, Any]]
    expected_errors: ClassVar[tuple[type[Exception], ...]] = (ExactError,)
    """What a person can mend; a plugin adds errors of the SDK."""
    _config: dict[str, Any]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        try:
            super().__init__(*arguments, **options)
        except ValueError as error:
            raise ConfigurationError(f"A setting in the environment cannot be read: {error}. Correct it.") from None

    @classmethod
    def get_singer_command(cls) -> Any:
        """The SDK's command line, which tells expected errors plainly, also those of reading its options."""
        command = super().get_singer_command()  # type: ignore[misc]
        command.main = _plainly(command.main, cls.logger, cls.expected_errors)
        return command

    @classmethod
    def cb_config(cls, context: Any, parameter: Any, value: tuple[str, ...]) -> Any:
        """Read the settings files."""
        try:
            return super().cb_config(context, parameter, value)  # type: ignore[misc]
        except (OSError, TypeError, ValueError) as error:
            files = ", ".join(path for path in value if path != "ENV")
            raise ConfigurationError(f"The settings in {files} cannot be read: {error}") from None

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings against their schema, and show no secret that fails it."""
        for name, about in self.config_jsonschema["properties"].items():
            if self._config.get(name) is not None and _lacks_an_object(about, self._config[name]):
                raise ConfigurationError(f"Settings: {name} has something else where an object is due.")
        complaints: list[str] = super()._validate_config(raise_errors=False)  # type: ignore[misc]
        for secret in secret_values(self.config_jsonschema, self._config):
            complaints = [complaint.replace(repr(secret), "*****") for complaint in complaints]
        known = self.config_jsonschema["properties"]
        for name in sorted(self._config.keys() - known.keys()):
            self.logger.warning("There is no setting %s; it is passed over.", name)
        if complaints and raise_errors:
            raise ConfigurationError("Settings: " + "; ".join(complaints) + ".")
        return complaints


def secret_values(schema: Mapping[str, Any], value: Any) -> Iterator[Any]:
    """Every value that its schema marks as secret, at any depth; all of one that is not of the schema's shape."""
    if isinstance(value, Mapping) and "properties" in schema:
        for name, about in schema["properties"].items():
            yield from secret_values(about, value.get(name))
    elif isinstance(value, list) and "items" in schema:
        for item in value:
            yield from secret_values(schema["items"], item)
    elif value is not None and _holds_secrets(schema):
        yield value


def _holds_secrets(schema: Mapping[str, Any]) -> bool:
    below = [*schema.get("properties", {}).values(), schema.get("items", {})]
    return bool(schema.get("secret")) or any(map(_holds_secrets, filter(None, below)))


def _lacks_an_object(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether a value, or one in a list, is no object where its schema describes one; the SDK's check breaks on it."""
    if isinstance(value, list) and "items" in schema:
        return any(_lacks_an_object(schema["items"], item) for item in value)
    return "properties" in schema and not isinstance(value, Mapping)


def _plainly(
    main: Callable[..., Any], logger: logging.Logger, expected: tuple[type[Exception], ...]
) -> Callable[..., Any]:
    @functools.wraps(main)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return main(*arguments, **options)
        except expected as error:
            logger.error("%s", error)  # noqa: TRY400 - the traceback says nothing to who reads this
            raise SystemExit(1) from None

    return run
