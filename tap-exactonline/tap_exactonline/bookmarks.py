"""Bookmarks as a Singer STATE keeps them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from exactonline_client.feeds.bookmark import Bookmark


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


def as_state(bookmark: Bookmark) -> dict[str, Any]:
    """Return what a partition of a STATE keeps of a bookmark."""
    kept = bookmark.as_json()
    return {"replication_key": "Timestamp", "replication_key_value": kept.pop("timestamp"), "reading": kept}
