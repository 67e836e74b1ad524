"""One request of a person, with all that a page needs to answer it; and who that person is."""

from __future__ import annotations

import getpass
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from exactonline_console.actions import Actions
from exactonline_console.hidden import Hidden
from exactonline_console.paper import Paper
from exactonline_console.problems import problem_of
from exactonline_console.project import Project
from exactonline_console.security import READING, Doors, csrf_token, is_csrf_token
from exactonline_console.texts import Texts, chosen, marked, texts
from exactonline_console.users import Users

SESSION = "exactonline_session"
LANGUAGE = "exactonline_language"
DEVICE = "exactonline_device"
"""A browser with which somebody logged in before."""
MOST_FIELDS = 5000
SEE_OTHER = 303
BROKEN = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class House:
    """What all requests share."""

    project: Project
    store: Store
    doors: Doors
    key: bytes = field(repr=False)
    paper: Paper

    @cached_property
    def users(self) -> Users:
        """Who may come in."""
        return Users(self.store)

    @cached_property
    def actions(self) -> Actions:
        """Who did what."""
        return Actions(self.store)


@dataclass
class Visit:
    """A request by somebody who may make it."""

    house: House
    request: Request
    session: str
    user: str
    texts: Texts
    form: FormData

    @property
    def project(self) -> Project:
        """The project."""
        return self.house.project

    @property
    def store(self) -> Store:
        """The store."""
        return self.house.store

    @property
    def address(self) -> str:
        """Where the request comes from."""
        peer = self.request.client.host if self.request.client else ""
        return self.house.doors.address_of(peer, ",".join(self.request.headers.getlist("x-forwarded-for")))

    def asked(self, name: str) -> str:
        """A value of the address, or nothing."""
        return self.request.query_params.get(name, "").strip()

    def given(self, name: str) -> str:
        """A value of the form, or nothing."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def given_all(self, name: str) -> list[str]:
        """All values of the form under a name."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    def page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page in the language of the visitor."""
        request = self.request
        html = self.house.paper.write(
            template,
            self.texts,
            csrf=csrf_token(self.house.key, self.session),
            user=self.user,
            needs_login=self.needs_login,
            path=request.url.path,
            query=request.url.query,
            done=request.query_params.get("done", ""),
            now=utc_now(),
            **values,
        )
        return HTMLResponse(self.hidden.redact(html), status)

    @cached_property
    def hidden(self) -> Hidden:
        """What no answer may show."""
        return Hidden(self.project.env.values())

    @cached_property
    def needs_login(self) -> bool:
        """Whether people come in by a password."""
        return self.house.doors.user_header is None and bool(self.house.users.names())

    def go(self, path: str, **query: str) -> RedirectResponse:
        """The way to another page, after something was done."""
        address = f"{path}?{urlencode(query)}" if query else path
        return RedirectResponse(address, SEE_OTHER)

    def note(self, action: str, about: str = "") -> None:
        """Remember what this visitor did."""
        self.house.actions.note(self.user, action, about)

    def problem(
        self,
        sentence: str,
        status: int = 400,
        title: str = marked("That did not work"),
        *,
        is_translated: bool = True,
    ) -> HTMLResponse:
        """A page that says what is wrong."""
        return self.page("problem.html", status, sentence=sentence, title=title, is_translated=is_translated)

    def keep(self, response: Response, name: str, value: str, *, age: int | None = None) -> None:
        """Set a cookie that no script sees, and that comes with no form of another site."""
        secure = self.house.doors.is_secure(self.request.headers)
        response.set_cookie(name, value, max_age=age, httponly=True, samesite="lax", secure=secure, path="/")


Handler = Callable[[Visit], Response]


def endpoint(house: House, handler: Handler, *, open_to_all: bool = False) -> Callable[[Request], Awaitable[Response]]:
    """A handler as the web server calls it: after it is clear who asks, and that a form is one of ours."""

    async def answer(request: Request) -> Response:
        form = FormData()
        if request.method not in READING:
            form = await request.form(max_files=0, max_fields=MOST_FIELDS)
        return await run_in_threadpool(_answer, house, handler, request, form, open_to_all=open_to_all)

    return answer


def _answer(house: House, handler: Handler, request: Request, form: FormData, *, open_to_all: bool) -> Response:
    given = request.cookies.get(SESSION, "")
    session = given or secrets.token_urlsafe(32)
    language = texts(chosen(request.cookies.get(LANGUAGE), request.headers.get("accept-language", "")))
    visit = Visit(house, request, session, "", language, form)
    try:
        response = _handled(visit, handler, open_to_all=open_to_all)
    except Exception as error:  # noqa: BLE001 - a person gets a sentence, whatever it is
        response = _told(visit, error)
    if not given and SESSION not in response.headers.get("set-cookie", ""):
        visit.keep(response, SESSION, session)
    return response


def _handled(visit: Visit, handler: Handler, *, open_to_all: bool) -> Response:
    user = _user(visit)
    visit.user = user or ""
    if user is None and not open_to_all:
        return _way_in(visit)
    is_ours = visit.request.method in READING or is_csrf_token(visit.given("csrf"), visit.house.key, visit.session)
    if not is_ours:
        return visit.problem(visit.texts("This form is too old, or another page sent it. Go back and try again."), 403)
    return handler(visit)


def _told(visit: Visit, error: Exception) -> Response:
    """Say what went wrong, without the store or a file where one of them is what went wrong."""
    found = problem_of(error, visit.texts)
    if found.status >= BROKEN:
        visit.__dict__["needs_login"] = False
    if found.status == BROKEN:
        logger.error("%s %s", visit.request.method, visit.request.url.path, exc_info=error)
    try:
        visit.__dict__["hidden"] = visit.hidden
    except OSError:
        visit.__dict__["hidden"] = Hidden({})
    if "hx-request" in visit.request.headers:
        return Response(status_code=found.status)  # the part that is there stays, and is asked for again
    return visit.problem(found.sentence, found.status, is_translated=found.is_translated)


def _user(visit: Visit) -> str | None:
    """Who it is: who the proxy says, who has logged in, or on a machine without passwords its own user."""
    house, request = visit.house, visit.request
    if house.doors.user_header is not None:
        return house.doors.user_of(request.client.host if request.client else "", request.headers)
    if visit.needs_login:
        return house.users.of_session(visit.session)
    return _own_user() if house.doors.is_local else None


def _own_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return "local"


def _way_in(visit: Visit) -> Response:
    if visit.house.doors.user_header is not None or not visit.needs_login:
        return visit.problem(visit.texts("The proxy before this page did not say who you are."), 403)
    if "hx-request" in visit.request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return visit.go("/login")
