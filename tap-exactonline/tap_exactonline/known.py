"""Which accounts of a source division were ever read: what is not there any more was deleted, whatever the log says.

Kept in the store, where it also tells whether that is the store of the last reading. Nothing is taken off the list,
since the tap does not learn what became of what it sent: a deletion that is told again does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from exactonline_client.schema import VersionedTables
from exactonline_client.store import Store
from sqlalchemy import Column, Integer, String, Table, select

IDS_AT_A_TIME = 500

metadata = VersionedTables("tap-exactonline", Path(__file__).parent / "migrations")

known_accounts = Table(
    "known_accounts",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("account_id", String, primary_key=True),
    Column("read_at", String, nullable=False),
)

readings = Table(
    "readings",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("read_at", String, nullable=False),
)


class KnownAccounts:
    """The accounts of all divisions of one site, each with the reading that last saw it."""

    def __init__(self, store: Store, site: str) -> None:
        self._store = store
        self._site = site

    def last_reading(self, division: int) -> datetime | None:
        """When the last reading of a division began, or None if the store knows of none."""
        query = select(readings.c.read_at).where(readings.c.site == self._site, readings.c.division == division)
        with self._store.read() as connection:
            text = connection.execute(query).scalar_one_or_none()
        return datetime.fromisoformat(text) if text else None

    def see(self, division: int, account_ids: Sequence[str], read_at: datetime) -> None:
        """These accounts exist, says the reading that began then."""
        self._upsert(known_accounts, [{"division": division, "account_id": one} for one in account_ids], read_at)

    def end_reading(self, division: int, read_at: datetime) -> None:
        """The reading that began then has come to its end."""
        self._upsert(readings, [{"division": division}], read_at)

    def any(self, division: int) -> bool:
        """Whether any account of a division was ever read."""
        query = select(known_accounts.c.account_id).where(
            known_accounts.c.site == self._site, known_accounts.c.division == division
        )
        with self._store.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def last_seen(self, division: int, account_ids: Sequence[str]) -> dict[str, datetime]:
        """When the last reading began in which each of these accounts was new."""
        found: dict[str, datetime] = {}
        query = select(known_accounts.c.account_id, known_accounts.c.read_at).where(
            known_accounts.c.site == self._site, known_accounts.c.division == division
        )
        with self._store.read() as connection:
            for start in range(0, len(account_ids), IDS_AT_A_TIME):
                some = known_accounts.c.account_id.in_(account_ids[start : start + IDS_AT_A_TIME])
                for row in connection.execute(query.where(some)):
                    found[row.account_id] = datetime.fromisoformat(row.read_at)
        return found

    def unseen(self, division: int, read_at: datetime) -> list[str]:
        """Accounts that the reading in full which began then did not see."""
        query = select(known_accounts.c.account_id).where(
            known_accounts.c.site == self._site,
            known_accounts.c.division == division,
            known_accounts.c.read_at < _text(read_at),
        )
        with self._store.read() as connection:
            return list(connection.execute(query.order_by(known_accounts.c.account_id)).scalars())

    def _upsert(self, table: Table, rows: Sequence[dict[str, object]], read_at: datetime) -> None:
        if not rows:
            return
        with self._store.write() as connection:
            if connection.dialect.name == "postgresql":
                from sqlalchemy.dialects import postgresql as sql  # noqa: PLC0415 - with all its drivers; dear
            else:
                from sqlalchemy.dialects import sqlite as sql  # type: ignore[no-redef] # noqa: PLC0415
            insert = sql.insert(table)
            key = [column.name for column in table.primary_key]
            statement = insert.on_conflict_do_update(
                index_elements=key, set_={"read_at": insert.excluded.read_at}, where=table.c.read_at < _text(read_at)
            )
            stamp = {"site": self._site, "read_at": _text(read_at)}
            connection.execute(statement, [{**stamp, **row} for row in rows])


def _text(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds")
