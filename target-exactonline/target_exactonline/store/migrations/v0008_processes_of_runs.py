"""Where a run is at work."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add machine and process of runs."""
    text = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.add_column("runs", sa.Column("machine", text))
    op.add_column("runs", sa.Column("pid", sa.Integer))
