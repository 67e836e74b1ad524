"""A call over the wire, by several clients beneath httpx's seam: processor time of the process that calls."""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from environments import python_with
from floor import CONNECTIONS
from machine import PROGRAMS, measured
from options import Options
from tables import table, title

BARE = "bare"
CLIENTS = {
    BARE: "bare http.client, a connection per thread",
    "ours": "exactonline_client.transport",
    "httpx_client": "httpx.Client",
    "httpx_transport": "httpx.HTTPTransport, without the client",
    "urllib3_transport": "urllib3 beneath httpx.BaseTransport",
    "pyreqwest_client": "httpx.Client over pyreqwest (Rust)",
    "pyreqwest_transport": "pyreqwest, without the client",
}
TURNS = 5
CALLS, CALLS_QUICK = 4_000, 800


def run(options: Options) -> bool:
    """Measure and print. There is no goal: section `processor` has one for all that a create takes."""
    title(f"A call over the wire: processor time, {CONNECTIONS} threads")
    clients = [name for name in CLIENTS if sys.version_info >= (3, 11) or not name.startswith("pyreqwest")]
    pythons = {name: _python(name) for name in clients}
    took: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, _server() as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        for _ in range(1 if options.quick else TURNS):
            for name in clients:
                work = [name, port, str(CONNECTIONS), str(CALLS_QUICK if options.quick else CALLS)]
                done = measured([pythons[name], PROGRAMS / "wire_program.py", *work], Path(folder))
                took[name].append(json.loads(done.said))
        server.terminate()
    table(
        ["", "ms a call", "to bare"],
        [
            [CLIENTS[name], median(took[name]), median(a / b for a, b in zip(took[name], took[BARE], strict=True))]
            for name in clients
        ],
    )
    print("Medians; each turn is held against the bare loop of the same turn.")
    return True


def _python(client: str) -> str:
    return str(python_with("pyreqwest")) if client.startswith("pyreqwest") else sys.executable


def _server() -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, PROGRAMS / "wire_server.py"], stdout=subprocess.PIPE, text=True)
