"""The form of a reading, whichever way an entity is read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from exactonline_client.companies import Company
from exactonline_client.entities import Entity
from exactonline_client.exchange import Waiting
from exactonline_client.feeds.bookmark import Position
from exactonline_client.odata import Row

logger = logging.getLogger(__name__)

Known = Callable[[], Iterable[str]]
"""Returns the keys of all rows that a consumer may hold of a company."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reading came to, beside the rows that it handed over."""

    position: Position | None
    """Where the next one begins; None to keep the old position, since what was read is not to be believed."""
    began_at: datetime
    """By Exact's clock at the earliest: what was written later may be missing."""
    in_full: str | None = None
    """Why all rows were read, or None."""
    rows: int = 0
    """Rows that were read, new or not."""
    log: tuple[Row, ...] = ()
    """New rows of the deletion log whose row was not seen in this reading."""
    vanished: tuple[str, ...] = ()
    """Rows that the consumer holds and that are neither there nor in the log."""

    @property
    def deleted(self) -> frozenset[str]:
        """Keys of all rows that are known to be deleted."""
        return frozenset((*(row["EntityKey"] for row in self.log), *self.vanished))


T = TypeVar("T")
Events = Generator[datetime | list[Row], None, T]
Feed = Events[Reading]
"""Yields an instant to wait for, as each call of the client does, or new rows, to be taken before it goes on."""


def take_pages(events: Events[T], take: Callable[[list[Row]], Any]) -> Waiting[T]:
    """Drive a feed as one call of the client: hand each page to `take`, pass the waits on, return what it came to."""
    while True:
        try:
            event = next(events)
        except StopIteration as end:
            result: T = end.value
            return result
        if isinstance(event, datetime):
            yield event
        else:
            take(event)


def warn_of_nothing(company: Company, entity: Entity) -> None:
    """Tell that a company shows no row, though it did before."""
    logger.warning(
        "%s shows no %s, though it did before: a missing right looks like that, so nothing is taken for "
        "deleted. Give the user the right to read them in it. If it is empty indeed, take it off the "
        "divisions.",
        str(company).capitalize(),
        entity.name,
    )
