"""The page as a web application: its addresses, and what stands before all of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from exactonline_client.store import Store
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exactonline_console.pages import accounts, connections, entrance, history, home, jobs, runs, waiting
from exactonline_console.paper import STATIC, Paper
from exactonline_console.project import Project
from exactonline_console.security import ANSWER_HEADERS, Doors
from exactonline_console.visits import Handler, House, endpoint

PAGES: list[tuple[str, str, Handler]] = [
    ("GET", "/", home.show),
    ("GET", "/connections", connections.show_all),
    ("GET", "/connections/new", connections.new),
    ("POST", "/connections/new", connections.register),
    ("GET", "/connections/{name}", connections.show),
    ("POST", "/connections/{name}/consent", connections.begin_consent),
    ("POST", "/connections/{name}/finish", connections.finish_consent),
    ("POST", "/connections/{name}/check", connections.check),
    ("GET", "/connections/{name}/remove", connections.ask_to_remove),
    ("POST", "/connections/{name}/remove", connections.remove),
    ("GET", "/jobs/new", jobs.new),
    ("POST", "/jobs/new", jobs.create),
    ("GET", "/jobs/{name}", jobs.show),
    ("POST", "/jobs/{name}", jobs.change),
    ("GET", "/jobs/{name}/remove", jobs.ask_to_remove),
    ("POST", "/jobs/{name}/remove", jobs.remove),
    ("POST", "/jobs/{name}/check", jobs.check),
    ("POST", "/jobs/{name}/preview", runs.preview),
    ("GET", "/jobs/{name}/synchronize", runs.ask_to_synchronize),
    ("POST", "/jobs/{name}/synchronize", runs.synchronize),
    ("GET", "/runs/{id}", runs.show),
    ("GET", "/runs/{id}/progress", runs.progress),
    ("GET", "/runs/{id}/records", runs.records),
    ("GET", "/runs/{id}/log", runs.log),
    ("GET", "/runs/{id}/records.csv", runs.download_csv),
    ("GET", "/runs/{id}/records.jsonl", runs.download_json_lines),
    ("POST", "/runs/{id}/stop", runs.stop),
    ("GET", "/waiting", waiting.show),
    ("POST", "/waiting", waiting.settle),
    ("GET", "/history", history.show_runs),
    ("GET", "/history/actions", history.show_actions),
    ("GET", "/accounts", accounts.show),
    ("POST", "/logout", entrance.leave),
]
OPEN_PAGES: list[tuple[str, str, Handler]] = [
    ("GET", "/login", entrance.show),
    ("POST", "/login", entrance.enter),
    ("POST", "/language", entrance.choose_language),
]


def application(project: Project, store: Store, doors: Doors) -> Starlette:
    """The page over a project and its store."""
    house = House(project, store, doors, _key(project.folder / "key"), Paper())
    routes: list[Route | Mount] = [
        Route(path, endpoint(house, handler), methods=[method]) for method, path, handler in PAGES
    ]
    routes += [
        Route(path, endpoint(house, handler, open_to_all=True), methods=[method])
        for method, path, handler in OPEN_PAGES
    ]
    routes.append(Mount("/static", StaticFiles(directory=STATIC)))
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, doors=doors)],
        exception_handlers={404: endpoint_of_nowhere(house)},
    )


def endpoint_of_nowhere(house: House):  # type: ignore[no-untyped-def] # Starlette's own shape
    """The answer to an address that leads nowhere."""
    show = endpoint(house, lambda visit: visit.problem(visit.texts("There is no such page."), 404))

    async def answer(request: Request, _error: Exception) -> Response:
        return await show(request)

    return answer


class Guard:
    """Turns away what is not for us, and puts the headers on that keep a browser from doing more than it should."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wrong = self._doors.wrong_with(scope["method"], Headers(scope=scope))
        answer: ASGIApp = self._app if wrong is None else PlainTextResponse(wrong, 421 if "name" in wrong else 403)
        is_static = scope["path"].startswith("/static/")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                extra: Mapping[str, str] = ANSWER_HEADERS
                headers.update(extra)
                headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_static else "no-store"
            await send(message)

        await answer(scope, receive, with_headers)


def _key(file: Path) -> bytes:
    """The key that form tokens are made with; kept, so that a page that was open goes on after a restart."""
    if not file.exists():
        draft = file.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        try:
            draft.write_bytes(secrets.token_bytes(32))
            if not file.exists():
                draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)
    return file.read_bytes()
