"""The way in and out, and the language."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.responses import Response

from exactonline_console.texts import LANGUAGES
from exactonline_console.visits import LANGUAGE, SESSION, Visit

YEAR_SECONDS = 365 * 24 * 3600


def show(visit: Visit) -> Response:
    """The form for name and password."""
    if not visit.needs_login:
        return visit.go("/")
    return visit.page("login.html", failed=False)


def enter(visit: Visit) -> Response:
    """Let in who knows the password, in a session of its own."""
    client = visit.request.client
    name = visit.given("name")
    password = visit.form.get("password", "")
    token = visit.house.users.log_in(name, str(password), client.host if client else "")
    if token is None:
        visit.house.actions.note(name[:100], "login-failed", client.host if client else "")
        return visit.page("login.html", 401, failed=True)
    visit.house.actions.note(name, "login")
    response = visit.go("/")
    visit.keep(response, SESSION, token)
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
