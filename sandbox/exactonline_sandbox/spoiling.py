"""What a fault makes of an answer."""

from exactonline_sandbox.call import Call, Refusal, Reply
from exactonline_sandbox.faults import Fault
from exactonline_sandbox.rendering import error

_PROBLEM = "A problem has occurred. The cause of this issue will be investigated as soon as possible."
_HTML = b"<!DOCTYPE html><html><head><title>Exact Online</title></head><body><h1>Exact Online</h1></body></html>"


def in_place_of(call: Call, fault: Fault) -> Reply:
    """The answer of a fault that is not about limits: 500 with Exact's words (PICQER #91), 503, or as ordered."""
    if fault.kind == "fault_500":
        return error(call, Refusal(500, _PROBLEM))
    if fault.kind == "503":
        return Reply(503, b"", (), "Service Unavailable")
    headers = tuple((fault.headers or {"Content-Type": "application/json; charset=utf-8"}).items())
    return Reply(fault.status, fault.body.encode(), headers, fault.body or None)


def spoiled(reply: Reply, fault: Fault) -> Reply:
    """The answer after a fault of the body; a Content-Length that lies makes the server end the connection."""
    match fault.kind:
        case "truncated_body":
            length = ("Content-Length", str(len(reply.body) + (0 if reply.body else 1)))
            return Reply(reply.status, reply.body[: len(reply.body) // 2], (*reply.headers, length), reply.error)
        case "wrong_content_length":
            length = ("Content-Length", str(max(0, len(reply.body) - 7)))
            return Reply(reply.status, reply.body, (*reply.headers, length), reply.error)
        case "garbage_json":
            return Reply(reply.status, b'{"d":{"results":[{"ID":' + b"\x00" * 8, reply.headers, reply.error)
        case "html_body":
            others = tuple(header for header in reply.headers if header[0] != "Content-Type")
            return Reply(200, _HTML, (*others, ("Content-Type", "text/html; charset=utf-8")), reply.error)
        case _:
            return reply
