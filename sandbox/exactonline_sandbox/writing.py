"""What every POST and PUT has in common: who may, what was sent, under which key, and the answer (dossier 2.2, 4.3)."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from exactonline_sandbox import accounts_table, rendering
from exactonline_sandbox.call import NotImitatedError, Refusal, Reply
from exactonline_sandbox.context import Row, Visit
from exactonline_sandbox.edm import BadGuidError, kept_from_body
from exactonline_sandbox.filter_tokens import SYNTAX
from exactonline_sandbox.judging import Surroundings
from exactonline_sandbox.properties import Entity
from exactonline_sandbox.reading import Completed, writer
from exactonline_sandbox.rows_referred_to import RowsReferredTo
from exactonline_sandbox.saving import WriteContext
from exactonline_sandbox.texts import Texts

_NO_WRITE = "Forbidden"


def refuse_without_right(visit: Visit, *rights: str) -> None:
    """403 where the user may not write."""
    if not all(visit.division.may(right) for right in rights):
        raise Refusal(403, _NO_WRITE)


def wants_all(visit: Visit) -> bool:
    """Whether a POST asks for all values; 501 for any other `Prefer`."""
    prefer = visit.call.headers.get("prefer", "")
    if prefer not in {"", "return=representation"}:
        raise NotImitatedError(f"Prefer: {prefer}")
    return bool(prefer)


def members_sent(visit: Visit, entity: Entity) -> Row:
    """The body's members in their kept form; read-only ones are dropped without a word (dossier 2.2).

    Unknown members get a 400 with WCF's text, which clients have seen for a contact (C).
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
        known = entity.properties.get(name)
        if known is None and name != "__metadata":
            raise Refusal(
                400,
                f"Error processing request stream. The property name '{name}' specified for type "
                f"'{entity.type}' is not valid.",
            )
        if known is not None and known.writable:
            try:
                values[name] = kept_from_body(known, value)
            except BadGuidError as error:
                raise Refusal(500, texts(visit).bad_guid()) from error
    return values


def _no_number(name: str) -> Any:
    """`NaN` and its like are Python's, not JSON's."""
    raise ValueError(name)


def key_for_new(visit: Visit, sent: Row, is_taken: Callable[[str], bool]) -> str:
    """The new row's ID. One in the body is listed as allowed, and untested; see the switch `post_id`."""
    key = sent.pop("ID", None)
    if key is None or visit.world.switches.post_id == "ignore":
        return accounts_table.new_key()
    if is_taken(key):
        raise Refusal(500, texts(visit).exists())
    return str(key)


def refuse_other_key(sent: Row, key: str) -> None:
    """501 for an ID in a PUT that is not that of its address; its own is taken off."""
    if sent.pop("ID", key) != key:
        raise NotImitatedError("an ID in a PUT other than that of its address")


def refuse(messages: Iterable[str]) -> None:
    """500 with the messages, joined as Exact joins them."""
    text = "\r\n".join(messages)
    if text:
        raise Refusal(500, text)


def created(visit: Visit, entity: Entity, row: Row, echo: Row | None, complete: Completed) -> Reply:
    """201 with the address of the row, and its values or, with `echo`, those and its ID alone."""
    write = writer(visit, entity)
    shown = complete(dict(row), None) if echo is None else {**echo, "ID": row["ID"]}
    location = ("Location", write.address(row))
    return rendering.one(rendering.form_for(visit.call), entity, write.write(shown), 201).with_headers(location)


def context_of(visit: Visit) -> WriteContext:
    """What the user of a call writes."""
    return WriteContext(visit.db, visit.division, visit.world.switches, visit.wall, visit.caller.user.id)


def surroundings(visit: Visit) -> Surroundings:
    """What the judgement of a call needs to know."""
    return Surroundings(
        division=visit.division,
        switches=visit.world.switches,
        texts=texts(visit),
        led_to=RowsReferredTo(visit.db, visit.division.code),
        wall=visit.wall,
    )


def texts(visit: Visit) -> Texts:
    """Exact's words for the user of a call."""
    return Texts(visit.caller.user.dutch)
