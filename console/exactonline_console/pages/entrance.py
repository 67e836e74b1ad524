"""The way in and out, and the language."""

from __future__ import annotations

import math
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from exactonline_client.errors import TryLaterError
from exactonline_client.transport import utc_now
from starlette.responses import Response

from exactonline_console.security import device_mark, device_of
from exactonline_console.texts import LANGUAGES
from exactonline_console.visits import DEVICE, LANGUAGE, SESSION, Visit

YEAR_SECONDS = 365 * 24 * 3600


def show(visit: Visit) -> Response:
    """The form for name and password."""
    if not visit.needs_login:
        return visit.go("/")
    return visit.page("login.html", failed=False, span=None)


def enter(visit: Visit) -> Response:
    """Let in who knows the password, in a session of its own."""
    name, password = visit.given("name"), str(visit.form.get("password", ""))
    device = device_of(visit.request.cookies.get(DEVICE, ""), visit.house.key, name)
    try:
        token = visit.house.users.log_in(name, password, visit.address, device)
    except TryLaterError as error:
        return _later(visit, error.until)
    if token is None:
        visit.house.actions.note(name[:100], "login-failed", visit.address)
        return visit.page("login.html", 401, failed=True, span=None)
    visit.house.actions.note(name, "login")
    response = visit.go("/")
    visit.keep(response, SESSION, token)
    mark = device_mark(visit.house.key, name, device or secrets.token_urlsafe(12))
    visit.keep(response, DEVICE, mark, age=YEAR_SECONDS)
    return response


def _later(visit: Visit, until: datetime) -> Response:
    """Say how long to wait before the next attempt; this one was not looked at."""
    seconds = max(1, math.ceil((until - utc_now()).total_seconds()))
    response = visit.page("login.html", 429, failed=False, span=visit.texts.span(timedelta(seconds=seconds)))
    response.headers["Retry-After"] = str(seconds)
    return response


def leave(visit: Visit) -> Response:
    """End the session."""
    visit.note("logout")
    visit.house.users.log_out(visit.session)
    response = visit.go("/login")
    response.delete_cookie(SESSION)
    return response


def choose_language(visit: Visit) -> Response:
    """Go on in another language, on the page where the visitor was."""
    back = urlsplit(visit.given("back"))
    response = visit.go(back.path if back.path.startswith("/") and not back.path.startswith("//") else "/")
    if back.query and response.headers["location"] != "/":
        response.headers["location"] += f"?{back.query}"
    if visit.given("language") in LANGUAGES:
        visit.keep(response, LANGUAGE, visit.given("language"), age=YEAR_SECONDS)
    return response
