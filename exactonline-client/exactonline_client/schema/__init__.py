"""The tables of a store by version: which one it has, and the way from there to the one that this program knows.

Each set of tables has a folder of alembic scripts, one per version, and in the store a table that holds its version.
So two programs may keep their tables in one database. An SQLite store that has none of them gets them as they are now;
alembic is imported only where its scripts are needed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, column, select, table

from exactonline_client.errors import ConfigurationError

logger = logging.getLogger(__name__)
logging.getLogger("alembic").setLevel(logging.WARNING)  # at INFO it tells of its plugins

_ALEMBIC_IS_BUSY = threading.Lock()
"""Its scripts reach the connection through a global name."""


class VersionedTables(MetaData):
    """Tables that belong to one program, and the scripts that make and change them.

    Args:
        program: Whose they are.
        scripts: The folder of its scripts.
        unversioned: Tables by which a store is known that the program made before there were versions.
    """

    def __init__(self, program: str, scripts: Path, *, unversioned: Collection[str] = ()) -> None:
        super().__init__()
        self.program = program
        self.unversioned = unversioned
        self.scripts = scripts
        self.version_table = f"{program.replace('-', '_')}_version"

    @property
    def versions(self) -> list[str]:
        """All versions that this program knows, oldest first: v0001_first_tables.py makes 0001."""
        return sorted(script.name[1:5] for script in self.scripts.glob("v[0-9][0-9][0-9][0-9]_*.py"))


def version_in(connection: Connection, tables: VersionedTables) -> str | None:
    """The version of these tables in the store, or None if it has none yet."""
    if not connection.dialect.has_table(connection, tables.version_table):
        return None
    kept = table(tables.version_table, column("version_num"))
    return connection.execute(select(kept.c.version_num)).scalar_one_or_none()


def is_current(connection: Connection, tables: VersionedTables) -> bool:
    """Whether the store has these tables as this program knows them.

    Raises:
        ConfigurationError: It has them of a newer version.
    """
    kept, known = version_in(connection, tables), tables.versions
    if kept is not None and kept not in known:
        raise ConfigurationError(
            f"The store was last used by a newer version of {tables.program}: its tables are of version {kept}, and "
            f"this program knows them up to {known[-1]}. Update {tables.program}; nothing was changed."
        )
    return kept == known[-1]


def bring_up_to_date(connection: Connection, tables: VersionedTables) -> None:
    """Run the scripts that the store lacks, within the transaction of this connection.

    Raises:
        ConfigurationError: The store is newer than this program.
    """
    if is_current(connection, tables):
        return
    before = version_in(connection, tables)
    if before is None and _can_be_made(connection, tables):
        _make(connection, tables)
        return
    upgrade(connection, tables)
    logger.info("The tables of %s are of version %s now; it was %s", tables.program, tables.versions[-1], before)


def upgrade(connection: Connection, tables: VersionedTables) -> None:
    """Run the scripts that the store lacks, all of them if it has no tables yet."""
    from alembic import command  # noqa: PLC0415 - costs a tenth of a second
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", _as_option(Path(__file__).parent))
    config.set_main_option("version_locations", _as_option(tables.scripts))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=tables.version_table)
    with _ALEMBIC_IS_BUSY:
        command.upgrade(config, "head")


def _can_be_made(connection: Connection, tables: VersionedTables) -> bool:
    """Return whether the tables of the code are all that the scripts would come to.

    On PostgreSQL these also set how texts are sorted.
    """
    has_older = any(connection.dialect.has_table(connection, name) for name in tables.unversioned)
    return connection.dialect.name == "sqlite" and bool(tables.tables) and not has_older


def _make(connection: Connection, tables: VersionedTables) -> None:
    """Make all tables, and note their version as alembic would."""
    tables.create_all(connection)
    kept = Table(tables.version_table, MetaData(), Column("version_num", String(32), nullable=False))
    kept.append_constraint(PrimaryKeyConstraint("version_num", name=f"{tables.version_table}_pkc"))
    kept.create(connection)
    connection.execute(kept.insert().values(version_num=tables.versions[-1]))


def _as_option(path: Path) -> str:
    return str(path).replace("%", "%%")
