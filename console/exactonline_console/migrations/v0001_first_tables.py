"""The first version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "console_launches",
        _count("number", key=True),
        sa.Column("id", _string(), nullable=False, unique=True),
        _text("job"),
        _text("kind"),
        _text("started_by"),
        _text("asked_at"),
        _text("machine"),
        _count("runner_pid"),
        sa.Column("runner_born", sa.Float),
        _count("meltano_pid"),
        sa.Column("meltano_born", sa.Float),
        _text("stop_asked_by", nullable=True),
        _text("ended_at", nullable=True),
        _count("status"),
        sa.Column("sentence", sa.Text),
    )
    op.create_table("console_looks", _key("connection"), _text("at"), sa.Column("found", sa.Text, nullable=False))
    op.create_table(
        "console_sights",
        _key("connection"),
        _count("division", key=True),
        sa.Column("can_read", sa.Boolean, nullable=False),
        sa.Column("can_write", sa.Boolean, nullable=False),
    )
    op.create_table("console_users", _key("name"), _text("password_hash"))
    op.create_table("console_sessions", _key("token_hash"), _text("user"), _text("seen_at"))
    op.create_index("ix_console_sessions_user", "console_sessions", ["user"])
    op.create_table("console_failed_logins", _count("number", key=True), _text("at"), _text("address"), _text("name"))
    op.create_table(
        "console_actions", _count("number", key=True), _text("at"), _text("who"), _text("action"), _text("about")
    )


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does; instants rely on it."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, _string(), primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _string(), nullable=nullable)


def _count(name: str, *, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=key)
