"""What was handed over of the rows that the next reading sees again, in tables of the store.

Rows belong to a series, which is one run of readings since one in full, so that two pipelines on one store do not
disturb each other, and a reading in full that comes to nothing leaves the one before as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from exactonline_client.companies import Company
from exactonline_client.feeds.bookmark import ANCHORS, LOG_KEPT, Kept
from exactonline_client.schema import VersionedTables
from exactonline_client.store import Store

KEYS_AT_A_TIME = 500

metadata = VersionedTables("exactonline-feeds", Path(__file__).parent / "migrations")
"""A program that reads feeds gives this to `Store.open`."""

feed_series = Table(
    "feed_series",
    metadata,
    Column("series", String, primary_key=True),
    Column("site", String, nullable=False),
    Column("division", Integer, nullable=False),
    Column("entity", String, nullable=False),
    Column("read_at", String, nullable=False),
)

feed_rows = Table(
    "feed_rows",
    metadata,
    Column("series", String, primary_key=True),
    Column("feed", String, primary_key=True),
    Column("row_key", String, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("reading", String, nullable=False),
    Column("written_at", String),
)


class FeedMemory:
    """The feeds of one entity in one company: its rows, and its deletion log."""

    def __init__(self, store: Store, company: Company, entity: str) -> None:
        self._store = store
        self._owner = {"site": company.site, "division": company.division, "entity": entity}

    def last_reading(self, series: str) -> datetime | None:
        """Return when the last reading of a series began, or None if the store does not know the series."""
        query = select(feed_series.c.read_at).where(feed_series.c.series == series)
        with self._store.read() as connection:
            text = connection.execute(query).scalar_one_or_none()
        return datetime.fromisoformat(text) if text else None

    def kept(self, series: str, feed: str, floor: int) -> dict[str, Kept]:
        """Return the rows of a feed above a row version, and the nearest below it."""
        rows = select(feed_rows.c.row_key, feed_rows.c.version, feed_rows.c.reading, feed_rows.c.written_at).where(
            feed_rows.c.series == series, feed_rows.c.feed == feed
        )
        above = rows.where(feed_rows.c.version > floor)
        below = rows.where(feed_rows.c.version <= floor).order_by(feed_rows.c.version.desc()).limit(ANCHORS)
        with self._store.read() as connection:
            found = [*connection.execute(above), *connection.execute(below)]
        return {key: Kept(*rest) for key, *rest in found}

    def keep(self, series: str, feed: str, rows: Mapping[str, Kept]) -> None:
        """Keep rows before they are handed over: should nobody learn of it, they may have arrived all the same."""
        with self._store.write() as connection:
            _put(connection, series, feed, rows)

    def end(
        self,
        series: str,
        read_at: datetime,
        *,
        keep: Mapping[str, Mapping[str, Kept]],
        above: Mapping[str, int],
        deleted: tuple[str, Sequence[str]],
        begins: bool,
    ) -> None:
        """Note that a reading came to its end.

        Args:
            series: The one that it belongs to.
            read_at: When it began.
            keep: Feed → further rows to keep.
            above: Feed → the row version above which rows are still looked for.
            deleted: A feed, and its rows that are not looked for any more since they were deleted.
            begins: Whether the series begins with it. Then those that nobody continued for long are dropped.
        """
        mine = feed_rows.c.series == series
        with self._store.write() as connection:
            for feed, rows in keep.items():
                _put(connection, series, feed, rows)
                old = (feed_rows.c.feed == feed) & (feed_rows.c.version <= above[feed])
                if not begins:
                    connection.execute(delete(feed_rows).where(mine & old))
            feed, keys = deleted
            for start in range(0, len(keys), KEYS_AT_A_TIME):
                some = feed_rows.c.row_key.in_(keys[start : start + KEYS_AT_A_TIME])
                connection.execute(delete(feed_rows).where(mine & (feed_rows.c.feed == feed) & some))
            _put_series(connection, {"series": series, **self._owner, "read_at": _text(read_at)})
            if begins:
                self._drop_old_series(connection, read_at)

    def forget(self, series: str) -> None:
        """Forget a series, so that whoever comes with a bookmark of it reads in full."""
        with self._store.write() as connection:
            for table in (feed_rows, feed_series):
                connection.execute(delete(table).where(table.c.series == series))

    def _drop_old_series(self, connection: Connection, now: datetime) -> None:
        mine = [feed_series.c[name] == value for name, value in self._owner.items()]
        old = select(feed_series.c.series).where(*mine, feed_series.c.read_at < _text(now - LOG_KEPT))
        for table in (feed_rows, feed_series):
            connection.execute(delete(table).where(table.c.series.in_(old)))


def _put(connection: Connection, series: str, feed: str, rows: Mapping[str, Kept]) -> None:
    values = [{"series": series, "feed": feed, "row_key": key, **one._asdict()} for key, one in rows.items()]
    if values:
        insert = _insert(connection, feed_rows)
        changed = {name: insert.excluded[name] for name in Kept._fields}
        key = [column.name for column in feed_rows.primary_key]
        connection.execute(insert.on_conflict_do_update(index_elements=key, set_=changed), values)


def _put_series(connection: Connection, row: Mapping[str, object]) -> None:
    insert = _insert(connection, feed_series)
    newer = insert.excluded.read_at
    statement = insert.on_conflict_do_update(
        index_elements=["series"], set_={"read_at": newer}, where=feed_series.c.read_at < newer
    )
    connection.execute(statement, [row])


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _text(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).isoformat(timespec="microseconds")
