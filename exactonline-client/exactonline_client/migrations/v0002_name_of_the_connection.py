"""Tokens know the connection that they belong to: one app may have several, each with a user of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the name; who has an only connection has none."""
    name = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("name", name, nullable=True))
