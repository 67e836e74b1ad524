"""Changes that were undone, and are not repeated until their source record changes. Pure."""

from __future__ import annotations

from target_exactonline.planning.model import Copy, Skip


def held(copy: Copy | None, version: int) -> Skip | None:
    """Return why a copy is left alone, or None if it is not.

    Args:
        copy: What we know of it.
        version: Of the source record as it is now.
    """
    if copy is None or copy.held_at is None or version > copy.held_at:
        return None
    return Skip("held", "It was undone, and is held until its source record changes or until it is released.")
