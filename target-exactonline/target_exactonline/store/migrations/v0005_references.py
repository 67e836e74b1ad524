"""What companies did with references that were sent to them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "reference_proofs",
        sa.Column("company", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("field", text, primary_key=True),
        sa.Column("value", text, primary_key=True),
        sa.Column("digest", text, nullable=True),
        sa.Column("why", sa.Text, nullable=True),
    )
