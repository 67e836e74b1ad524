"""Calls that the contract allows a day, counted over all companies and all processes on one store.

Exact allows a contract 20,000 calls a UTC day over all its companies, 30,000 with Premium (copy of Exact's page "API
limits"). No header says what is left, so the calls are counted here, per site and app. That the count starts again at
midnight UTC, as the day of a company does, is a guess; so is that it goes by app.

A process takes calls from the store in blocks, so that a call costs no write there, and gives back what it has not
spent when it ends. Blocks double from one call to `LARGEST_BLOCK` and shrink as the limit nears, so that processes
side by side spend the limit to its last call. A process that is killed loses its block: never more calls than it has
made, and at most `LARGEST_BLOCK`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from sqlalchemy import Column, ColumnElement, Connection, Integer, String, Table, delete, func, select

from exactonline_client.limits import next_midnight
from exactonline_client.store import Store, metadata

LARGEST_BLOCK = 64
SHARES_OF_THE_REST = 32
"""A block is at most this part of what is left, so that several processes share the end of the day."""
DAYS_KEPT = timedelta(days=7)

contract_days = Table(
    "contract_days",
    metadata,
    Column("site", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("taken", Integer, nullable=False),
    Column("refused_until", String),
)
"""Per site, app and UTC day: calls spent or held in blocks, and until when Exact refuses more."""


@dataclass(frozen=True, slots=True)
class ContractUse:
    """Calls of the contract on the current day."""

    limit: int
    used: int
    """Those that other running programs hold in their blocks included."""
    left: int
    """0 while Exact refuses calls, whatever was counted."""
    resets_at: datetime

    def as_json(self) -> dict[str, int | str]:
        """Return it in names that programs can rely on."""
        resets_at = self.resets_at.isoformat(timespec="seconds")
        return {"limit": self.limit, "used": self.used, "left": self.left, "resets_at": resets_at}

    def as_text(self) -> str:
        """Return it for a person."""
        said = f"{self.used} of {self.limit} calls of this day are counted"
        if self.left == 0 and self.used < self.limit:
            said += f"; Exact refuses more until {self.resets_at:%Y-%m-%d %H:%M} UTC"
        return said


class ContractQuota:
    """The contract's calls as one process takes them. Instants are on Exact's clock; safe for threads."""

    def __init__(self, store: Store, site: str, limit: int | None) -> None:
        """Read until when Exact refuses calls. Without a limit nothing is counted."""
        self._store = store
        self._site = site
        self._limit = limit
        self._mutex = threading.Lock()
        self._day = date.min
        self._block = 0
        self._size = 0
        self._counted_on: dict[int, date] = {}
        self._ends: datetime | None = None
        with store.read() as connection:
            mine = contract_days.c.site == site
            refused = connection.execute(select(func.max(contract_days.c.refused_until)).where(mine)).scalar_one()
        if refused:
            self._ends = datetime.fromisoformat(refused)

    def spent_until(self, now: datetime) -> datetime | None:
        """When the next call may go, as far as this process knows, or None if nothing is in its way."""
        return self._ends if self._ends is not None and now < self._ends else None

    def spend(self, division: int, now: datetime) -> datetime | None:
        """Count a call that is about to go to a company, or return when it may go and count nothing."""
        with self._mutex:
            if self.spent_until(now) is None and self._limit is not None:
                self._turn_to(_day_of(now))
                if not self._block:
                    self._block = self._take(self._limit, now)
                if self._block:
                    self._block -= 1
                    self._counted_on[division] = self._day
            return self.spent_until(now)

    def settle(self, division: int, latest: datetime) -> None:
        """Count the last call to a company on the day of `latest` as well, if it was counted on another one.

        Its answer came at `latest` at the latest: one that comes after midnight may be of a call of either day. Where
        Exact's clock was not known before the first answer, the call may have been counted on a day yet to come.
        """
        with self._mutex:
            day = _day_of(latest)
            counted_on = self._counted_on.pop(division, day)
            if counted_on == day:
                return
            with self._store.write() as connection:
                self._add(connection, day, 1)
                if counted_on > day:
                    self._add(connection, counted_on, -1)

    def take_back(self, division: int) -> None:
        """Count the last call to a company as not made, since Exact cannot have seen it."""
        with self._mutex:
            if self._counted_on.pop(division, None) == self._day:
                self._block += 1

    def refuse(self, now: datetime, until: datetime) -> None:
        """Let no process send a call before `until`, as far as it asks the store again for calls."""
        with self._mutex:
            self._ends = until
            with self._store.write() as connection:
                self._add(connection, _day_of(now), 0, refused_until=until)

    def use(self, now: datetime) -> ContractUse | None:
        """Calls of the current day, or None if they are not counted."""
        if self._limit is None:
            return None
        with self._mutex:
            with self._store.read() as connection:
                row = connection.execute(select(contract_days).where(self._of(_day_of(now)))).one_or_none()
            taken = row.taken if row else 0
            used = max(0, taken - (self._block if _day_of(now) == self._day else 0))
        if row is not None and row.refused_until is not None and now < _instant(row.refused_until):
            return ContractUse(self._limit, used, 0, _instant(row.refused_until))
        return ContractUse(self._limit, used, max(0, self._limit - used), next_midnight(now))

    def give_back(self) -> None:
        """Return to the store what this process holds and has not spent."""
        with self._mutex:
            self._turn_to(date.min)

    def _turn_to(self, day: date) -> None:
        if day == self._day:
            return
        unspent, before = self._block, self._day
        self._day, self._block, self._size = day, 0, 0
        if unspent:
            with self._store.write() as connection:
                self._add(connection, before, -unspent)

    def _take(self, limit: int, now: datetime) -> int:
        """Take the next block of the day from the store; 0 once it is spent or Exact refuses calls."""
        with self._store.write() as connection:
            row = connection.execute(select(contract_days).where(self._of(self._day))).one_or_none()
            if row is not None and row.refused_until is not None and now < _instant(row.refused_until):
                self._ends = _instant(row.refused_until)
                return 0
            self._size = block_size(self._size, limit - (row.taken if row else 0))
            if not self._size:
                self._ends = next_midnight(now)
                return 0
            self._add(connection, self._day, self._size)
        return self._size

    def _add(self, connection: Connection, day: date, calls: int, *, refused_until: datetime | None = None) -> None:
        """Add to what is taken of a day, within a transaction."""
        table = contract_days
        row = connection.execute(select(table).where(self._of(day))).one_or_none()
        if row is None:
            too_old = (day - DAYS_KEPT).isoformat() if day > date.min + DAYS_KEPT else ""
            connection.execute(delete(table).where(table.c.site == self._site, table.c.day < too_old))
            values = {"site": self._site, "day": day.isoformat(), "taken": max(0, calls)}
            connection.execute(table.insert(), {**values, "refused_until": _text(refused_until)})
        else:
            until = _text(refused_until) if refused_until else row.refused_until
            changed = {"taken": max(0, row.taken + calls), "refused_until": until}
            connection.execute(table.update().where(self._of(day)).values(**changed))

    def _of(self, day: date) -> ColumnElement[bool]:
        return (contract_days.c.site == self._site) & (contract_days.c.day == day.isoformat())


def block_size(last: int, left: int) -> int:
    """Calls to take at once after a block of `last`, where `left` are left; 0 if none is."""
    return max(0, min(max(1, 2 * last), LARGEST_BLOCK, max(1, left // SHARES_OF_THE_REST), left))


def _day_of(instant: datetime) -> date:
    return instant.astimezone(timezone.utc).date()


def _text(instant: datetime | None) -> str | None:
    return instant.astimezone(timezone.utc).isoformat(timespec="milliseconds") if instant else None


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
