"""The project's .env, Meltano's own place for secrets: read, and changed without touching what people wrote in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values, set_key, unset_key
from exactonline_client.errors import ConfigurationError
from filelock import FileLock


class EnvFile:
    """A file of NAME='value' lines, of which nobody but its owner may read any."""

    def __init__(self, path: Path, lock: Path) -> None:
        self.path = path
        self._lock = lock

    def values(self) -> dict[str, str]:
        """What it says now."""
        return {name: value for name, value in dotenv_values(self.path).items() if value is not None}

    def put(self, values: Mapping[str, str]) -> None:
        """Set these, one line each; other lines and comments stay.

        Raises:
            ConfigurationError: A value cannot stand in such a file, or the file cannot be written.
        """
        for name, value in values.items():
            if "${" in value or not value.isprintable():
                raise ConfigurationError(
                    f"{name} holds a line break or ${{, which the file .env cannot keep. Check what was pasted."
                )
        with self._writing():
            for name, value in values.items():
                set_key(self.path, name, value, quote_mode="always")
            self.path.chmod(0o600)

    def drop(self, *names: str) -> None:
        """Take these out."""
        with self._writing():
            present = self.values()
            for name in names:
                if name in present:
                    unset_key(self.path, name)
            self.path.chmod(0o600)

    def _writing(self) -> FileLock:
        try:
            self.path.touch(mode=0o600)
        except OSError as error:
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}.") from None
        return FileLock(self._lock, timeout=30, mode=0o600)
