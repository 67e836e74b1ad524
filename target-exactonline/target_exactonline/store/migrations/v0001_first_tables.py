"""The first version. A store from before there were versions has these tables, or some of them, and keeps them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables that are missing."""
    _keyed(
        "replica",
        _text("account_id"),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        _text("modified_at", nullable=True),
        _long("present"),
    )
    _keyed("links", _text("account_id"), _long("written"), _text("written_at", nullable=True))
    _keyed("intents", _long("intended"))
    _keyed(
        "parked",
        _text("state"),
        _text("stream"),
        _long("wanted"),
        _long("reason"),
        _text("first_seen"),
        _text("last_tried", nullable=True),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
    op.create_table(
        "refreshes",
        sa.Column("site", _string(), primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("deleted_timestamp", sa.BigInteger, nullable=False),
        _long("fields"),
        _text("read_at"),
        if_not_exists=True,
    )
    op.create_table(
        "history",
        sa.Column("number", sa.Integer, primary_key=True),
        _text("site"),
        sa.Column("division", sa.Integer, nullable=False),
        _text("code"),
        _text("at"),
        _text("outcome"),
        _long("changes"),
        _long("reason", nullable=True),
        if_not_exists=True,
    )
    for column in ("site", "code"):
        op.create_index(f"ix_history_{column}", "history", [column], if_not_exists=True)


def _keyed(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("site", _string(), primary_key=True),
        sa.Column("division", sa.Integer, primary_key=True),
        sa.Column("code", _string(), primary_key=True),
        *columns,
        if_not_exists=True,
    )


def _string() -> sa.String:
    """Text that PostgreSQL compares and sorts byte by byte, as SQLite does; instants and codes rely on it."""
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _string(), nullable=nullable)


def _long(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)
