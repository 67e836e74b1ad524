"""Lists and rows of a company, read as calls that yield whenever they must wait."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Literal

from exactonline_client import answers, odata
from exactonline_client.entities import DELETIONS, Entity
from exactonline_client.errors import UnexpectedReplyError
from exactonline_client.exchange import Exchange, T, Waiting
from exactonline_client.odata import MalformedReplyError, Row
from exactonline_client.pages import Link, RowPage
from exactonline_client.transport import Reply, Request, Transport

logger = logging.getLogger(__name__)

Variant = Literal["sync", "bulk", "single"]


class RowReads(ABC):
    """Reading. Every answer is held against the company, the list and the key that were asked for.

    Raises, wherever a row or a next page is of another company: WrongCompanyError.
    """

    transport: Transport
    _exchange: Exchange

    @abstractmethod
    def zone(self) -> Waiting[tzinfo]:
        """Zone of the site's wall time."""

    @abstractmethod
    def run(self, waiting: Waiting[T]) -> T:
        """Drive a call to its result, sleeping whenever it waits."""

    def page(
        self,
        entity: Entity,
        division: int,
        *,
        variant: Variant = "sync",
        select: Sequence[str],
        after: int | None = None,
        where: str | None = None,
        link: Link | None = None,
    ) -> Waiting[RowPage]:
        """One page of a list: up to 1000 rows by sync and bulk, 60 by the single endpoint.

        Args:
            after: Only rows with a higher Timestamp (sync and the deletion log).
            where: Only rows that fit this OData filter, in place of `after`.
            link: The `next_link` of the page before.
        """
        endpoint = {"sync": entity.sync_path, "bulk": entity.bulk_path, "single": entity.path}[variant]
        if endpoint is None:
            raise UnexpectedReplyError(entity.name, f"there is no {variant} endpoint")
        if link is None:
            options = {"$filter": where or _filter(entity, after), "$select": ",".join(_with_company(entity, select))}
            path = f"/api/v1/{division}/{endpoint}?{odata.query(options)}"
        else:
            path = self.transport.path_of(link.target)
        read = odata.reader(entity, select, (yield from self.zone()))

        def parse(reply: Reply) -> tuple[list[Row], str | None]:
            page = answers.page(reply, entity, division, endpoint)
            return [odata.with_keys(entity, read(raw), select) for raw in page.rows], page.next_link

        answer = yield from self._exchange.settle(Request("GET", path, division, endpoint), parse)
        rows, target = answer.value
        if target is None:
            return RowPage(rows, None)
        following = link.to(target) if link else Link(target)
        if following is None:
            raise UnexpectedReplyError(
                f"GET {endpoint} in division {division}",
                "the next page was read before.",
                scope="company",
                division=division,
            )
        return RowPage(rows, following)

    def pages(
        self,
        entity: Entity,
        division: int,
        *,
        variant: Variant = "sync",
        select: Sequence[str],
        after: int | None = None,
    ) -> Iterator[list[Row]]:
        """All rows of a list, a page at a time, sleeping where the limits ask for it."""
        link = None
        while True:
            page = self.run(self.page(entity, division, variant=variant, select=select, after=after, link=link))
            yield page.rows
            if page.next_link is None:
                return
            link = page.next_link

    def find(self, entity: Entity, division: int, natural_key: str, select: Sequence[str]) -> Waiting[Row | None]:
        """The row with this natural key, or None.

        A numeric key is also found where the company keeps it with more or fewer zeros in front, if only one row has
        such a key and none has the key to the letter. The row then holds the key as Exact keeps it.
        """
        rows = yield from self._spelled(entity, division, natural_key, select)
        name = entity.natural_key or entity.key
        exact = next((row for row in rows if row[name] == natural_key), None)
        if exact is not None or not rows:
            return exact
        kept = ", ".join(sorted(row[name] for row in rows))
        if len(rows) > 1:
            logger.warning(
                "Division %d has no %s %s, but several like it: %s", division, entity.name, natural_key, kept
            )
            return None
        logger.info("Division %d keeps %s %s as %s", division, entity.name, natural_key, kept)
        return rows[0]

    def read(self, entity: Entity, division: int, key: str, select: Sequence[str]) -> Waiting[Row | None]:
        """The row with this key (Exact's ID), or None if it is not shown: deleted, or hidden for lack of a right.

        It is asked for by a filter, since Exact counts a 404 as an error and blocks whoever gets many.
        """
        condition = odata.equals(entity.fields[entity.key], key)
        rows = yield from self._rows(entity, division, condition, select, {entity.key: {key.lower()}}, label=key)
        return rows[0] if rows else None

    def belonging(self, entity: Entity, division: int, parent: str, select: Sequence[str]) -> Waiting[list[Row]]:
        """The first rows, 60 at most, that belong to a row."""
        if entity.parent is None:
            raise UnexpectedReplyError(entity.name, "it belongs to nothing")
        name = entity.parent.field
        condition = odata.equals(entity.fields[name], parent)
        due = {name: {parent.lower()}}
        return (yield from self._rows(entity, division, condition, (entity.key, *select), due, label=parent))

    def _spelled(self, entity: Entity, division: int, natural_key: str, select: Sequence[str]) -> Waiting[list[Row]]:
        """All rows whose natural key is this one, with any number of zeros in front."""
        field = entity.fields[entity.natural_key or entity.key]
        forms = odata.spelled(field, natural_key)
        condition = odata.any_of(field, forms)
        return (yield from self._rows(entity, division, condition, select, {field.name: set(forms)}, label=natural_key))

    def _rows(
        self,
        entity: Entity,
        division: int,
        condition: str,
        select: Sequence[str],
        due: dict[str, set[str]],
        *,
        label: str,
    ) -> Waiting[list[Row]]:
        """The rows that a filter on a key finds, each of which has to have one of the keys that are due."""
        chosen = tuple(dict.fromkeys((*select, *due)))
        options = {"$filter": condition, "$select": ",".join(_with_company(entity, chosen)), "$top": "60"}
        path = f"/api/v1/{division}/{entity.path}?{odata.query(options)}"
        read = odata.reader(entity, chosen, (yield from self.zone()))

        def parse(reply: Reply) -> list[Row]:
            rows = [read(raw) for raw in answers.page(reply, entity, division, entity.path).rows]
            for name, keys in due.items():
                if any(row.get(name) not in keys for row in rows):
                    raise MalformedReplyError(f"{entity.name} with another {name} than was asked for")
            return rows

        answer = yield from self._exchange.settle(Request("GET", path, division, entity.path), parse, entity, label)
        rows: list[Row] = answer.value
        return rows


def _with_company(entity: Entity, names: Sequence[str]) -> tuple[str, ...]:
    """Names to select, with the one that says which company a row belongs to."""
    is_known = answers.COMPANY_FIELD in entity.fields and answers.COMPANY_FIELD not in names
    return (*names, answers.COMPANY_FIELD) if is_known else tuple(names)


def _filter(entity: Entity, after: int | None) -> str | None:
    if after is None:
        return None
    newer = odata.after(DELETIONS.fields["Timestamp"], after)
    is_log = entity.path == DELETIONS.path
    return f"{newer} and EntityType eq {entity.deleted_type}" if is_log and entity.deleted_type else newer
