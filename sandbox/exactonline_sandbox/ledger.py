"""The counters behind the limits, kept per app and division, and the error rule's blocks (dossier 7)."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from exactonline_sandbox.call import Reply
from exactonline_sandbox.options import Limits
from exactonline_sandbox.rates import (
    Budget,
    Window,
    day_headers,
    minute_headers,
    refusal_headers,
    windows,
)

ERRORS = frozenset({400, 401, 403, 404})
Block = tuple[str, str, int, str]


@dataclass(slots=True)
class Ledger:
    """The budget of one app in one division, for the length of a request."""

    db: sqlite3.Connection
    app: str
    division: int
    limits: Limits
    now: float

    def budget(self) -> Budget:
        """What has been used by now."""
        row = self.db.execute(
            "SELECT minute, in_minute, day, in_day FROM budgets WHERE app = ? AND division = ?",
            (self.app, self.division),
        ).fetchone()
        return Budget(*(row or (0, 0, 0, 0))).at(self.now, self.limits)

    def count_call(self, reply: Reply) -> Reply:
        """Count one answered call and tell of it in the answer's headers. 429s are not counted (assumption)."""
        budget = self.budget().plus_one()
        self._keep(budget)
        return reply.with_headers(*minute_headers(budget, self.limits), *day_headers(budget, self.limits))

    def refusal(self, headers_on_429: Literal["one", "none"]) -> Reply | None:
        """A 429 with an empty body, if a window is spent."""
        budget = self.budget()
        window = budget.spent(self.limits)
        if window is None:
            return None
        headers = refusal_headers(budget, window, self.limits) if headers_on_429 == "one" else ()
        return Reply(429, b"", headers, f"{window} limit")

    def use_up(self, window: Window) -> Reply:
        """Spend the rest of a window and refuse; with limits lifted only this one call is refused."""
        budget = self.budget().used_up(window, self.limits)
        if self.limits.enabled:
            self._keep(budget)
        return Reply(429, b"", refusal_headers(budget, window, self.limits), f"{window} limit")

    def refusal_with_calls_left(self, error: str = "429 with calls left") -> Reply:
        """A 429 whose headers show calls left in both windows: no limit that is known."""
        budget = self.budget()
        headers = (*minute_headers(budget, self.limits), *day_headers(budget, self.limits))
        return Reply(429, b"", headers, error)

    def _keep(self, budget: Budget) -> None:
        self.db.execute(
            "INSERT INTO budgets (app, division, minute, in_minute, day, in_day, busy_until)"
            " VALUES (?, ?, ?, ?, ?, ?, 0)"
            " ON CONFLICT (app, division) DO UPDATE SET minute = excluded.minute, in_minute = excluded.in_minute,"
            " day = excluded.day, in_day = excluded.in_day",
            (self.app, self.division, budget.minute, budget.in_minute, budget.day, budget.in_day),
        )

    def overlaps(self, started_ns: int, ends_ns: int) -> bool:
        """Whether another request of this app and division was under way; notes when this one ends."""
        row = self.db.execute(
            "SELECT busy_until FROM budgets WHERE app = ? AND division = ?", (self.app, self.division)
        ).fetchone()
        if row is None:
            minute, day = windows(self.now, self.limits)
            self._keep(Budget(minute, 0, day, 0))
        self.db.execute(
            "UPDATE budgets SET busy_until = ? WHERE app = ? AND division = ?", (ends_ns, self.app, self.division)
        )
        busy_until = row[0] if row else 0
        return bool(started_ns < busy_until < started_ns + _FAR_NS)


_FAR_NS = 3_600_000_000_000  # a monotonic clock starts over when the machine does


def blocked(db: sqlite3.Connection, key: Block, now: float) -> Reply | None:
    """A 429 without rate-limit headers while the error rule blocks this app, user, division and endpoint.

    How Exact answers then is unknown; this is the dossier's choice (7.3).
    """
    row = db.execute(
        "SELECT 1 FROM blocks WHERE app = ? AND user = ? AND division = ? AND endpoint = ? AND until > ?", (*key, now)
    ).fetchone()
    return Reply(429, b"", (), "error rule") if row else None


def count_error(db: sqlite3.Connection, key: Block, limits: Limits, now: float) -> None:
    """Note one error; more than the limit within the hour block the key until an hour after the last."""
    db.execute("INSERT INTO errors (app, user, division, endpoint, at) VALUES (?, ?, ?, ?, ?)", (*key, now))
    (count,) = db.execute(
        "SELECT count(*) FROM errors WHERE app = ? AND user = ? AND division = ? AND endpoint = ? AND at > ?",
        (*key, now - limits.error_hour_seconds),
    ).fetchone()
    if count > limits.errors_per_hour and limits.enabled:
        block(db, key, now + limits.error_hour_seconds)


def block(db: sqlite3.Connection, key: Block, until: float) -> None:
    """Block a key until a moment."""
    db.execute(
        "INSERT OR REPLACE INTO blocks (app, user, division, endpoint, until) VALUES (?, ?, ?, ?, ?)", (*key, until)
    )
