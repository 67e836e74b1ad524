"""What the programs of this project do alike at their command line: one clear line for what a person can mend.

A mixin for plugin classes of the Singer SDK, which it does not import: it only goes before them in the list of bases.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from exactonline_client.errors import ConfigurationError, ExactError


class PlainErrors:
    """Ends a program with one line and exit status 1 where the SDK would print a traceback or a setting's value."""

    logger: logging.Logger
    config_jsonschema: ClassVar[dict[str, Any]]
    _config: dict[str, Any]

    @classmethod
    def invoke(cls, *arguments: Any, **options: Any) -> None:
        """Run the program."""
        try:
            super().invoke(*arguments, **options)  # type: ignore[misc]
        except ExactError as error:
            cls.logger.error("%s", error)  # noqa: TRY400 - the traceback says nothing to who reads this
            raise SystemExit(1) from None

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings against their schema, and show no secret that fails it."""
        complaints: list[str] = super()._validate_config(raise_errors=False)  # type: ignore[misc]
        complaints = [self._without_secrets(complaint) for complaint in complaints]
        if complaints and raise_errors:
            raise ConfigurationError("Settings: " + "; ".join(complaints) + ".")
        return complaints

    def _without_secrets(self, complaint: str) -> str:
        for name, about in self.config_jsonschema["properties"].items():
            value = self._config.get(name)
            if about.get("secret") and value is not None:
                complaint = complaint.replace(repr(value), "*****")
        return complaint
