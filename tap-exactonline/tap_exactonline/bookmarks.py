"""Bookmarks as a Singer STATE keeps them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exactonline_client.feeds.bookmark import Bookmark, Position
from exactonline_client.odata import ROW_VERSION

DELETIONS = "deletions"


def bookmark_of(state: Mapping[str, Any]) -> Bookmark | None:
    """Return the bookmark in a partition of a STATE, or None.

    A plain row version will do, and one that was set back by hand is obeyed. The first edition's bookmarks named the
    rows of the overlap; those of them are sent again, once.
    """
    value, kept = state.get("replication_key_value"), state.get("reading")
    if not isinstance(kept, Mapping):
        return Bookmark.of_row_version(int(value)) if value else None
    timestamp = int(value or 0)
    if "delivered" not in kept:
        return Bookmark.of_json({**kept, "timestamp": timestamp})
    return Bookmark.of_row_version(
        timestamp,
        after=int(kept["after"]),
        fields=kept["fields"],
        read_at=datetime.fromisoformat(kept["at"]),
        moved_at=datetime.fromisoformat(kept["moved"]) if kept.get("moved") else None,
    )


def position_of(state: Mapping[str, Any], replication_key: str) -> Position:
    """Return where a partition's last reading ended, with its deletions.

    Without row versions the date of the last reading takes their place: set back by hand, it is obeyed as well.
    """
    kept, deletions = state.get("reading"), state.get(DELETIONS)
    if replication_key == ROW_VERSION:
        return Position(bookmark_of(state), Bookmark.of_json(deletions) if isinstance(deletions, Mapping) else None)
    if not isinstance(kept, Mapping):
        return Position()
    return Position(Bookmark.of_json({**kept, "timestamp": 0, "at": state.get("replication_key_value")}))


def as_state(bookmark: Bookmark, log: Bookmark | None = None, replication_key: str = ROW_VERSION) -> dict[str, Any]:
    """Return what a partition of a STATE keeps of a bookmark, and of that of its deletions."""
    kept = bookmark.as_json()
    version, read_at = kept.pop("timestamp"), kept["at"]
    value = version if replication_key == ROW_VERSION else read_at
    state = {"replication_key": replication_key, "replication_key_value": value, "reading": kept}
    return {**state, DELETIONS: log.as_json()} if log else state
