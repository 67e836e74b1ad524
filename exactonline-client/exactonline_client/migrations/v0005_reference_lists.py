"""The lists that accounts refer to are kept, by company."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "reference_lists",
        sa.Column("site", text, primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("list", text, primary_key=True),
        sa.Column("read_at", text, nullable=True),
        sa.Column("refused_at", text, nullable=True),
        sa.Column("refusal", sa.Text, nullable=True),
        sa.Column("digest", text, nullable=True),
        sa.Column("entries", sa.Text, nullable=True),
    )
