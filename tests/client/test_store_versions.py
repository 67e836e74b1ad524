"""The tables of a store by version, in both kinds of database."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from exactonline_client import budgets, store, token_tables
from exactonline_client.errors import ConfigurationError
from exactonline_client.feeds import memory
from exactonline_client.schema import VersionedTables, bring_up_to_date, upgrade
from exactonline_client.store import Store
from exactonline_console import tables as console_tables
from exactonline_probe import made_rows
from sqlalchemy import Column, Connection, Integer, MetaData, Table, create_engine, inspect, select, text
from tap_exactonline import known
from target_exactonline.store import tables as target_tables
from warm_start import BIN

CLIENT, TAP, TARGET = store.metadata, known.metadata, target_tables.metadata
FEEDS = memory.metadata
CONSOLE = console_tables.metadata
PROBE = made_rows.metadata
FIRST_SCRIPT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.create_table("harvest", sa.Column("n", sa.Integer, primary_key=True), if_not_exists=True)
"""
SECOND_SCRIPT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "0002", "0001"


def upgrade():
    op.create_table("barn", sa.Column("n", sa.Integer, primary_key=True))
    op.execute("UPDATE harvest SET n = n + 1")
    with op.batch_alter_table("harvest") as batch:
        batch.add_column(sa.Column("crop", sa.String))
        batch.alter_column("n", new_column_name="number")
"""
OPEN = """
import sys
from exactonline_client.store import Store
from target_exactonline.store import tables

sys.stdin.readline()
with Store.open(sys.argv[1], tables.metadata):
    print("alembic" in sys.modules)
"""


@pytest.fixture
def farm(tmp_path: Path) -> VersionedTables:
    """Tables of a program with one version."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "v0001_harvest.py").write_text(FIRST_SCRIPT)
    return VersionedTables("farm", folder)


def add_version(farm: VersionedTables, script: str) -> None:
    (farm.scripts / "v0002_barn.py").write_text(script)


def version_of(opened: Store, tables: VersionedTables) -> str:
    with opened.read() as connection:
        return str(connection.execute(text(f"SELECT version_num FROM {tables.version_table}")).scalar_one())  # noqa: S608


def numbers(opened: Store, column: str = "n") -> list[int]:
    with opened.read() as connection:
        return list(connection.execute(text(f"SELECT {column} FROM harvest ORDER BY 1")).scalars())  # noqa: S608


def sow(opened: Store) -> None:
    with opened.write() as connection:
        connection.execute(text("INSERT INTO harvest VALUES (1), (5)"))


def table_names(opened: Store) -> set[str]:
    with opened.read() as connection:
        return set(inspect(connection).get_table_names())


def make_as_before_versions(
    store_url: str, scripts: Path, *chosen: VersionedTables, without: tuple[Table, ...]
) -> None:
    """Make the first tables, as the program did before there were versions, with one row in tokens."""
    if store_url.startswith("sqlite"):
        Path(store_url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    engine = create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
    row = {"connection": "c", "first_token_hash": "h", "issued_at": "i", "expires_at": "e"}
    with engine.begin() as connection:
        for tables in chosen:
            folder = scripts / tables.program
            folder.mkdir(parents=True)
            shutil.copy(next(tables.scripts.glob("v0001_*.py")), folder)
            bring_up_to_date(connection, VersionedTables(tables.program, folder))
            connection.execute(text(f"DROP TABLE {tables.version_table}"))
        for table in without:
            table.drop(connection)
        columns = ", ".join((*row, "access_token", "refresh_token"))
        values = ", ".join(f"'{value}'" for value in (*row.values(), "a", "r"))
        connection.execute(text(f"INSERT INTO tokens ({columns}) VALUES ({values})"))  # noqa: S608 - all of it is above
    engine.dispose()


@pytest.mark.parametrize("tables", [CLIENT, FEEDS, TAP, TARGET, CONSOLE, PROBE], ids=lambda tables: tables.program)
def test_the_scripts_make_the_tables_of_the_code(any_store_url: str, tables: VersionedTables) -> None:
    names = {tables.version_table, *tables.tables}

    with Store.open(any_store_url) as opened, opened.write() as connection:
        if tables is not CLIENT:
            upgrade(connection, tables)
        options = {
            "version_table": tables.version_table,
            "include_name": lambda name, kind, _parents: kind != "table" or name in names,
        }
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), tables)

    assert budgets.budgets.name in CLIENT.tables
    assert differences == []


@pytest.mark.parametrize("tables", [CLIENT, FEEDS, TAP, TARGET, CONSOLE, PROBE], ids=lambda tables: tables.program)
def test_a_new_store_is_made_as_the_scripts_make_it(any_store_url: str, tables: VersionedTables) -> None:
    Store.open(any_store_url).close()
    shapes = []
    for way in (bring_up_to_date, upgrade):
        with Store.open(any_store_url) as opened, opened.write() as connection:
            for name in (tables.version_table, *tables.tables):
                connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
            way(connection, tables)
            shapes.append(shape(connection, tables))

    assert shapes[0] == shapes[1]


def shape(connection: Connection, tables: VersionedTables) -> dict[str, Any]:
    """Columns, keys and indexes of a set of tables, and the version that is noted."""
    found: dict[str, Any] = {}
    known = inspect(connection)
    for name in (tables.version_table, *tables.tables):
        columns = sorted((one["name"], str(one["type"]), one["nullable"]) for one in known.get_columns(name))
        unique = sorted(tuple(one["column_names"]) for one in known.get_unique_constraints(name))
        indexes = sorted((str(one["name"]), tuple(one["column_names"])) for one in known.get_indexes(name))
        found[name] = columns, known.get_pk_constraint(name)["constrained_columns"], unique, indexes
    found["version"] = connection.execute(text(f"SELECT * FROM {tables.version_table}")).all()  # noqa: S608 - ours
    return found


@pytest.mark.parametrize("tables", [CLIENT, FEEDS, TAP, TARGET, CONSOLE, PROBE], ids=lambda tables: tables.program)
def test_scripts_are_numbered_without_a_gap_each_after_the_one_before(tables: VersionedTables) -> None:
    scripts = ScriptDirectory(str(tables.scripts), version_locations=[str(tables.scripts)])

    in_order = [script.revision for script in scripts.walk_revisions()][::-1]

    assert in_order == tables.versions == [f"{number:04}" for number in range(1, len(in_order) + 1)]


def test_two_programs_have_versions_of_their_own_in_one_database(any_store_url: str) -> None:
    with Store.open(any_store_url) as client_only:
        before = table_names(client_only)

    with Store.open(any_store_url, TARGET) as both:
        assert not before & set(TARGET.tables)
        assert table_names(both) == before | {TARGET.version_table, *TARGET.tables}
        assert (version_of(both, CLIENT), version_of(both, TARGET)) == (CLIENT.versions[-1], TARGET.versions[-1])


@pytest.mark.parametrize("missing", [(), (token_tables.pending_logins, token_tables.superseded_tokens)])
def test_a_store_from_before_there_were_versions_is_taken_over_with_its_rows(
    any_store_url: str, missing: tuple[Table, ...], tmp_path: Path
) -> None:
    chosen = (CLIENT,) if missing else (CLIENT, TARGET)
    make_as_before_versions(any_store_url, tmp_path / "scripts", *chosen, without=missing)

    with Store.open(any_store_url, TARGET) as opened:
        assert version_of(opened, CLIENT) == CLIENT.versions[-1]
        assert table_names(opened) >= {*CLIENT.tables, *TARGET.tables}
        with opened.read() as connection:
            assert connection.execute(select(token_tables.tokens.c.refresh_token)).scalars().all() == ["r"]


def test_a_new_version_keeps_the_rows(any_store_url: str, farm: VersionedTables) -> None:
    with Store.open(any_store_url, farm) as opened:
        sow(opened)
    add_version(farm, SECOND_SCRIPT)

    with Store.open(any_store_url, farm) as opened:
        assert numbers(opened, "number") == [2, 6]
        assert version_of(opened, farm) == "0002"
        assert version_of(opened, CLIENT) == CLIENT.versions[-1]


@pytest.mark.parametrize(
    ("mistake", "error"),
    [
        ('op.execute("INSERT INTO nowhere VALUES (1)")', ConfigurationError),
        ("raise ZeroDivisionError", ZeroDivisionError),
    ],
    ids=["of the database", "of the script"],
)
def test_a_new_version_that_fails_leaves_the_store_as_it_was(
    any_store_url: str, farm: VersionedTables, mistake: str, error: type[Exception]
) -> None:
    with Store.open(any_store_url, farm) as opened:
        sow(opened)
        before = table_names(opened)
    add_version(farm, f"{SECOND_SCRIPT}    {mistake}\n")

    with pytest.raises(error):
        Store.open(any_store_url, farm)

    (farm.scripts / "v0002_barn.py").unlink()
    with Store.open(any_store_url, farm) as opened:
        assert (table_names(opened), numbers(opened), version_of(opened, farm)) == (before, [1, 5], "0001")


def test_a_process_killed_while_it_makes_a_new_version_leaves_the_store_as_it_was(
    any_store_url: str, farm: VersionedTables
) -> None:
    with Store.open(any_store_url, farm) as opened:
        sow(opened)
        before = table_names(opened)
    add_version(farm, f"{SECOND_SCRIPT}    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n")
    program = (
        "import sys; from pathlib import Path; from exactonline_client.schema import VersionedTables; "
        "from exactonline_client.store import Store; "
        "Store.open(sys.argv[1], VersionedTables('farm', Path(sys.argv[2])))"
    )

    killed = subprocess.run([BIN / "python", "-c", program, any_store_url, str(farm.scripts)], check=False, timeout=60)

    assert killed.returncode == -9
    (farm.scripts / "v0002_barn.py").unlink()
    with Store.open(any_store_url, farm) as opened:
        assert (table_names(opened), numbers(opened), version_of(opened, farm)) == (before, [1, 5], "0001")


def test_a_store_of_a_newer_version_says_what_to_update_and_stays_as_it_is(
    any_store_url: str, farm: VersionedTables
) -> None:
    with Store.open(any_store_url, farm) as opened:
        sow(opened)
    add_version(farm, SECOND_SCRIPT)
    Store.open(any_store_url, farm).close()
    (farm.scripts / "v0002_barn.py").unlink()

    with pytest.raises(ConfigurationError, match=r"newer version of farm.* 0002.* 0001\. Update farm"):
        Store.open(any_store_url, farm)

    with Store.open(any_store_url) as opened:
        assert (numbers(opened, "number"), version_of(opened, farm)) == ([2, 6], "0002")


def test_four_processes_that_open_a_new_store_at_once_make_it_once(any_store_url: str) -> None:
    started = [
        subprocess.Popen(
            [BIN / "python", "-c", OPEN, any_store_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()

    errors = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0, 0], errors


def test_a_new_file_is_made_without_alembic(tmp_path: Path) -> None:
    new = f"sqlite:///{tmp_path / 'store.db'}"

    made = subprocess.run([sys.executable, "-c", OPEN, new], input="\n", capture_output=True, text=True, check=True)

    assert made.stdout.strip() == "False"
    with Store.open(new, TARGET) as opened:  # by a program that imports hardly anything, it has all tables
        assert table_names(opened) >= {*CLIENT.tables, *TARGET.tables}


def test_a_store_that_is_up_to_date_is_opened_without_alembic(any_store_url: str) -> None:
    Store.open(any_store_url, TARGET).close()

    second = subprocess.run(
        [sys.executable, "-c", OPEN, any_store_url], input="\n", capture_output=True, text=True, check=True, timeout=60
    )

    assert second.stdout.strip() == "False"


def test_tables_without_versions_are_made_where_they_are_missing(any_store_url: str) -> None:
    own = MetaData()
    Table("scratch", own, Column("n", Integer))

    with Store.open(any_store_url, own) as opened:
        assert "scratch" in table_names(opened)


def test_accounts_that_an_earlier_version_of_the_tap_read_are_known_still(any_store_url: str, tmp_path: Path) -> None:
    for number in ("0001", "0002", "0003"):
        shutil.copy(next(TAP.scripts.glob(f"v{number}_*.py")), tmp_path)

    with Store.open(any_store_url) as opened, opened.write() as connection:
        upgrade(connection, VersionedTables(TAP.program, tmp_path))
        connection.execute(text("INSERT INTO known_accounts VALUES ('s', 100, 'a', '42'), ('s', 100, 'b', NULL)"))
        upgrade(connection, TAP)
        rows = connection.execute(text("SELECT stream, row_id, code FROM known_rows ORDER BY row_id")).all()

    assert list(map(tuple, rows)) == [("accounts", "a", "42"), ("accounts", "b", None)]
