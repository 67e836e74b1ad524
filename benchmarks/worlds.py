"""Worlds to load: one source company with many customers, and target companies."""

from collections.abc import Sequence
from typing import Any

from sandbox_driver import SOURCE, World, customer, small_world

FIRST_TARGET = 2001


def world(accounts: int, divisions: int, *, filled: bool = False, **limits: Any) -> tuple[World, Sequence[int]]:
    """A world and the codes of its targets, which hold nothing, or all that the source holds."""
    targets = range(FIRST_TARGET, FIRST_TARGET + divisions)
    customers = [customer(number) for number in range(1, accounts + 1)]
    held = dict.fromkeys((SOURCE, *targets) if filled else (SOURCE,), customers)
    return small_world(targets=targets, accounts=held, limits=limits), targets
