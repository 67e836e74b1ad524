"""Faults on order: what goes wrong, for which calls, how often. When one fires is a function of its count."""

import json
import random
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from exactonline_sandbox.call import Call

KINDS = frozenset(
    {
        *("lost_answer", "reset_before", "truncated_body", "fault_500", "status", "503", "slow"),
        *("429_minute", "429_day", "429_no_headers", "token_lost_answer", "error_block"),
        *("garbage_json", "html_body", "wrong_content_length"),
    }
)
# Answered in place of the call, which is not carried out.
INSTEAD = frozenset({"fault_500", "status", "503", "429_minute", "429_day", "429_no_headers", "error_block"})
TOKEN = "oauth2/token"  # noqa: S105 - an endpoint


@dataclass(frozen=True, slots=True)
class Fault:
    """One order. `nth` counts matching calls since it was given; `times` is how often it fires.

    `applied` false: the call is not carried out, only its answer is spoiled (for the last three kinds and `slow`).
    """

    kind: str
    division: int | None = None
    method: str | None = None
    endpoint: str | None = None
    contains: str | None = None
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    probability: float | None = None
    seed: int = 0
    seconds: float = 0
    status: int = 500
    body: str = ""
    headers: Mapping[str, str] | None = None
    applied: bool = True

    def concerns(self, call: Call, endpoint: str, division: int | None) -> bool:
        """Whether a call is one of those meant."""
        wanted = TOKEN if self.kind == "token_lost_answer" else self.endpoint
        return (
            (self.division is None or self.division == division)
            and (self.method is None or self.method.upper() == call.method)
            and (wanted is None or wanted.lower() == endpoint.lower())
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


_NAMES = frozenset(option.name for option in fields(Fault))


def fault_from(given: Mapping[str, Any]) -> Fault:
    """A fault from its JSON form; ValueError for a kind or key that is none."""
    if given.get("kind") not in KINDS:
        raise ValueError(f"no fault of kind {given.get('kind')!r}; there are {', '.join(sorted(KINDS))}")
    unknown = given.keys() - _NAMES
    if unknown:
        raise ValueError(f"a fault has no key called {', '.join(sorted(unknown))}")
    return Fault(**given)


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


def firing(db: sqlite3.Connection, call: Call, endpoint: str, division: int | None) -> Fault | None:
    """The fault that hits this call, if any; all orders that it matches count it, the oldest that fires wins."""
    chosen: Fault | None = None
    for key, spec, seen, fired in db.execute("SELECT id, spec, seen, fired FROM faults ORDER BY id").fetchall():
        fault = _fault_from_text(spec)
        if not fault.concerns(call, endpoint, division):
            continue
        hits = chosen is None and fault.fires(seen + 1, fired)
        db.execute("UPDATE faults SET seen = seen + 1, fired = fired + ? WHERE id = ?", (int(hits), key))
        if hits:
            chosen = fault
    return chosen
