"""Calls of a contract are counted per day, over all companies."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table of days."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "contract_days",
        sa.Column("site", text, primary_key=True),
        sa.Column("day", text, primary_key=True),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("refused_until", text, nullable=True),
    )
