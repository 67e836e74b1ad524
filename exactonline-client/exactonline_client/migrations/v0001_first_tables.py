"""The first version. A store from before there were versions has these tables, or some of them, and keeps them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that are missing."""
    op.create_table(
        "tokens",
        _key("connection"),
        _long("access_token"),
        _long("refresh_token"),
        _text("issued_at"),
        _text("expires_at"),
        _text("first_token_hash"),
        _text("refresh_begun_at", nullable=True),
        if_not_exists=True,
    )
    op.create_table("superseded_tokens", _key("connection"), _key("first_token_hash"), if_not_exists=True)
    op.create_table("token_requests", _key("connection"), _key("day"), _number("requests"), if_not_exists=True)
    op.create_table(
        "pending_logins",
        _key("connection"),
        _text("state"),
        _text("redirect_uri"),
        _text("begun_at"),
        if_not_exists=True,
    )
    op.create_table(
        "budgets",
        _key("site"),
        sa.Column("division", sa.Integer, primary_key=True),
        _number("minute_limit"),
        _number("minute_remaining"),
        _text("minute_resets_at", nullable=True),
        _number("day_limit"),
        _number("day_remaining"),
        _text("day_resets_at", nullable=True),
        if_not_exists=True,
    )
    op.create_table(
        "error_answers",
        sa.Column("number", sa.Integer, primary_key=True),
        _text("site"),
        _number("division"),
        _text("endpoint"),
        _number("status"),
        _text("at"),
        if_not_exists=True,
    )
    op.create_table(
        "blocks",
        _key("site"),
        sa.Column("division", sa.Integer, primary_key=True),
        _key("endpoint"),
        _text("until"),
        if_not_exists=True,
    )


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does; instants rely on it."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, _string(), primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _string(), nullable=nullable)


def _long(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)
