"""The world file: one SQLite database that several threads and processes may serve at once."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS state (
    one INTEGER PRIMARY KEY CHECK (one = 1), stamp TEXT NOT NULL, config TEXT NOT NULL, world TEXT NOT NULL,
    start TEXT NOT NULL,
    clock_offset REAL NOT NULL DEFAULT 0, faults INTEGER NOT NULL DEFAULT 0, no_limits INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS facts (switches TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, current_division INTEGER);
CREATE TABLE IF NOT EXISTS counters (division INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    division INTEGER NOT NULL, id TEXT NOT NULL, code TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (division, id));
CREATE UNIQUE INDEX IF NOT EXISTS accounts_code ON accounts (division, code);
CREATE UNIQUE INDEX IF NOT EXISTS accounts_version ON accounts (division, version);
CREATE TABLE IF NOT EXISTS deleted (
    division INTEGER NOT NULL, version INTEGER NOT NULL, id TEXT NOT NULL, entity_key TEXT NOT NULL,
    wall INTEGER NOT NULL, by TEXT, entity_type INTEGER NOT NULL DEFAULT 2, PRIMARY KEY (division, version));
CREATE TABLE IF NOT EXISTS list_rows (
    division INTEGER NOT NULL, list TEXT NOT NULL, id TEXT NOT NULL, natural TEXT NOT NULL, version INTEGER,
    data TEXT NOT NULL, PRIMARY KEY (division, list, id));
CREATE UNIQUE INDEX IF NOT EXISTS list_rows_natural ON list_rows (division, list, natural);
CREATE TABLE IF NOT EXISTS children (
    division INTEGER NOT NULL, entity TEXT NOT NULL, id TEXT NOT NULL, account TEXT, number INTEGER, version INTEGER,
    data TEXT NOT NULL, PRIMARY KEY (division, entity, id));
CREATE INDEX IF NOT EXISTS children_account ON children (division, entity, account);
CREATE INDEX IF NOT EXISTS children_number ON children (division, entity, number);
CREATE INDEX IF NOT EXISTS children_version ON children (division, entity, version);
CREATE TABLE IF NOT EXISTS uncommitted (
    division INTEGER NOT NULL, version INTEGER NOT NULL, code TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS backups (division INTEGER PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY, client_id TEXT NOT NULL, user TEXT NOT NULL, redirect_uri TEXT, expires REAL,
    used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS chains (client_id TEXT NOT NULL, user TEXT NOT NULL, chain INTEGER NOT NULL,
    issued REAL, PRIMARY KEY (client_id, user));
CREATE TABLE IF NOT EXISTS refresh_tokens (
    number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, client_id TEXT NOT NULL, user TEXT NOT NULL,
    chain INTEGER NOT NULL, expires REAL NOT NULL, spent INTEGER NOT NULL DEFAULT 0,
    presented INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS access_tokens (
    token TEXT PRIMARY KEY, client_id TEXT NOT NULL, user TEXT NOT NULL, expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS token_calls (
    client_id TEXT NOT NULL, user TEXT NOT NULL, day INTEGER NOT NULL, calls INTEGER NOT NULL,
    PRIMARY KEY (client_id, user));
CREATE TABLE IF NOT EXISTS budgets (
    app TEXT NOT NULL, division INTEGER NOT NULL, minute INTEGER NOT NULL, in_minute INTEGER NOT NULL,
    day INTEGER NOT NULL, in_day INTEGER NOT NULL, busy_until INTEGER NOT NULL, PRIMARY KEY (app, division));
CREATE TABLE IF NOT EXISTS contract_calls (
    app TEXT NOT NULL, day INTEGER NOT NULL, calls INTEGER NOT NULL, refused INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (app, day));
CREATE TABLE IF NOT EXISTS used_divisions (
    user TEXT NOT NULL, division INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (user, division));
CREATE TABLE IF NOT EXISTS errors (
    app TEXT NOT NULL, user TEXT NOT NULL, division INTEGER NOT NULL, endpoint TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS errors_key ON errors (app, user, division, endpoint, at);
CREATE TABLE IF NOT EXISTS blocks (
    app TEXT NOT NULL, user TEXT NOT NULL, division INTEGER NOT NULL, endpoint TEXT NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (app, user, division, endpoint));
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT, spec TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 0,
    fired INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, app TEXT, user TEXT, division INTEGER,
    method TEXT NOT NULL, endpoint TEXT NOT NULL, target TEXT NOT NULL, body TEXT, status INTEGER, error TEXT,
    fault TEXT, overlapped INTEGER NOT NULL DEFAULT 0, duration_ms REAL NOT NULL);
"""
_TABLES = (
    *("users", "counters", "accounts", "deleted", "codes", "chains", "refresh_tokens", "access_tokens"),
    *("token_calls", "budgets", "errors", "blocks", "faults", "journal", "uncommitted", "backups"),
    *("contract_calls", "used_divisions", "list_rows", "children"),
)


class Storage:
    """One connection, one transaction at a time in this process; SQLite's own lock keeps other processes apart."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            self.path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.executescript(_SCHEMA)
        if "entity_type" not in [column[1] for column in self._db.execute("PRAGMA table_info(deleted)")]:
            self._db.execute("ALTER TABLE deleted ADD COLUMN entity_type INTEGER NOT NULL DEFAULT 2")  # of older files

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The database, written wholly at the end or, after an exception, not at all."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


def has_world(db: sqlite3.Connection) -> bool:
    """Whether a world was ever loaded here."""
    return db.execute("SELECT 1 FROM state").fetchone() is not None


def has_lists(db: sqlite3.Connection) -> bool:
    """Whether any company has a row in a list."""
    return db.execute("SELECT 1 FROM list_rows").fetchone() is not None


def empty(db: sqlite3.Connection) -> None:
    """Remove every row but the state itself; numbering starts over."""
    for table in _TABLES:
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the tuple above
    db.execute("DELETE FROM sqlite_sequence")
