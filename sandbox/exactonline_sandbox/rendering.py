"""Answers as bytes: JSON for who asks for it, Atom XML for all others (dossier 4.1, 4.3, 4.5)."""

import json
from typing import Any, Literal
from xml.sax.saxutils import escape

from exactonline_sandbox import atom
from exactonline_sandbox.call import Call, Refusal, Reply
from exactonline_sandbox.properties import Entity

Form = Literal["json", "atom"]

_JSON = ("Content-Type", "application/json; charset=utf-8")
_VERSION_1 = ("DataServiceVersion", "1.0;")
_VERSION_2 = ("DataServiceVersion", "2.0;")


def form_for(call: Call) -> Form:
    """JSON if `Accept` names it, else Atom; `application/xml` is refused.

    The status of that refusal is not in the dossier; 415 is WCF's.
    """
    accepted = [part.partition(";")[0].strip().lower() for part in call.headers.get("accept", "").split(",")]
    if "application/json" in accepted:
        return "json"
    if accepted == [""] or {"application/atom+xml", "application/*", "*/*"} & set(accepted):
        return "atom"
    raise Refusal(415, "Unsupported media type requested.")


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def one(form: Form, entity: Entity, wire: dict[str, Any], status: int = 200) -> Reply:
    """One entity."""
    if form == "json":
        return Reply(status, dumps({"d": wire}), (_JSON, _VERSION_1))
    content_type = ("Content-Type", "application/atom+xml; type=entry; charset=utf-8")
    return Reply(status, atom.entry(entity, wire), (content_type, _VERSION_1))


def many(
    form: Form, entity: Entity, wires: list[dict[str, Any]], following: str | None, count: int | None, *, bare: bool
) -> Reply:
    """A collection: a bare array, or an object with `results` and, where they apply, `__count` and `__next`."""
    if form == "atom":
        content_type = ("Content-Type", "application/atom+xml; type=feed; charset=utf-8")
        return Reply(200, atom.feed(entity, wires, following, count), (content_type, _VERSION_2))
    if bare:
        return Reply(200, dumps({"d": wires}), (_JSON, _VERSION_1))
    envelope: dict[str, Any] = {"results": wires}
    if count is not None:
        envelope["__count"] = str(count)
    if following is not None:
        envelope["__next"] = following
    return Reply(200, dumps({"d": envelope}), (_JSON, _VERSION_2))


def value(call: Call, name: str, *, known: bool) -> Reply:
    """The result of a function: `{"d": {name: …}}`; its form in XML is WCF's."""
    if form_for(call) == "json":
        return Reply(200, dumps({"d": {name: known}}), (_JSON, _VERSION_1))
    return Reply(200, atom.value(name, known=known), (("Content-Type", "application/xml; charset=utf-8"), _VERSION_1))


def number(count: int) -> Reply:
    """What `/$count` answers."""
    return Reply(200, str(count).encode(), (("Content-Type", "text/plain; charset=utf-8"), _VERSION_2))


def error(call: Call, refusal: Refusal) -> Reply:
    """Exact's error envelope, lines ended by CR LF; in XML for who did not ask for JSON."""
    headers = refusal.headers
    if refusal.reason:
        headers = (*headers, ("Reason", f"{refusal.reason}: {refusal.text}"))
    if "json" in call.headers.get("accept", ""):
        text = json.dumps(refusal.text, ensure_ascii=False)
        body = '{\r\n"error": {\r\n"code": "", "message": {\r\n"lang": "", "value": ' + text + "\r\n}\r\n}\r\n}"
        return Reply(refusal.status, body.encode(), (_JSON, *headers), refusal.text)
    body = (
        '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n'
        '<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">\r\n'
        f'  <code></code>\r\n  <message xml:lang="">{escape(refusal.text)}</message>\r\n</error>'
    )
    return Reply(
        refusal.status, body.encode(), (("Content-Type", "application/xml; charset=utf-8"), *headers), refusal.text
    )


def not_imitated(construct: str) -> Reply:
    """501: the sandbox refuses to guess, and names what it does not know."""
    text = f"The sandbox does not imitate {construct}."
    body = dumps({"error": {"code": "NotImitated", "message": {"lang": "en", "value": text}}})
    return Reply(501, body, (_JSON,), text)
