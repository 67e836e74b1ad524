"""Posts bodies over keep-alive connections, one after another on each, and does nothing else: the floor.

Reads from stdin: url, client_id, client_secret, refresh_token, connections, and the file whose lines are a division,
a tab and a body. Prints calls, seconds and seconds of the processor as JSON; logging in is not in them.
"""

import json
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlencode, urlsplit


def access_token(asked: dict[str, Any], address: str) -> str:
    """A token out of the first refresh token."""
    form = {name: asked[name] for name in ("client_id", "client_secret", "refresh_token")}
    connection = HTTPConnection(address)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/api/oauth2/token", urlencode({**form, "grant_type": "refresh_token"}), headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return str(answer["access_token"])


def post_all(address: str, headers: dict[str, str], work: "SimpleQueue[bytes]", refused: list[int]) -> None:
    """Post until there is nothing left."""
    connection = HTTPConnection(address)
    try:
        while True:
            division, _, body = work.get_nowait().partition(b"\t")
            connection.request("POST", f"/api/v1/{division.decode()}/crm/Accounts", body, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 201:
                refused.append(answer.status)
    except Empty:
        connection.close()


def main() -> None:
    asked = json.load(sys.stdin)
    address = urlsplit(asked["url"]).netloc
    headers = {
        "Authorization": f"Bearer {access_token(asked, address)}",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Prefer": "return=representation",
    }
    work: SimpleQueue[bytes] = SimpleQueue()
    with Path(asked["bodies"]).open("rb") as lines:
        for line in lines:
            work.put(line.rstrip(b"\n"))
    calls, refused = work.qsize(), []
    threads = [
        threading.Thread(target=post_all, args=(address, headers, work, refused)) for _ in range(asked["connections"])
    ]
    begun_at, busy = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, busy = time.perf_counter() - begun_at, time.process_time() - busy
    if refused:
        sys.exit(f"{len(refused)} were refused: {refused[:5]}")
    sys.stdout.write(json.dumps({"seconds": seconds, "busy_seconds": busy, "calls": calls}))


if __name__ == "__main__":
    main()
