"""Answers every request with one row, whatever it asks for, and prints its port: all that a client can wait for."""

import json
import socketserver
import sys

ROW = {"__metadata": {"type": "Exact.Web.Api.Models.CRM.Account"}, **{f"Field{n}": f"value {n}" for n in range(30)}}
BODY = json.dumps({"d": ROW}).encode()
HEADERS = {
    "Cache-Control": "private",
    "Content-Type": "application/json; charset=utf-8",
    "Date": "Fri, 27 Nov 2026 10:00:00 GMT",
    "Location": "https://start.exactonline.nl/api/v1/201/crm/Accounts",
    **{
        f"X-RateLimit-{window}{what}": "1000"
        for window in ("", "Minutely-")
        for what in ("Limit", "Remaining", "Reset")
    },
    "Content-Length": str(len(BODY)),
}
ANSWER = b"".join(
    [
        b"HTTP/1.1 201 Created\r\n",
        *(f"{name}: {value}\r\n".encode() for name, value in HEADERS.items()),
        b"\r\n" + BODY,
    ]
)


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while self.rfile.readline():
            length = 0
            while (line := self.rfile.readline()) not in {b"\r\n", b""}:
                if line.lower().startswith(b"content-length:"):
                    length = int(line[15:])
            self.rfile.read(length)
            self.connection.sendall(ANSWER)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Connection) as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
