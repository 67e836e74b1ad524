"""Faults on order: for which calls, how often, and of which kind. When one fires is a function of its count."""

import json
import random
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from exactonline_sandbox.call import Call

# Answered in place of the call by the counters behind the limits; the call is never carried out.
LIMITS = frozenset({"429_minute", "429_day", "429_no_headers", "429_calls_left", "error_block"})
# Another answer in place of Exact's; whether the call is carried out is a matter of `applied`.
REPLACING = frozenset({"status", "503", "error", "fault_500", "html_body"})
LOSING = frozenset({"lost_answer", "token_lost_answer", "reset_before"})
_BODY = frozenset({"truncated_body", "wrong_content_length", "garbage_json"})
_COMPANY = frozenset({"misrouted", "mislabelled", "foreign_rows"})
KINDS = LIMITS | REPLACING | LOSING | _BODY | _COMPANY | {"slow", "one_of"}

_CARRIED_OUT_BY_DEFAULT = KINDS - LIMITS - {"status", "503", "error", "fault_500", "reset_before"}
_ALWAYS_CARRIED_OUT = frozenset({"truncated_body", "wrong_content_length", *_COMPANY})
_PARTS = frozenset({"member", "uri", "location", "next"})
TOKEN = "oauth2/token"  # noqa: S105 - an endpoint


@dataclass(frozen=True, slots=True)
class Fault:
    """One order. `nth` counts matching calls since it was given; `times` is how often it fires.

    `applied`: whether the call is carried out before the fault; None leaves it to the kind.
    `company`: the other company of the kinds that are about one; `rows`, `parts`: what of an answer is hers.
    `of`: the orders that the kind `one_of` draws from.
    """

    kind: str
    division: int | None = None
    method: str | Sequence[str] | None = None
    endpoint: str | None = None
    contains: str | None = None
    code: str | None = None
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    probability: float | None = None
    seed: int = 0
    seconds: float = 0
    status: int | None = None
    body: str | None = None
    headers: Mapping[str, str] | None = None
    text: str | None = None
    reason: str | None = None
    applied: bool | None = None
    company: int | None = None
    rows: int | None = None
    parts: Sequence[str] = ("member", "uri", "location")
    of: Sequence[Mapping[str, Any]] = ()

    @property
    def carried_out(self) -> bool:
        """Whether the call takes effect all the same."""
        return self.kind in _CARRIED_OUT_BY_DEFAULT if self.applied is None else self.applied

    def concerns(self, call: Call, endpoint: str, division: int | None, code: str | None) -> bool:
        """Whether a call is one of those meant."""
        wanted = TOKEN if self.kind == "token_lost_answer" else self.endpoint
        methods = (self.method,) if isinstance(self.method, str) else self.method
        return (
            (self.division is None or self.division == division)
            and (methods is None or call.method in {method.upper() for method in methods})
            and (wanted is None or fnmatchcase(endpoint.lower(), wanted.lower()))
            and (self.code is None or self.code == code)
            and (self.contains is None or self.contains in call.target + call.body.decode("utf-8", "replace"))
        )

    def fires(self, seen: int, fired: int) -> bool:
        """Whether the `seen`-th matching call (from 1) is hit, after `fired` hits."""
        endless = self.every is not None or self.probability is not None
        if fired >= (self.times if self.times is not None else (seen if endless else 1)):
            return False
        if self.nth is not None and seen < self.nth:
            return False
        if self.every is not None and seen % self.every:
            return False
        if self.probability is not None:
            return random.Random(f"{self.seed}:{seen}").random() < self.probability  # noqa: S311 - not for secrets
        return True

    def drawn(self, seen: int, *at: Any) -> "Fault | None":
        """The fault that hits: itself, or for `one_of` one of those that suit the call, by seed and count."""
        if self.kind != "one_of":
            return self
        fitting = [fault for fault in map(fault_from, self.of) if fault.concerns(*at)]
        way = random.Random(f"{self.seed}:{seen}:of")  # noqa: S311 - not for secrets
        return way.choice(fitting) if fitting else None


_NAMES = frozenset(option.name for option in fields(Fault))


def fault_from(given: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form; ValueError for a kind or key that is none."""
    kind = given.get("kind")
    if kind not in KINDS:
        raise ValueError(f"no fault of kind {kind!r}; there are {', '.join(sorted(KINDS))}")
    unknown = given.keys() - _NAMES
    if unknown:
        raise ValueError(f"a fault has no key called {', '.join(sorted(unknown))}")
    fault = Fault(**given)
    if any(count is not None and count < 1 for count in (fault.times, fault.every, fault.nth)):
        raise ValueError("times, every and nth count from 1; a fault that is meant to go on has every 1")
    if fault.applied and kind in LIMITS | {"reset_before"}:
        raise ValueError(f"{kind} is never carried out")
    if fault.applied is False and kind in _ALWAYS_CARRIED_OUT:
        raise ValueError(f"{kind} is about the answer of a call that is carried out")
    if (kind in _COMPANY) != (fault.company is not None):
        raise ValueError(f"{', '.join(sorted(_COMPANY))} name a company, and no other kind does")
    if set(fault.parts) - _PARTS:
        raise ValueError(f"parts of an answer are {', '.join(sorted(_PARTS))}")
    if (kind == "one_of") != bool(fault.of) or any(inner.get("kind") == "one_of" for inner in fault.of):
        raise ValueError("one_of has faults of other kinds under `of`, and no other kind does")
    return replace(fault, of=[dict(inner) for inner in fault.of if fault_from(inner)])


@lru_cache(maxsize=256)
def _fault_from_text(text: str) -> Fault:
    return fault_from(json.loads(text))


def add(db: sqlite3.Connection, given: Mapping[str, Any]) -> None:
    """Order a fault."""
    fault_from(given)
    db.execute("INSERT INTO faults (spec) VALUES (?)", (json.dumps(dict(given)),))
    db.execute("UPDATE state SET faults = 1")


def listed(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """The orders with their counts."""
    rows = db.execute("SELECT id, spec, seen, fired FROM faults ORDER BY id")
    return [{"id": key, **json.loads(spec), "seen": seen, "fired": fired} for key, spec, seen, fired in rows]


def clear(db: sqlite3.Connection) -> None:
    """Forget all orders."""
    db.execute("DELETE FROM faults")
    db.execute("UPDATE state SET faults = 0")


def firing(
    db: sqlite3.Connection, call: Call, endpoint: str, division: int | None, code: str | None = None
) -> Fault | None:
    """The fault that hits this call, if any; all orders that it matches count it, the oldest that fires wins.

    Args:
        code: The code of the account that the call is about, as far as it names one.
    """
    at = (call, endpoint, division, code)
    chosen: Fault | None = None
    for key, spec, seen, fired in db.execute("SELECT id, spec, seen, fired FROM faults ORDER BY id").fetchall():
        fault = _fault_from_text(spec)
        if not fault.concerns(*at):
            continue
        drawn = fault.drawn(seen + 1, *at) if chosen is None and fault.fires(seen + 1, fired) else None
        db.execute("UPDATE faults SET seen = seen + 1, fired = fired + ? WHERE id = ?", (int(drawn is not None), key))
        chosen = chosen or drawn
    return chosen
