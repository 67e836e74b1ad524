"""Lists, single rows and counts of any entity, answered in the form that was asked for."""

from collections.abc import Callable, Iterable

from exactonline_sandbox import rendering
from exactonline_sandbox.call import NotImitatedError, Refusal, Reply
from exactonline_sandbox.context import Context, Row, Visit
from exactonline_sandbox.filter_tokens import SYNTAX, words
from exactonline_sandbox.filters import bound_by, filter_rule_text
from exactonline_sandbox.options import Switches
from exactonline_sandbox.paging import Writer, count_of, page_of
from exactonline_sandbox.properties import Entity
from exactonline_sandbox.queries import Query, parse_query

Completed = Callable[[Row, tuple[str, ...] | None], Row]

_ABOVE = frozenset({"gt", "ge"})
_NO_SELECT = "Please add a $select or a $top=1 statement to the query string."


def folder(context: Context, entity: Entity) -> str:
    """The address up to the entity's name: `https://…/api/v1/100/crm`."""
    place = str(context.division.code) if isinstance(context, Visit) else ""
    parts = [context.call.origin, "api/v1", place, entity.path.rpartition("/")[0]]
    return "/".join(part for part in parts if part)


def writer(context: Context, entity: Entity, query: Query | None = None) -> Writer:
    """A writer of this entity's rows for this call."""
    return Writer(
        entity,
        folder(context, entity),
        query.select if query else None,
        expand=bool(query and query.expand),
        timestamp_as=context.world.switches.timestamp_as,
    )


def answer_list(
    context: Context, entity: Entity, query: Query, found: Iterable[Row], complete: Completed | None = None
) -> Reply:
    """One page of rows that come in key order; `complete` fills in what is derived for the selected members."""
    page = page_of(found, query, entity, context.world.limits.page_sizes[entity.page])
    write = writer(context, entity, query).write
    rows = (complete(row, query.select) for row in page.rows) if complete else page.rows
    wires = [write(row) for row in rows]
    following = None
    if page.next_query is not None:
        following = f"{folder(context, entity)}/{entity.path.rpartition('/')[2]}?{page.next_query}"
    form = rendering.form_for(context.call)
    return rendering.many(form, entity, wires, following, page.count, bare=page.bare)


def answer_count(entity: Entity, query: Query, rows: Iterable[Row]) -> Reply:
    """The plain number of rows."""
    return rendering.number(count_of(rows, query, entity))


def answer_one(
    context: Context, entity: Entity, query: Query, row: Row | None, complete: Completed | None = None
) -> Reply:
    """One row, or 404. Exact's words for that are not known; these are WCF's."""
    if row is None:
        raise not_found(entity)
    form = rendering.form_for(context.call)
    return rendering.one(
        form, entity, writer(context, entity, query).write(complete(row, query.select) if complete else row)
    )


def not_found(entity: Entity) -> Refusal:
    """404 for a key that is not there."""
    return Refusal(404, f"Resource not found for the segment '{entity.path.rpartition('/')[2]}'.")


def guid_key(visit: Visit) -> str:
    """The guid between the brackets; 400 if it is none."""
    found = list(words(visit.key or ""))
    if len(found) != 1 or found[0].kind != "guid":
        raise Refusal(400, SYNTAX)
    return str(found[0].value)


def query_of(context: Context, entity: Entity) -> Query:
    """This call's query string, understood for an entity."""
    return parse_query(context.call.query, entity)


def wanted(name: str, select: tuple[str, ...] | None) -> bool:
    """Whether a member is to be sent."""
    return select is None or name in select


def refuse_without_select(query: Query) -> None:
    """400 on bulk without a `$select` (dossier 2.7)."""
    if not any(name == "$select" and value for name, value in query.pairs) and query.top != 1:
        raise Refusal(400, _NO_SELECT)


def refuse_without_filter(switches: Switches, query: Query, entity: Entity) -> None:
    """400 without a `$filter`, where a world wants one (dossier 5.3)."""
    if switches.mandatory_filter and query.filter is None and not query.follows:
        raise Refusal(400, filter_rule_text(entity))


def only_by_timestamp(query: Query) -> None:
    """501 for a sync feed in another order."""
    if query.order not in {(), (("Timestamp", False),)}:
        raise NotImitatedError("$orderby on a sync endpoint by anything but Timestamp")


def version_above(query: Query) -> int:
    """A row version that all wanted rows lie above."""
    if query.token and not isinstance(query.token[-1], int):
        raise Refusal(400, SYNTAX)
    bound = bound_by(query.filter, "Timestamp", _ABOVE)
    low = int(bound) - 1 if isinstance(bound, (int, float)) else 0
    return low if query.count or not query.token else max(low, query.token[-1])
