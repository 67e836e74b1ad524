"""Rows in, one page of an answer out: filter, order, page, envelope (dossier 4.1, 5.2). Nothing here knows accounts."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cmp_to_key, lru_cache
from itertools import islice
from typing import Any

from exactonline_sandbox.call import Refusal
from exactonline_sandbox.edm import Value, encoder
from exactonline_sandbox.filter_tokens import SYNTAX
from exactonline_sandbox.filters import row_test
from exactonline_sandbox.properties import Entity
from exactonline_sandbox.queries import Query, literal, next_query

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page: kept rows, the query of the next page, the number of all rows if asked."""

    rows: list[Row]
    next_query: str | None
    count: int | None
    bare: bool


def page_of(rows: Iterable[Row], query: Query, entity: Entity, page_size: int) -> Page:
    """The page that a query asks of rows that come in the order of the entity's key.

    The answer is a bare array if `$top` fits one page and no `$skiptoken` came, as 112 recordings show
    (dossier 4.1); `$inlinecount` forces the object.
    """
    found: Iterable[Row] = filter(row_test(query.filter, entity), rows) if query.filter else rows
    if query.count or query.order:
        found = list(found)
    count = len(found) if query.count and isinstance(found, list) else None
    if query.order:
        found = sorted(found, key=cmp_to_key(_comparison(query, entity)))
    room = page_size if query.top is None else min(query.top, page_size)
    chosen = list(islice(_beyond(found, query, entity), query.skip, query.skip + room + 1))
    more = len(chosen) > room and (query.top is None or query.top > page_size)
    taken = chosen[:room]
    return Page(
        rows=taken,
        next_query=next_query(query, entity, room, taken[-1]) if more else None,
        count=count,
        bare=query.top is not None and query.top <= page_size and not query.follows and not query.count,
    )


def count_of(rows: Iterable[Row], query: Query, entity: Entity) -> int:
    """The plain number that `/$count` answers with."""
    test = row_test(query.filter, entity) if query.filter else None
    return sum(1 for row in rows if test is None or test(row))


def _comparison(query: Query, entity: Entity) -> Callable[[Row, Row], int]:
    order = (*query.order, (entity.key, False))

    def compare(left: Row, right: Row) -> int:
        for name, descending in order:
            sign = _sign(left.get(name), right.get(name))
            if sign:
                return -sign if descending else sign
        return 0

    return compare


def _sign(left: Any, right: Any) -> int:
    if left is None or right is None:
        return (left is not None) - (right is not None)
    try:
        return bool(left > right) - bool(left < right)
    except TypeError as error:
        raise Refusal(400, SYNTAX) from error


def _beyond(rows: Iterable[Row], query: Query, entity: Entity) -> Iterator[Row]:
    if not query.token:
        return iter(rows)
    names = [name for name, _ in query.order] + [entity.key]
    last = dict(zip(names, query.token, strict=True))
    compare = _comparison(query, entity)
    return (row for row in rows if compare(row, last) > 0)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The members to write, in order and all null; and how each is encoded."""

    nulls: dict[str, Any]
    encoders: dict[str, Callable[[Value], Value] | None]
    collections: tuple[str, ...]


@lru_cache(maxsize=512)
def _plan(entity: Entity, select: tuple[str, ...] | None, timestamp_as: str) -> _Plan:
    names = entity.properties if select is None else select
    plain = {"Timestamp"} if timestamp_as == "number" else set()
    encoders = {
        name: None if name in plain else encoder(known)
        for name in names
        if (known := entity.properties[name]) and not known.edm.startswith("Collection")
    }
    collections = tuple(name for name in names if name not in encoders)
    return _Plan(dict.fromkeys(("__metadata", *names)), encoders, collections)


@dataclass(frozen=True, slots=True)
class Writer:
    """Kept rows as wire objects; `base` is the address of the entity's folder, `…/crm`."""

    entity: Entity
    base: str
    select: tuple[str, ...] | None = None
    expand: bool = False
    timestamp_as: str = "string"

    def address(self, row: Mapping[str, Any]) -> str:
        """The row's own address."""
        known = self.entity.properties[self.entity.key]
        name = self.entity.path.rpartition("/")[2]
        return f"{self.base}/{name}({literal(known, row[self.entity.key])})"

    def write(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row's wire object, members in the server's order."""
        address = self.address(row)
        plan = _plan(self.entity, self.select, self.timestamp_as)
        wire = plan.nulls.copy()
        wire["__metadata"] = {"uri": address, "type": self.entity.type}
        encoders = plan.encoders
        for name, value in row.items():
            if value is not None and name in encoders:
                encode = encoders[name]
                wire[name] = value if encode is None else encode(value)
        for name in plan.collections:
            deferred = {"__deferred": {"uri": f"{address}/{name}"}}
            wire[name] = {"results": row.get(name, [])} if self.expand else deferred
        return wire
