"""The only module that opens sockets: httpx, time-outs, redaction, and a journal of calls.

An answer is a value, and so is the lack of one: `send` raises nothing that a network can cause.
"""

from __future__ import annotations

import html
import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import entry_points
from types import TracebackType
from urllib.parse import urlsplit

from exactonline_client import lean_httpx  # noqa: F401 - before httpx

# isort: split
import httpx

from exactonline_client.retries import Method
from exactonline_client.settings import TRANSPORTS, Settings

logger = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log every request at INFO
logging.getLogger("httpcore").setLevel(logging.WARNING)  # and this one all headers of an answer at DEBUG

Clock = Callable[[], datetime]
MAX_CONNECTIONS = 64


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


class Secrets:
    """Texts that must be shown to nobody."""

    def __init__(self, *secrets: str | None) -> None:
        self._secrets: dict[str, str] = {}
        """With the longest part that no encoding changes."""
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Hide these from now on."""
        for secret in secrets:
            if secret and secret not in self._secrets:
                self._secrets[secret] = max(re.split(r"[^A-Za-z0-9]+", secret), key=len)

    def redact(self, text: str) -> str:
        """The text with each secret as asterisks, also where it is encoded for an address, JSON or HTML."""
        for secret, part in sorted(self._secrets.items(), key=lambda known: len(known[0]), reverse=True):
            if part in text:
                text = re.sub(re.sub(r"[^A-Za-z0-9]", _in_any_spelling, secret), "*****", text)
        return text


def _in_any_spelling(found: re.Match[str]) -> str:
    """A pattern for one character that encodings change: as it is, or after %, a backslash or &."""
    sign = found[0]
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in sign.encode())
    number = ord(sign)
    spellings = [
        *(re.escape(sign), re.escape(html.escape(sign)), percent),
        *(rf"\\+{re.escape(sign)}", rf"\\+u{number:04x}", rf"&#0*{number};", f"&#x0*{number:x};"),
        *([r"\+"] if sign == " " else []),
    ]
    return f"(?i:{'|'.join(spellings)})"


class Transport:
    """Sends requests of one connection; safe for threads."""

    def __init__(self, settings: Settings, secrets: Secrets, *, program: str, now: Clock = utc_now) -> None:
        self.secrets = secrets
        self._now = now
        self._mutex = threading.Lock()
        self.calls: Counter[int | None] = Counter()
        """Requests that went out, by division; None holds those that name no division."""
        self.waited_seconds: Counter[int | None] = Counter()
        """How long requests waited for limits, tokens and their next try, by division."""
        mounts, self._base = _mounts(settings)
        self._http = httpx.Client(
            mounts=mounts,
            timeout=settings.timeout_seconds,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            headers={"Accept": "application/json", "User-Agent": f"{program} (exactonline-client)"},
            follow_redirects=False,
            trust_env=settings.is_web,
        )

    def send(self, request: Request, auth: httpx.Auth | None = None) -> Reply | NoReply:
        """One try. It counts as a call of its division."""
        with self._mutex:
            self.calls[request.division] += 1
        sent_at = self._now()
        try:
            reply = self._http.request(
                request.method,
                self._base + request.path,
                content=request.body,
                headers=dict(request.headers),
                auth=auth,
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return self._lost(request, error, was_sent=False)
        except httpx.HTTPError as error:
            return self._lost(request, error, was_sent=True)
        received_at = self._now()
        elapsed_ms = (received_at - sent_at).total_seconds() * 1000
        logger.debug("%s → %s in %.0f ms", request, reply.status_code, elapsed_ms)
        return Reply(reply.status_code, dict(reply.headers.items()), reply.content, sent_at, received_at)

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
        self._http.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _mounts(settings: Settings) -> tuple[dict[str, httpx.BaseTransport], str]:
    """Transports by scheme, and the address that requests start with."""
    if settings.is_web:
        return {}, settings.base_url
    scheme = urlsplit(settings.base_url).scheme
    (mount,) = entry_points(group=TRANSPORTS, name=scheme)
    make: Callable[[str], httpx.BaseTransport] = mount.load()
    return {f"{scheme}://": make(settings.base_url)}, f"{scheme}://world:80"


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
