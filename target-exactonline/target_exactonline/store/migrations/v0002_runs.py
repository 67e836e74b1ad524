"""Every run, what the last dry runs planned, how far each division is, and the run of each line of the history."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of runs."""
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True),
        _text("id"),
        _long("sites"),
        _text("started_at"),
        _text("started_by"),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        _text("ended_at", nullable=True),
        sa.Column("status", sa.Integer),
        _long("verdict", nullable=True),
        _long("sources"),
        _long("divisions"),
    )
    op.create_table(
        "planned",
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("division", sa.Integer),
        _text("code"),
        _text("outcome"),
        _long("changes"),
        _long("reason", nullable=True),
        _text("at"),
    )
    op.create_index("ix_planned_kind", "planned", ["run", "outcome", "division"])
    op.create_table(
        "progress",
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        _long("waiting_for", nullable=True),
        _text("waiting_until", nullable=True),
        _text("updated_at"),
    )
    op.add_column("history", sa.Column("run", sa.Integer))
    op.create_index("ix_history_run", "history", ["run"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does."""
    return sa.Column(name, sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=nullable)


def _long(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)
