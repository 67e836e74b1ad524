"""Accounts written over the API: POST, PUT, DELETE (dossier 2, 4.3)."""

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox.account_rows import BARE_ECHO, new_row, stamped, with_status
from exactonline_sandbox.call import Refusal, Reply
from exactonline_sandbox.context import Visit
from exactonline_sandbox.deriving import completed
from exactonline_sandbox.judging import judge
from exactonline_sandbox.properties import ACCOUNT
from exactonline_sandbox.reading import guid_key, not_found
from exactonline_sandbox.saving import remove_account, save_account
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

_RIGHT = "write_accounts"


def post_account(visit: Visit) -> Reply:
    """Create an account: 201, Location, and an echo that is nearly empty without `Prefer`."""
    refuse_without_right(visit, _RIGHT)
    echo = None if wants_all(visit) else BARE_ECHO
    sent = members_sent(visit, ACCOUNT)
    key = key_for_new(visit, sent, lambda key: table.by_id(visit.db, visit.division.code, key) is not None)
    verdict = judge(sent, None, surroundings(visit))
    refuse(verdict.messages)
    values = {**verdict.values, "ID": key}
    if not values.get("Code"):
        values["Code"] = _next_code(visit)
    elif visit.world.switches.sent_codes == "padded" and values["Code"].isdigit():
        values["Code"] = values["Code"].zfill(visit.division.code_digits)
    if table.by_code(visit.db, visit.division.code, values["Code"]):
        raise Refusal(500, texts(visit).exists())
    at = context_of(visit)
    row = stamped(new_row(values, visit.division, visit.wall, over_api=True), visit.wall, at.user, new=True)
    save_account(at, row, None)
    return created(visit, ACCOUNT, row, echo, completed(visit))


def put_account(visit: Visit) -> Reply:
    """Change the members sent: 204, empty. Modified and Timestamp move even if nothing changes (R; Timestamp: ?)."""
    refuse_without_right(visit, _RIGHT)
    key = guid_key(visit)
    before = table.by_id(visit.db, visit.division.code, key)
    if before is None:
        raise not_found(ACCOUNT)
    sent = members_sent(visit, ACCOUNT)
    refuse_other_key(sent, key)
    if "Code" in sent:
        raise Refusal(500, texts(visit).exists())  # even the same value (PICQER #432)
    verdict = judge(sent, before, surroundings(visit))
    refuse(verdict.messages)
    at = context_of(visit)
    row = with_status({**before, **verdict.values}, before, visit.wall)
    save_account(at, stamped(row, visit.wall, at.user, new=False), before)
    return Reply(204)


def delete_account(visit: Visit) -> Reply:
    """Remove an account with what belongs to it: 204, and a row in sync/Deleted."""
    refuse_without_right(visit, _RIGHT)
    key = guid_key(visit)
    if table.by_id(visit.db, visit.division.code, key) is None:
        raise not_found(ACCOUNT)
    remove_account(context_of(visit), key)
    return Reply(204)


def _next_code(visit: Visit) -> str:
    """The highest code in use plus one, zero-padded if the division does so (dossier 3)."""
    number = table.highest_code(visit.db, visit.division.code) + 1
    return str(number).zfill(visit.division.code_digits)
