"""Which row of an account is its main one: only the account can be told."""

from __future__ import annotations

import logging
from collections.abc import Callable

from exactonline_client.client import ExactClient
from exactonline_client.entities import ACCOUNTS, Entity
from exactonline_client.errors import ExactError
from exactonline_client.exchange import Waiting
from exactonline_client.odata import Row

from target_exactonline.planning.model import Existing
from target_exactonline.store.mirror import Mirror

logger = logging.getLogger(__name__)


class MainRows:
    """Main rows in one company."""

    def __init__(self, entity: Entity, division: int, client: ExactClient, mirror: Mirror) -> None:
        self._entity = entity
        self._division = division
        self._client = client
        self._mirror = mirror

    def set(self, row: Existing | None, target_id: str, label: str) -> Waiting[None]:
        """Tell an account that one of its rows is the main one."""
        parent = self._entity.parent
        account = row.values.get(parent.field) if row is not None and parent is not None else None
        if account is not None:
            yield from self._tell(account, target_id, label)

    def made(self, target_id: str, values: Row, flush: Callable[[], None]) -> Waiting[Row]:
        """Make a row that was created the main one, if it is to be: the first one of an account is so by itself.

        Args:
            target_id: Of the row.
            values: What was sent.
            flush: Writes down what came together, so that all rows of the account are known.

        Returns:
            That it is not the main one, where that cannot be told the account now: the next run does it.
        """
        main, parent = self._entity.main, self._entity.parent
        if main is None or parent is None or not values.get(main.flag):
            return {}
        account = str(values[parent.field])
        flush()
        if not self._mirror.of_parents([account])[account]:
            return {}
        try:
            yield from self._tell(account, target_id, target_id)
        except ExactError as error:
            logger.warning("%s %s is not made the main one of its account. %s", self._entity.title, target_id, error)
            return {main.flag: False}
        return {}

    def _tell(self, account: str, target_id: str, label: str) -> Waiting[None]:
        if self._entity.main is not None:
            named = {self._entity.main.field: target_id}
            yield from self._client.update(ACCOUNTS, self._division, account, named, label=label)
