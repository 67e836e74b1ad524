"""Entries of a reference list, and what a code of one company comes to in another. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from exactonline_client.entities import Reference, ReferenceList
from exactonline_client.odata import Row

State = Literal["found", "mapped", "conflict", "missing", "unreadable"]


class Entry(NamedTuple):
    """One row of a list, as far as it is needed."""

    key: str
    """Exact's key of it in its company."""
    code: str
    slot: int
    description: str
    meaning: Mapping[str, Any]
    """Attribute → value, of those that make what it means."""
    is_usable: bool


@dataclass(frozen=True)
class KeptList:
    """A list of one company, as it was last read; without entries if it could not be."""

    entries: tuple[Entry, ...] = ()
    read_at: datetime | None = None
    refused_at: datetime | None = None
    refusal: str = ""
    by_code: Mapping[tuple[int, str], Entry] = field(init=False)
    by_key: Mapping[str, Entry] = field(init=False)

    def __post_init__(self) -> None:
        """Index the entries."""
        object.__setattr__(self, "by_code", {(one.slot, one.code): one for one in self.entries})
        object.__setattr__(self, "by_key", {one.key: one for one in self.entries})

    @property
    def is_readable(self) -> bool:
        """Whether its entries are known."""
        return self.read_at is not None


@dataclass(frozen=True, slots=True)
class Translation:
    """What a code comes to in another company."""

    state: State
    entry: Entry | None = None
    """The entry there, if there is one under the code."""
    code: str = ""
    """The code that was looked for there."""
    differs: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    """Attribute → value at the source and there."""
    why: str = ""
    """For a person, unless the code was found or mapped."""


def entries_of(kind: ReferenceList, rows: Iterable[Row], slots: Mapping[str, int], today: str) -> tuple[Entry, ...]:
    """Return the entries in the rows of a list.

    Args:
        kind: Of the list.
        rows: As read.
        slots: Of a list that has several: key of the list of lists → slot.
        today: In ISO 8601; an entry whose last day is past is not usable.
    """
    found = []
    for row in rows:
        code = as_code(kind, row.get(kind.code))
        if not code or not row.get(kind.entity.key):
            continue
        over = any(row.get(name) == value for name, value in kind.unusable.items())
        over |= bool(kind.last_day and row.get(kind.last_day) and row[kind.last_day][:10] < today)
        slot = slots.get(row.get("AccountClassificationName") or "", 0) if kind.names is not None else 0
        meaning = {name: row.get(name) for name in kind.meaning}
        found.append(Entry(row[kind.entity.key], code, slot, row.get("Description") or "", meaning, not over))
    return tuple(found)


def as_code(kind: ReferenceList, value: Any) -> str:
    """Return a code in the form in which codes of this list are compared."""
    text = str(value or "").strip()
    return text.casefold() if kind.code == "Email" else text


def translated(
    kind: ReferenceList, reference: Reference, code: str, source: KeptList | None, target: KeptList, mapped: str | None
) -> Translation:
    """Return what a code of a source company comes to in a target company.

    Args:
        kind: Of the list that the code is of.
        reference: The field that holds it.
        code: As it is at the source.
        source: The list there; None if it is not known, as for records that come from no company.
        target: The list in the target company.
        mapped: The code that settings give it there, or None.
    """
    wanted = as_code(kind, code if mapped is None else mapped)
    there = f"{kind.title} {wanted}"
    if not target.is_readable:
        return Translation(
            "unreadable", None, wanted, {}, target.refusal or f"The list of {there} cannot be read here."
        )
    entry = target.by_code.get((reference.slot, wanted))
    if entry is None:
        return Translation("missing", None, wanted, {}, f"There is no {there} here.")
    if not entry.is_usable:
        return Translation("missing", entry, wanted, {}, f"The {there} is blocked or ended here.")
    if mapped is not None:
        return Translation("mapped", entry, wanted)
    origin = source.by_code.get((reference.slot, wanted)) if source is not None else None
    differs = {} if origin is None else _differing(origin.meaning, entry.meaning)
    if differs:
        told = ", ".join(f"{name} {before} there and {after} here" for name, (before, after) in differs.items())
        return Translation("conflict", entry, wanted, differs, f"The {there} is another thing here: {told}.")
    return Translation("found", entry, wanted)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {name: (one[name], other[name]) for name in one.keys() & other.keys() if not _alike(one[name], other[name])}


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)
