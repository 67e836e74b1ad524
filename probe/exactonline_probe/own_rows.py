"""The accounts that a run makes: marked before they are made, and removed after each question.

Nothing else is written: a POST must carry a mark or name an account of the run, a PUT or DELETE must name an account of
the run or a row that belongs to one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from uuid import uuid4

from exactonline_probe.cleaning import Cleaned, Cleaner
from exactonline_probe.made_rows import MadeRows
from exactonline_probe.question import Filled
from exactonline_probe.replies import Reply
from exactonline_probe.wire import Wire

PREFIX = "ZZ-probe"
MADE = frozenset({200, 201})
_REFUSED = frozenset({400, 401, 403, 404, 500, 501})
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ACCOUNT = re.compile(r"crm/Accounts(\(.*\))?", re.IGNORECASE)
_OF_ACCOUNTS = re.compile(r"crm/(Contacts|Addresses|BankAccounts)(\(.*\))?")


class NotOursError(Exception):
    """The run was about to write something that it did not make; that is a mistake of the program."""


class OwnRows:
    """The accounts of one run in one company."""

    def __init__(self, wire: Wire, made: MadeRows, division: int, free_numbers: Iterable[int]) -> None:
        self._wire = wire
        self._made = made
        self._division = division
        self._run = uuid4().hex[:8]
        self._numbers: Iterator[int] = iter(free_numbers)
        self._marks: dict[str, str | None] = {}
        """Mark → ID, as far as it is known, of what is not gone yet."""
        self._belonging: set[str] = set()
        self._not_made: set[str] = set()
        """Marks under which nothing can come to be any more."""
        self._count = 0
        self.cleaned = Cleaned()

    def fresh(self) -> dict[str, str]:
        """Values for one question that no other has: a free code, and a GUID of nobody."""
        return {"code": str(next(self._numbers)), "new_id": str(uuid4())}

    def new_mark(self) -> str:
        """A text that no other name begins with, kept in the store for an account that is about to be made."""
        self._count += 1
        mark = f"{PREFIX} {self._run} {self._count:02}"
        self._made.begin(self._division, mark, self._wire.now())
        self._marks[mark] = None
        return mark

    def check(self, request: Filled) -> None:
        """Nothing, if a write is about what the run made.

        Raises:
            NotOursError: It is not.
        """
        body = json.dumps(request.body) if request.body is not None else ""
        ids = {one for one in self._marks.values() if one} | self._belonging
        if request.method == "POST":
            named = isinstance(request.body, dict) and request.body.get("Account") in ids
            ours = any(mark in body for mark in self._marks) if not _OF_ACCOUNTS.fullmatch(request.path) else named
        else:
            ours = set(_GUID.findall(request.path)) <= ids and bool(_GUID.search(request.path))
        if not ours:
            raise NotOursError(f"{request.method} {request.path.partition('(')[0]}")

    def note(self, request: Filled, reply: Reply) -> None:
        """Learn from an answer what was made, what went, and what belongs to an account of the run."""
        if request.method == "POST" and reply.status in MADE:
            self._note_made(request, reply)
        elif request.method == "POST" and reply.status in _REFUSED:
            self.note_unsent(request)
        elif request.method == "DELETE" and reply.status == 204:
            self._forget(request.path)
        elif request.method == "GET":
            own = set(filter(None, self._marks.values()))
            self._belonging |= {str(row["ID"]) for row in reply.rows if row.get("Account") in own and row.get("ID")}

    def note_unsent(self, request: Filled) -> None:
        """Learn that a request certainly made nothing."""
        self._not_made |= {mark for mark in self._marks if mark in json.dumps(request.body)}

    def tidy(self) -> None:
        """Remove all that the run made and that is there still."""
        cleaner = Cleaner(self._wire, self._division)
        for mark, key in list(self._marks.items()):
            fate = cleaner.remove_made(key) if key else cleaner.remove(mark, None)
            self.cleaned.fates[mark] = fate
            if fate == "deleted" or (fate == "never_made" and mark in self._not_made):
                self._made.gone(self._division, mark)
            del self._marks[mark]
        self._belonging.clear()

    def _note_made(self, request: Filled, reply: Reply) -> None:
        key = str(reply.rows[0].get("ID", "")) if reply.rows else ""
        if _OF_ACCOUNTS.fullmatch(request.path):
            self._belonging.add(key)
            return
        mark = next((one for one in self._marks if one in json.dumps(request.body)), None)
        if mark is not None and key and _ACCOUNT.fullmatch(request.path):
            self._marks[mark] = key
            self._made.made(self._division, mark, key)

    def _forget(self, path: str) -> None:
        for mark in [mark for mark, key in self._marks.items() if key and key in path]:
            self._made.gone(self._division, mark)
            self.cleaned.fates[mark] = "deleted"
            del self._marks[mark]
