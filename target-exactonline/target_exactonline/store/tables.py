"""SQLAlchemy tables of what the target must know in the next run.

    sites 1─n companies 1─n positions, planned  how far each company is read and planned, per entity
    sites 1─n sources 1─n copies n─1 companies  source records, and the rows that are tied to them
    companies 1─n mirror                        the rows that each company holds
    companies 1─n match_decisions               which row is whose, as people decided
    runs 1─n plans 1─n changes                  what was decided; once carried out, the history

All of it belongs to a site, so that a rehearsal and the real thing never share a memory.
"""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from exactonline_client.schema import VersionedTables
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = VersionedTables("target-exactonline", Path(__file__).parent / "migrations", unversioned=["history"])


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC, kept as whole milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the milliseconds."""
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the instant."""
        return None if value is None else datetime.fromtimestamp(value / 1000, timezone.utc)


sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", String, nullable=False, unique=True),
)

companies = Table(
    "companies",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", Integer, nullable=False),
    Column("division", Integer, nullable=False),
    Column("name", String, nullable=False),
    UniqueConstraint("site", "division"),
)

positions = Table(
    "positions",
    metadata,
    Column("company", Integer, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("bookmark", Text),
    Column("is_suspect", Boolean, nullable=False),
)
"""bookmark: how far the mirror of a company is read. is_suspect: it took a create and has shown no row since."""

planned = Table(
    "planned",
    metadata,
    Column("company", Integer, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("scope", String, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("settings", String),
)
"""Up to which version the source records of a scope are planned for a company, and a digest of the settings then."""

sources = Table(
    "sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", Integer, nullable=False),
    Column("entity", String, nullable=False),
    Column("company", Integer, nullable=False),
    Column("division", Integer, nullable=False),
    Column("key", String, nullable=False),
    Column("code", String, nullable=False),
    Column("content", Text, nullable=False),
    Column("problems", Text),
    Column("version", BigInteger, nullable=False),
    Column("is_deleted", Boolean, nullable=False),
    Column("stream", String, nullable=False),
    UniqueConstraint("site", "entity", "company", "division", "key"),
    Index("ix_sources_version", "site", "entity", "version"),
    Index("ix_sources_code", "site", "entity", "code"),
)
"""Records as last seen. company: the one that a record was addressed to; 0 for one that settings fan out."""

copies = Table(
    "copies",
    metadata,
    Column("company", Integer, primary_key=True),
    Column("source", Integer, primary_key=True),
    Column("code", String, nullable=False),
    Column("target_id", String),
    Column("written", Integer),
    Column("baseline", Text),
    Column("written_at", Instant),
    Column("matched_on", String),
    Column("state", String, nullable=False),
    Column("kind", String),
    Column("reason", Text),
    Column("refused", String),
    Column("besides", Text),
    Column("first_seen", Instant),
    Column("tries", SmallInteger, nullable=False),
    Column("next_try", Instant),
    Index("ux_copies_target", "company", "target_id", unique=True),
    Index("ix_copies_code", "company", "code"),
    Index("ix_copies_source", "source"),
    Index(
        "ix_copies_waiting",
        "company",
        "state",
        sqlite_where=text("state <> 'tied'"),
        postgresql_where=text("state <> 'tied'"),
    ),
    sqlite_with_rowid=False,
)
"""written: the set of fields that we wrote. baseline: of those, what we wrote where the row holds something else."""

field_sets = Table(
    "field_sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("names", Text, nullable=False, unique=True),
)

mirror = Table(
    "mirror",
    metadata,
    Column("company", Integer, primary_key=True),
    Column("entity", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("code", String),
    Column("version", BigInteger, nullable=False),
    Column("modified_at", Instant),
    Column("content", Text, nullable=False),
    Column("parent", String),
    UniqueConstraint("company", "entity", "code"),
    Index(
        "ix_mirror_parent",
        "company",
        "entity",
        "parent",
        sqlite_where=text("parent is not null"),
        postgresql_where=text("parent is not null"),
    ),
    sqlite_with_rowid=False,
)
"""parent: Exact's ID of the row that this one belongs to, if it belongs to one."""

reference_proofs = Table(
    "reference_proofs",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("field", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("digest", String),
    Column("why", Text),
)
"""value: empty for a kind of reference that was read back as it was sent, else what Exact did not take, while the list
has this digest."""

match_decisions = Table(
    "match_decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("company", Integer, nullable=False),
    Column("entity", String, nullable=False),
    Column("source_division", Integer, nullable=False),
    Column("source_key", String, nullable=False),
    Column("decision", String, nullable=False),
    Column("target_id", String),
    Column("decided_by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_match_decisions_company", "company", "entity"),
)
"""What people decided on first contact. Rows are only added; of a source record in a company the newest counts."""

versions = Table(
    "versions",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Counters, of which the source records take their versions."""

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
    Column("machine", String),
    Column("pid", Integer),
)
"""Every run; without an end while it is under way, or when it was killed. Several may share an id: one sync."""

plans = Table(
    "plans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run", Integer, nullable=False, index=True),
    Column("company", Integer, nullable=False),
    Column("entity", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("counts", Text, nullable=False),
    Column("unsafe", Text),
    Column("forecast", Text),
    Column("approval", String, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("is_trial", Boolean, nullable=False),
    Index("ix_plans_company", "company", "is_open"),
)
"""is_open: not every change of it has ended; a killed run leaves it so. is_trial: of a dry run."""

changes = Table(
    "changes",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run", Integer, index=True),
    Column("plan", Integer, index=True),
    Column("company", Integer),
    Column("entity", String, nullable=False),
    Column("source", Integer),
    Column("code", String, nullable=False),
    Column("action", String),
    Column("rank", SmallInteger, nullable=False),
    Column("fields", Text),
    Column("outcome", String),
    Column("kind", String),
    Column("reason", Text),
    Column("target_id", String),
    Column("target_code", String),
    Column("matched_on", String),
    Column("approved_by", String),
    Column("not_sent", Text),
    Column("besides", Text),
    Column("at", Instant, nullable=False),
    Index("ix_changes_code", "company", "code"),
)
"""What was decided. outcome: None until it is carried out; then the row is part of the history and stays as it is."""

approvals = Table(
    "approvals",
    metadata,
    Column("company", Integer, primary_key=True, autoincrement=False),
    Column("entity", String, primary_key=True),
    Column("code", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("planned_by", String, nullable=False),
    Column("plan", Integer, nullable=False),
)
"""digest: of action, and before and after of each field. planned_by: who started the run of the plan."""

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
"""How far each company of a run is."""
