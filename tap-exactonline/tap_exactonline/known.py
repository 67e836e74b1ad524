"""Which accounts of a source division were ever read, and under which code: others refer to them by it.

What is not there any more was deleted, whatever the log says.

Nothing is taken off the list, since the tap does not learn what became of what it sent: a deletion that is sent again
does no harm.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from exactonline_client.companies import Company
from exactonline_client.odata import Row
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
    Column("code", String),
)
IDS_AT_A_TIME = 500


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

    def codes(self, account_ids: Collection[str]) -> dict[str, str]:
        """Return the codes of accounts, as far as they are known."""
        table, found, listed = known_accounts.c, dict[str, str](), list(account_ids)
        mine = table.site == self.company.site, table.division == self.company.division, table.code.is_not(None)
        with self._store.read() as connection:
            for start in range(0, len(listed), IDS_AT_A_TIME):
                some = table.account_id.in_(listed[start : start + IDS_AT_A_TIME])
                found |= dict(map(tuple, connection.execute(select(table.account_id, table.code).where(*mine, some))))
        return found

    def see(self, rows: Sequence[Row]) -> None:
        """Add accounts, before they are sent."""
        if not rows:
            return
        company = {"site": self.company.site, "division": self.company.division}
        with self._store.write() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(known_accounts)
            keep = insert.on_conflict_do_update(
                index_elements=list(known_accounts.primary_key),
                set_={"code": insert.excluded.code},
                where=known_accounts.c.code.is_distinct_from(insert.excluded.code),
            )
            connection.execute(keep, [{**company, "account_id": row["ID"], "code": row.get("Code")} for row in rows])
