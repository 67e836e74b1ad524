"""Who approved which changes."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the table."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "approvals",
        sa.Column("company", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("entity", text, primary_key=True),
        sa.Column("code", text, primary_key=True),
        sa.Column("digest", text, primary_key=True),
        sa.Column("by", text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("planned_by", text, nullable=False),
        sa.Column("plan", sa.Integer, nullable=False),
    )
