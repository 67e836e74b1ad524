"""Runs of readings, and the rows of each that the next reading sees again."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feed_series",
        sa.Column("series", _string(), primary_key=True),
        sa.Column("site", _string(), nullable=False),
        sa.Column("division", sa.Integer, nullable=False),
        sa.Column("entity", _string(), nullable=False),
        sa.Column("read_at", _string(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "feed_rows",
        sa.Column("series", _string(), primary_key=True),
        sa.Column("feed", _string(), primary_key=True),
        sa.Column("row_key", _string(), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("reading", _string(), nullable=False),
        sa.Column("written_at", _string()),
        if_not_exists=True,
    )


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does; instants rely on it."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")
