"""Which accounts of a source division were ever read: what is not there any more was deleted, whatever the log says.

Nothing is taken off the list, since the tap does not learn what became of what it sent: a deletion that is sent again
does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from exactonline_client.companies import Company
from exactonline_client.schema import VersionedTables
from exactonline_client.store import Store
from sqlalchemy import Column, Integer, String, Table, select
from sqlalchemy.dialects import postgresql, sqlite

metadata = VersionedTables("tap-exactonline", Path(__file__).parent / "migrations")

known_accounts = Table(
    "known_accounts",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("account_id", String, primary_key=True),
)


class KnownAccounts:
    """The accounts of one division."""

    def __init__(self, store: Store, company: Company) -> None:
        self._store = store
        self.company = company

    def ids(self) -> list[str]:
        """Return the ID of each account that was ever read."""
        mine = known_accounts.c.site == self.company.site, known_accounts.c.division == self.company.division
        with self._store.read() as connection:
            return list(connection.execute(select(known_accounts.c.account_id).where(*mine)).scalars())

    def see(self, account_ids: Sequence[str]) -> None:
        """Add accounts, before they are sent."""
        if not account_ids:
            return
        company = {"site": self.company.site, "division": self.company.division}
        with self._store.write() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(known_accounts)
            rows = [{**company, "account_id": one} for one in account_ids]
            connection.execute(insert.on_conflict_do_nothing(), rows)
