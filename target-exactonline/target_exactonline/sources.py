"""The accounts at the source, as copies name them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

SOURCE = "_source"
"""Under this name a record carries Division and ID of the account that it is a copy of."""


class Source(NamedTuple):
    """An account at the source."""

    division: int
    account_id: str


def source_in(told: Any) -> Source | None:
    """The account that Division and ID name, or None if they name none."""
    if not isinstance(told, Mapping) or not told.get("ID"):
        return None
    try:
        return Source(int(str(told.get("Division"))), str(told["ID"]).strip().lower())
    except ValueError:
        return None
