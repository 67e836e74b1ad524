"""The lists of a company read: any of them, by its declaration (dossier E 1)."""

from collections.abc import Callable, Iterable

from exactonline_sandbox import lists_table as table
from exactonline_sandbox.call import Refusal, Reply
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.deriving import row_completed
from exactonline_sandbox.filter_tokens import SYNTAX, words
from exactonline_sandbox.properties import Entity
from exactonline_sandbox.reading import (
    answer_count,
    answer_list,
    answer_one,
    only_by_timestamp,
    query_of,
    refuse_without_filter,
    refuse_without_select,
    version_above,
)
from exactonline_sandbox.reference_lists import ENTITIES, ReferenceList


def reader(known: ReferenceList, path: str) -> Callable[[Visit], Reply]:
    """What answers a GET at one of the paths of a list."""
    entity = ENTITIES[path]
    return lambda visit: _read(visit, known, entity)


def _read(visit: Visit, known: ReferenceList, entity: Entity) -> Reply:
    """A list, one row by key, or the count."""
    query = query_of(visit, entity)
    may_read = _may_read(visit, known)
    complete = row_completed(visit, known)
    if visit.key is not None:
        row = table.by_key(visit.db, visit.division.code, known, _key(visit)) if may_read else None
        return answer_one(visit, entity, query, row, complete)
    if entity.page == "bulk":
        refuse_without_select(query)
    if known.sync and entity.page != "sync":
        refuse_without_filter(visit.world.switches, query, entity)
    rows: Iterable[Row] = ()
    if entity.page == "sync":
        only_by_timestamp(query)
    if may_read:
        rows = (
            table.after_version(visit.db, visit.division.code, known, version_above(query))
            if entity.page == "sync"
            else table.all_rows(visit.db, visit.division.code, known)
        )
    return answer_count(entity, query, rows) if visit.count_only else answer_list(visit, entity, query, rows, complete)


def _may_read(visit: Visit, known: ReferenceList) -> bool:
    """A missing right is a 403 or shows as zero rows; sources have both (dossier 4.4, E 3.13)."""
    if visit.division.may(known.right):
        return True
    if visit.world.switches.missing_list_right == "forbidden":
        raise Refusal(403, "Forbidden")
    return False


def _key(visit: Visit) -> str:
    found = list(words(visit.key or ""))
    if len(found) != 1 or found[0].kind not in {"guid", "text"}:
        raise Refusal(400, SYNTAX)
    return str(found[0].value)
