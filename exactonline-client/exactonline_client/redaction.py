"""Secrets kept out of texts that come from outside, in every spelling in which they may be quoted there. Pure.

An answer may quote what was sent as it was sent (percent-encoded, base64) or as it is shown (JSON, HTML), or one within
the other. So the encodings of a text are undone, one after the other and in any order, and what is then seen to be a
secret is hidden where it stands in the text itself.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

HIDDEN = "*****"
NESTED_AT_MOST = 3

Span = tuple[int, int]


class Secrets:
    """Texts that must be shown to nobody."""

    def __init__(self, *secrets: str | None) -> None:
        self._secrets: set[str] = set()
        self.add(*secrets)

    def add(self, *secrets: str | None) -> None:
        """Hide these from now on."""
        for secret in filter(None, secrets):
            self._secrets |= {secret, secret.replace(" ", "+")}  # a form writes a blank as a plus

    def add_login(self, client_id: str, client_secret: str) -> None:
        """Hide the header that HTTP Basic makes of an app's id and secret."""
        for pair in (f"{client_id}:{client_secret}", f"{quote(client_id, '')}:{quote(client_secret, '')}"):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                header = encode(pair.encode()).decode()
                self.add(header, header.rstrip("="))

    def redact(self, text: str) -> str:
        """The text with each secret as asterisks."""
        found = sorted({span for view in _views(text) for span in self._seen(*view)})
        parts, at = list[str](), 0
        for start, end in found:
            if end > at:
                parts += [text[at:start], HIDDEN] if start >= at else []
                at = end
        return "".join([*parts, text[at:]]) if found else text

    def _seen(self, text: str, spans: list[Span]) -> Iterator[Span]:
        """Where secrets are seen in a decoded text, as places in the original one."""
        for secret in self._secrets:
            at = text.find(secret)
            while at >= 0:
                yield spans[at][0], spans[at + len(secret) - 1][1]
                at = text.find(secret, at + 1)


def _views(text: str) -> Iterator[tuple[str, list[Span]]]:
    """The text as it is and with its encodings undone, each with the place of every character in the original."""
    views = [(text, [(at, at + 1) for at in range(len(text))])]
    for _ in range(NESTED_AT_MOST + 1):
        yield from views
        views = [
            _undone(decoded, spans, pattern, decode)
            for decoded, spans in views
            for pattern, decode in _ENCODINGS
            if pattern.search(decoded)
        ]


def _undone(
    text: str, spans: list[Span], pattern: re.Pattern[str], decode: Callable[[str], str]
) -> tuple[str, list[Span]]:
    decoded, places, at = list[str](), list[Span](), 0
    for match in pattern.finditer(text):
        decoded.append(text[at : match.start()])
        places += spans[at : match.start()]
        plain = decode(match[0])
        decoded.append(plain)
        places += [(spans[match.start()][0], spans[match.end() - 1][1])] * len(plain)
        at = match.end()
    return "".join([*decoded, text[at:]]), places + spans[at:]


def _from_json(escaped: str) -> str:
    try:
        return str(json.loads(f'"{escaped}"'))
    except ValueError:
        return escaped[1:]  # a backslash before what needs none, as in Python's own quotes


_BYTE = "%[89ab][0-9a-f]"
_ENCODINGS: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (
        re.compile(
            rf"%[0-7][0-9a-f]|%[cd][0-9a-f]{_BYTE}|%e[0-9a-f](?:{_BYTE}){{2}}|%f[0-7](?:{_BYTE}){{3}}", re.IGNORECASE
        ),
        unquote,
    ),
    (
        re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL),
        _from_json,
    ),
    (re.compile(r"&(?:#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z]+);"), html.unescape),
)
