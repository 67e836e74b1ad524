"""Contacts, addresses and bank accounts written over the API: POST, PUT, DELETE (dossier E 3.1 to 3.3)."""

from collections.abc import Callable, Mapping

from exactonline_sandbox import children, visit_addresses
from exactonline_sandbox.call import NotImitatedError, Refusal, Reply
from exactonline_sandbox.child_entities import ADDRESSES, BANK_ACCOUNTS, ChildEntity
from exactonline_sandbox.child_rows import new_row, with_what_follows
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.deriving import child_completed
from exactonline_sandbox.judging_children import compact, is_same_address, judge_child
from exactonline_sandbox.reading import guid_key, not_found
from exactonline_sandbox.saving import remove_child, save_child
from exactonline_sandbox.writing import (
    context_of,
    created,
    key_for_new,
    members_sent,
    refuse,
    refuse_other_key,
    refuse_without_right,
    surroundings,
    texts,
    wants_all,
)


def writers(known: ChildEntity) -> Mapping[str, Callable[[Visit], Reply]]:
    """What answers a POST, PUT or DELETE of an entity."""
    return {
        "POST": lambda visit: _post(visit, known),
        "PUT": lambda visit: _put(visit, known),
        "DELETE": lambda visit: _delete(visit, known),
    }


def _post(visit: Visit, known: ChildEntity) -> Reply:
    """Create a row, or name the one that is there: 201, Location and an echo that is nearly empty without `Prefer`."""
    _refuse_without_right(visit, known)
    echo = None if wants_all(visit) else dict(known.echo)
    sent = members_sent(visit, known.entity)
    _refuse_unknown(known, sent, None)
    key = key_for_new(visit, sent, lambda key: _row(visit, known, key) is not None)
    verdict = judge_child(known, sent, None, surroundings(visit))
    refuse(verdict.messages)
    row = _existing(visit, known, verdict.values) or _made(visit, known, {**verdict.values, "ID": key})
    return created(visit, known.entity, row, echo, child_completed(visit, known))


def _put(visit: Visit, known: ChildEntity) -> Reply:
    """Change the members sent: 204, empty."""
    _refuse_without_right(visit, known)
    before = _named(visit, known)
    sent = members_sent(visit, known.entity)
    refuse_other_key(sent, before["ID"])
    _refuse_unknown(known, sent, before)
    verdict = judge_child(known, sent, before, surroundings(visit))
    refuse(verdict.messages)
    at = context_of(visit)
    save_child(at, known, {**before, **with_what_follows(at, known, verdict.values, before)}, before)
    return Reply(204)


def _delete(visit: Visit, known: ChildEntity) -> Reply:
    """Remove a row: 204, and a row in sync/Deleted for contacts and addresses."""
    _refuse_without_right(visit, known)
    row = _named(visit, known)
    if known is ADDRESSES and visit_addresses.is_visit(row):
        raise NotImitatedError("DELETE of the main visit address of an account")
    remove_child(context_of(visit), known, row)
    return Reply(204)


def _refuse_without_right(visit: Visit, known: ChildEntity) -> None:
    refuse_without_right(visit, "write_accounts", known.rights[1])


def _row(visit: Visit, known: ChildEntity, key: str) -> Row | None:
    return children.by_key(visit.db, visit.division.code, known, key)


def _named(visit: Visit, known: ChildEntity) -> Row:
    row = _row(visit, known, guid_key(visit))
    if row is None:
        raise not_found(known.entity)
    return row


def _refuse_unknown(known: ChildEntity, sent: Row, before: Row | None) -> None:
    """501 for what nobody is known to have sent, or to have changed."""
    for name in sent.keys() & known.not_imitated:
        if sent[name] is not None:
            raise NotImitatedError(f"{name} in a body of {known.path}")
    if before is None:
        return
    is_visit = known is ADDRESSES and before.get("Type") == visit_addresses.VISIT
    for name in (*known.fixed, "Main") if is_visit else known.fixed:
        if sent.get(name, before.get(name)) != before.get(name):
            raise NotImitatedError(f"a PUT of {known.path} that changes {name}")


def _existing(visit: Visit, known: ChildEntity, values: Row) -> Row | None:
    """The row that a POST names instead of making one: an address that the account has (O)."""
    held = children.of_account(visit.db, visit.division.code, known, values["Account"])
    switches = visit.world.switches
    if known is ADDRESSES:
        whole = switches.same_address == "whole"
        return next((row for row in held if is_same_address(row, values, whole=whole)), None)
    numbers = {compact(row["BankAccount"]) for row in held} if known is BANK_ACCOUNTS else ()
    if switches.repeated_bank_number == "refused" and numbers and compact(values["BankAccount"]) in numbers:
        raise Refusal(500, texts(visit).exists())
    return None


def _made(visit: Visit, known: ChildEntity, values: Row) -> Row:
    at = context_of(visit)
    if known is ADDRESSES and values["Type"] == visit_addresses.VISIT:
        own = visit_addresses.twin(values["Account"])
        if _row(visit, known, own) is None:
            values = {**values, "ID": own, "Main": True}
        elif values.get("Main"):
            raise NotImitatedError("a POST of another main visit address")
    row = new_row(at, known, with_what_follows(at, known, values, None), over_api=True)
    save_child(at, known, row, None)
    return _row(visit, known, row["ID"]) or row
