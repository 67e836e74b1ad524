"""The OAuth 2 requests themselves, made by requests-oauthlib and carried by our own transport.

requests-oauthlib is imported when a token is asked for: most programs of a run find a fresh one in the store.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import requests
from requests.adapters import BaseAdapter

from exactonline_client.refreshes import Verdict, pair_in, verdict_on, words_in
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
    """One token request and what came back."""

    answer: Reply | NoReply

    @property
    def verdict(self) -> Verdict:
        """What it says of the refresh token; no answer says nothing."""
        if isinstance(self.answer, NoReply):
            return Verdict.UNCLEAR
        return verdict_on(self.answer.status, self.answer.headers, self.answer.body)

    def said(self) -> str:
        """Exact's own words, or else what there was in place of them."""
        if isinstance(self.answer, NoReply):
            return f"no answer ({self.answer.cause})"
        words = ": ".join(" ".join(part.split()) for part in words_in(self.answer.headers, self.answer.body) if part)
        if self.verdict is Verdict.UNCLEAR:
            return f"HTTP {self.answer.status}" + (f", {words}" if words else " without a word on the token")
        return words

    def pair(self) -> TokenSet | None:
        """The new pair, or None if the answer holds none that can be read."""
        if isinstance(self.answer, NoReply) or self.verdict is not Verdict.REPLACED:
            return None
        found = pair_in(self.answer.body)
        if found is None:
            return None
        access_token, refresh_token, life = found
        return TokenSet(access_token, refresh_token, self.answer.sent_at, self.answer.sent_at + life)


def authorization_url(settings: Settings, redirect_uri: str, state: str, *, force_login: bool) -> str:
    """Where a person consents; the browser then goes to the redirect address, with `state` and a code behind it."""
    session = _session(settings.client_id, redirect_uri=redirect_uri)
    address, _ = session.authorization_url(_SITE + AUTH_PATH, state=state, force_login=int(force_login))
    return settings.base_url + str(address).removeprefix(_SITE)


def redeem(settings: Settings, transport: Transport, code: str, redirect_uri: str) -> Exchange:
    """Send the code of a consent, decoded, once."""

    def ask(session: OAuth2Session) -> None:
        session.fetch_token(
            _SITE + TOKEN_PATH,
            code=code,
            client_secret=settings.client_secret,
            include_client_id=True,
        )

    return _exchange(_session(settings.client_id, redirect_uri=redirect_uri), transport, ask)


def refresh(settings: Settings, transport: Transport, refresh_token: str, before: Callable[[], None]) -> Exchange:
    """Send a refresh token, once. `before` is called when all is made ready and nothing was sent yet."""

    def ask(session: OAuth2Session) -> None:
        session.refresh_token(
            _SITE + TOKEN_PATH,
            refresh_token=refresh_token,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
        )

    return _exchange(_session(settings.client_id), transport, ask, before)


def _session(client_id: str, redirect_uri: str | None = None) -> OAuth2Session:
    from requests_oauthlib import OAuth2Session  # noqa: PLC0415 - with all of oauthlib, a twelfth of a start

    return OAuth2Session(client_id, redirect_uri=redirect_uri)


def _exchange(
    session: OAuth2Session,
    transport: Transport,
    ask: Callable[[OAuth2Session], None],
    before: Callable[[], None] = lambda: None,
) -> Exchange:
    session.mount(_SITE, _OverTransport(transport, before))
    try:
        ask(session)
    except _AnsweredError as answered:
        return Exchange(answered.answer)
    finally:
        session.close()
    raise AssertionError("requests-oauthlib sent nothing")


class _OverTransport(BaseAdapter):
    """Lets a requests session talk through our transport, the one place that opens sockets."""

    def __init__(self, transport: Transport, before: Callable[[], None]) -> None:
        super().__init__()
        self._transport = transport
        self._before = before

    def send(self, request: requests.PreparedRequest, **_options: Any) -> NoReturn:  # type: ignore[override]
        """Carry one request over, and hand its answer past the libraries.

        They would follow a redirect with secret and token in hand, and take a missing refresh token for the old one.
        """
        body = request.body.encode() if isinstance(request.body, str) else request.body
        carried = Request(
            "POST" if request.method == "POST" else "GET",
            request.path_url,
            endpoint="oauth2/token",
            headers={name: str(value) for name, value in request.headers.items() if name in _CARRIED},
            body=body if isinstance(body, bytes) else None,
        )
        self._before()
        raise _AnsweredError(self._transport.send(carried))

    def close(self) -> None:
        """Nothing of its own is open."""


class _AnsweredError(Exception):
    """An answer on its way past the libraries."""

    def __init__(self, answer: Reply | NoReply) -> None:
        super().__init__()
        self.answer = answer


_CARRIED = {"Content-Type", "Accept"}
