"""Plain HTTP to Exact: one request, one answer, with the token of a stored login. Nothing is tried twice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import entry_points
from types import TracebackType
from urllib.parse import quote, urlsplit

import httpx
from exactonline_client.auth import Login
from exactonline_client.errors import ExactError
from exactonline_client.redaction import Secrets
from exactonline_client.settings import TRANSPORTS, Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from exactonline_client.transport import NoReply, Request, Transport, utc_now
from exactonline_client.transport import Reply as ClientReply

from exactonline_probe.ceilings import Ceilings
from exactonline_probe.question import Filled
from exactonline_probe.replies import NO_ANSWER, Reply

logger = logging.getLogger(__name__)
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)  # they would log addresses with ids in them

PROGRAM = "exactonline-probe"
_SAFE = "$,'()*!/-._~"
_DONE = 200
_STILL_GOOD = timedelta(seconds=20)


class WritesForbiddenError(Exception):
    """A run that only reads was about to write; that is a mistake of the program."""


class Wire:
    """One login, and plain requests that bear its token."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ceilings: Ceilings,
        *,
        keep_error: Callable[[datetime], None] = lambda _: None,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the connection.

        Args:
            keep_error: Is told the moment of each error, so that later runs know of it.
        """
        self.now, self.sleep = now, sleep
        self.ceilings = ceilings
        self._keep_error = keep_error
        self.may_write = False
        self._transport = _SeeingTransport(settings, Secrets(settings.client_secret), program=PROGRAM, now=now)
        self._tokens = TokenStore.of(store, settings)
        self._login = Login(settings, self._tokens, self._transport, now=now, sleep=sleep)
        self._http = _http(settings)

    def send(
        self, request: Filled, division: str, *, is_error: bool = False, paced: bool = True, within: bool = True
    ) -> Reply:
        """One request, counted.

        Args:
            is_error: Exact will most probably refuse it.
            paced: Wait first where others need the rest of the minute.
            within: Only within the ceilings; what removes things goes beyond them if it must.

        Raises:
            CeilingReachedError: The run has spent what it may.
            WritesForbiddenError: It writes, and this run may not.
            ExactError: There is no token to be had.
        """
        if request.method != "GET" and not self.may_write:
            raise WritesForbiddenError(request.method)
        if within:
            self.ceilings.check(self.now(), is_error=is_error)
        if paced and (seconds := self.ceilings.wait_seconds(self.now())):
            self.sleep(seconds)
        return self._counted(self._sent(request, division))

    def _counted(self, reply: Reply) -> Reply:
        if self.ceilings.count(self.now(), reply.status, reply.headers):
            self._keep_error(self.now())
        return reply

    def _sent(self, request: Filled, division: str) -> Reply:
        path = request.path if request.path.startswith("/") else f"/api/v1/{division}/{request.path}"
        query = "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in request.query.items())
        headers = {"Authorization": f"Bearer {self._login.access_token()}", "User-Agent": PROGRAM, **request.headers}
        address = f"{quote(path, safe=_SAFE + ':')}{'?' if query else ''}{query}"
        if isinstance(request.body, str):
            sent = self._http.build_request(request.method, address, headers=headers, content=request.body)
        else:
            sent = self._http.build_request(request.method, address, headers=headers, json=request.body)
        for name in (name for name, value in headers.items() if not value):
            del sent.headers[name]  # httpx would send one of its own
        try:
            answer = self._got(sent)
        except httpx.HTTPError as error:
            logger.debug("no answer: %s", type(error).__name__)
            return Reply(NO_ANSWER, {}, b"", self.now())
        return Reply(answer.status_code, dict(answer.headers.items()), answer.content, self.now())

    def _got(self, request: httpx.Request) -> httpx.Response:
        """The answer; a reading is sent once more if its connection turns out to be closed since the last answer."""
        try:
            return self._http.send(request)
        except (httpx.RemoteProtocolError, httpx.NetworkError):
            if request.method != "GET":
                raise
            return self._http.send(request)

    def refresh_early(self) -> Reply:
        """Exact's answer to a refresh token that is presented too early; should it bring a pair, that is stored."""
        self.ceilings.check(self.now(), is_error=True)
        rejected = self._login.access_token()
        return self._refreshed(lambda: self._login.renew(rejected))

    def refresh_when_due(self) -> Reply:
        """Exact's answer to a refresh token that is presented when it is time, after a wait of ten minutes at most."""
        self.ceilings.check(self.now())
        self._login.access_token()
        if seconds := self.seconds_until_due:
            self.sleep(seconds)
        return self._refreshed(self._login.access_token)

    @property
    def seconds_until_due(self) -> float:
        """How long `refresh_when_due` would wait."""
        kept = self._tokens.get()
        if kept is None or any(reply.status == _DONE for reply in self._transport.seen):
            return 0.0
        return max(0.0, (kept.tokens.expires_at - _STILL_GOOD - self.now()).total_seconds())

    def _refreshed(self, present: Callable[[], object]) -> Reply:
        """The last answer of the token endpoint after the login was used."""
        before = len(self._transport.seen)
        try:
            present()
        except ExactError as error:
            logger.debug("the token was not renewed: %s", type(error).__name__)
            if len(self._transport.seen) == before:
                raise
        return self._counted(self._transport.seen[-1])

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
        self._transport.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _SeeingTransport(Transport):
    """The client's transport, used for tokens alone; it keeps what the token endpoint answered."""

    def __init__(self, settings: Settings, secrets: Secrets, *, program: str, now: Callable[[], datetime]) -> None:
        super().__init__(settings, secrets, program=program, now=now)
        self.seen: list[Reply] = []

    def send(self, request: Request, access_token: str | None = None) -> ClientReply | NoReply:
        """One try, remembered."""
        answer = super().send(request, access_token)
        if isinstance(answer, ClientReply):
            lowered = {name.lower(): value for name, value in answer.headers.items()}
            self.seen.append(Reply(answer.status, lowered, answer.body, answer.received_at))
        else:
            self.seen.append(Reply(NO_ANSWER, {}, b"", self._now()))
        return answer


def _http(settings: Settings) -> httpx.Client:
    """A client of the site; of a rehearsal world by the transport that its address names."""
    if settings.is_web:
        return httpx.Client(base_url=settings.base_url, timeout=settings.timeout_seconds, follow_redirects=False)
    scheme = urlsplit(settings.base_url).scheme
    (mount,) = entry_points(group=TRANSPORTS, name=scheme)
    transport: httpx.BaseTransport = mount.load()(settings.base_url)
    return httpx.Client(base_url=f"{scheme}://world:80", transport=transport, timeout=settings.timeout_seconds)
