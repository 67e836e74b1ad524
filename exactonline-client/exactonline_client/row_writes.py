"""Rows of a company created, changed and deleted, as calls that yield whenever they must wait.

A write whose outcome is unknown is looked up before it is sent again: a create by its natural key, a change or a
deletion by Exact's ID. So is one that met no row (404), since that answer does not say in which company it was sought.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from exactonline_client import answers, odata
from exactonline_client.budgets import Budgets
from exactonline_client.entities import Entity
from exactonline_client.errors import AlreadyExistsError, NotFoundError
from exactonline_client.exchange import Parse, Waiting
from exactonline_client.odata import MalformedReplyError, Row
from exactonline_client.retries import Method, Step
from exactonline_client.row_reads import RowReads
from exactonline_client.transport import Clock, Reply, Request
from exactonline_client.verdicts import Answer

logger = logging.getLogger(__name__)

Look = Callable[[Answer], "Waiting[Any]"]
"""From an answer that settles nothing to what a look found; None if the write did not happen."""


class RowWrites(RowReads):
    """Writing."""

    now: Clock
    budgets: Budgets

    @abstractmethod
    def exacts_now(self) -> datetime:
        """What Exact's clock shows now, at the earliest."""

    def create(
        self,
        entity: Entity,
        division: int,
        values: Mapping[str, Any],
        select: Sequence[str],
        *,
        label: str = "",
        known: Callable[[Sequence[str]], Collection[str]] = lambda _: (),
    ) -> Waiting[Row]:
        """Create a row and return it as Exact stored it, with the natural key that Exact gave it.

        When an answer is lost, the row is looked up before a second try: by its natural key, or among the rows of its
        parent, of which it is the one that holds what was sent and was not there before.

        Args:
            label: How messages call the row, if it has no natural key.
            known: Returns those of some keys that were there before; for an entity without a natural key.

        Raises:
            AlreadyExistsError: A row has this natural key. Also when a look found one that is not what was sent: it
                may be somebody else's, created a moment ago.
            RecordRefusedError: Exact will not take it; nothing was created.
            UnexpectedReplyError: No answer settled it, and the last look did not find it.
            WrongCompanyError: The row may have been created in another company.
        """
        zone = yield from self.zone()
        natural = entity.natural_key or entity.key
        key = str(values.get(natural) or "")
        parent = entity.parent.field if entity.parent is not None else ""
        others = {name: value for name, value in values.items() if name != natural}
        chosen = tuple(dict.fromkeys((*select, natural, *(others if parent else ()))))
        read = odata.reader(entity, chosen, zone)
        spellings = set(odata.spelled(entity.fields[natural], key))

        def parse(reply: Reply) -> Row:
            row = read(answers.created(reply, entity, division))
            kept = row.get(natural)
            if key and kept and kept not in spellings and not odata.holds(entity, row, others, zone):
                raise MalformedReplyError(f"another {entity.name} ({natural} {kept}) than was sent")
            return row

        def look_among_siblings() -> Waiting[Row | None]:
            rows = yield from self.belonging(entity, division, str(values[parent]), chosen)
            there = known([row[entity.key] for row in rows])
            telling = {name: values[name] for rule in entity.same_row for name in rule.fields if name in values}
            alike = (row for row in rows if odata.holds(entity, row, telling, zone))
            return next((row for row in alike if row[entity.key] not in there), None)

        def look(answer: Answer) -> Waiting[Row | None]:
            if parent in values:
                return (yield from look_among_siblings())
            if not key:  # nothing to find it by: a second try could double it
                self._exchange.give_up(request, answer, entity, f"without {natural}")
            rows = yield from self._spelled(entity, division, key, chosen)
            ours = next((row for row in rows if odata.holds(entity, row, others, zone)), None)
            if ours is None and any(row[natural] == key for row in rows):
                raise AlreadyExistsError(
                    entity=entity.name, division=division, key=key, status=answer.status, said=answer.said
                )
            return ours

        request = self._write(entity, "POST", division, "", odata.encode_row(entity, values, zone))
        row: Row
        row, _ = yield from self._settled(request, parse, look, entity, key or label)
        if key and row.get(natural) not in (None, key):
            logger.info("Division %d keeps %s %s as %s", division, entity.name, key, row[natural])
        return row

    def update(
        self, entity: Entity, division: int, key: str, changes: Mapping[str, Any], *, label: str
    ) -> Waiting[datetime]:
        """Change only these fields, and return when that was over by Exact's clock, at the latest.

        Args:
            label: How messages call the row.

        Raises:
            NotFoundError: The row is gone.
            RecordRefusedError: Exact will not take the values; nothing was changed.
        """
        zone = yield from self.zone()

        def look(_: Answer) -> Waiting[bool | None]:
            row = yield from self.read(entity, division, key, tuple(changes))
            if row is None:
                raise NotFoundError(entity=entity.name, division=division, key=label)
            return odata.holds(entity, row, changes, zone) or None

        body = odata.encode_row(entity, changes, zone)
        request = self._write(entity, "PUT", division, _key_segment(entity, key), body)
        _, settled_at = yield from self._settled(request, answers.nothing, look, entity, label)
        return self.budgets.exacts_now_at_most(settled_at)

    def delete(self, entity: Entity, division: int, key: str, *, label: str) -> Waiting[None]:
        """Remove a row; one that is gone already will do, since an answer to an earlier try may have been lost.

        Raises:
            RecordRefusedError: Exact keeps it, since it is in use for instance.
        """

        def look(_: Answer) -> Waiting[bool | None]:
            return (yield from self.read(entity, division, key, (entity.key,))) is None or None

        request = self._write(entity, "DELETE", division, _key_segment(entity, key), b"")
        yield from self._settled(request, answers.nothing, look, entity, label)

    def _settled(
        self, request: Request, parse: Parse, look: Look, entity: Entity, label: str
    ) -> Waiting[tuple[Any, datetime]]:
        """What came of a write, by its answer or by a look, and when that was known.

        Raises:
            As `Exchange.give_up`, after a last look if it may have happened.
        """
        attempt = 1
        while True:
            answer = yield from self._exchange.ask(request, parse, attempt, label)
            if answer.step is Step.ACCEPT:
                return answer.value, answer.received_at
            if answer.step is Step.LOOK_FIRST or answer.leaves_open(request.method):
                yield self.now() + timedelta(seconds=answer.delay_seconds)
                found = yield from look(answer)
                if found is not None:
                    return found, self.now()
            if answer.step.is_final:
                self._exchange.give_up(request, answer, entity, label)
            attempt = answer.attempt + 1

    def _write(self, entity: Entity, method: Method, division: int, key: str, body: bytes) -> Request:
        headers = {"Content-Type": "application/json", "Prefer": "return=representation"}
        path = f"/api/v1/{division}/{entity.path}{key}"
        return Request(method, path, division, entity.path, headers=headers, body=body)


def _key_segment(entity: Entity, key: str) -> str:
    return f"({odata.literal(entity.fields[entity.key], key)})"
