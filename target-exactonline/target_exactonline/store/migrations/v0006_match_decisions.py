"""What people decided on first contact."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the table."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "match_decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("company", sa.Integer, nullable=False),
        sa.Column("entity", text, nullable=False),
        sa.Column("source_division", sa.Integer, nullable=False),
        sa.Column("source_key", text, nullable=False),
        sa.Column("decision", text, nullable=False),
        sa.Column("target_id", text, nullable=True),
        sa.Column("decided_by", text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_match_decisions_company", "match_decisions", ["company", "entity"])
