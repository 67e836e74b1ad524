"""Readings are the matter of the feeds' tables; of an account it is kept that it was read."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Drop what is not needed any more."""
    op.drop_table("readings")
    op.drop_column("known_accounts", "read_at")
