"""What comes in and what goes out, as values; and the ways to stop a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request: path decoded, query string as sent, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str

    @property
    def target(self) -> str:
        """Path and query, as the journal shows them."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer; `error` is what the journal says about it."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    error: str | None = None

    def with_headers(self, *headers: tuple[str, str]) -> "Reply":
        """The same answer with more headers."""
        return Reply(self.status, self.body, self.headers + headers, self.error)


@dataclass(slots=True)
class Refusal(Exception):  # noqa: N818 - it is an answer, not a fault of the program
    """Exact says no: a status, a text in Exact's error envelope, and perhaps a `Reason` (dossier 4.4)."""

    status: int
    text: str
    reason: str | None = None
    headers: tuple[tuple[str, str], ...] = field(default=())


class NotImitatedError(Exception):
    """The sandbox does not know how Exact answers this, so it answers 501 and names the construct."""


class DroppedConnection(ConnectionError):  # noqa: N818 - it is what the server does, on purpose
    """The connection ends without an answer: after the change (`lost_answer`) or before it (`reset_before`)."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


def call_from(environ: "WSGIEnvironment") -> Call:
    """The request in a WSGI environment, its body read to the end."""
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
    headers["content-type"] = environ.get("CONTENT_TYPE") or ""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    host = headers.get("host") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return Call(
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=environ["wsgi.input"].read(length) if length else b"",
        origin=f"{environ['wsgi.url_scheme']}://{host}",
    )
