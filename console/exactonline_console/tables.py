"""The console's own tables in the store: what it started, who did what, who may log in."""

from __future__ import annotations

from pathlib import Path

from exactonline_client.schema import VersionedTables
from sqlalchemy import Boolean, Column, Float, Integer, String, Table, Text

metadata = VersionedTables("exactonline-console", Path(__file__).parent / "migrations")

launches = Table(
    "console_launches",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("job", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("started_by", String, nullable=False),
    Column("asked_at", String, nullable=False),
    Column("machine", String, nullable=False),
    Column("runner_pid", Integer),
    Column("runner_born", Float),
    Column("meltano_pid", Integer),
    Column("meltano_born", Float),
    Column("stop_asked_by", String),
    Column("ended_at", String),
    Column("status", Integer),
    Column("sentence", Text),
)
"""Runs that the page started. `id` is also that of the target's run, if it came so far."""

looks = Table(
    "console_looks",
    metadata,
    Column("connection", String, primary_key=True),
    Column("at", String, nullable=False),
    Column("found", Text, nullable=False),
)
"""How each connection stood when Exact was last asked, as JSON."""

sights = Table(
    "console_sights",
    metadata,
    Column("connection", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("can_read", Boolean, nullable=False),
    Column("can_write", Boolean, nullable=False),
)
"""What a check showed of the rights in each company; false is not known."""

users = Table(
    "console_users",
    metadata,
    Column("name", String, primary_key=True),
    Column("password_hash", String, nullable=False),
)

sessions = Table(
    "console_sessions",
    metadata,
    Column("token_hash", String, primary_key=True),
    Column("user", String, nullable=False, index=True),
    Column("seen_at", String, nullable=False),
)

failed_logins = Table(
    "console_failed_logins",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("address", String, nullable=False),
    Column("name", String, nullable=False),
)

actions = Table(
    "console_actions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("at", String, nullable=False),
    Column("who", String, nullable=False),
    Column("action", String, nullable=False),
    Column("about", String, nullable=False),
)
