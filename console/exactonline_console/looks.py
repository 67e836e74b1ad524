"""How connections stand: asked of Exact when a person wants it, and remembered, so that a page costs no calls."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from exactonline_client.budgets import Budgets
from exactonline_client.divisions import ACTIVE
from exactonline_client.limits import UNLIMITED
from exactonline_client.settings import Settings
from exactonline_client.standing import Standing, look
from exactonline_client.store import Store
from exactonline_client.tokens import REFRESH_TOKEN_LIFE, TokenStore
from exactonline_client.transport import utc_now
from sqlalchemy import delete, select

from exactonline_console.tables import looks, sights


@dataclass(frozen=True, slots=True)
class Company:
    """A division in reach of a connection."""

    code: int
    name: str
    country: str
    status: int
    is_blocked: bool
    connection: str
    site: str
    can_read: bool = False
    """Whether a check saw accounts in it; without that nobody knows, since a missing right shows as an empty list."""
    can_write: bool = False
    """Whether a write ever succeeded."""
    calls_left: int | None = None
    """Today; None when Exact sets no limit."""
    calls_per_minute: int = 60

    @property
    def is_usable(self) -> bool:
        """Whether it can be read and written."""
        return self.status == ACTIVE and not self.is_blocked


@dataclass(frozen=True, slots=True)
class Look:
    """What Exact said when it was last asked."""

    at: datetime
    user: str | None
    problem: str | None
    is_login_needed: bool
    companies: tuple[Company, ...]


def ask(connection: str, settings: Settings, store: Store) -> None:
    """Ask Exact, which costs two calls, and remember what it said."""
    standing = look(settings, store)
    found = _as_object(standing)
    with store.write() as writing:
        writing.execute(delete(looks).where(looks.c.connection == connection))
        row = {"connection": connection, "at": utc_now().isoformat(), "found": json.dumps(found, ensure_ascii=False)}
        writing.execute(looks.insert(), row)


def remembered(connection: str, settings: Settings, store: Store) -> Look | None:
    """What Exact last said, with rights and calls left as far as they are known; None if it was never asked."""
    with store.read() as reading:
        row = reading.execute(select(looks).where(looks.c.connection == connection)).one_or_none()
        seen = {one.division: one for one in reading.execute(select(sights).where(sights.c.connection == connection))}
    if row is None:
        return None
    found: dict[str, Any] = json.loads(row.found)
    budgets = Budgets(store, settings.site_and_app, settings.ceilings)
    companies = []
    for one in found["companies"]:
        code = one["code"]
        left = budgets.calls_left_today(code, utc_now())
        companies.append(
            Company(
                **one,
                connection=connection,
                site=settings.base_url,
                can_read=code in seen and seen[code].can_read,
                can_write=code in seen and seen[code].can_write,
                calls_left=left if left < UNLIMITED // 2 else None,
                calls_per_minute=budgets.calls_per_minute(code),
            )
        )
    at = datetime.fromisoformat(row.at)
    return Look(at, found["user"], found["problem"], found["login_needed"], tuple(companies))


def forget(connection: str, store: Store) -> None:
    """Remember nothing of a connection."""
    with store.write() as writing:
        writing.execute(delete(looks).where(looks.c.connection == connection))
        writing.execute(delete(sights).where(sights.c.connection == connection))


def days_left(settings: Settings, store: Store) -> int | None:
    """Whole days until a person must consent again, unless a run renews the login; None when nobody is logged in."""
    kept = TokenStore.of(store, settings).get()
    if kept is None or not kept.was_issued:
        return None
    return max((kept.tokens.issued_at + REFRESH_TOKEN_LIFE - utc_now()) // timedelta(days=1), 0)


def _as_object(standing: Standing) -> dict[str, Any]:
    return {
        "user": standing.user,
        "problem": standing.problem,
        "login_needed": standing.is_login_needed,
        "companies": [
            {
                "code": one.code,
                "name": one.name,
                "country": one.country,
                "status": one.status,
                "is_blocked": bool(one.blocking_status),
            }
            for one in standing.divisions
        ],
    }
