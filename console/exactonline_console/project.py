"""Where the console works: a Meltano project, its store, and a folder for keys and logs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from exactonline_client.errors import ConfigurationError
from exactonline_client.store import WAIT_FOR_WRITERS_SECONDS, Store
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from target_exactonline.store import tables as target_tables

from exactonline_console import tables
from exactonline_console.env_file import EnvFile
from exactonline_console.problems import MeltanoMissingError

PATIENCE_SECONDS = 10
"""Of a person in front of the page."""
STORE_VARIABLE = "EXACTONLINE_STORE_URL"
JOBS_FOLDER = "meltano.d"


@dataclass(frozen=True, slots=True)
class Project:
    """A checkout with a meltano.yml."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Project:
        """The project in this folder.

        Raises:
            ConfigurationError: There is none.
        """
        if not (root / "meltano.yml").is_file():
            raise ConfigurationError(f"{root} holds no meltano.yml: start the console in the project's folder.")
        project = cls(root.resolve())
        project.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return project

    @property
    def folder(self) -> Path:
        """The console's own files, which git ignores."""
        return self.root / ".exactonline" / "console"

    @property
    def env(self) -> EnvFile:
        """Settings and secrets."""
        return EnvFile(self.root / ".env", self.folder / "env.lock")

    def log(self, launch: str) -> Path:
        """The log of a run."""
        return self.folder / f"{launch}.log"

    @property
    def store_url(self) -> str:
        """The store of the page and of all its jobs: what .env says, which it is made to say.

        Raises:
            ConfigurationError: .env cannot be written.
        """
        said = self.env.values().get(STORE_VARIABLE)
        if not said:
            said = f"sqlite:///{self.root / '.exactonline' / 'store.db'}"
            try:
                self.env.put({STORE_VARIABLE: said})
            except OSError as error:
                raise ConfigurationError(f"{self.env.path} cannot be written: {error.strerror}.") from None
        return self._absolute(said)

    def _absolute(self, url: str) -> str:
        """A relative path counts from the project's folder, where runs start."""
        try:
            parts = make_url(url)
        except ArgumentError:
            return url  # the store tells what is wrong with it
        if parts.drivername.startswith("sqlite") and parts.database and parts.database != ":memory:":
            return f"sqlite:///{self.root / parts.database}"
        return url

    def open_store(self, patience_seconds: int = WAIT_FOR_WRITERS_SECONDS) -> Store:
        """The store, with the tables of the target and of the console; writes wait so long for those of others.

        Raises:
            ConfigurationError: It cannot be used.
        """
        return Store.open(self.store_url, target_tables.metadata, tables.metadata, patience_seconds=patience_seconds)

    @property
    def meltano(self) -> Path:
        """Meltano's program: the one beside this Python.

        Raises:
            MeltanoMissingError: It is not there.
        """
        program = Path(sys.executable).parent / "meltano"
        if not program.is_file():
            raise MeltanoMissingError(f"Meltano is missing: {program} is not there. Install it beside the console.")
        return program

    @property
    def environment(self) -> str | None:
        """Meltano's environment, if it is not the project's default."""
        return os.environ.get("MELTANO_ENVIRONMENT")
