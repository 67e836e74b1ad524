"""The OAuth 2 requests themselves, made by requests-oauthlib and carried by our own transport.

requests-oauthlib is imported when a token is asked for: most programs of a run find a fresh one in the store.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter

from exactonline_client.settings import Settings
from exactonline_client.tokens import TokenSet
from exactonline_client.transport import NoReply, Reply, Request, Transport

if TYPE_CHECKING:
    from requests_oauthlib import OAuth2Session

for _library in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_library).setLevel(logging.INFO)  # at DEBUG they would log the secret and every token
AUTH_PATH = "/api/oauth2/auth"
TOKEN_PATH = "/api/oauth2/token"  # noqa: S105
_SITE = "https://site.invalid"
"""Stands for the site of the connection: requests-oauthlib wants https, the transport knows the real address."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One token request: what came back, and the token in it if there is one."""

    answer: Reply | NoReply
    token: Mapping[str, Any] | None = field(default=None, repr=False)

    def error(self) -> tuple[str, str]:
        """OAuth's error code and description, with Exact's `Reason` header preferred as the description."""
        if isinstance(self.answer, NoReply):
            return "", ""
        try:
            body = json.loads(self.answer.body)
            error, description = str(body.get("error", "")), str(body.get("error_description", ""))
        except (ValueError, AttributeError):
            error, description = "", ""
        return error, self.answer.headers.get("reason") or description

    def pair(self) -> TokenSet | None:
        """The new pair, or None if the answer holds none that can be read."""
        if self.token is None or not isinstance(self.answer, Reply):
            return None
        sent_at = self.answer.sent_at
        try:
            expires_at = sent_at + timedelta(seconds=int(self.token["expires_in"]))
            return TokenSet(str(self.token["access_token"]), str(self.token["refresh_token"]), sent_at, expires_at)
        except (KeyError, ValueError, TypeError, OverflowError):
            return None


def authorization_url(settings: Settings, redirect_uri: str, state: str, *, force_login: bool) -> str:
    """Where a person consents; the browser then goes to the redirect address, with `state` and a code behind it."""
    session = _session(settings.client_id, redirect_uri=redirect_uri)
    address, _ = session.authorization_url(_SITE + AUTH_PATH, state=state, force_login=int(force_login))
    return settings.base_url + str(address).removeprefix(_SITE)


def redeem(settings: Settings, transport: Transport, code: str, redirect_uri: str) -> Exchange:
    """Send the code of a consent, decoded, once."""

    def ask(session: OAuth2Session) -> Mapping[str, Any]:
        token: Mapping[str, Any] = session.fetch_token(
            _SITE + TOKEN_PATH,
            code=code,
            client_secret=settings.client_secret,
            include_client_id=True,
        )
        return token

    return _exchange(_session(settings.client_id, redirect_uri=redirect_uri), transport, ask)


def refresh(settings: Settings, transport: Transport, refresh_token: str, before: Callable[[], None]) -> Exchange:
    """Send a refresh token, once. `before` is called when all is made ready and nothing was sent yet."""

    def ask(session: OAuth2Session) -> Mapping[str, Any]:
        token: Mapping[str, Any] = session.refresh_token(
            _SITE + TOKEN_PATH,
            refresh_token=refresh_token,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
        )
        return token

    return _exchange(_session(settings.client_id), transport, ask, before)


def _session(client_id: str, redirect_uri: str | None = None) -> OAuth2Session:
    from requests_oauthlib import OAuth2Session  # noqa: PLC0415 - with all of oauthlib, a twelfth of a start

    return OAuth2Session(client_id, redirect_uri=redirect_uri)


def _exchange(
    session: OAuth2Session,
    transport: Transport,
    ask: Callable[[OAuth2Session], Mapping[str, Any]],
    before: Callable[[], None] = lambda: None,
) -> Exchange:
    from oauthlib.oauth2 import OAuth2Error  # noqa: PLC0415 - as above

    over = _OverTransport(transport, before)
    session.mount(_SITE, over)
    token: Mapping[str, Any] | None = None
    try:
        token = ask(session)
    except (OAuth2Error, requests.RequestException, ValueError):
        token = None  # the answer itself says more
    finally:
        session.close()
    return Exchange(over.answer, token)


class _OverTransport(BaseAdapter):
    """Lets a requests session talk through our transport, the one place that opens sockets."""

    def __init__(self, transport: Transport, before: Callable[[], None]) -> None:
        super().__init__()
        self._transport = transport
        self._before = before
        self.answer: Reply | NoReply = NoReply(was_sent=False, cause="the request was not made")

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        """Carry one request over; a lost answer becomes a ConnectionError of requests."""
        body = request.body.encode() if isinstance(request.body, str) else request.body
        carried = Request(
            "POST" if request.method == "POST" else "GET",
            request.path_url,
            endpoint="oauth2/token",
            headers={name: str(value) for name, value in request.headers.items() if name in _CARRIED},
            body=body if isinstance(body, bytes) else None,
        )
        self._before()
        self.answer = self._transport.send(carried)
        if isinstance(self.answer, NoReply):
            raise requests.ConnectionError(self.answer.cause)
        response = requests.Response()
        response.status_code = self.answer.status
        response.headers.update(self.answer.headers)
        response._content = self.answer.body  # noqa: SLF001 - the documented way to fill a Response does not exist
        response.request = request
        response.url = request.url or ""
        return response

    def close(self) -> None:
        """Nothing of its own is open."""


_CARRIED = {"Content-Type", "Accept"}
