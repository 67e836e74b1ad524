"""In which divisions a user worked, the last one and those before (dossier 1.2, 1.4)."""

import sqlite3


def note(db: sqlite3.Connection, user: str, division: int) -> None:
    """Note that a user works in this division now."""
    db.execute("UPDATE users SET current_division = ? WHERE name = ?", (division, user))
    db.execute(
        "INSERT OR REPLACE INTO used_divisions (user, division, number)"
        " SELECT ?, ?, 1 + coalesce(max(number), 0) FROM used_divisions WHERE user = ?",
        (user, division, user),
    )


def recent(db: sqlite3.Connection, user: str, count: int) -> list[int]:
    """The divisions used last, the latest first."""
    rows = db.execute("SELECT division FROM used_divisions WHERE user = ? ORDER BY number DESC LIMIT ?", (user, count))
    return [division for (division,) in rows]
