"""Connections: register, consent, see how they stand, remove."""

from __future__ import annotations

from exactonline_client.consent import Consent
from exactonline_client.errors import ConfigurationError, LoginNeededError, TryLaterError, UnexpectedReplyError
from exactonline_client.redaction import Secrets
from exactonline_client.settings import Settings
from exactonline_client.standing import PROGRAM
from exactonline_client.tokens import TokenStore
from exactonline_client.transport import Transport, utc_now
from starlette.responses import Response

from exactonline_console import jobs, looks
from exactonline_console.registered import SITES, Connection, add, connection, registered
from exactonline_console.registered import remove as take_out
from exactonline_console.visits import Visit

GIVEN = ("name", "country", "address", "client_id", "redirect_uri")
FAILURES = (ConfigurationError, LoginNeededError, TryLaterError, UnexpectedReplyError)


def show_all(visit: Visit) -> Response:
    """The list of connections."""
    found = []
    for one in registered(visit.project):
        settings = one.settings(visit.project.store_url)
        look = looks.remembered(one.name, settings, visit.store)
        found.append((one, look, looks.days_left(settings, visit.store)))
    return visit.page("connections.html", connections=found)


def new(visit: Visit) -> Response:
    """The form for another connection."""
    return visit.page("connection_new.html", sites=SITES, given=dict.fromkeys(GIVEN, ""), sentence=None)


def register(visit: Visit) -> Response:
    """Keep a connection, and go on to the consent."""
    given = {name: visit.given(name) for name in GIVEN}
    base_url = SITES.get(given["country"]) or given["address"]
    wanted = Connection(
        given["name"], base_url, given["client_id"], visit.given("client_secret"), given["redirect_uri"]
    )
    try:
        add(visit.project, wanted)
    except ConfigurationError as error:
        return visit.page("connection_new.html", 400, sites=SITES, given=given, sentence=str(error))
    visit.note("connection-registered", wanted.name)
    return visit.go(f"/connections/{wanted.name}", done="registered")


def show(visit: Visit) -> Response:
    """One connection: who is logged in, for how long, and which companies are in reach."""
    return _page(visit, connection(visit.project, visit.request.path_params["name"]))


def begin_consent(visit: Visit) -> Response:
    """Show the address at which a person consents."""
    one, settings = _this(visit)
    redirect_uri = visit.given("redirect_uri") or one.redirect_uri
    try:
        with _transport(settings) as transport:
            consent = Consent(settings, TokenStore.of(visit.store, settings), transport)
            address = consent.begin(redirect_uri, utc_now(), force_login=True)
    except FAILURES as error:
        return _page(visit, one, status=400, sentence=str(error))
    visit.note("consent-begun", one.name)
    return _page(visit, one, address=address)


def finish_consent(visit: Visit) -> Response:
    """Take the address where the browser ended, and see what is in reach."""
    one, settings = _this(visit)
    try:
        with _transport(settings) as transport:
            consent = Consent(settings, TokenStore.of(visit.store, settings), transport)
            consent.finish(visit.given("redirected"), utc_now())
    except FAILURES as error:
        return _page(visit, one, status=400, sentence=str(error))
    visit.note("consent-given", one.name)
    looks.ask(one.name, settings, visit.store)
    return visit.go(f"/connections/{one.name}", done="consented")


def check(visit: Visit) -> Response:
    """Ask Exact how the connection stands."""
    one, settings = _this(visit)
    looks.ask(one.name, settings, visit.store)
    visit.note("connection-checked", one.name)
    return visit.go(f"/connections/{one.name}")


def ask_to_remove(visit: Visit) -> Response:
    """Ask once more."""
    one = connection(visit.project, visit.request.path_params["name"])
    users = [job.name for job in jobs.saved(visit.project) if one.name in job.connections]
    return visit.page("connection_remove.html", connection=one, jobs=users)


def remove(visit: Visit) -> Response:
    """Forget a connection with its secrets and tokens."""
    one, settings = _this(visit)
    users = [job.name for job in jobs.saved(visit.project) if one.name in job.connections]
    if users:
        raise ConfigurationError(f"The connection {one.name} is used by the job {users[0]}: remove that first.")
    tokens = TokenStore.of(visit.store, settings)
    with _transport(settings) as transport, tokens.lock():
        Consent(settings, tokens, transport).cancel()
        tokens.log_out()
    looks.forget(one.name, visit.store)
    take_out(visit.project, one.name)
    visit.note("connection-removed", one.name)
    return visit.go("/connections", done="removed")


def _page(
    visit: Visit, one: Connection, *, status: int = 200, address: str | None = None, sentence: str | None = None
) -> Response:
    settings = one.settings(visit.project.store_url)
    return visit.page(
        "connection.html",
        status,
        connection=one,
        look=looks.remembered(one.name, settings, visit.store),
        days=looks.days_left(settings, visit.store),
        address=address,
        sentence=sentence,
    )


def _this(visit: Visit) -> tuple[Connection, Settings]:
    one = connection(visit.project, visit.request.path_params["name"])
    return one, one.settings(visit.project.store_url)


def _transport(settings: Settings) -> Transport:
    return Transport(settings, Secrets(settings.client_secret, settings.refresh_token), program=PROGRAM)
