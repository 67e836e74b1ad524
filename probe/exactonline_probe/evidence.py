"""What may be shown of an answer: forms, types and enumerated values, by a list of what is allowed.

Everything else is a value of somebody's company and is not shown, whatever it looks like. So names, mails, numbers,
ids and secrets need not be recognised to be kept out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from exactonline_probe.known_names import MEMBERS
from exactonline_probe.question import Ask, Question
from exactonline_probe.replies import NO_ANSWER, Reply, is_guid, json_type, padding
from exactonline_probe.schema_text import declared

MASKED = "…"
_HEADERS = frozenset(
    {
        *("cache-control", "content-encoding", "content-language", "content-length", "content-type", "date", "expires"),
        *("dataserviceversion", "location", "pragma", "reason", "referrer-policy", "retry-after", "server"),
        *("set-cookie", "strict-transport-security", "transfer-encoding", "vary", "www-authenticate", "connection"),
        *("x-content-type-options", "x-frame-options", "x-powered-by", "x-ratelimit-limit", "x-ratelimit-remaining"),
        *("x-ratelimit-reset", "x-ratelimit-minutely-limit", "x-ratelimit-minutely-remaining"),
        *("x-ratelimit-minutely-reset", "x-aspnet-version", "x-xss-protection", "content-security-policy"),
    }
)
_NUMBERS_SHOWN = frozenset({"x-ratelimit-limit", "x-ratelimit-minutely-limit", "retry-after"})
_WORDS_SHOWN = frozenset({"reason", "www-authenticate", "content-type", "dataserviceversion"})
_MEDIA = re.compile(r"(application/(?:json|atom\+xml|xml|octet-stream)|text/(?:plain|html|xml))\b.*", re.DOTALL)
_DATA_SERVICE = re.compile(r"[0-9]\.[0-9];?")
_ENUMERATED: Mapping[str, frozenset[Any]] = {
    "Status": frozenset({"A", "S", "P", "C", 0, 1, 2}),
    "Type": frozenset({"A", "D", "V", 1, 2, 3, 4}),
    "EntityType": frozenset(range(1, 60)),
    "BlockingStatus": frozenset(range(7)),
    "Source": frozenset(range(10)),
    "ConsolidationScenario": frozenset(range(7)),
    "token_type": frozenset({"Bearer", "bearer"}),
    "error": frozenset(
        {"access_denied", "invalid_request", "invalid_grant", "unauthorized_client", "invalid_client", "server_error"}
    ),
}
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_WORD = re.compile(r"[$\w]+(?:[.'\u2019-]\w+)*|[^$\w\s.,:;()\[\]{}'\"/=<>?!|-]+")
"""A word, or signs that are no common punctuation."""
_MOMENT = re.compile(r"\d{10}|\d{13}")
_FEW = 2
_PAGE, _LONG_PAGE = 60, 1000
_LONGEST_TEXT = 600


def of_question(question: Question, replies: Sequence[Reply]) -> list[dict[str, Any]]:
    """The evidence of a question, request by request, with addresses as they are declared."""
    return [
        {"request": ask.title, **of_reply(reply, as_schema=isinstance(ask, Ask) and ask.path.endswith("$metadata"))}
        for ask, reply in zip(question.asks, replies, strict=False)
    ]


def of_reply(reply: Reply, *, as_schema: bool = False) -> dict[str, Any]:
    """What may be shown of one answer."""
    if reply.status == NO_ANSWER:
        return {"status": "none"}
    shown: dict[str, Any] = {"status": reply.status, "headers": headers(reply.headers)}
    if as_schema:
        shown["schema"] = declared(reply.text)
    elif reply.message:
        shown["error"] = masked(reply.message)
    else:
        shown["body"] = body(reply)
    return shown


def headers(given: Mapping[str, str]) -> dict[str, str]:
    """The names of headers that are known, each with the form of its value; the others only as a number."""
    shown = {name: _header(name, value) for name, value in given.items() if name.lower() in _HEADERS}
    others = len(given) - len(shown)
    return {**shown, **({"(others)": str(others)} if others else {})}


def body(reply: Reply) -> Any:
    """The form of a body."""
    if not reply.body:
        return "empty"
    whole = reply.json
    if whole is None:
        return "Atom" if "<feed" in reply.text or "<entry" in reply.text else "HTML or other text"
    return shape(whole)


def shape(value: Any, name: str = "") -> Any:
    """The form of a JSON value: known members by name, rows as one, leaves by type."""
    if isinstance(value, Mapping):
        known = {member: shape(one, member) for member, one in value.items() if member in MEMBERS}
        others = len(value) - len(known)
        return {**known, **({"(other members)": others} if others else {})}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"rows": _how_many(len(value)), "each": _one_of_all([shape(one, name) for one in value])}
    return form(value, name)


def form(value: Any, name: str = "") -> str:
    """The form of a single value; the value itself only where it is one of an enumeration."""
    if name in _ENUMERATED and not isinstance(value, bool) and value in _ENUMERATED[name]:
        return f"{json_type(value)} {value}"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "whole number" if isinstance(value, int) else "fraction"
    if not isinstance(value, str):
        return "null"
    return _form_of_text(value)


def masked(text: str) -> str:
    """An error's text with every word that is not in the vocabulary, and every number, masked."""
    words = _WORD.sub(lambda word: word[0] if _is_allowed(word[0]) else MASKED, text[:_LONGEST_TEXT])
    return re.sub(rf"{MASKED}(?:[^\w\s…]*{MASKED})+", MASKED, words)


def _form_of_text(value: str) -> str:
    if not value:
        return "empty text"
    if is_guid(value):
        return "guid"
    if value.startswith("/Date("):
        return "date in milliseconds"
    if found := _ISO.fullmatch(value):
        return "moment with zone" if found[2] else "moment without zone"
    digits = value.strip().isdecimal()
    side = padding(value)
    kind = "digits as text" if digits else "text"
    return kind if side == "none" else f"{kind}, padded {side.replace('_', ' to ')}"


def _header(name: str, value: str) -> str:
    lowered = name.lower()
    if lowered in _NUMBERS_SHOWN and value.isdecimal():
        return value if len(value) <= 7 else "number"
    if lowered == "content-type":
        found = _MEDIA.fullmatch(value)
        return found[1] if found else "other"
    if lowered == "dataserviceversion":
        return value if _DATA_SERVICE.fullmatch(value) else "other"
    if lowered in _WORDS_SHOWN:
        return masked(value)
    if _MOMENT.fullmatch(value):
        return "moment in milliseconds" if len(value) > 10 else "moment in seconds"
    return "number" if value.isdecimal() else "text"


def _how_many(rows: int) -> str:
    """How many rows, as far as it tells of pages and not of a company."""
    if rows <= _FEW:
        return str(rows)
    return {_PAGE: "a page of 60", _LONG_PAGE: "a page of 1000"}.get(rows, "several")


def _one_of_all(shapes: Iterable[Any]) -> Any:
    """One form for all rows: what differs is put side by side."""
    found = list(shapes)
    if not found:
        return "none"
    if all(isinstance(one, Mapping) for one in found):
        names = dict.fromkeys(name for one in found for name in one)
        return {name: _one_of_all([one[name] for one in found if name in one]) for name in names}
    return " | ".join(dict.fromkeys(sorted(str(one) for one in found)))


def _vocabulary() -> frozenset[str]:
    text = (files("exactonline_probe") / "vocabulary.txt").read_text(encoding="utf-8")
    _, _, words = text.partition("\n\n")
    return frozenset(words.lower().split()) | {name.lower() for name in MEMBERS}


_VOCABULARY = _vocabulary()


def _is_allowed(word: str) -> bool:
    return word.lower() in _VOCABULARY
