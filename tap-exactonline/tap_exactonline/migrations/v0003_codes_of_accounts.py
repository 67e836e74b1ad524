"""The code of each account is kept beside its ID, since others refer to it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    with op.batch_alter_table("known_accounts") as known:
        known.add_column(sa.Column("code", text, nullable=True))
