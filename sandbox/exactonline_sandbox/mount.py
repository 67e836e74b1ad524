"""The sandbox without a server: `sandbox:///path/to/world.db` as an httpx transport over the same app and file."""

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from exactonline_sandbox.app import WAIT, Sandbox
from exactonline_sandbox.call import DroppedConnection
from exactonline_sandbox.found_switches import facts_of_environment, read_facts
from exactonline_sandbox.opening import open_world


def transport(url: str) -> httpx.BaseTransport:
    """A transport onto the world file that a `sandbox:///absolute/path` names, made from the demo world if missing.

    Raises:
        ValueError: The address is of another form.
    """
    parts = urlsplit(url)
    if parts.scheme != "sandbox" or parts.netloc or not parts.path.startswith("/"):
        raise ValueError(f"a sandbox address looks like sandbox:///path/to/world.db, not {url}")
    facts = facts_of_environment()
    switches = read_facts(facts)[0] if facts else None
    return MountedSandbox(Sandbox(open_world(Path(unquote(parts.path)), switches=switches)))


class MountedSandbox(httpx.BaseTransport):
    """The app called in this process. Broken connections and slow answers surface as httpx's own exceptions."""

    def __init__(self, app: Sandbox) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; the host and port in its address do not matter."""
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            answer.update(status=int(status.partition(" ")[0]), headers=headers)

        try:
            content = b"".join(self._app(_environ(request), start_response))
        except DroppedConnection as dropped:
            if dropped.fault == "reset_before":
                raise httpx.ReadError("Connection reset by the sandbox", request=request) from dropped
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            ) from dropped
        return httpx.Response(answer["status"], headers=answer["headers"], stream=_Body(answer["headers"], content))

    def close(self) -> None:
        """Let go of the world file."""
        self._app.storage.close()


class _Body(httpx.SyncByteStream):
    """An answer's bytes, cut or found wanting where the Content-Length is not theirs."""

    def __init__(self, headers: list[tuple[str, str]], content: bytes) -> None:
        declared = next((int(value) for name, value in headers if name.lower() == "content-length"), len(content))
        self._content = content[:declared]
        self._missing = declared - len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        yield self._content
        if self._missing:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def _environ(request: httpx.Request) -> dict[str, Any]:
    body = request.read()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.url.path.encode("utf-8").decode("latin-1"),
        "QUERY_STRING": request.url.query.decode("ascii"),
        "SERVER_NAME": request.url.host or "world",
        "SERVER_PORT": str(request.url.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": request.url.scheme,
        "wsgi.input": BytesIO(body),
        WAIT: _waiting(request),
    }
    for name, value in request.headers.items():
        if name not in {"content-type", "content-length"}:
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    return environ


def _waiting(request: httpx.Request) -> Any:
    """How seconds pass: at once, and with a time-out, where they are more than the client would wait."""
    longest = request.extensions.get("timeout", {}).get("read")

    def wait(seconds: float) -> None:
        if longest is not None and seconds >= longest:
            raise httpx.ReadTimeout("The read operation timed out", request=request)
        time.sleep(seconds)

    return wait
