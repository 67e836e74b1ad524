"""Secrets that no answer of the page may show, wherever they come from: a name, a log, or what a program said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from urllib.parse import quote, quote_plus

from exactonline_client.redaction import HIDDEN
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

SHORTEST = 8
"""A shorter text is part of ordinary words, and no secret that Exact gives."""
ENDS = ("SECRET", "TOKEN", "KEY", "PASSWORD", "WEBHOOK_URL")
"""How variables end whose value is a secret."""
PARTS = ("client_secret", "refresh_token")


class Hidden:
    """The secrets of a project's .env, in each spelling in which a page may hold them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._spellings = sorted(
            {spelling for secret in _secrets(values) if len(secret) >= SHORTEST for spelling in _spellings(secret)},
            key=len,
            reverse=True,
        )

    def redact(self, text: str) -> str:
        """Return a text with each secret as asterisks."""
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        return text

    def redacted(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield chunks of whole lines with each secret as asterisks."""
        for chunk in chunks:
            yield self.redact(chunk.decode()).encode()


def _secrets(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        if name.endswith(ENDS):
            yield value
        elif name.endswith("CONNECTIONS"):
            yield from _of_connections(value)
        elif name.endswith("STORE_URL"):
            yield from _of_address(value)


def _of_connections(value: str) -> Iterator[str]:
    try:
        yield from (str(one[part]) for one in json.loads(value or "[]") for part in PARTS if one.get(part))
    except (ValueError, TypeError, AttributeError):
        yield value  # what nobody can read may hold anything


def _of_address(value: str) -> Iterator[str]:
    try:
        yield make_url(value).password or ""
    except ArgumentError:
        yield value


def _spellings(secret: str) -> set[str]:
    plain = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    shown = {escape(one).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") for one in plain}  # as templates put it
    return {*plain, *shown, *(quote(one, "") for one in plain), quote_plus(secret)}
