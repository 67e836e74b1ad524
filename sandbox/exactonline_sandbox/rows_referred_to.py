"""The rows of one company that references lead to, each looked up once a call."""

import sqlite3

from exactonline_sandbox import accounts_table as accounts
from exactonline_sandbox import children
from exactonline_sandbox import lists_table as lists
from exactonline_sandbox.child_entities import CHILDREN
from exactonline_sandbox.context import Row
from exactonline_sandbox.reference_lists import CODE, LISTS, Reference


class RowsReferredTo:
    """Rows by reference and value."""

    def __init__(self, db: sqlite3.Connection, division: int) -> None:
        self._db = db
        self._division = division
        self._known: dict[tuple[str, str, str], Row | None] = {}

    def row(self, reference: Reference, value: str | None) -> Row | None:
        """The row that a reference with this value leads to, or None."""
        if not value:
            return None
        key = (reference.to, reference.by, value)
        if key not in self._known:
            self._known[key] = self._looked_up(reference, value)
        return self._known[key]

    def _looked_up(self, reference: Reference, value: str) -> Row | None:
        if reference.to == "Accounts":
            return accounts.by_id(self._db, self._division, value)
        if reference.to in CHILDREN:
            return children.by_key(self._db, self._division, CHILDREN[reference.to], value)
        look_up = lists.by_natural if reference.by == CODE else lists.by_key
        return look_up(self._db, self._division, LISTS[reference.to], value)

    def slot_of(self, classification: Row) -> int | None:
        """The SequenceNumber of the name that a classification belongs to."""
        name = self.row(_NAME, classification.get("AccountClassificationName"))
        return name["SequenceNumber"] if name else None


_NAME = LISTS["AccountClassifications"].references["AccountClassificationName"]
