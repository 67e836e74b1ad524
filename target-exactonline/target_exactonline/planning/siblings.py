"""First contact of what belongs to an account: the row of the same account in the company that is the same thing.

Nothing is read for it that is not in the store.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence

from exactonline_client.entities import Entity
from exactonline_client.entities.model import SameRow
from exactonline_client.odata import Row

from target_exactonline.planning.compare import is_empty
from target_exactonline.planning.model import Contact, Desired, Existing, Refuse, Skip, SourceRecord
from target_exactonline.planning.terms import Terms
from target_exactonline.store.memory import Memory
from target_exactonline.store.mirror import Mirror
from target_exactonline.store.sources import Remembered


class Siblings:
    """What source records without a row find among the rows of their account."""

    doubles: str | None = None

    def __init__(self, company: int, terms: Terms, memory: Memory, mirror: Mirror) -> None:
        self._company = company
        self._entity = terms.entity
        self._memory = memory
        self._mirror = mirror
        self._taken: dict[str, int] = {}
        """Rows that a record of this plan found, and which."""
        self._told: dict[int, str] = {}

    def forget_rows(self) -> None:
        """Give back nothing: rows are looked up a page at a time."""

    def tell(self, number: int, target_id: str) -> None:
        """Take Exact's word that a source record is this row."""
        self._told[number] = target_id

    def contacts(
        self,
        page: Sequence[Remembered],
        tied: Mapping[int, Existing],
        by_code: Mapping[str, Existing],
        desire: Callable[[SourceRecord], Desired | None],
    ) -> dict[int, Contact]:
        """Return what first contact comes to, by source record.

        Args:
            page: Source records.
            tied: By record, the rows that are there of those that are tied.
            by_code: None.
            desire: Returns what the company should hold of a record.
        """
        found: dict[int, Contact] = {}
        for one in page:
            if one.record.values.get(self._entity.anonymised or "") and not one.record.is_deleted:
                found[one.number] = Contact(refusal=Skip("held", self._anonymised(is_there=one.number in tied)))
        new = [one for one in page if one.number not in {*found, *tied} and not one.record.is_deleted]
        wanted = {one.number: desired for one in new if (desired := desire(one.record)) is not None}
        rows = self._free_rows({one.parent for one in wanted.values() if one.parent})
        for number in self._told.keys() & wanted.keys():
            if (row := self._mirror.by_id([self._told[number]]).get(self._told[number])) is not None:
                found[number] = Contact(row, "ID")
        for rule in self._entity.same_row:  # what is surer has its choice before all else
            for number in [one for one in wanted if one not in found]:
                desired = wanted[number]
                free = [row for row in rows.get(desired.parent or "", ()) if self._taken.get(row.id, number) == number]
                contact = self._contact(rule, desired, free)
                if contact is not None:
                    found[number] = contact
                    if contact.row is not None:
                        self._taken[contact.row.id] = number
        return found

    def _anonymised(self, *, is_there: bool) -> str:
        if not is_there:
            return f"The {self._entity.name} was anonymised at the source, so it is not copied."
        return (
            f"The {self._entity.name} was anonymised at the source, so its copy is no longer kept equal. It holds what "
            "it held before: anonymise or delete it here too."
        )

    def _free_rows(self, parents: set[str]) -> dict[str, list[Existing]]:
        """Return the rows of some accounts that are nobody's copy."""
        rows = self._mirror.of_parents(sorted(parents))
        held = self._memory.copies.holders(self._company, [row for some in rows.values() for row in some])
        return {parent: [row for row in some if row.id not in held] for parent, some in rows.items()}

    def _contact(self, rule: SameRow, desired: Desired, rows: Sequence[Existing]) -> Contact | None:
        alike = [row for row in rows if is_same(rule, desired.identity, row.values)]
        if len(alike) > 1 and rule.also is not None:
            closer = [row for row in alike if _agrees(rule.also, desired.identity, row.values)]
            alike = closer or alike
        if len(alike) > 1 and not all(row.values == alike[0].values for row in alike):
            return Contact(refusal=Refuse("ambiguous", self._several(rule, alike), tuple(row.id for row in alike)))
        return Contact(alike[0], "+".join(rule.fields)) if alike else None

    def _several(self, rule: SameRow, rows: Sequence[Existing]) -> str:
        return (
            f"{len(rows)} {self._entity.name} rows of its account have the same {', '.join(rule.fields)}: "
            f"{', '.join(row.id for row in rows)}. Remove or change all but one of them here."
        )


def same_rows(entity: Entity, sent: Row, rows: Sequence[Existing]) -> list[Existing]:
    """Return the rows that hold what was sent for a create, by the fields that tell them apart."""
    names = {name for rule in entity.same_row for name in rule.fields}
    return [row for row in rows if all(_plain(sent.get(name)) == _plain(row.values.get(name)) for name in names)]


def is_same(rule: SameRow, one: Row, other: Row) -> bool:
    """Return whether two rows are the same thing by a rule."""
    if rule.where is not None and not (one.get(rule.where) and other.get(rule.where)):
        return False
    compared = [(_plain(one.get(name)), _plain(other.get(name))) for name in rule.fields]
    return all(first == second for first, second in compared) and any(first for first, _ in compared)


def _agrees(name: str, one: Row, other: Row) -> bool:
    return not is_empty(one.get(name)) and _plain(one.get(name)) == _plain(other.get(name))


def _plain(value: object) -> str:
    """Return a value as it is compared: case, accents, blanks and marks aside."""
    text = unicodedata.normalize("NFKD", "" if value is None else str(value)).casefold()
    return "".join(char for char in text if char.isalnum())
