"""What goes over the wire, and what is known when no answer comes, against a server that does as it is told."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from exactonline_client.settings import Settings
from exactonline_client.transport import NoReply, Reply, Request, Secrets, Transport
from freezegun import freeze_time

POST = Request("POST", "/api/v1/201/crm/Accounts", 201, "crm/Accounts", body=b'{"Code":"7"}')
GET = Request("GET", "/api/v1/201/crm/Accounts", 201, "crm/Accounts")
THREADS = 64
Answer = Callable[[socket.socket], object]
"""What a server does when it has read a request."""


def says(body: bytes = b"{}", *headers: str, status: str = "200 OK", length: int | None = None) -> Answer:
    """An answer of these parts, perhaps with a length that is not its own."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return lambda connection: connection.sendall("\r\n".join(lines).encode() + body)


def hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def says_and_hangs_up(connection: socket.socket) -> None:
    says()(connection)
    hangs_up(connection)


class Server:
    """Answers each request with the next of its answers, and with an empty object when there are no more."""

    def __init__(self, *answers: Answer, context: ssl.SSLContext | None = None) -> None:
        self._answers = list(answers)
        self._context = context
        self._mutex = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.requests: list[tuple[int, bytes]] = []
        """Number of the connection, and head and body of the request."""
        self.ended = threading.Semaphore(0)
        """Released whenever a connection is over."""
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listening.getsockname()[1]}"

    @property
    def connections(self) -> list[int]:
        """The connection of each request."""
        return [number for number, _ in self.requests]

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        number = 0
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()
                number += 1

    def _serve(self, connection: socket.socket, number: int) -> None:
        with suppress(OSError), connection:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            while request := _read_request(connection):
                with self._mutex:
                    self.requests.append((number, request))
                    answer = self._answers.pop(0) if self._answers else says()
                answer(connection)
        self.ended.release()


def _read_request(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    body = b""
    while len(body) < length and (part := connection.recv(length - len(body))):
        body += part
    return head + body


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def make(*answers: Answer, context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(*answers, context=context))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def transport(site: str, timeout_seconds: float = 5) -> Transport:
    given = {"base_url": site, "client_id": "app", "client_secret": "secret", "timeout_seconds": timeout_seconds}
    return Transport(Settings.from_config(given), Secrets("token"), program="test")


def to(server: Server, timeout_seconds: float = 5) -> Transport:
    return transport(f"http://{server.address}", timeout_seconds)


def test_a_request_carries_the_token_its_headers_and_its_body(serve: Callable[..., Server]) -> None:
    server = serve()

    with to(server) as exact:
        exact.send(POST, "token")

    head, _, body = server.requests[0][1].partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert (first, body) == ("POST /api/v1/201/crm/Accounts HTTP/1.1", b'{"Code":"7"}')
    assert sorted(headers) == [
        "Accept-Encoding: gzip, deflate",
        "Accept: application/json",
        "Authorization: Bearer token",
        "Content-Length: 12",
        f"Host: {server.address}",
        "User-Agent: test (exactonline-client)",
    ]


def test_a_connection_is_used_again(serve: Callable[..., Server]) -> None:
    server = serve()

    with to(server) as exact:
        replies = [exact.send(request) for request in (GET, POST, GET)]

    assert all(isinstance(reply, Reply) for reply in replies)
    assert server.connections == [0, 0, 0]


def test_a_write_over_a_connection_that_was_closed_meanwhile_is_sent_once_over_another(
    serve: Callable[..., Server],
) -> None:
    server = serve(says_and_hangs_up)

    with to(server) as exact:
        exact.send(GET)
        server.ended.acquire()
        reply = exact.send(POST)

    assert isinstance(reply, Reply)
    assert server.connections == [0, 1]


def test_a_write_whose_connection_ends_without_an_answer_may_have_happened_and_is_not_sent_again(
    serve: Callable[..., Server],
) -> None:
    server = serve(says(), hangs_up)

    with to(server) as exact:
        exact.send(GET)
        reply = exact.send(POST)

    assert isinstance(reply, NoReply)
    assert reply.was_sent
    assert server.connections == [0, 0]


@pytest.mark.parametrize(
    "answer",
    [
        says(b"{}", length=100),
        says(b"Zz\r\n", "Transfer-Encoding: chunked"),
        says(b"{}", status="200.5 OK"),
        says(b"no gzip", "Content-Encoding: gzip"),
        says(status="103 Early Hints"),
    ],
    ids=["cut", "cut within chunks", "no HTTP", "no gzip", "hint"],
)
def test_an_answer_that_cannot_be_read_leaves_open_what_happened(serve: Callable[..., Server], answer: Answer) -> None:
    def ends(connection: socket.socket) -> None:
        answer(connection)
        hangs_up(connection)

    server = serve(ends)

    with to(server) as exact:
        reply = exact.send(POST)

    assert isinstance(reply, NoReply)
    assert reply.was_sent


def test_an_answer_that_comes_too_late_leaves_open_what_happened_and_is_not_taken_for_the_next(
    serve: Callable[..., Server],
) -> None:
    over = threading.Event()

    def late(connection: socket.socket) -> None:
        over.wait()
        says(b"late")(connection)

    server = serve(late, says(b"second"))

    with to(server, timeout_seconds=0.1) as exact:
        first = exact.send(POST)
        over.set()
        second = exact.send(GET)

    assert isinstance(first, NoReply)
    assert first.was_sent
    assert isinstance(second, Reply)
    assert second.body == b"second"


def test_a_site_that_cannot_be_reached_was_sent_nothing() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]

    with transport(f"http://127.0.0.1:{port}") as exact:
        reply = exact.send(POST)

    assert isinstance(reply, NoReply)
    assert not reply.was_sent


def test_a_token_that_no_header_can_carry_is_not_sent_and_not_shown(serve: Callable[..., Server]) -> None:
    server = serve()

    with to(server) as exact:
        reply = exact.send(POST, "token\r\nX-Forged: 1")

    assert reply == NoReply(was_sent=False, cause="a header that HTTP cannot carry")
    assert server.requests == []


def test_a_connection_that_the_site_closes_after_its_answer_is_not_used_again(serve: Callable[..., Server]) -> None:
    server = serve(says(b"{}", "Connection: close"))

    with to(server) as exact:
        replies = [exact.send(POST), exact.send(POST)]

    assert all(isinstance(reply, Reply) for reply in replies)
    assert server.connections == [0, 1]


def test_a_connection_that_rested_long_is_not_used_again(serve: Callable[..., Server]) -> None:
    server = serve()

    with to(server) as exact, freeze_time() as clock:
        exact.send(GET)
        clock.tick(6)
        exact.send(GET)

    assert server.connections == [0, 1]


def test_each_thread_reads_its_own_answer(serve: Callable[..., Server]) -> None:
    together = threading.Barrier(THREADS)

    def echo(number: int) -> Answer:
        return lambda connection: (together.wait(10), says(str(number).encode())(connection))

    server = serve(*(echo(number) for number in range(THREADS)))

    with to(server, timeout_seconds=20) as exact, ThreadPoolExecutor(THREADS) as threads:
        replies = list(threads.map(exact.send, [POST] * THREADS))
        bodies = {reply.body for reply in replies if isinstance(reply, Reply)}
        list(threads.map(exact.send, [POST] * THREADS))

    assert bodies == {str(number).encode() for number in range(THREADS)}
    assert len(set(server.connections)) == THREADS


def test_a_packed_answer_is_unpacked(serve: Callable[..., Server]) -> None:
    server = serve(says(gzip.compress(b'{"d": []}'), "Content-Encoding: gzip"))

    with to(server) as exact:
        reply = exact.send(GET)

    assert isinstance(reply, Reply)
    assert reply.body == b'{"d": []}'


def test_a_redirect_is_an_answer_and_is_not_followed(serve: Callable[..., Server]) -> None:
    elsewhere = serve()
    server = serve(says(b"", f"Location: http://{elsewhere.address}/", status="307 Temporary Redirect"))

    with to(server) as exact:
        reply = exact.send(POST, "token")

    assert isinstance(reply, Reply)
    assert reply.status == 307
    assert elsewhere.requests == []


def test_headers_that_come_twice_are_kept_and_may_hold_any_letter(serve: Callable[..., Server]) -> None:
    server = serve(says(b"{}", "X-Twice: 1", "X-Twice: 2", "Reason: Ongeldig: België"))

    with to(server) as exact:
        reply = exact.send(GET)

    assert isinstance(reply, Reply)
    assert (reply.headers["x-twice"], reply.headers["reason"]) == ("1, 2", "Ongeldig: België")


def test_a_proxy_has_no_business_with_a_site_that_the_environment_excepts(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, server = serve(), serve()
    monkeypatch.setenv("all_proxy", proxy.address)
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    with to(server) as exact:
        exact.send(GET)

    assert (len(proxy.requests), len(server.requests)) == (0, 1)


def certified(folder: Path, host: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for a host, and the authority that signed it, which nobody knows."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(timezone.utc)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def test_a_site_whose_certificate_nobody_vouches_for_is_sent_nothing(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    context, _ = certified(tmp_path)
    server = serve(context=context)

    with transport(f"https://{server.address.replace('127.0.0.1', 'localhost')}") as exact:
        reply = exact.send(POST, "token")

    assert isinstance(reply, NoReply)
    assert not reply.was_sent
    assert "CERTIFICATE_VERIFY_FAILED" in reply.cause
    assert server.requests == []


def test_an_authority_of_the_environment_is_believed_and_connections_are_used_again(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certified(tmp_path)
    server = serve(says(), says(), says_and_hangs_up, context=context)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))

    with transport(f"https://{server.address.replace('127.0.0.1', 'localhost')}") as exact:
        replies = [exact.send(request, "token") for request in (GET, POST, GET)]
        server.ended.acquire()
        replies.append(exact.send(POST, "token"))

    assert all(isinstance(reply, Reply) for reply in replies)
    assert server.connections == [0, 0, 0, 1]


def test_a_proxy_of_the_environment_carries_what_it_cannot_read(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certified(tmp_path, "exact.invalid")
    carried = []

    def tunnel(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as site:
            carried.append(_read_request(site))
            says(b"by proxy")(site)

    proxy = serve(tunnel)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    monkeypatch.setenv("https_proxy", proxy.address)

    with transport("https://exact.invalid") as exact:
        reply = exact.send(POST, "token")

    assert isinstance(reply, Reply)
    assert reply.body == b"by proxy"
    assert proxy.requests[0][1].startswith(b"CONNECT exact.invalid:443 HTTP/1.1\r\n")
    assert b"Bearer" not in proxy.requests[0][1]
    assert carried[0].startswith(b"POST /api/v1/201/crm/Accounts HTTP/1.1\r\nHost: exact.invalid\r\n")
