"""HTTP/1.1 over loopback with keep-alive, one thread a connection.

Written out rather than taken from a development server for two reasons: a fault must be able to end or spoil a
connection, and a test that writes ten thousand accounts should not wait for the server.
"""

import socket
import socketserver
import struct
import sys
import traceback
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from exactonline_sandbox.call import DroppedConnection

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_LINE = 65_536
_LONGEST_BODY = 64 * 1024 * 1024
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER, no time: the other side sees a reset, not an end


class _BadRequestError(Exception):
    """Bytes that are no HTTP request."""


class Server(socketserver.ThreadingTCPServer):
    """A WSGI app on a loopback port; port 0 takes a free one."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, app: "WSGIApplication", port: int = 0) -> None:
        self.app = app
        super().__init__(("127.0.0.1", port), _Connection)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            traceback.print_exc()


class _Connection(socketserver.StreamRequestHandler):
    """One client's connection: requests one after another until either side ends it."""

    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        try:
            while self._exchange():
                pass
        except _BadRequestError:
            self.connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _exchange(self) -> bool:
        """Answer one request; whether another may follow."""
        line = self.rfile.readline(_LINE)
        if not line:
            return False
        method, target, protocol = _request_line(line)
        headers = self._headers()
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(headers)
        environ = self._environ(method, target, headers, body)
        answer: dict[str, Any] = {}

        def start_response(status: str, response_headers: list[tuple[str, str]], _: Any = None) -> Any:
            answer.update(status=status, headers=response_headers)

        try:
            content = b"".join(self.server.app(environ, start_response))
        except DroppedConnection as dropped:
            self._drop(reset=dropped.fault == "reset_before")
            return False
        except Exception:  # noqa: BLE001 - a fault of the sandbox itself must be loud on both sides
            traceback.print_exc()
            content = b"The sandbox itself failed; its own output says where."
            answer.update(status="599 Sandbox Fault", headers=[("Content-Length", str(len(content)))])
        ends = protocol == "HTTP/1.0" or headers.get("connection", "").lower() == "close"
        lies = _declared_length(answer["headers"]) not in {None, len(content)}
        self._send(answer["status"], answer["headers"], content, close=ends or lies)
        return not (ends or lies)

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(_LINE)) not in {b"\r\n", b"\n"}:
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise _BadRequestError
            headers[name.strip().lower()] = value.strip()
        return headers

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        text = headers.get("content-length", "0")
        if not text.isdecimal() or int(text) > _LONGEST_BODY:
            raise _BadRequestError
        body = self.rfile.read(int(text)) if text != "0" else b""
        if len(body) < int(text):  # the client died while it sent: a server sees no request
            raise ConnectionResetError
        return body

    def _chunks(self) -> bytes:
        parts: list[bytes] = []
        while True:
            size = _hexadecimal(self.rfile.readline(_LINE).partition(b";")[0])
            if size == 0:
                while self.rfile.readline(_LINE) not in {b"\r\n", b"\n", b""}:
                    pass
                return b"".join(parts)
            parts.append(self.rfile.read(size))
            self.rfile.readline(_LINE)

    def _environ(self, method: str, target: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": headers.pop("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name, value in headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environ

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes, *, close: bool) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if close:
            lines.append("Connection: close")
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + content)

    def _drop(self, *, reset: bool) -> None:
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.connection.close()


def _request_line(line: bytes) -> tuple[str, str, str]:
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _BadRequestError
    return words[0], words[1], words[2]


def _hexadecimal(text: bytes) -> int:
    try:
        return int(text, 16)
    except ValueError as error:
        raise _BadRequestError from error


def _declared_length(headers: list[tuple[str, str]]) -> int | None:
    return next((int(value) for name, value in headers if name.lower() == "content-length"), None)
