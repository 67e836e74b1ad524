"""A refresh that was begun is counted: the same refresh token is presented again, after a pause."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the count and the end of the pause."""
    instant = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("refresh_tries", sa.Integer, nullable=True))
        tokens.add_column(sa.Column("refresh_not_before", instant, nullable=True))
