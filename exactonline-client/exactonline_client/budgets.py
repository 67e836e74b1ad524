"""What is left to ask of each division, known to every thread and kept between runs."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from sqlalchemy import Column, Integer, String, Table, delete, select

from exactonline_client import limits
from exactonline_client.contract import ContractQuota, ContractUse
from exactonline_client.forecast import Forecast, Work, forecast
from exactonline_client.limits import Allowance, Ceilings, ClockOffset, Reason, Wait, Window
from exactonline_client.store import Store, metadata

UTC = timezone.utc

budgets = Table(
    "budgets",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("minute_limit", Integer, nullable=False),
    Column("minute_remaining", Integer, nullable=False),
    Column("minute_resets_at", String),
    Column("day_limit", Integer, nullable=False),
    Column("day_remaining", Integer, nullable=False),
    Column("day_resets_at", String),
)

error_answers = Table(
    "error_answers",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("site", String, nullable=False),
    Column("division", Integer, nullable=False),
    Column("endpoint", String, nullable=False),
    Column("status", Integer, nullable=False),
    Column("at", String, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("site", String, primary_key=True),
    Column("division", Integer, primary_key=True),
    Column("endpoint", String, primary_key=True),
    Column("until", String, nullable=False),
)

SAVE_EVERY = timedelta(seconds=2)


class Budgets:
    """The allowances of all divisions of one site and app. Instants are on Exact's clock, which it keeps too."""

    def __init__(self, store: Store, site: str, ceilings: Ceilings) -> None:
        self._store = store
        self._site = site
        self._ceilings = ceilings
        self._contract = ContractQuota(store, site, ceilings.contract_per_day)
        self._mutex = threading.Lock()
        self._allowances: dict[int, Allowance] = {}
        self._errors: dict[tuple[int, str], list[datetime]] = defaultdict(list)
        self._blocked: dict[tuple[int, str], datetime] = {}
        self._offset = ClockOffset()
        self._unsaved: set[int] = set()
        self._saved_at = datetime.min.replace(tzinfo=UTC)
        self._load()

    def exacts_now(self, local: datetime) -> datetime:
        """What Exact's clock shows at least at our instant `local`."""
        return self._offset.on_exacts_clock(local)

    def exacts_now_at_most(self, local: datetime) -> datetime:
        """What Exact's clock shows at most at our instant `local`."""
        return self._offset.on_exacts_clock_at_most(local)

    def wait_before(self, division: int | None, endpoint: str, local: datetime) -> Wait | None:
        """Whether the next call has to wait; `until` is on our clock."""
        if division is None:
            return None
        now = self.exacts_now(local)
        contract_ends = self._contract.spent_until(now)
        if contract_ends is not None:
            return Wait(self._offset.on_our_clock(contract_ends), Reason.CONTRACT)
        with self._mutex:
            wait = self._rest(division, endpoint, now) or limits.wait_before(
                self._allowances.get(division, Allowance()), self._ceilings, now
            )
        return Wait(self._offset.on_our_clock(wait.until), wait.reason) if wait else None

    def spend(self, division: int | None, local: datetime) -> None:
        """Count a call that is about to be sent; one that names no division counts nowhere.

        Raises:
            TryLaterError: The contract allows no more calls today, whatever `wait_before` said: another thread or
                process took the last ones.
        """
        if division is None:
            return
        now = self.exacts_now(local)
        contract_ends = self._contract.spend(division, now)
        if contract_ends is not None:
            raise Wait(self._offset.on_our_clock(contract_ends), Reason.CONTRACT).error(division)
        with self._mutex:
            allowance = self._allowances.get(division, Allowance())
            self._allowances[division] = limits.spend(allowance, now)
            self._unsaved.add(division)

    def miss(self, division: int | None, local: datetime, *, was_sent: bool) -> None:
        """Take in that no answer came; of a call that was not sent, the contract's count is taken back."""
        if division is None:
            return
        if was_sent:
            self._contract.settle(division, self.exacts_now_at_most(local))
        else:
            self._contract.take_back(division)

    def learn(
        self,
        division: int | None,
        endpoint: str,
        status: int,
        headers: Mapping[str, str],
        sent_at: datetime,
        received_at: datetime,
    ) -> None:
        """Take in an answer: its clock, its limits, and whether it counts as an error."""
        with self._mutex:
            self._offset = self._offset.observe(headers.get("date"), sent_at, received_at)
        if division is None:
            return
        self._contract.settle(division, self.exacts_now_at_most(received_at))
        with self._mutex:
            now = self.exacts_now(received_at)
            before = self._allowances.get(division, Allowance())
            learned = limits.learn(before, self._ceilings, headers, status, now)
            self._allowances[division] = learned.allowance
            self._unsaved.add(division)
            if learned.blocked_until:
                self._block(division, endpoint, learned.blocked_until)
            if status in limits.ERROR_STATUSES:
                self._count_error(division, endpoint, status, now)
        if received_at - self._saved_at > SAVE_EVERY:
            self.save(received_at)

    def calls_left_today(self, division: int, local: datetime) -> int:
        """Calls that the day still allows, by the last that Exact said."""
        with self._mutex:
            day = self._allowances.get(division, Allowance()).at(self.exacts_now(local)).day
        return day.left(self._ceilings.per_day)

    def calls_per_minute(self, division: int) -> int:
        """Calls that a whole minute allows."""
        limit = self._allowances.get(division, Allowance()).minute.limit
        return min(limit, self._ceilings.per_minute or limit)

    def calls_per_day(self, division: int) -> int:
        """Calls that a whole day allows."""
        limit = self._allowances.get(division, Allowance()).day.limit
        return min(limit, self._ceilings.per_day or limit)

    def contract(self, local: datetime) -> ContractUse | None:
        """Calls of the contract's current day, or None if they are not counted."""
        return self._contract.use(self.exacts_now(local))

    def contract_left(self, local: datetime) -> int | None:
        """Calls that the contract still allows today, or None if they are not counted."""
        use = self.contract(local)
        return use.left if use else None

    def contract_refused(self, local: datetime, until: datetime | None = None) -> datetime:
        """Let no program of this app send calls before `until`, since Exact refuses them all; return it on our clock.

        Other processes notice when they take their next block of calls from the store.

        Args:
            until: On Exact's clock; without it the next midnight UTC.
        """
        now = self.exacts_now(local)
        until = until or limits.next_midnight(now)
        self._contract.refuse(now, until)
        return self._offset.on_our_clock(until)

    def forecast(self, calls: Mapping[int, int], local: datetime) -> Forecast:
        """When these calls, by division, are done at the earliest, on Exact's clock, and which limit decides that."""
        use = self.contract(local)
        works = [
            Work(count, self.calls_per_minute(one), self.calls_left_today(one, local), self.calls_per_day(one))
            for one, count in calls.items()
        ]
        left, limit = (use.left, use.limit) if use else (None, None)
        return forecast(works, self.exacts_now(local), contract_left=left, contract_limit=limit)

    def close(self, local: datetime) -> None:
        """Keep the counts for the next run, and give back calls of the contract that were not spent."""
        self.save(local)
        self._contract.give_back()

    def save(self, local: datetime) -> None:
        """Keep the counts for the next run."""
        with self._mutex:
            rows = [_as_row(self._site, division, self._allowances[division]) for division in self._unsaved]
            self._unsaved.clear()
            self._saved_at = local
        if rows:
            numbers = [row["division"] for row in rows]
            with self._store.write() as connection:
                mine = (budgets.c.site == self._site) & budgets.c.division.in_(numbers)
                connection.execute(delete(budgets).where(mine))
                connection.execute(budgets.insert(), rows)

    def _rest(self, division: int, endpoint: str, now: datetime) -> Wait | None:
        until = self._blocked.get((division, endpoint))
        if until and now < until:
            return Wait(until, Reason.BLOCKED)
        return limits.rest_after_errors(self._errors.get((division, endpoint), ()), now)

    def _count_error(self, division: int, endpoint: str, status: int, now: datetime) -> None:
        self._errors[division, endpoint].append(now)
        row = {"site": self._site, "division": division, "endpoint": endpoint, "status": status}
        with self._store.write() as connection:
            connection.execute(delete(error_answers).where(error_answers.c.at < _text(now - limits.ERROR_WINDOW)))
            connection.execute(error_answers.insert(), {**row, "at": _text(now)})

    def _block(self, division: int, endpoint: str, until: datetime) -> None:
        self._blocked[division, endpoint] = until
        row = {"site": self._site, "division": division, "endpoint": endpoint}
        with self._store.write() as connection:
            connection.execute(delete(blocks).where(*(blocks.c[name] == value for name, value in row.items())))
            connection.execute(blocks.insert(), {**row, "until": _text(until)})

    def _load(self) -> None:
        with self._store.read() as connection:
            for row in connection.execute(select(budgets).where(budgets.c.site == self._site)):
                self._allowances[row.division] = Allowance(
                    Window(row.minute_limit, row.minute_remaining, _instant(row.minute_resets_at)),
                    Window(row.day_limit, row.day_remaining, _instant(row.day_resets_at)),
                )
            for row in connection.execute(select(error_answers).where(error_answers.c.site == self._site)):
                self._errors[row.division, row.endpoint].append(datetime.fromisoformat(row.at))
            for row in connection.execute(select(blocks).where(blocks.c.site == self._site)):
                self._blocked[row.division, row.endpoint] = datetime.fromisoformat(row.until)


def _as_row(site: str, division: int, allowance: Allowance) -> dict[str, object]:
    row: dict[str, object] = {"site": site, "division": division}
    for name, window in (("minute", allowance.minute), ("day", allowance.day)):
        row[f"{name}_limit"] = window.limit
        row[f"{name}_remaining"] = window.remaining
        row[f"{name}_resets_at"] = _text(window.resets_at) if window.resets_at else None
    return row


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
