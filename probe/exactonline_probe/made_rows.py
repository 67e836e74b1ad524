"""What the probe made and has not removed yet, and its errors: kept in the store, so that a kill loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from exactonline_client.schema import VersionedTables
from exactonline_client.store import Store
from sqlalchemy import Column, ColumnElement, Integer, String, Table, and_, select

from exactonline_probe.ceilings import HOUR

metadata = VersionedTables("exactonline-probe", Path(__file__).parent / "migrations")

probe_rows = Table(
    "probe_rows",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True, autoincrement=False),
    Column("mark", String, primary_key=True),
    Column("account_id", String),
    Column("begun_at", String, nullable=False),
)
"""An account that is about to be made, or was: its name begins with the mark. A removed one is not kept."""

probe_errors = Table(
    "probe_errors",
    metadata,
    Column("site", String, primary_key=True),
    Column("at", String, primary_key=True),
)


@dataclass(frozen=True, slots=True)
class MadeRow:
    """An account that may be there."""

    division: int
    mark: str
    account_id: str | None
    begun_at: datetime


class MadeRows:
    """Those of one site."""

    def __init__(self, store: Store, site: str) -> None:
        self._store = store
        self._site = site

    def begin(self, division: int, mark: str, now: datetime) -> None:
        """Keep that an account is about to be made; kept before the request goes out."""
        row = {"site": self._site, "division": division, "mark": mark, "begun_at": now.isoformat()}
        with self._store.write() as connection:
            connection.execute(probe_rows.insert(), row)

    def made(self, division: int, mark: str, account_id: str) -> None:
        """Keep its ID."""
        with self._store.write() as connection:
            connection.execute(probe_rows.update().where(self._is(division, mark)).values(account_id=account_id))

    def gone(self, division: int, mark: str) -> None:
        """Forget it."""
        with self._store.write() as connection:
            connection.execute(probe_rows.delete().where(self._is(division, mark)))

    def left(self) -> list[MadeRow]:
        """All that may be there still, oldest first."""
        mine = probe_rows.c.site == self._site
        with self._store.read() as connection:
            rows = connection.execute(select(probe_rows).where(mine).order_by(probe_rows.c.begun_at)).all()
        return [MadeRow(row.division, row.mark, row.account_id, datetime.fromisoformat(row.begun_at)) for row in rows]

    def note_error(self, at: datetime) -> None:
        """Keep the moment of an error; what is older than an hour is of no more use."""
        with self._store.write() as connection:
            old = probe_errors.c.at < (at - HOUR).isoformat()
            connection.execute(probe_errors.delete().where((probe_errors.c.site == self._site) & old))
            connection.execute(probe_errors.insert(), {"site": self._site, "at": at.isoformat()})

    def errors(self, now: datetime) -> list[datetime]:
        """The moments of the errors of the last hour."""
        recent = (probe_errors.c.site == self._site) & (probe_errors.c.at > (now - HOUR).isoformat())
        with self._store.read() as connection:
            return [
                datetime.fromisoformat(at)
                for at in connection.execute(select(probe_errors.c.at).where(recent)).scalars()
            ]

    def _is(self, division: int, mark: str) -> ColumnElement[bool]:
        return and_(probe_rows.c.site == self._site, probe_rows.c.division == division, probe_rows.c.mark == mark)
