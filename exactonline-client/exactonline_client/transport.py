"""The only module that opens sockets: transports of httpx, time-outs, redaction, and a journal of calls.

An answer is a value, and so is the lack of one: `send` raises nothing that a network can cause.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import lru_cache, partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from importlib.metadata import entry_points
from types import TracebackType
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from urllib3.util import wait_for_read

from exactonline_client import lean_httpx  # noqa: F401 - before httpx

# isort: split
import httpx

from exactonline_client.redaction import Secrets
from exactonline_client.retries import Method
from exactonline_client.settings import TRANSPORTS, Settings

logger = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log every request at INFO
logging.getLogger("httpcore").setLevel(logging.WARNING)  # and this one all headers of an answer at DEBUG

Clock = Callable[[], datetime]
IDLE_SECONDS = 5.0
"""How long a connection may rest and be used again, as in httpx: a firewall forgets one that rests long, and says
nothing."""
_url = lru_cache(maxsize=256)(httpx.URL)


def utc_now() -> datetime:
    """Now, aware."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True, slots=True)
class Request:
    """One call to Exact."""

    method: Method
    path: str
    """Below the site, with its query, encoded."""
    division: int | None = None
    endpoint: str = ""
    """What limits and errors are counted under: the path without division and key."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}" + (f" in division {self.division}" if self.division else "")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes = field(repr=False)
    sent_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer: either Exact cannot have seen the request, or nobody knows."""

    was_sent: bool
    cause: str


class Transport:
    """Sends requests of one connection; safe for threads."""

    def __init__(self, settings: Settings, secrets: Secrets, *, program: str, now: Clock = utc_now) -> None:
        self.secrets = secrets
        self.secrets.add_login(settings.client_id, settings.client_secret)
        self._now = now
        self._mutex = threading.Lock()
        self.calls: Counter[int | None] = Counter()
        """Requests that went out, by division; None holds those that name no division."""
        self.waited_seconds: Counter[int | None] = Counter()
        """How long requests waited for limits, tokens and their next try, by division."""
        self._wire, self._base = _wire(settings)
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip, deflate",
            "User-Agent": f"{program} (exactonline-client)",
        }
        self._extensions = {"timeout": httpx.Timeout(settings.timeout_seconds).as_dict()}

    def send(self, request: Request, access_token: str | None = None) -> Reply | NoReply:
        """One try. It counts as a call of its division."""
        with self._mutex:
            self.calls[request.division] += 1
        sent_at = self._now()
        try:
            reply = self._wire.handle_request(self._as_httpx(request, access_token))
            body = reply.read()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.LocalProtocolError) as error:
            return self._lost(request, error, was_sent=False)
        except httpx.HTTPError as error:
            return self._lost(request, error, was_sent=True)
        received_at = self._now()
        elapsed_ms = (received_at - sent_at).total_seconds() * 1000
        logger.debug("%s → %s in %.0f ms", request, reply.status_code, elapsed_ms)
        return Reply(reply.status_code, dict(reply.headers.items()), body, sent_at, received_at)

    def _as_httpx(self, request: Request, access_token: str | None) -> httpx.Request:
        headers = {**self._headers, **request.headers}
        if access_token is not None:
            headers["Authorization"] = f"Bearer {access_token}"
        return httpx.Request(
            request.method,
            _url(self._base + request.path),
            headers=httpx.Headers(headers, encoding="utf-8"),
            content=request.body,
            extensions=self._extensions,
        )

    def count_wait(self, division: int | None, seconds: float) -> None:
        """Add to the time that requests of this division waited."""
        with self._mutex:
            self.waited_seconds[division] += seconds  # type: ignore[assignment] # a Counter counts fractions as well

    def path_of(self, link: str) -> str:
        """Path and query of an absolute link, so that a token never follows a link to another host."""
        url = urlsplit(link)
        return f"{url.path}?{url.query}" if url.query else url.path

    def _lost(self, request: Request, error: httpx.HTTPError, *, was_sent: bool) -> NoReply:
        cause = self.secrets.redact(str(error)) or error.__class__.__name__
        logger.debug("%s → no answer: %s", request, cause)
        return NoReply(was_sent=was_sent, cause=cause)

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class KeepAlive(httpx.BaseTransport):
    """HTTP/1.1 to one site by http.client, at half of what httpx's own transport costs (docs/decisions/0030).

    Each request is sent once. A connection that the site closed while it rested is seen before it is used again; one
    that ends after that leaves an unknown outcome.
    """

    def __init__(self, site: httpx.URL) -> None:
        self._resting: deque[tuple[HTTPConnection, float]] = deque()
        self._new = partial(HTTPConnection, site.host, site.port)
        if site.scheme == "https":
            context = httpx.create_ssl_context()
            context.set_alpn_protocols(["http/1.1"])
            self._new = partial(HTTPSConnection, site.host, site.port, context=context)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; the host and port in its address do not matter."""
        connection = self._rested() or self._connected(request)
        try:
            response = _exchange(connection, request)
            if connection.sock is not None:  # else either side wanted it closed
                self._resting.append((connection, time.monotonic()))
            return response
        except TimeoutError as error:
            connection.close()
            raise httpx.ReadTimeout(str(error), request=request) from error
        except (OSError, HTTPException) as error:
            connection.close()
            raise httpx.RemoteProtocolError(str(error), request=request) from error
        except BaseException:
            connection.close()
            raise

    def _rested(self) -> HTTPConnection | None:
        """The connection that was used last, unless it rested too long or there is something to read on it: its end."""
        with suppress(IndexError):
            while True:
                connection, since = self._resting.pop()
                if time.monotonic() - since < IDLE_SECONDS and not wait_for_read(connection.sock, timeout=0):
                    return connection
                connection.close()
        return None

    def _connected(self, request: httpx.Request) -> HTTPConnection:
        timeouts = request.extensions["timeout"]
        connection = self._new(timeout=timeouts["connect"])
        try:
            connection.connect()
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error), request=request) from error
        except OSError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        connection.sock.settimeout(timeouts["read"])
        return connection

    def close(self) -> None:
        """Close all connections that rest."""
        while self._resting:
            self._resting.pop()[0].close()


def _exchange(connection: HTTPConnection, request: httpx.Request) -> httpx.Response:
    try:
        target = request.url.raw_path.decode("ascii")
        connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.raw:
            connection.putheader(name, value)
    except ValueError:
        # http.client would quote what it does not like, and it may be a token.
        raise httpx.LocalProtocolError("a header that HTTP cannot carry", request=request) from None
    with suppress(BrokenPipeError, ConnectionResetError):  # the site may have answered before it hung up
        connection.endheaders(request.read() or None)
    answer = connection.getresponse()
    if answer.status < 200:  # an early hint for browsers: http.client would take it for the answer
        raise HTTPException(f"HTTP {answer.status} is not an answer")
    body = answer.read()
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(body), request=request)


def _wire(settings: Settings) -> tuple[httpx.BaseTransport, str]:
    """The transport of a site, and the address that requests start with."""
    if not settings.is_web:
        scheme = urlsplit(settings.base_url).scheme
        (mount,) = entry_points(group=TRANSPORTS, name=scheme)
        make: Callable[[str], httpx.BaseTransport] = mount.load()
        return make(settings.base_url), f"{scheme}://world:80"
    site = httpx.URL(settings.base_url)
    proxy = _proxy_to(site)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)  # there are as many as threads
    return httpx.HTTPTransport(proxy=proxy, limits=limits) if proxy else KeepAlive(site), settings.base_url


def _proxy_to(site: httpx.URL) -> str | None:
    """The proxy that the environment names for a site, with all that httpx knows of proxies behind it."""
    proxies = getproxies()
    proxy = proxies.get(site.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(site.netloc.decode("ascii")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def post_json(address: str, body: bytes, *, program: str, timeout_seconds: float) -> str | None:
    """Send JSON to an address that is not Exact's; answers why it was not taken, or None. Raises nothing.

    The address may hold a key, so what is answered does not show it.
    """
    headers = {"Content-Type": "application/json", "User-Agent": program}
    is_remote = address.startswith("https:")  # a proxy has no business with what stays on this machine
    try:
        with httpx.Client(timeout=timeout_seconds, trust_env=is_remote) as http:
            reply = http.post(address, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return type(error).__name__
    return None if reply.is_success else f"HTTP {reply.status_code}"
