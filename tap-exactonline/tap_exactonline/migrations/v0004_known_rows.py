"""What was read is kept of every entity: beside the accounts of what belongs to them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table, with the accounts of the one before."""
    op.create_table(
        "known_rows",
        sa.Column("site", _string(), primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True),
        sa.Column("stream", _string(), primary_key=True),
        sa.Column("row_id", _string(), primary_key=True),
        sa.Column("code", _string(), nullable=True),
        sa.Column("missing_since", _string(), nullable=True),
    )
    op.execute(
        "INSERT INTO known_rows (site, division, stream, row_id, code) "
        "SELECT site, division, 'accounts', account_id, code FROM known_accounts"
    )
    op.drop_table("known_accounts")


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does; instants rely on it."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")
