"""What every handler is given: the database, the world, the moment, the call and who makes it."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from exactonline_sandbox.call import Call
from exactonline_sandbox.clock import wall_ms
from exactonline_sandbox.world import App, Division, User, World


@dataclass(frozen=True, slots=True)
class Caller:
    """An app in the name of a user."""

    app: App
    user: User


@dataclass(frozen=True, slots=True)
class Context:
    """One request under way, inside its transaction. `now` is the sandbox clock in epoch seconds."""

    db: sqlite3.Connection
    world: World
    now: float
    call: Call
    caller: Caller

    @property
    def wall(self) -> int:
        """Now, as Exact writes it."""
        return wall_ms(self.now, self.world.timezone)

    def current_division(self) -> int | None:
        """The division this user worked in last."""
        row = self.db.execute("SELECT current_division FROM users WHERE name = ?", (self.caller.user.name,)).fetchone()
        return row[0] if row else None


@dataclass(frozen=True, slots=True)
class Visit(Context):
    """A request to one division; `key` is the guid or number between brackets, as sent."""

    division: Division
    key: str | None = None
    count_only: bool = False


Row = dict[str, Any]
