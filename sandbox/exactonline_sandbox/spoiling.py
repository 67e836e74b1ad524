"""What a fault makes of a call and its answer."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, quote

from exactonline_sandbox.call import Call, Refusal, Reply
from exactonline_sandbox.faults import REPLACING, Fault
from exactonline_sandbox.rendering import dumps, error

_PROBLEM = "A problem has occurred. The cause of this issue will be investigated as soon as possible."
_HTML = "<!DOCTYPE html><html><head><title>Exact Online</title></head><body><h1>Exact Online</h1></body></html>"
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_QUOTABLE = ("refresh_token", "client_secret", "client_id", "code")


def answered(call: Call, fault: Fault | None, carry_out: Callable[[], Reply]) -> Reply:
    """The answer to a call, with a fault or without: carried out or not, then replaced or spoiled."""
    if fault is None:
        return carry_out()
    if fault.kind in REPLACING:
        if fault.carried_out:
            carry_out()
        return _in_place_of(call, fault)
    if not fault.carried_out:
        return Reply(fault.status or 504) if fault.kind == "slow" else _spoiled(Reply(200), fault)
    return _spoiled(carry_out(), fault)


def _in_place_of(call: Call, fault: Fault) -> Reply:
    """An answer as ordered; by default Exact's words for a fault of its own (PICQER #91), or a page of a gateway.

    The journal gets the order's own words, before any secret of the request is quoted in them.
    """
    if fault.kind in {"error", "fault_500"}:
        text = fault.text or _PROBLEM
        reply = error(call, Refusal(fault.status or 500, _quoting(call, text), fault.reason))
        more = tuple((name, _quoting(call, value)) for name, value in (fault.headers or {}).items())
        return replace(reply, headers=reply.headers + more, error=text)
    status = fault.status or {"html_body": 200, "503": 503}.get(fault.kind, 500)
    ordered = {"html_body": {"Content-Type": "text/html; charset=utf-8"}, "503": {}}.get(fault.kind, _JSON)
    headers = {**(ordered if fault.headers is None else fault.headers)}
    if fault.reason:
        headers["Reason"] = fault.reason
    body = fault.body if fault.body is not None else _HTML if fault.kind == "html_body" else ""
    quoted = tuple((name, _quoting(call, value)) for name, value in headers.items())
    return Reply(status, _quoting(call, body).encode(), quoted, fault.body or fault.kind)


def _quoting(call: Call, text: str) -> str:
    """A text with what the request sent where it says `<refresh_token>` and the like; `<refresh_token%>` encoded."""
    if "<" not in text:
        return text
    sent = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    given = {name: sent[name] for name in _QUOTABLE if name in sent}
    given["access_token"] = call.headers.get("authorization", "").partition(" ")[2]
    for name, value in given.items():
        text = text.replace(f"<{name}>", value).replace(f"<{name}%>", quote(value, safe=""))
    return text


def _spoiled(reply: Reply, fault: Fault) -> Reply:
    """The answer after a fault of the body; a Content-Length that lies makes the server end the connection."""
    match fault.kind:
        case "truncated_body":
            length = ("Content-Length", str(len(reply.body) + (0 if reply.body else 1)))
            return replace(reply, body=reply.body[: len(reply.body) // 2], headers=(*reply.headers, length))
        case "wrong_content_length":
            length = ("Content-Length", str(max(0, len(reply.body) - 7)))
            return replace(reply, headers=(*reply.headers, length))
        case "garbage_json":
            return replace(reply, body=b'{"d":{"results":[{"ID":' + b"\x00" * 8)
        case _:
            return reply


def mislabelled(reply: Reply, fault: Fault, asked: int) -> Reply:
    """The answer with another company's code in the parts ordered; in JSON only."""
    mine, theirs = f"/api/v1/{asked}/", f"/api/v1/{fault.company}/"
    if "location" in fault.parts:
        moved = ((name, value.replace(mine, theirs) if name == "Location" else value) for name, value in reply.headers)
        reply = replace(reply, headers=tuple(moved))
    whole = _json(reply)
    if whole is None:
        return reply
    rows = list(_rows(whole))
    for row in rows if fault.rows is None else rows[len(rows) - fault.rows :]:
        if "uri" in fault.parts and "__metadata" in row:
            row["__metadata"]["uri"] = row["__metadata"]["uri"].replace(mine, theirs)
        if "member" in fault.parts and "Division" in row:
            row["Division"] = fault.company
    if "next" in fault.parts and isinstance(whole["d"], dict) and "__next" in whole["d"]:
        whole["d"]["__next"] = whole["d"]["__next"].replace(mine, theirs)
    return replace(reply, body=dumps(whole))


def with_foreign_rows(reply: Reply, other: Reply, count: int) -> Reply:
    """A list with rows of another company's list at its end."""
    whole, more = _json(reply), _json(other)
    if whole is None or more is None:
        return reply
    held = whole["d"] if isinstance(whole["d"], list) else whole["d"].get("results")
    if held is None:
        return reply
    held.extend(list(_rows(more))[:count])
    return replace(reply, body=dumps(whole))


def _json(reply: Reply) -> dict[str, Any] | None:
    if not reply.body.startswith(b'{"d":'):
        return None
    whole: dict[str, Any] = json.loads(reply.body)
    return whole


def _rows(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    d = whole["d"]
    yield from d if isinstance(d, list) else d.get("results", [d])
