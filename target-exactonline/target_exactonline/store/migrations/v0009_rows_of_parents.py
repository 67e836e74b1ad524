"""Rows that belong to another row of their company."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column, and the index that finds them."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.add_column("mirror", sa.Column("parent", text, nullable=True))
    belongs = sa.text("parent is not null")
    op.create_index(
        "ix_mirror_parent",
        "mirror",
        ["company", "entity", "parent"],
        sqlite_where=belongs,
        postgresql_where=belongs,
    )
