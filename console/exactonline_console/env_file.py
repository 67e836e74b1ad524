"""The project's .env, Meltano's own place for secrets: read, and changed without touching what people wrote in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

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
            ConfigurationError: A value cannot stand in such a file.
            OSError: The file cannot be written; it is as it was.
        """
        for name, value in values.items():
            if "${" in value or not value.isprintable():
                raise ConfigurationError(
                    f"{name} holds a line break or ${{, which the file .env cannot keep. Check what was pasted."
                )
        with self._changing() as draft:
            for name, value in values.items():
                set_key(draft, name, value, quote_mode="always")

    def drop(self, *names: str) -> None:
        """Take these out."""
        with self._changing() as draft:
            present = self.values()
            for name in names:
                if name in present:
                    unset_key(draft, name)

    @contextmanager
    def _changing(self) -> Iterator[Path]:
        """A copy to change, in a folder of its own, that takes the file's place when all went well."""
        with FileLock(self._lock, timeout=30, mode=0o600), TemporaryDirectory(dir=self._lock.parent) as folder:
            draft = Path(folder) / self.path.name
            draft.touch(mode=0o600)
            if self.path.exists():
                draft.write_bytes(self.path.read_bytes())
            yield draft
            draft.chmod(0o600)
            draft.replace(self.path)
