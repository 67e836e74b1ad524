"""The limit of a contract: calls a UTC day over all its companies (dossier 7.1).

An official page names the number. Whether it counts per app or over all apps is unknown; here it counts per app. So is
the form of the refusal, hence the switch `contract_refusal`. Calls that are refused with 429 do not count.
"""

import sqlite3
from datetime import datetime, timezone
from typing import Any

from exactonline_sandbox.call import Call, Refusal, Reply
from exactonline_sandbox.options import Limits, Switches
from exactonline_sandbox.rates import contract_headers, windows
from exactonline_sandbox.rendering import error

# Nobody has shown the words of such a refusal; these are made up here.
_FORBIDDEN = "Forbidden - Daily limit of the contract exceeded."


def refusal(db: sqlite3.Connection, app: str, limits: Limits, switches: Switches, now: float) -> Reply | None:
    """A 429 in the form that the switch names, if the contract's day is spent; noted as refused."""
    day = windows(now, limits)[1]
    if not limits.enabled or not limits.per_day_contract or _calls(db, app, day) < limits.per_day_contract:
        return None
    db.execute("UPDATE contract_calls SET refused = refused + 1 WHERE app = ? AND day = ?", (app, day))
    headers = contract_headers(day, limits) if switches.contract_refusal == "day_headers" else ()
    return Reply(429, b"", headers, "contract limit")


def forbidden(call: Call) -> Reply:
    """The refusal as a 403."""
    return error(call, Refusal(403, _FORBIDDEN))


def count_call(db: sqlite3.Connection, app: str, limits: Limits, now: float) -> None:
    """Count one answered call."""
    db.execute(
        "INSERT INTO contract_calls (app, day, calls) VALUES (?, ?, 1)"
        " ON CONFLICT (app, day) DO UPDATE SET calls = calls + 1",
        (app, windows(now, limits)[1]),
    )


def listed(db: sqlite3.Connection, limits: Limits) -> list[dict[str, Any]]:
    """Calls and refusals of each app on each day."""
    rows = db.execute("SELECT app, day, calls, refused FROM contract_calls ORDER BY app, day")
    return [
        {
            "app": app,
            "from": datetime.fromtimestamp(day * limits.day_seconds, timezone.utc).isoformat(),
            "calls": calls,
            "refused": refused,
        }
        for app, day, calls, refused in rows
    ]


def _calls(db: sqlite3.Connection, app: str, day: int) -> int:
    row = db.execute("SELECT calls FROM contract_calls WHERE app = ? AND day = ?", (app, day)).fetchone()
    return int(row[0]) if row else 0
