"""Control calls about the lists of a company: what they hold, and changes by a person's hand."""

from typing import Any

from exactonline_sandbox import list_rows
from exactonline_sandbox import lists_table as table
from exactonline_sandbox.clock import wall_ms
from exactonline_sandbox.context import Row
from exactonline_sandbox.control_accounts import Order, UnknownError, division_of
from exactonline_sandbox.edm import readable
from exactonline_sandbox.loading import read_state, read_world
from exactonline_sandbox.properties import Property
from exactonline_sandbox.reference_lists import LISTS, ReferenceList

_TIMESTAMP = Property("Timestamp", "Edm.Int64")


def lists(order: Order) -> Any:
    """All lists of a company, one of them, or one row of it."""
    division = division_of(order, order.parts[0]).code
    if len(order.parts) == 1:
        return {name: _shown(order, division, known) for name, known in LISTS.items()}
    known = _list_of(order)
    if len(order.parts) == 2:
        return _shown(order, division, known)
    return _readable(known, _row_of(order, division, known))


def write_rows(order: Order) -> Any:
    """Add or change the row that the path names, or all `rows` of the body; with `replace` no other rows stay."""
    division, known = division_of(order, order.parts[0]), _list_of(order)
    world, now = read_world(order.db), read_state(order.db).now
    if len(order.parts) > 2:
        named = list_rows.found_by_path(order.db, division.code, known, order.parts[2:])
        before = table.by_natural(order.db, division.code, known, table.natural_of(known, named))
        key = before[known.key] if before else None
        row = list_rows.put_by_hand(order.db, world, division, known, {**named, **order.body}, now, key=key)
        return _readable(known, row)
    rows = [list_rows.put_by_hand(order.db, world, division, known, given, now) for given in order.body["rows"]]
    if order.body.get("replace"):
        _remove_but(order, division.code, known, {row[known.key] for row in rows})
    return {"rows": len(rows)}


def remove_rows(order: Order) -> Any:
    """Delete the row that the path names, or all rows of a list; sync/Deleted tells of those with a feed."""
    division, known = division_of(order, order.parts[0]).code, _list_of(order)
    if len(order.parts) == 2:
        return {"removed": _remove_but(order, division, known, set())}
    table.remove(order.db, division, known, _row_of(order, division, known)[known.key], _wall(order))
    return {"removed": 1}


def _remove_but(order: Order, division: int, known: ReferenceList, kept: set[str]) -> int:
    keys = [row[known.key] for row in table.all_rows(order.db, division, known) if row[known.key] not in kept]
    for key in keys:
        table.remove(order.db, division, known, key, _wall(order))
    return len(keys)


def _list_of(order: Order) -> ReferenceList:
    known = LISTS.get(order.parts[1])
    if known is None:
        raise UnknownError(f"no list called {order.parts[1]}; there are {', '.join(LISTS)}")
    return known


def _row_of(order: Order, division: int, known: ReferenceList) -> Row:
    named = list_rows.found_by_path(order.db, division, known, order.parts[2:])
    row = table.by_natural(order.db, division, known, table.natural_of(known, named))
    if row is None:
        raise UnknownError(f"{known.name} of division {division} has no {'/'.join(order.parts[2:])}")
    return row


def _shown(order: Order, division: int, known: ReferenceList) -> list[Row]:
    rows = sorted(table.all_rows(order.db, division, known), key=lambda row: table.natural_of(known, row))
    return [_readable(known, row) for row in rows]


def _readable(known: ReferenceList, row: Row) -> Row:
    """The members that a row has: text trimmed, dates as ISO wall time."""
    members = {**known.entity.properties, "Timestamp": _TIMESTAMP}
    return {name: readable(members[name], value) for name, value in row.items() if value is not None}


def _wall(order: Order) -> int:
    return wall_ms(read_state(order.db).now, read_world(order.db).timezone)
