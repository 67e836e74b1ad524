"""Who did what in the page, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from sqlalchemy import select

from exactonline_console.tables import actions


@dataclass(frozen=True, slots=True)
class Action:
    """Something that somebody did."""

    at: datetime
    who: str
    action: str
    about: str


class Actions:
    """All that was done, newest first."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, who: str, action: str, about: str = "") -> None:
        """Remember that somebody did something."""
        row = {"at": utc_now().isoformat(), "who": who, "action": action, "about": about[:500]}
        with self._store.write() as connection:
            connection.execute(actions.insert(), row)

    def newest(self, limit: int = 100, offset: int = 0) -> list[Action]:
        """What was done."""
        query = select(actions).order_by(actions.c.number.desc()).limit(limit).offset(offset)
        with self._store.read() as connection:
            return [
                Action(datetime.fromisoformat(row.at), row.who, row.action, row.about)
                for row in connection.execute(query)
            ]
