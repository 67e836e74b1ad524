"""Of which source account each copy is one, all that is wanted of it, and whether its source is gone."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns; what they hold is learned as records come."""
    for table in ("links", "parked"):
        op.add_column(table, sa.Column("source_division", sa.Integer))
        op.add_column(table, sa.Column("source_id", sa.String().with_variant(sa.String(collation="C"), "postgresql")))
        op.create_index(f"ix_{table}_source", table, ["source_division", "source_id"])
    op.add_column("links", sa.Column("besides", sa.Text))
    op.add_column("links", sa.Column("gone", sa.Text))
