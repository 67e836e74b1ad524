"""The accounts that were read, and the last reading of each division."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "known_accounts",
        sa.Column("site", _string(), primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True),
        sa.Column("account_id", _string(), primary_key=True),
        sa.Column("read_at", _string(), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "readings",
        sa.Column("site", _string(), primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True),
        sa.Column("read_at", _string(), nullable=False),
        if_not_exists=True,
    )


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does; instants rely on it."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")
