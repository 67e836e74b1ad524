"""The accounts that a probe made, and the errors that it had."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "probe_rows",
        sa.Column("site", _string(), primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True),
        sa.Column("mark", _string(), primary_key=True),
        sa.Column("account_id", _string()),
        sa.Column("begun_at", _string(), nullable=False),
    )
    op.create_table(
        "probe_errors",
        sa.Column("site", _string(), primary_key=True),
        sa.Column("at", _string(), primary_key=True),
    )


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does; instants rely on it."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")
