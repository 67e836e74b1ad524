"""The token endpoint (dossier 6): trade a code or a refresh token for a new pair, or say why not."""

import base64
import binascii
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl

from exactonline_sandbox import tokens
from exactonline_sandbox.call import Call, NotImitatedError, Reply
from exactonline_sandbox.rendering import dumps
from exactonline_sandbox.world import App, World

_JSON = ("Content-Type", "application/json; charset=utf-8")
_TOO_EARLY = "Rate limit exceeded: access_token not expired"


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """The reply, and who it was for as far as that became known."""

    reply: Reply
    app: str | None = None
    user: str | None = None


def token(db: sqlite3.Connection, world: World, call: Call, now: float) -> TokenAnswer:
    """Answer a POST to /api/oauth2/token."""
    authorization = call.headers.get("authorization", "")
    if authorization.lower().startswith("bearer"):
        return TokenAnswer(_error(401, "invalid_client", "A bearer token is not accepted here."))
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    app = _app(world, form, authorization)
    if app is None:
        return TokenAnswer(_error(400, "invalid_request"))
    grant = form.get("grant_type")
    if grant == "authorization_code":
        return _by_code(db, world, app, form, now)
    if grant == "refresh_token":
        return _by_refresh_token(db, world, app, form, now)
    if grant:
        raise NotImitatedError(f"grant_type {grant}")
    return TokenAnswer(_error(400, "invalid_request"), app.client_id)


def _app(world: World, form: dict[str, str], authorization: str) -> App | None:
    """The app whose secret was given: in the body, or by Basic (dossier 14); a wrong one is `invalid_request`."""
    given = (form.get("client_id", ""), form.get("client_secret", ""))
    if authorization.lower().startswith("basic "):
        try:
            client_id, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        given = (client_id, secret)
    app = world.apps.get(given[0])
    return app if app is not None and app.client_secret == given[1] else None


def _by_code(db: sqlite3.Connection, world: World, app: App, form: dict[str, str], now: float) -> TokenAnswer:
    uri = form.get("redirect_uri", "")
    known = uri in app.redirect_uris
    user = tokens.take_code(db, form.get("code", ""), app.client_id, uri, now) if known else None
    if user is None:
        return TokenAnswer(_error(400, "invalid_request"), app.client_id)
    if _over_the_day(db, world, app, user, now):
        return TokenAnswer(_too_many(), app.client_id, user)
    return TokenAnswer(_pair(world, tokens.begin(db, app.client_id, user, now, world.limits)), app.client_id, user)


def _by_refresh_token(db: sqlite3.Connection, world: World, app: App, form: dict[str, str], now: float) -> TokenAnswer:
    shown = form.get("refresh_token", "")
    held = tokens.present(db, shown)
    if held is None or held.client_id != app.client_id:
        return TokenAnswer(_error(400, "invalid_request"), app.client_id)
    reply = _refusal(db, world, app, held, now)
    if reply is None:
        reply = _pair(world, tokens.rotate(db, shown, held, now, world.limits))
    return TokenAnswer(reply, app.client_id, held.user)


def _refusal(db: sqlite3.Connection, world: World, app: App, held: tokens.RefreshToken, now: float) -> Reply | None:
    if _over_the_day(db, world, app, held.user, now):
        return _too_many()
    if held.spent:
        return _error(401, "unauthorized_client", "Old refresh token used.")
    if not held.current:
        return _error(400, "invalid_grant", "Token is not allowed, because of invalid or empty chainId")
    if now > held.expires:
        text = f"The refresh token expired at {_american(held.expires)} and it is now {_american(now)}."
        return _error(400, "invalid_request", text)
    allowed_from = (held.last_issued or 0) + world.limits.token_seconds - tokens.EARLY_SECONDS
    if world.limits.enabled and held.last_issued is not None and now < allowed_from:
        return _too_early(world)
    return None


def _over_the_day(db: sqlite3.Connection, world: World, app: App, user: str, now: float) -> bool:
    calls = tokens.count_call(db, app.client_id, user, now)
    return world.limits.enabled and calls > world.limits.token_calls_per_day


def _too_early(world: World) -> Reply:
    if world.switches.early_refresh_status == 401:
        reply = _error(401, "access_denied", "Access Token not expired")
    else:
        reply = _error(400, "access_denied", _TOO_EARLY)
    return reply.with_headers(("Reason", f"TooEarlyToRefreshTokens: {_TOO_EARLY}"))


def _too_many() -> Reply:
    """The answer to the 201st token call of a day is in no source; the form is that of a refresh too early."""
    return _error(400, "access_denied", "Rate limit exceeded: too many token requests today")


def _pair(world: World, pair: tokens.Pair) -> Reply:
    seconds = world.limits.token_seconds
    answer = {
        "access_token": pair.access_token,
        "token_type": "Bearer",
        "expires_in": str(seconds) if world.switches.expires_in_as == "string" else seconds,
        "refresh_token": pair.refresh_token,
    }
    return Reply(200, dumps(answer), (_JSON, ("Cache-Control", "no-store")))


def _error(status: int, error: str, description: str | None = None) -> Reply:
    body: dict[str, Any] = {"error": error}
    if description is not None:
        body["error_description"] = description
    return Reply(status, dumps(body), (_JSON,), description or error)


def _american(moment: float) -> str:
    """`10/11/2022 9:18:20 PM`, as the recorded text has it."""
    when = datetime.fromtimestamp(moment, timezone.utc)
    return f"{when.month}/{when.day}/{when.year} {when.hour % 12 or 12}:{when:%M:%S %p}"
