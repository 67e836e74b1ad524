"""The divisions within reach of a connection: those that a run uses as Exact lists them now, the others of today.

A list takes a call per 60 divisions, which an office with 3,000 of them cannot spend in each program of each run. So
those that a run reads or writes are asked for by code, and the whole list is kept in the store for a day, for the
login that it was read with. That system/Divisions can be filtered by Code is what a client in production does
(`$filter=Code eq 123&$select=...`); no text of Exact says so. Where it answers 400, or lists none that is there, the
whole list is read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Connection, Integer, String, Table, Text, delete, func, select

from exactonline_client.client import ExactClient
from exactonline_client.divisions import DIVISION_FIELDS, pages
from exactonline_client.entities import DIVISIONS
from exactonline_client.errors import DivisionRefusedError, TryLaterError, UnexpectedReplyError
from exactonline_client.odata import Row
from exactonline_client.store import Store, metadata
from exactonline_client.token_tables import tokens
from exactonline_client.tokens import TokenStore

GOOD_FOR = timedelta(days=1)
FILTER_TRIED_AGAIN_AFTER = timedelta(days=30)
BAD_REQUEST = 400

division_lists = Table(
    "division_lists",
    metadata,
    Column("connection", String, primary_key=True),
    Column("login", String),
    Column("read_at", String),
    Column("filter_refused_at", String),
)
"""When the divisions of a connection were last listed, and by which login: who logs in again may see others."""

listed_divisions = Table(
    "listed_divisions",
    metadata,
    Column("connection", String, primary_key=True),
    Column("code", Integer, primary_key=True, autoincrement=False),
    Column("row", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store knows of a list."""

    size: int = 0
    is_of_today: bool = False
    is_filter_refused: bool = False


class DivisionList:
    """The divisions within reach of one connection, by code."""

    def __init__(self, client: ExactClient, store: Store) -> None:
        self.client = client
        self._store = store
        self._connection = TokenStore.of(store, client.settings).connection

    def now(self, codes: Collection[int], likely: Sequence[int]) -> dict[int, Row]:
        """Return those of these codes that are within reach, as Exact lists them now.

        Args:
            likely: Divisions that are probably within reach, to ask through.
        """
        mine, kept = self._own(codes), self._kept()
        if not mine:
            return {}
        if kept.is_filter_refused or (kept.size and pages(kept.size) <= pages(len(mine))):
            whole = self.whole(likely)
            return {code: whole[code] for code in mine if code in whole}
        try:
            found = _by_code(self._ask(likely, sorted(mine)))
        except UnexpectedReplyError as error:
            if error.status != BAD_REQUEST:
                raise
            self._remember_refusal()
            return self.now(codes, likely)
        found = {code: row for code, row in found.items() if code in mine}
        if found:  # else it is in doubt whether the filter works
            self._correct(found, mine)
        return found

    def today(self, codes: Collection[int], likely: Sequence[int]) -> dict[int, Row]:
        """Return all divisions within reach: these codes as Exact lists them now, the others as it did today."""
        mine, kept = self._own(codes), self._kept()
        if not kept.is_of_today or pages(kept.size) <= max(1, pages(len(mine))):
            return self.whole(likely)
        found = self.now(codes, likely)
        return {code: row for code, row in self._rows().items() if code not in mine} | found

    def without(self, codes: Collection[int], likely: Sequence[int]) -> dict[int, Row]:
        """Return all divisions within reach, after these codes were not found; in doubt as Exact lists them now."""
        rows = self.kept()
        return self.whole(likely) if not rows or rows.keys() & set(codes) else rows

    def kept(self) -> dict[int, Row]:
        """Return all divisions within reach as Exact listed them today, without a call; none if it did not."""
        return self._rows() if self._kept().is_of_today else {}

    def whole(self, likely: Sequence[int]) -> dict[int, Row]:
        """Read the whole list from Exact, and keep it."""
        found = _by_code(self._ask(likely))
        self.keep(found)
        return found

    def keep(self, found: Mapping[int, Row]) -> None:
        """Keep a whole list, just read."""
        with self._store.write() as writing:
            writing.execute(delete(listed_divisions).where(listed_divisions.c.connection == self._connection))
            self._insert(writing, found)
            self._note(writing, login=self._login(writing), read_at=self.client.now().isoformat())

    # Exact

    def _ask(self, likely: Sequence[int], codes: Sequence[int] | None = None) -> list[Row]:
        """Ask through the first likely division, or else through the one last used or another likely one."""
        client = self.client
        refused: DivisionRefusedError | None = None
        if likely:
            try:
                return client.run(client.division_rows(likely[0], select=DIVISIONS.selectable, codes=codes))
            except DivisionRefusedError as error:
                refused = error  # it may be another connection's
            except TryLaterError:
                pass  # its day is spent, or is by our clock: the next answer tells Exact's
        candidates = dict.fromkeys((client.run(client.me()).current_division, *likely))
        if refused is not None:
            candidates.pop(likely[0], None)
            if not candidates:
                raise refused
        return client.run(client.division_rows(*candidates, select=DIVISIONS.selectable, codes=codes))

    def _own(self, codes: Collection[int]) -> set[int]:
        """Those of the codes that can be this connection's."""
        own = self.client.settings.divisions
        return {code for code in codes if not own or code in own}

    # The store

    def _kept(self) -> Kept:
        with self._store.read() as reading:
            about = reading.execute(select(division_lists).where(self._is_mine)).one_or_none()
            if about is None:
                return Kept()
            mine = listed_divisions.c.connection == self._connection
            size = reading.execute(select(func.count()).select_from(listed_divisions).where(mine)).scalar_one()
            is_same_login = about.login is not None and about.login == self._login(reading)
        refused = self._is_younger(about.filter_refused_at, FILTER_TRIED_AGAIN_AFTER)
        if not is_same_login:
            return Kept(is_filter_refused=refused)
        return Kept(size, bool(size) and self._is_younger(about.read_at, GOOD_FOR), refused)

    def _rows(self) -> dict[int, Row]:
        mine = listed_divisions.c.connection == self._connection
        with self._store.read() as reading:
            rows = reading.execute(select(listed_divisions).where(mine).order_by(listed_divisions.c.code)).all()
        return {row.code: json.loads(row.row) for row in rows}

    def _correct(self, found: Mapping[int, Row], asked: Collection[int]) -> None:
        """Bring the kept list up to what Exact has just said of some divisions."""
        kept = self._rows() if self._kept().size else {}
        if not kept or all(_essence(kept.get(code)) == _essence(found.get(code)) for code in asked):
            return
        table = listed_divisions
        with self._store.write() as writing:
            mine = (table.c.connection == self._connection) & table.c.code.in_(asked)
            writing.execute(delete(table).where(mine))
            self._insert(writing, found)

    def _remember_refusal(self) -> None:
        with self._store.write() as writing:
            self._note(writing, filter_refused_at=self.client.now().isoformat())

    def _insert(self, writing: Connection, found: Mapping[int, Row]) -> None:
        if found:
            rows = [
                {"connection": self._connection, "code": code, "row": json.dumps(row, ensure_ascii=False)}
                for code, row in found.items()
            ]
            writing.execute(listed_divisions.insert(), rows)

    def _note(self, writing: Connection, **values: str | None) -> None:
        if not writing.execute(division_lists.update().where(self._is_mine).values(**values)).rowcount:
            writing.execute(division_lists.insert(), {"connection": self._connection, **values})

    @property
    def _is_mine(self) -> ColumnElement[bool]:
        return division_lists.c.connection == self._connection

    def _login(self, connection: Connection) -> str | None:
        mine = tokens.c.connection == self._connection
        return connection.execute(select(tokens.c.first_token_hash).where(mine)).scalar_one_or_none()

    def _is_younger(self, text: str | None, span: timedelta) -> bool:
        return text is not None and timedelta(0) <= self.client.now() - datetime.fromisoformat(text) < span


def _by_code(rows: Iterable[Row]) -> dict[int, Row]:
    return {int(row["Code"]): row for row in rows}


def _essence(row: Row | None) -> list[object] | None:
    """What decides whether and how a division is used."""
    return None if row is None else [row.get(name) for name in DIVISION_FIELDS]
