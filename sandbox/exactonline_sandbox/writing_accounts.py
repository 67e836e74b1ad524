"""Accounts written over the API: POST, PUT, DELETE (dossier 2, 4.3)."""

import json
from typing import Any

from exactonline_sandbox import accounts_table as table
from exactonline_sandbox import rendering
from exactonline_sandbox.account_rows import BARE_ECHO, new_row, stamped, with_status
from exactonline_sandbox.call import NotImitatedError, Refusal, Reply
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.deriving import completed
from exactonline_sandbox.edm import BadGuidError, kept_from_body
from exactonline_sandbox.filter_tokens import SYNTAX
from exactonline_sandbox.judging import Judgement, Surroundings, judge
from exactonline_sandbox.properties import ACCOUNT
from exactonline_sandbox.reading import guid_key, not_found, writer
from exactonline_sandbox.rows_referred_to import RowsReferredTo
from exactonline_sandbox.texts import Texts

_NO_WRITE = "Forbidden"


def post_account(visit: Visit) -> Reply:
    """Create an account: 201, Location, and an echo that is nearly empty without `Prefer`."""
    _allowed(visit)
    prefer = visit.call.headers.get("prefer", "")
    if prefer not in {"", "return=representation"}:
        raise NotImitatedError(f"Prefer: {prefer}")
    sent = _sent(visit)
    key = _key_for_new(visit, sent)
    verdict = judge(sent, None, _around(visit))
    _refuse(verdict)
    values = {**verdict.values, "ID": key}
    if not values.get("Code"):
        values["Code"] = _next_code(visit)
    elif visit.world.switches.sent_codes == "padded" and values["Code"].isdigit():
        values["Code"] = values["Code"].zfill(visit.division.code_digits)
    if table.by_code(visit.db, visit.division.code, values["Code"]):
        raise Refusal(500, _texts(visit).exists())
    row = stamped(new_row(values, visit.division, visit.wall, over_api=True), visit.wall, _user(visit), new=True)
    table.put(visit.db, visit.division.code, row)
    form = rendering.form_for(visit.call)
    write = writer(visit, ACCOUNT)
    echo = completed(visit)(dict(row), None) if prefer else {**BARE_ECHO, "ID": key}
    location = ("Location", write.address(row))
    return rendering.one(form, ACCOUNT, write.write(echo), 201).with_headers(location)


def put_account(visit: Visit) -> Reply:
    """Change the members sent: 204, empty. Modified and Timestamp move even if nothing changes (R; Timestamp: ?)."""
    _allowed(visit)
    key = guid_key(visit)
    before = table.by_id(visit.db, visit.division.code, key)
    if before is None:
        raise not_found(ACCOUNT)
    sent = _sent(visit)
    if sent.pop("ID", key) != key:
        raise NotImitatedError("an ID in a PUT other than that of its address")
    if "Code" in sent:
        raise Refusal(500, _texts(visit).exists())  # even the same value (PICQER #432)
    verdict = judge(sent, before, _around(visit))
    _refuse(verdict)
    row = with_status({**before, **verdict.values}, before, visit.wall)
    table.put(visit.db, visit.division.code, stamped(row, visit.wall, _user(visit), new=False))
    return Reply(204)


def delete_account(visit: Visit) -> Reply:
    """Remove an account: 204, and a row in sync/Deleted."""
    _allowed(visit)
    key = guid_key(visit)
    if table.by_id(visit.db, visit.division.code, key) is None:
        raise not_found(ACCOUNT)
    table.remove(visit.db, visit.division.code, key, visit.wall, _user(visit))
    return Reply(204)


def _allowed(visit: Visit) -> None:
    if not visit.division.may("write_accounts"):
        raise Refusal(403, _NO_WRITE)


def _sent(visit: Visit) -> Row:
    """The body's members in their kept form; read-only ones are dropped without a word (dossier 2.2).

    Unknown members get a 400 with WCF's text, which is an assumption.
    """
    if visit.call.headers["content-type"].partition(";")[0].strip().lower() != "application/json":
        raise NotImitatedError(f"a body of type {visit.call.headers['content-type'] or '(none)'}")
    try:
        body: Any = json.loads(visit.call.body, parse_constant=_no_number)
    except ValueError as error:
        raise Refusal(400, SYNTAX) from error
    if not isinstance(body, dict):
        raise Refusal(400, SYNTAX)
    values: Row = {}
    for name, value in body.items():
        known = ACCOUNT.properties.get(name)
        if known is None and name != "__metadata":
            raise Refusal(
                400,
                f"Error processing request stream. The property name '{name}' specified for type "
                f"'{ACCOUNT.type}' is not valid.",
            )
        if known is not None and known.writable:
            try:
                values[name] = kept_from_body(known, value)
            except BadGuidError as error:
                raise Refusal(500, _texts(visit).bad_guid()) from error
    return values


def _no_number(name: str) -> Any:
    """`NaN` and its like are Python's, not JSON's."""
    raise ValueError(name)


def _key_for_new(visit: Visit, sent: Row) -> str:
    """The new row's ID. One in the body is listed as allowed, and untested; see the switch `post_id`."""
    key = sent.pop("ID", None)
    if key is None or visit.world.switches.post_id == "ignore":
        return table.new_key()
    if table.by_id(visit.db, visit.division.code, key):
        raise Refusal(500, _texts(visit).exists())
    return str(key)


def _next_code(visit: Visit) -> str:
    """The highest code in use plus one, zero-padded if the division does so (dossier 3)."""
    number = table.highest_code(visit.db, visit.division.code) + 1
    return str(number).zfill(visit.division.code_digits)


def _around(visit: Visit) -> Surroundings:
    return Surroundings(
        division=visit.division,
        switches=visit.world.switches,
        texts=_texts(visit),
        led_to=RowsReferredTo(visit.db, visit.division.code),
        wall=visit.wall,
    )


def _refuse(verdict: Judgement) -> None:
    if verdict.messages:
        raise Refusal(500, "\r\n".join(verdict.messages))


def _texts(visit: Visit) -> Texts:
    return Texts(visit.caller.user.dutch)


def _user(visit: Visit) -> str:
    return visit.caller.user.id
