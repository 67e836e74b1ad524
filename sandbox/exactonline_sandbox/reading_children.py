"""Contacts, addresses and bank accounts read: crm, bulk and sync, by their declaration (dossier E 1, 3.1 to 3.3)."""

from collections.abc import Callable, Iterable

from exactonline_sandbox import children
from exactonline_sandbox.call import Refusal, Reply
from exactonline_sandbox.child_entities import ENTITIES, ChildEntity
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.deriving import child_completed
from exactonline_sandbox.filters import bound_by
from exactonline_sandbox.properties import Entity
from exactonline_sandbox.queries import Query
from exactonline_sandbox.reading import (
    answer_count,
    answer_list,
    answer_one,
    guid_key,
    only_by_timestamp,
    query_of,
    refuse_without_filter,
    refuse_without_select,
    version_above,
)

_EQUAL = frozenset({"eq"})
_NO_STAR = "The query option $select=* is not supported by this endpoint."  # that it is not: O; the words: ?


def reader(known: ChildEntity, path: str) -> Callable[[Visit], Reply]:
    """What answers a GET at one of the paths of an entity."""
    entity = ENTITIES[path]
    return lambda visit: _read(visit, known, entity)


def _read(visit: Visit, known: ChildEntity, entity: Entity) -> Reply:
    """A list, one row by key, or the count. A missing right shows as zero rows (INV /256)."""
    query = query_of(visit, entity)
    allowed = may_read(visit, known)
    complete = child_completed(visit, known)
    if visit.key is not None:
        row = children.by_key(visit.db, visit.division.code, known, guid_key(visit)) if allowed else None
        return answer_one(visit, entity, query, row, complete)
    _refuse(visit, known, entity, query)
    rows: Iterable[Row] = _narrowed(visit, known, entity, query) if allowed else ()
    if query.filter or query.order:  # these may be about what is derived
        rows = (complete(row, None) for row in rows)
    return answer_count(entity, query, rows) if visit.count_only else answer_list(visit, entity, query, rows, complete)


def may_read(visit: Visit, known: ChildEntity) -> bool:
    """Whether the user may read an entity: that this needs the right on accounts too is an assumption."""
    return visit.division.may("read_accounts") and visit.division.may(known.rights[0])


def _refuse(visit: Visit, known: ChildEntity, entity: Entity, query: Query) -> None:
    if entity.page == "sync":
        only_by_timestamp(query)
        if not known.selects_all and any(name == "$select" and "*" in value for name, value in query.pairs):
            raise Refusal(400, _NO_STAR)
        return
    if entity.page == "bulk":
        refuse_without_select(query)
    if known.sync:
        refuse_without_filter(visit.world.switches, query, entity)


def _narrowed(visit: Visit, known: ChildEntity, entity: Entity, query: Query) -> Iterable[Row]:
    """Rows in the order of their key that can be in the answer; the filter itself is tested after this."""
    where = (visit.db, visit.division.code, known)
    if entity.page == "sync":
        return children.after_version(*where, version_above(query))
    account, key = (bound_by(query.filter, name, _EQUAL) for name in ("Account", "ID"))
    if isinstance(account, str):
        return children.of_account(*where, account)
    if isinstance(key, str):
        row = children.by_key(*where, key)
        return [] if row is None else [row]
    last = query.token[-1] if query.token and not query.order and not query.count else ""
    return children.after_key(*where, last if isinstance(last, str) else "")
