"""Calls of a contract are counted per day, and the list of divisions is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the tables."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "contract_days",
        sa.Column("site", text, primary_key=True),
        sa.Column("day", text, primary_key=True),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("refused_until", text, nullable=True),
    )
    op.create_table(
        "division_lists",
        sa.Column("connection", text, primary_key=True),
        sa.Column("login", text, nullable=True),
        sa.Column("read_at", text, nullable=True),
        sa.Column("filter_refused_at", text, nullable=True),
    )
    op.create_table(
        "listed_divisions",
        sa.Column("connection", text, primary_key=True),
        sa.Column("code", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("row", sa.Text, nullable=False),
    )
