"""The meaning of an answer to a token refresh, and when the same refresh token is presented again. Pure.

Exact replaces a refresh token at each refresh, so one that was taken never works again. But at times the endpoint
answers 500, 502, an odd 400 or a web page, and the token stays good: presented a second time, it works (reports of
several years). So an answer that says nothing, or none at all, ends no login: only Exact's own refusal does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from exactonline_client.limits import retry_after

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (2, 30, 120, 300, 900, 3600))
"""After the first presentation without a meaning, the second, and so on; a guess that keeps a day below 30 of the 200
token requests that Exact allows."""
BUSY_PAUSE = timedelta(seconds=30)
RATE_LIMIT_PAUSE = timedelta(hours=1)
_LONGEST_PAUSE = timedelta(days=1)
EARLY_MARGIN = timedelta(seconds=30)
"""Exact lets a token of 600 seconds be refreshed after 570."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Presentations of the stored refresh token that brought no pair."""

    unclear: int = 0
    """How many may have been carried out, as far as anybody knows."""
    last_at: datetime | None = None
    not_before: datetime | None = None
    """When the next one may follow, for all processes on the store."""

    def begun(self, now: datetime) -> Attempts:
        """The same with one more, of which nothing is known yet."""
        pause = PAUSES[min(self.unclear, len(PAUSES) - 1)]
        return Attempts(self.unclear + 1, now, now + pause)

    def put_off(self, until: datetime) -> Attempts:
        """The same, with the next one not before `until`."""
        return replace(self, not_before=until if self.not_before is None else max(until, self.not_before))

    def due_at(self, now: datetime) -> datetime:
        """The instant of the next one. More than a day away, it was noted by a clock that has been set since."""
        due = self.not_before or now
        return due if now < due <= now + _LONGEST_PAUSE else now


NO_ATTEMPTS = Attempts()


class Verdict(Enum):
    """What Exact's answer says of the refresh token."""

    REPLACED = "a new pair came"
    TOO_EARLY = "it is good, and not due yet"
    RATE_LIMIT = "it is good, and too many were presented"
    OLD = "it is spent or expired, its chain has ended, or the consent is gone"
    USER_SHUT_OUT = "the user or the customer is blocked, or a licence ended"
    APP_UNKNOWN = "the app's id or secret is wrong"
    MALFORMED = "the app or the token cannot be read; also seen for a moment, with both of them right"
    UNCLEAR = "nothing"


_OLD_CODES = frozenset({"unauthorized_client", "invalid_grant", "access_denied"})
_OLD_WORDS = ("old refresh token", "refresh token expired", "invalid or empty chainid")
_SHUT_OUT = ("blockeduser", "inactiveuser", "blockedcustomer", "licenseexpired")


def verdict_on(status: int, headers: Mapping[str, str], body: bytes) -> Verdict:
    """Judge an answer. What is not known to be Exact's own word on the token is unclear."""
    if 200 <= status < 300:
        return Verdict.REPLACED if pair_in(body) else Verdict.UNCLEAR
    if status not in {400, 401, 403}:
        return Verdict.UNCLEAR
    error, said = words_in(headers, body)
    text = f"{error} {said} {_text(_json(body).get('error_description'))}".lower()
    if "not expired" in text or "tooearly" in text:
        return Verdict.TOO_EARLY
    if "rate limit" in text:  # the text above the 200 of a day is in no source
        return Verdict.RATE_LIMIT
    if any(word in text for word in _SHUT_OUT):
        return Verdict.USER_SHUT_OUT
    if error in _OLD_CODES or any(words in text for words in _OLD_WORDS):
        return Verdict.OLD
    if error == "invalid_client":
        return Verdict.APP_UNKNOWN
    return Verdict.MALFORMED if error == "invalid_request" and not said else Verdict.UNCLEAR


def words_in(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """OAuth's error code and description, with Exact's `Reason` header preferred as the description."""
    said = _json(body)
    return _text(said.get("error")), headers.get("reason") or _text(said.get("error_description"))


def pair_in(body: bytes) -> tuple[str, str, timedelta] | None:
    """Access token, refresh token and the life of the access token, or None if one of the tokens is missing.

    A life that cannot be read is taken for Exact's ten minutes: the refresh token must not be lost for it.
    """
    said = _json(body)
    access_token, refresh_token = _text(said.get("access_token")), _text(said.get("refresh_token"))
    if not access_token or not refresh_token:
        return None
    try:
        seconds = int(said["expires_in"])
    except (KeyError, ValueError, TypeError, OverflowError):
        seconds = 0
    return access_token, refresh_token, timedelta(seconds=seconds if 0 < seconds <= 86400 else 600)


def asked_to_wait(status: int, headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Return when an endpoint that is busy wants to be asked again; None of any other answer."""
    if status not in {429, 503}:
        return None
    return retry_after(headers, now) or now + BUSY_PAUSE


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
