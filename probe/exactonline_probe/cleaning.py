"""Removes accounts that the probe made: each is looked at first, and touched only if its name bears the mark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from exactonline_probe.made_rows import MadeRows
from exactonline_probe.question import JSON, Filled, Method
from exactonline_probe.replies import NO_ANSWER, Reply
from exactonline_probe.wire import Wire

Fate = Literal["deleted", "blocked", "left", "never_made"]
MAY_STILL_COME = timedelta(minutes=10)
"""How long a request whose answer was lost may take to be carried out."""
_CHILDREN = ("crm/BankAccounts", "crm/Contacts", "crm/Addresses")
_READ, _CHANGED = 200, (200, 204)
_AGAIN = (NO_ANSWER, 429, 503)
_TRIES, _PAUSE_SECONDS = 3, 61.0
_WORST_FIRST: tuple[Fate, ...] = ("left", "blocked", "deleted", "never_made")


@dataclass(slots=True)
class Cleaned:
    """What a cleaning came to: how many accounts of each fate, by mark."""

    fates: dict[str, Fate] = field(default_factory=dict)

    def marks(self, fate: Fate) -> list[str]:
        """Those of one fate."""
        return [mark for mark, one in self.fates.items() if one == fate]

    @property
    def as_text(self) -> str:
        """One line for a person."""
        deleted, blocked, left = (len(self.marks(fate)) for fate in ("deleted", "blocked", "left"))
        text = f"{deleted} accounts of the probe were deleted"
        text += f", {blocked} could only be blocked" if blocked else ""
        return text + (f", {left} are left: say exactonline-probe clean again." if left else ", none is left.")


class Cleaner:
    """Removes what is left in one company."""

    def __init__(self, wire: Wire, division: int) -> None:
        self._wire = wire
        self._division = str(division)

    def remove(self, mark: str, key: str | None) -> Fate:
        """Delete the accounts of a mark, or block what cannot be deleted."""
        found = self._found(mark, key)
        if found is None:
            return "left"
        fates = [self.remove_made(one) for one in found] or ["never_made"]
        return min(fates, key=_WORST_FIRST.index)

    def remove_made(self, key: str) -> Fate:
        """Delete one account that the probe made, alone or after what belongs to it, or at least block it."""
        address = f"crm/Accounts(guid'{key}')"
        if self._send("DELETE", address).status in _CHANGED:
            return "deleted"
        for child in self._children(key):
            self._send("DELETE", child)
        if self._send("DELETE", address).status in _CHANGED:
            return "deleted"
        blocked = self._send("PUT", address, body={"Blocked": True}).status in _CHANGED
        return "blocked" if blocked else "left"

    def _found(self, mark: str, key: str | None) -> list[str] | None:
        """The IDs of the accounts that bear the mark, or None if Exact does not say."""
        by_mark = f"startswith(Name,'{mark}') eq true or AddressLine1 eq '{mark}'"
        where = f"ID eq guid'{key}'" if key else by_mark
        reply = self._send("GET", "crm/Accounts", {"$select": "ID,Name,AddressLine1", "$filter": where, "$top": "10"})
        if reply.status != _READ:
            return None
        return [str(row["ID"]) for row in reply.rows if _bears(row, mark)]

    def _children(self, key: str) -> Iterator[str]:
        for path in _CHILDREN:
            reply = self._send("GET", path, {"$select": "ID", "$filter": f"Account eq guid'{key}'"})
            yield from [f"{path}(guid'{row['ID']}')" for row in reply.rows if "ID" in row]

    def _send(
        self, method: Method, path: str, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Reply:
        """One request, sent again where nothing was said or a limit was in the way."""
        request = Filled(method, path, query or {}, body, JSON)
        for _ in range(_TRIES - 1):
            reply = self._wire.send(request, self._division, within=False)
            if reply.status not in _AGAIN:
                return reply
            self._wire.sleep(_PAUSE_SECONDS)
        return self._wire.send(request, self._division, within=False)


def clean(wire: Wire, made: MadeRows) -> Cleaned:
    """Remove what earlier runs left. What may come to be yet stays noted, to be looked for again."""
    wire.may_write = True
    cleaned = Cleaned()
    for row in made.left():
        fate = Cleaner(wire, row.division).remove(row.mark, row.account_id)
        cleaned.fates[row.mark] = fate
        is_settled = row.account_id is not None or wire.now() - row.begun_at > MAY_STILL_COME
        if fate == "deleted" or (fate == "never_made" and is_settled):
            made.gone(row.division, row.mark)
    return cleaned


def _bears(row: Mapping[str, Any], mark: str) -> bool:
    return str(row.get("Name") or "").startswith(mark) or str(row.get("AddressLine1") or "").strip() == mark
