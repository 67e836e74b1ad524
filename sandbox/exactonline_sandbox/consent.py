"""The consent page: GET /api/oauth2/auth asks a person, a POST to it gives the code (dossier 6)."""

import sqlite3
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from exactonline_sandbox import tokens
from exactonline_sandbox.call import Call, NotImitatedError, Reply
from exactonline_sandbox.world import World

_HTML = ("Content-Type", "text/html; charset=utf-8")
_REMEMBERED = {"client_id", "redirect_uri", "response_type", "state", "force_login"}


def authorize(db: sqlite3.Connection, world: World, call: Call, now: float) -> Reply:
    """A page that asks for consent, or once a user is given (`_user`, by name or e-mail) the way back with a code.

    Redirect addresses must be https, registered to the letter, and not on this machine.
    """
    given = dict(parse_qsl(call.query, keep_blank_values=True))
    if call.method == "POST":
        given |= dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    kind = given.get("response_type", "")
    if kind == "token":
        raise NotImitatedError("response_type=token")
    app = world.apps.get(given.get("client_id", ""))
    uri = given.get("redirect_uri", "")
    if app is None or kind != "code" or uri not in app.redirect_uris or not _allowed(uri):
        return Reply(400, _page("<p>Unknown app or redirect address.</p>"), (_HTML,), "bad authorization request")
    wanted = given.get("_user")
    user = next((user for user in world.users.values() if wanted in {user.name, user.email}), None)
    if wanted is None or user is None:
        return Reply(200, _page(_form(world, given)), (_HTML,))
    code = tokens.new_code(db, app.client_id, user.name, uri, now + world.limits.code_seconds)
    answer = {"code": code} | ({"state": given["state"]} if "state" in given else {})
    return Reply(302, b"", (("Location", f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"),))


def _allowed(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "https" and (parts.hostname or "localhost") not in {"localhost", "127.0.0.1", "::1"}


def _form(world: World, given: dict[str, str]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in given.items()
        if name in _REMEMBERED
    )
    buttons = "".join(
        f'<button name="_user" value="{escape(user.name)}">Approve as {escape(user.name)}</button> '
        for user in world.users.values()
    )
    return (
        f"<p>The app {escape(given['client_id'])} asks for access to your companies.</p>"
        f'<form method="post" action="/api/oauth2/auth">{hidden}{buttons}</form>'
    )


def _page(content: str) -> bytes:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Exact Online sandbox</title></head>'
        f"<body><h1>Exact Online sandbox</h1>{content}</body></html>"
    ).encode()
