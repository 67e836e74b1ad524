"""A data call from its token to its answer: who, limits, scope, handler, counting (dossier 4.4, 7)."""

import sqlite3
from dataclasses import dataclass, replace

from exactonline_sandbox import contracts, ledger, rendering, spoiling, tokens, visits
from exactonline_sandbox.call import Call, NotImitatedError, Refusal, Reply
from exactonline_sandbox.context import Caller, Context, Visit
from exactonline_sandbox.faults import LIMITS, Fault
from exactonline_sandbox.identity import get_me
from exactonline_sandbox.ledger import Block, Ledger
from exactonline_sandbox.routing import ME, Place, handler_for, refuse_unknown_headers
from exactonline_sandbox.world import Division, World

_OUT_OF_SCOPE = "Forbidden - User division is not within division scope."
_ARCHIVED = 2
_NARROWING = ("$filter", "$skiptoken", "%24filter", "%24skiptoken")


@dataclass(frozen=True, slots=True)
class Request:
    """One data call under way."""

    db: sqlite3.Connection
    world: World
    now: float
    call: Call
    place: Place
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply, and who asked, as far as the token tells."""

    reply: Reply
    app: str | None = None
    user: str | None = None


def answer(request: Request) -> Answer:
    """Answer a call to current/Me or to a division."""
    shown = request.call.headers.get("authorization", "")
    held = tokens.holder(request.db, shown[7:].strip()) if shown[:7].lower() == "bearer " else None
    if held is None or held[0] not in request.world.apps or held[1] not in request.world.users:
        return Answer(_unauthorized("message expired"))
    client_id, user, expires = held
    caller = Caller(request.world.apps[client_id], request.world.users[user])
    if request.place.division is None:
        reply = _outside_divisions(request, caller, expired=request.now >= expires)
    else:
        reply = _in_division(request, caller, request.place.division, expired=request.now >= expires)
        if request.world.switches.minutely_reset == "missing":
            kept = (header for header in reply.headers if header[0] != "X-RateLimit-Minutely-Reset")
            reply = replace(reply, headers=tuple(kept))
    return Answer(reply, client_id, user)


def _outside_divisions(request: Request, caller: Caller, *, expired: bool) -> Reply:
    """current/Me has no division, so no budget: nothing is counted, no limit headers (assumption)."""
    if request.fault and request.fault.kind in LIMITS:
        return Reply(429)
    return spoiling.answered(request.call, request.fault, lambda: _me(request, caller, expired=expired))


def _me(request: Request, caller: Caller, *, expired: bool) -> Reply:
    if expired:
        return _unauthorized("access token expired")
    if request.place.endpoint != ME or request.call.method != "GET":
        raise NotImitatedError(f"{request.call.method} {request.place.endpoint}")
    refuse_unknown_headers(request.call)
    try:
        _refuse_person(caller)
        return get_me(Context(request.db, request.world, request.now, request.call, caller))
    except Refusal as refusal:
        return rendering.error(request.call, refusal)


def _in_division(request: Request, caller: Caller, division: int, *, expired: bool) -> Reply:
    """Blocks and limits first, then the call; every answer but a 429 counts, errors twice over."""
    limits = request.world.limits
    key: Block = (caller.app.client_id, caller.user.name, division, request.place.endpoint)
    books = Ledger(request.db, caller.app.client_id, division, limits, request.now)
    refused = ledger.blocked(request.db, key, request.now) if limits.enabled else None
    refused = refused or books.refusal(request.world.switches.rate_headers_on_429)
    if refused:
        return refused
    reply = _by_contract(request, books) or _by_limit_fault(request, books, key)
    if reply is None:
        reply = spoiling.answered(
            request.call, request.fault, lambda: _carried_out(request, caller, division, expired=expired)
        )
        if reply.status != 429:
            contracts.count_call(request.db, books.app, limits, request.now)
    if reply.status == 429:
        return reply
    if reply.status in ledger.ERRORS:
        ledger.count_error(request.db, key, limits, request.now)
    return books.count_call(reply)


def _by_contract(request: Request, books: Ledger) -> Reply | None:
    switches = request.world.switches
    refused = contracts.refusal(request.db, books.app, books.limits, switches, request.now)
    if refused and switches.contract_refusal == "calls_left":
        return books.refusal_with_calls_left("contract limit")
    if refused and switches.contract_refusal == "forbidden":
        return contracts.forbidden(request.call)
    return refused


def _by_limit_fault(request: Request, books: Ledger, key: Block) -> Reply | None:
    match request.fault.kind if request.fault else None:
        case "429_minute":
            return books.use_up("minute")
        case "429_day":
            return books.use_up("day")
        case "429_no_headers":
            return Reply(429, error="limit")
        case "429_calls_left":
            return books.refusal_with_calls_left()
        case "error_block":
            if books.limits.enabled:
                ledger.block(request.db, key, request.now + books.limits.error_hour_seconds)
            return Reply(429, error="error rule")
    return None


def _carried_out(request: Request, caller: Caller, asked: int, *, expired: bool) -> Reply:
    """The answer of the company asked, or where a fault says so of another."""
    if expired:
        return _unauthorized("access token expired")
    fault = request.fault
    if fault is None or fault.company is None:
        return _handled(request, caller, asked, asked)
    if fault.kind == "misrouted":
        return _handled(request, caller, asked, fault.company)
    reply = _handled(request, caller, asked, asked)
    if fault.kind == "mislabelled":
        return spoiling.mislabelled(reply, fault, asked)
    every_row = "&".join(part for part in request.call.query.split("&") if not part.startswith(_NARROWING))
    whole = replace(request, call=replace(request.call, query=every_row))
    return spoiling.with_foreign_rows(reply, _handled(whole, caller, asked, fault.company), fault.rows or 1)


def _handled(request: Request, caller: Caller, asked: int, served: int) -> Reply:
    try:
        visit = _visit(request, caller, asked, served)
        handler, scope = handler_for(request.place, request.call)
        _refuse_scope(caller, scope, request.call.method)
        _refuse_spelling(request)
        if request.call.method in {"GET", "POST"} and not request.place.count_only:
            rendering.form_for(request.call)
        return handler(visit)
    except Refusal as refusal:
        return rendering.error(request.call, refusal)
    except NotImitatedError as unknown:
        return rendering.not_imitated(str(unknown))


def _visit(request: Request, caller: Caller, code: int, served: int) -> Visit:
    _refuse_person(caller)
    division = request.world.divisions.get(code)
    if division is None or code not in caller.user.divisions:
        raise Refusal(403, _OUT_OF_SCOPE, "NoDivisionAccess")
    _refuse_closed(division)
    visit = Visit(
        *(request.db, request.world, request.now, request.call, caller),
        request.world.divisions[served].seen_by(caller.user),
        key=request.place.key,
        count_only=request.place.count_only,
    )
    if visit.current_division() != code:
        visits.note(request.db, caller.user.name, code)
    return visit


def _refuse_scope(caller: Caller, scope: str, method: str) -> None:
    """403 for an app whose registration lacks the scope (dossier 6.x); the words are known for reading only."""
    write = method != "GET"
    if not caller.app.may(scope, write=write):
        doing = "write" if write else "read"
        raise Refusal(403, f"Forbidden - Application Scope Violated. Cannot {doing} '{scope}' scope.")


def _refuse_spelling(request: Request) -> None:
    if request.world.switches.path_case_sensitive and not request.place.exact_spelling:
        raise Refusal(404, f"Resource not found for the segment '{request.place.asked}'.")


def _refuse_person(caller: Caller) -> None:
    if caller.user.refused:
        raise Refusal(403, "Forbidden", caller.user.refused)


def _refuse_closed(division: Division) -> None:
    """A blocked division is named in the dossier; that an archived one is closed to all calls is an assumption."""
    if division.blocking_status:
        raise Refusal(403, "Forbidden", "DivisionBlocked")
    if division.status == _ARCHIVED:
        raise Refusal(403, "Forbidden", "NoDivisionAccess")


def _unauthorized(why: str) -> Reply:
    """401; what the body holds is unknown, the header holds the reason URL-encoded (AIRBYTE)."""
    encoded = why.replace(" ", "%20")
    header = ("WWW-Authenticate", f'Bearer error="invalid_token", error_description="{encoded}"')
    return Reply(401, b"", (header,), why)
