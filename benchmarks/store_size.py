"""Bytes per copy in the store after a first load, by table; the mirror, which is kept in any case, apart."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from machine import served, sqlite_url
from options import Options
from postgres_driver import running_postgres
from sandbox_driver import SOURCE
from tables import goal, table, title
from worlds import world

if TYPE_CHECKING:
    from typing_extensions import LiteralString

BYTES_A_COPY = 1000
MIRROR = "mirror"
SHOWN = ("sources", "copies", "changes")
SQLITE = "SELECT t.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema t ON t.name = d.name GROUP BY 1"
POSTGRESQL = """
SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
"""With indexes and what is kept apart."""


def run(options: Options) -> bool:
    """Measure and print; whether the goals are met."""
    n, m = options.size(5_000, 1_000, options.accounts), options.size(4, 3, options.divisions)
    title(f"Size of the store: {n:,} accounts in {m} divisions, after the first load")
    given, _ = world(n, m)
    with served(given, "--no-limits") as sandbox, running_postgres() as server:
        file, url = sandbox.folder / "sized.db", server.new_database()
        sandbox.pipe([SOURCE], store_url=sqlite_url(file))
        sizes = {"SQLite": _in_sqlite(file)}
        sandbox.start_over()
        sandbox.pipe([SOURCE], store_url=url)
        sizes["PostgreSQL"] = _in_postgresql(url, "VACUUM")
        sizes["PostgreSQL, packed"] = _in_postgresql(url, "VACUUM FULL")
    copies = n * m
    rows = [[kind, *_shares(by_table, copies)] for kind, by_table in sizes.items()]
    table(["bytes per copy", MIRROR, *SHOWN, "others", "beside the mirror"], rows)
    print("A change is a row when it is decided, and written again when it ends; later runs use the room of the first.")
    met = True
    for kind, *_, beside in rows:
        met &= goal(f"bytes per copy beside the mirror, {kind}", float(beside), at_most=BYTES_A_COPY)
    return met


def _shares(by_table: Mapping[str, int], copies: int) -> list[float]:
    apart = {MIRROR, *SHOWN}
    others = sum(size for name, size in by_table.items() if name not in apart)
    beside = sum(size for name, size in by_table.items() if name != MIRROR)
    return [size / copies for size in (*(by_table[name] for name in (MIRROR, *SHOWN)), others, beside)]


def _in_sqlite(file: Path) -> Mapping[str, int]:
    with closing(sqlite3.connect(file)) as database:
        return Counter(dict(database.execute(SQLITE).fetchall()))


def _in_postgresql(url: str, clean: "LiteralString") -> Mapping[str, int]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(clean)
        return Counter(dict(connection.execute(POSTGRESQL).fetchall()))
