"""Posts one body again and again from some threads, by one of several clients, and prints the processor time of a call.

python benchmarks/programs/wire_program.py NAME PORT THREADS CALLS
"""
# mypy: disable-error-code="import-not-found"
# ruff: noqa: PLC0415
# Each client is imported where it is used: not all of them are installed where this runs.

import json
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

PATH = "/api/v1/201/crm/Accounts"
BODY = json.dumps({"Code": "10042", **{f"Field{n}": f"value {n}" for n in range(30)}}).encode()
HEADERS = {"Accept": "application/json", "Content-Type": "application/json", "Prefer": "return=representation"}
TOKEN = "token" * 40
CONNECTIONS = 64
Call = Callable[[], int]
"""Posts once and reads the whole answer; its status."""


def bare(port: int) -> Call:
    """http.client, a connection per thread: the floor."""
    own = threading.local()
    headers = {**HEADERS, "Authorization": f"Bearer {TOKEN}"}

    def call() -> int:
        if not hasattr(own, "connection"):
            own.connection = HTTPConnection("127.0.0.1", port)
        own.connection.request("POST", PATH, BODY, headers)
        answer = own.connection.getresponse()
        dict(answer.headers.items())
        answer.read()
        return int(answer.status)

    return call


def ours(port: int) -> Call:
    """The transport of exactonline-client as a run uses it."""
    from exactonline_client.settings import Settings
    from exactonline_client.transport import Reply, Request, Secrets, Transport

    config = {"base_url": f"http://127.0.0.1:{port}", "client_id": "a", "client_secret": "b"}
    transport = Transport(Settings.from_config(config), Secrets(), program="benchmark")
    request = Request("POST", PATH, 201, "crm/Accounts", HEADERS, BODY)

    def call() -> int:
        reply = transport.send(request, TOKEN)
        return reply.status if isinstance(reply, Reply) else 0

    return call


def httpx_client(port: int) -> Call:
    """httpx.Client, as it was."""
    import httpx

    return _by_client(port, httpx.Client(limits=_limits()))


def pyreqwest_client(port: int) -> Call:
    """httpx.Client over the transport of pyreqwest, which is written in Rust."""
    import httpx
    from pyreqwest.compatibility.httpx import SyncHttpxTransport

    return _by_client(port, httpx.Client(transport=SyncHttpxTransport()))


def httpx_transport(port: int) -> Call:
    """The transport of httpx itself, without its client."""
    import httpx

    return _by_transport(port, httpx.HTTPTransport(limits=_limits()))


def pyreqwest_transport(port: int) -> Call:
    """The transport of pyreqwest, without httpx's client."""
    from pyreqwest.compatibility.httpx import SyncHttpxTransport

    return _by_transport(port, SyncHttpxTransport())


def urllib3_transport(port: int) -> Call:
    """A transport of httpx over urllib3's pool."""
    import httpx
    import urllib3

    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=CONNECTIONS, block=True)
    once, timeout = urllib3.Retry(0, redirect=False), urllib3.Timeout(60)

    class OverUrllib3(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = pool.urlopen(
                request.method,
                request.url.raw_path.decode("ascii"),
                request.read(),
                dict(request.headers.items()),
                retries=once,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                decode_content=False,
            )
            return httpx.Response(
                answer.status, headers=list(answer.headers.items()), stream=httpx.ByteStream(answer.data)
            )

    return _by_transport(port, OverUrllib3())


def _limits() -> "httpx.Limits":
    import httpx

    return httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)


def _by_client(port: int, client: "httpx.Client") -> Call:
    import httpx

    class Bearer(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            request.headers["Authorization"] = f"Bearer {TOKEN}"
            yield request

    def call() -> int:
        url = f"http://127.0.0.1:{port}{PATH}"
        reply = client.request("POST", url, content=BODY, headers=HEADERS, auth=Bearer(), timeout=60)
        dict(reply.headers.items())
        return reply.status_code

    return call


def _by_transport(port: int, transport: "httpx.BaseTransport") -> Call:
    import httpx

    url, extensions = httpx.URL(f"http://127.0.0.1:{port}{PATH}"), {"timeout": httpx.Timeout(60).as_dict()}

    def call() -> int:
        headers = {**HEADERS, "Accept-Encoding": "gzip, deflate", "Authorization": f"Bearer {TOKEN}"}
        request = httpx.Request("POST", url, headers=headers, content=BODY, extensions=extensions)
        reply = transport.handle_request(request)
        reply.read()
        dict(reply.headers.items())
        return reply.status_code

    return call


def main() -> None:
    name, port, threads, calls = sys.argv[1], *map(int, sys.argv[2:])
    call: Call = globals()[name](port)
    refused: list[int] = []

    def work() -> None:
        refused.extend(status for _ in range(calls // threads) if (status := call()) != 201)

    call()
    before = time.process_time()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if refused:
        sys.exit(f"{len(refused)} answers were none: {refused[:5]}")
    sys.stdout.write(json.dumps((time.process_time() - before) / (calls // threads * threads) * 1000))


if __name__ == "__main__":
    main()
