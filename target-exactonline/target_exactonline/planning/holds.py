"""Changes that were undone, and are not repeated until their source record changes or they are released. Pure."""

from __future__ import annotations

from target_exactonline.planning.model import Copy, Skip

UNTIL_RELEASED = 2**63 - 1
"""Version up to which a tie that was undone is held: no source record gets there."""


def held(copy: Copy | None, version: int) -> Skip | None:
    """Return why a copy is left alone, or None if it is not.

    Args:
        copy: What we know of it.
        version: Of the source record as it is now.
    """
    if copy is None or copy.held_at is None or version > copy.held_at:
        return None
    until = "" if copy.held_at == UNTIL_RELEASED else "until its source record changes or "
    return Skip("held", f"It was undone, and is held {until}until it is released.")
