"""The WSGI app: every request one transaction, one journal entry, and whatever fault was ordered for it."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.client import responses
from typing import TYPE_CHECKING

from exactonline_sandbox import consent, control, faults, gate, journal, oauth, rendering, spoiling
from exactonline_sandbox.call import Call, DroppedConnection, NotImitatedError, Refusal, Reply, call_from
from exactonline_sandbox.clock import http_date
from exactonline_sandbox.code_meant import code_meant
from exactonline_sandbox.faults import Fault
from exactonline_sandbox.ledger import Ledger
from exactonline_sandbox.loading import State, read_state, read_world
from exactonline_sandbox.routing import CONSENT, TOKEN, Place, locate
from exactonline_sandbox.storage import Storage
from exactonline_sandbox.world import World

if TYPE_CHECKING:
    import sqlite3

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WAIT = "exactonline_sandbox.wait"  # environ key: how to let seconds pass before the answer
_CONTROL = "/_sandbox/"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: the answer, how long to hold it back, or that none is given."""

    reply: Reply
    now: float
    wait_seconds: float = 0
    dropped: str | None = None


class Sandbox:
    """An imitation of Exact Online over one world file."""

    def __init__(self, storage: Storage, latency_seconds: float = 0) -> None:
        self.storage = storage
        self._latency_seconds = latency_seconds
        self._known: tuple[str, World] | None = None
        self._knowing = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer as WSGI wants it; raises DroppedConnection where the connection is to end without an answer."""
        started_ns = time.monotonic_ns()
        call = call_from(environ)
        if call.path.startswith(_CONTROL):
            outcome = Outcome(control.answer(self.storage, call), time.time())
        else:
            outcome = self._exact(call, started_ns)
        if outcome.wait_seconds:
            wait: Callable[[float], None] = environ.get(WAIT, time.sleep)
            wait(outcome.wait_seconds)
        if outcome.dropped:
            raise DroppedConnection(outcome.dropped)
        reply = outcome.reply
        headers = [("Date", http_date(outcome.now)), *reply.headers]
        if reply.status != 204 and not any(name == "Content-Length" for name, _ in headers):
            headers.append(("Content-Length", str(len(reply.body))))
        start_response(f"{reply.status} {responses.get(reply.status, 'Unknown')}", headers)
        return [reply.body] if reply.body else []

    def _exact(self, call: Call, started_ns: int) -> Outcome:
        place = locate(call.path)
        with self.storage.transaction() as db:
            state = read_state(db)
            world = self._world(db, state)
            fault = _fault(db, call, place) if state.faults else None
            answer = self._answered(db, world, state.now, call, place, fault)
            wait_seconds = self._latency_seconds + world.limits.latency_ms / 1000
            if fault:
                wait_seconds += fault.seconds
            now_ns = time.monotonic_ns()
            overlapped = False
            if answer.app and place.division is not None:
                books = Ledger(db, answer.app, place.division, world.limits, state.now)
                overlapped = books.overlaps(started_ns, now_ns + int(wait_seconds * 1e9))
            dropped = fault.kind if fault and fault.kind in faults.LOSING else None
            is_login = place.endpoint in {TOKEN, CONSENT}
            journal.write(
                db,
                journal.Entry(
                    at=state.now,
                    app=answer.app,
                    user=answer.user,
                    division=place.division,
                    method=call.method,
                    endpoint=place.endpoint,
                    target=journal.hidden_target(call.target),
                    body=journal.hidden_form(call.body) if is_login else journal.readable_body(call.body),
                    status=answer.reply.status or None,
                    error=answer.reply.error,
                    fault=fault.kind if fault else None,
                    overlapped=overlapped,
                    duration_ms=(now_ns - started_ns) / 1e6,
                ),
            )
        return Outcome(answer.reply, state.now, wait_seconds, dropped)

    def _answered(
        self, db: "sqlite3.Connection", world: World, now: float, call: Call, place: Place, fault: Fault | None
    ) -> gate.Answer:
        if fault and fault.kind in faults.LOSING and not fault.carried_out:
            return gate.Answer(Reply(0))
        if len(call.origin) + len(call.target) > world.limits.url_characters:
            return gate.Answer(Reply(world.switches.long_url_status, error="address too long"))
        try:
            return _routed(db, world, now, call, place, fault)
        except NotImitatedError as unknown:
            return gate.Answer(rendering.not_imitated(str(unknown)))
        except Refusal as refusal:
            return gate.Answer(rendering.error(call, refusal))

    def _world(self, db: "sqlite3.Connection", state: State) -> World:
        with self._knowing:
            if self._known is None or self._known[0] != state.stamp:
                self._known = (state.stamp, read_world(db))
            return self._known[1]


def _fault(db: "sqlite3.Connection", call: Call, place: Place) -> Fault | None:
    code = None if place.division is None else code_meant(db, place.division, place.key, call)
    return faults.firing(db, call, place.endpoint, place.division, code)


def _routed(
    db: "sqlite3.Connection", world: World, now: float, call: Call, place: Place, fault: Fault | None
) -> gate.Answer:
    if place.endpoint in {TOKEN, CONSENT}:
        return _login(db, world, now, call, place, fault)
    if place.division is None and not call.path.lower().startswith("/api/"):
        raise NotImitatedError(f"the path {call.path}")
    return gate.answer(gate.Request(db, world, now, call, place, fault))


def _login(
    db: "sqlite3.Connection", world: World, now: float, call: Call, place: Place, fault: Fault | None
) -> gate.Answer:
    """The consent page or a token call; these know no limits of calls, so those faults are a bare 429."""
    given = oauth.TokenAnswer(Reply(429))

    def carry_out() -> Reply:
        nonlocal given
        if place.endpoint == CONSENT and call.method in {"GET", "POST"}:
            given = oauth.TokenAnswer(consent.authorize(db, world, call, now))
        elif call.method != "POST":
            raise NotImitatedError(f"{call.method} {place.endpoint}")
        else:
            given = oauth.token(db, world, call, now)
        return given.reply

    if fault and fault.kind in faults.LIMITS:
        return gate.Answer(given.reply)
    reply = spoiling.answered(call, fault, carry_out)
    return gate.Answer(reply, given.app, given.user)
