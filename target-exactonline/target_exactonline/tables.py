"""SQLAlchemy tables of what the target must know in the next run. All rows belong to one site, so that a rehearsal
and the real thing never share a memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from exactonline_client.schema import VersionedTables
from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

metadata = VersionedTables("target-exactonline", Path(__file__).parent / "migrations")


def _keyed(name: str, *columns: Column[Any] | Index) -> Table:
    return Table(
        name,
        metadata,
        Column("site", String, primary_key=True),
        Column("division", Integer, primary_key=True),
        Column("code", String, primary_key=True),
        *columns,
    )


replica = _keyed(
    "replica",
    Column("account_id", String, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("modified_at", String),
    Column("present", Text, nullable=False),
)

links = _keyed(
    "links",
    Column("account_id", String, nullable=False),
    Column("written", Text, nullable=False),
    Column("written_at", String),
    Column("source_division", Integer),
    Column("source_id", String),
    Column("besides", Text),
    Column("gone", Text),
    Index("ix_links_source", "source_division", "source_id"),
)

intents = _keyed(
    "intents",
    Column("intended", Text, nullable=False),
)

parked = _keyed(
    "parked",
    Column("state", String, nullable=False),
    Column("stream", String, nullable=False),
    Column("wanted", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("first_seen", String, nullable=False),
    Column("last_tried", String),
    Column("attempts", Integer, nullable=False),
    Column("source_division", Integer),
    Column("source_id", String),
    Index("ix_parked_source", "source_division", "source_id"),
)

refreshes = Table(
    "refreshes",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("timestamp", BigInteger, nullable=False),
    Column("deleted_timestamp", BigInteger, nullable=False),
    Column("fields", Text, nullable=False),
    Column("read_at", String, nullable=False),
)

history = Table(
    "history",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("site", String, nullable=False, index=True),
    Column("division", Integer, nullable=False),
    Column("code", String, nullable=False, index=True),
    Column("at", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("changes", Text, nullable=False),
    Column("reason", Text),
    Column("run", Integer, index=True),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String, nullable=False),
    Column("sites", Text, nullable=False),
    Column("started_at", String, nullable=False),
    Column("started_by", String, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("ended_at", String),
    Column("status", Integer),
    Column("verdict", Text),
    Column("sources", Text, nullable=False),
    Column("divisions", Text, nullable=False),
)
"""Every run; without an end while it is under way, or when it was killed."""

planned = Table(
    "planned",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("division", Integer),
    Column("code", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("changes", Text, nullable=False),
    Column("reason", Text),
    Column("at", String, nullable=False),
    Index("ix_planned_kind", "run", "outcome", "division"),
)
"""What the last dry runs would have done, but for what they would have left as it is."""

progress = Table(
    "progress",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("waiting_for", Text),
    Column("waiting_until", String),
    Column("updated_at", String, nullable=False),
)
"""How far each division of a run is."""
