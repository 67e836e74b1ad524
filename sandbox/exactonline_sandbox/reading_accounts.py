"""Accounts and deletions read: crm, bulk, sync, Deleted, SyncTimestamp (dossier 2.7, 5)."""

from collections.abc import Iterable

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox import children_table
from exactonline_sandbox.call import NotImitatedError, Refusal, Reply
from exactonline_sandbox.child_entities import BANK_ACCOUNTS
from exactonline_sandbox.clock import months_before
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.deriving import child_completed, completed
from exactonline_sandbox.filter_tokens import SYNTAX, words
from exactonline_sandbox.filters import bound_by
from exactonline_sandbox.properties import ACCOUNT, BULK_ACCOUNT, DELETED, SYNC_ACCOUNT, SYNC_TIMESTAMP, Entity
from exactonline_sandbox.queries import Query, query_pairs
from exactonline_sandbox.reading import (
    Completed,
    answer_count,
    answer_list,
    answer_one,
    guid_key,
    only_by_timestamp,
    query_of,
    refuse_without_filter,
    refuse_without_select,
    version_above,
    writer,
)
from exactonline_sandbox.reading_children import may_read as may_read_child

_EQUAL = frozenset({"eq"})


def get_accounts(visit: Visit) -> Reply:
    """crm/Accounts: a list, one by key, or the count."""
    query = query_of(visit, ACCOUNT)
    if visit.key is not None:
        row = table.by_id(visit.db, visit.division.code, guid_key(visit)) if _may_read(visit) else None
        return answer_one(visit, ACCOUNT, query, row, _completed(visit, query))
    return _answer(visit, ACCOUNT, query)


def get_bulk_accounts(visit: Visit) -> Reply:
    """bulk/CRM/Accounts: a thousand a page, `$select` demanded (dossier 2.7)."""
    query = query_of(visit, BULK_ACCOUNT)
    refuse_without_select(query)
    return _answer(visit, BULK_ACCOUNT, query)


def get_sync_accounts(visit: Visit) -> Reply:
    """sync/CRM/Accounts: by row version, ascending, which clients assume and no text promises."""
    query = query_of(visit, SYNC_ACCOUNT)
    only_by_timestamp(query)
    rows = table.after_version(visit.db, visit.division.code, version_above(query)) if _may_read(visit) else ()
    if visit.count_only:
        return answer_count(SYNC_ACCOUNT, query, rows)
    return answer_list(visit, SYNC_ACCOUNT, query, rows, completed(visit))


def get_deleted(visit: Visit) -> Reply:
    """sync/Deleted of two months: EntityType 2 is an account, 3 an address, 5 a contact, 7 a ledger account."""
    query = query_of(visit, DELETED)
    only_by_timestamp(query)
    rows: Iterable[Row] = ()
    if visit.division.may("read_deleted"):
        since = months_before(visit.wall, visit.world.limits.deleted_months)
        rows = table.deleted_after(visit.db, visit.division.code, version_above(query), since)
    return answer_count(DELETED, query, rows) if visit.count_only else answer_list(visit, DELETED, query, rows)


def get_sync_timestamp(visit: Visit) -> Reply:
    """The lowest row version of the accounts changed at or after a moment; no row if there is none.

    Only the names are known (PICQER #689); which row Exact chooses is an assumption.
    """
    given = {name.lower(): value for name, value in query_pairs(visit.call.query)}
    endpoint = given.get("endpoint", "").strip("'").lower()
    if endpoint not in {"accounts", "crm/accounts", "sync/crm/accounts"}:
        raise NotImitatedError(f"SyncTimestamp for the endpoint {given.get('endpoint')}")
    moments = [word.value for word in words(given.get("modified", "")) if word.kind == "datetime"]
    if len(moments) != 1:
        raise Refusal(400, SYNTAX)
    rows: list[Row] = [
        {"Modified": row["Modified"], "API": "Accounts", "TimeStampAsBigInt": row["Timestamp"]}
        for row in (table.after_version(visit.db, visit.division.code, 0) if _may_read(visit) else ())
        if row["Modified"] >= moments[0]
    ]
    return answer_list(visit, SYNC_TIMESTAMP, query_of(visit, SYNC_TIMESTAMP), rows[:1])


def _answer(visit: Visit, entity: Entity, query: Query) -> Reply:
    refuse_without_filter(visit.world.switches, query, entity)
    rows = _narrowed(visit, query) if _may_read(visit) else ()
    if visit.count_only:
        return answer_count(entity, query, rows)
    return answer_list(visit, entity, query, rows, _completed(visit, query))


def _completed(visit: Visit, query: Query) -> Completed:
    """What completes an account, its bank accounts with it where `$expand` asks for them."""
    complete = completed(visit)
    if not query.expand or not may_read_child(visit, BANK_ACCOUNTS):
        return complete
    finish, write = child_completed(visit, BANK_ACCOUNTS), writer(visit, BANK_ACCOUNTS.entity).write

    def with_bank_accounts(row: Row, select: tuple[str, ...] | None) -> Row:
        held = children_table.of_account(visit.db, visit.division.code, BANK_ACCOUNTS, row["ID"])
        row["BankAccounts"] = [write(finish(one, None)) for one in held]
        return complete(row, select)

    return with_bank_accounts


def _narrowed(visit: Visit, query: Query) -> Iterable[Row]:
    """Rows by key that can be in the answer; the filter itself is tested after this."""
    code = bound_by(query.filter, "Code", _EQUAL)
    key = bound_by(query.filter, "ID", _EQUAL)
    if isinstance(code, str) or isinstance(key, str):
        row = (
            table.by_id(visit.db, visit.division.code, key)
            if isinstance(key, str)
            else table.by_code(visit.db, visit.division.code, code.strip())
        )
        return [] if row is None else [row]
    last = query.token[-1] if query.token and not query.order and not query.count else ""
    return table.after_id(visit.db, visit.division.code, last if isinstance(last, str) else "")


def _may_read(visit: Visit) -> bool:
    """A missing right shows as zero rows (INV /256)."""
    return visit.division.may("read_accounts")
