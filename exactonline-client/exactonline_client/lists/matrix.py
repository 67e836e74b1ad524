"""What each code in use at the source would come to in each company, before anything is written. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exactonline_client.entities import ACCOUNTS, REFERENCE_LISTS, Reference
from exactonline_client.lists.entries import KeptList, State, as_code, translated
from exactonline_client.lists.policies import Policy

TO_MEND: frozenset[State] = frozenset({"missing", "conflict"})


@dataclass(frozen=True, slots=True)
class Use:
    """A code that accounts of the source refer to."""

    reference: Reference
    code: str
    customers: frozenset[str]
    """Keys of the accounts."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What a code in use comes to in one company."""

    division: int
    list: str
    source_code: str
    description: str
    state: State
    target_code: str | None
    differs: Mapping[str, tuple[Any, Any]]
    customers: int
    fields: tuple[str, ...]
    slot: int
    why: str

    def as_object(self) -> dict[str, Any]:
        """Return it in types that JSON has."""
        return {
            "division": self.division,
            "list": self.list,
            "source_code": self.source_code,
            "description": self.description,
            "state": self.state,
            "target_code": self.target_code,
            "differs": {name: list(pair) for name, pair in self.differs.items()},
            "customers": self.customers,
            "fields": list(self.fields),
            **({"slot": self.slot} if self.slot else {}),
            "why": self.why or None,
        }


def cells(
    division: int,
    uses: Iterable[Use],
    policies: Mapping[str, Policy],
    source: Callable[[str], KeptList],
    target: Callable[[str], KeptList],
) -> Iterator[Cell]:
    """Yield what each code comes to in one company; fields that have one list and one map for it make one cell."""
    grouped: dict[tuple[str, int, str, str | None], list[Use]] = {}
    for use in uses:
        policy = policies.get(use.reference.field)
        mapped = policy.mapped(division, use.code) if policy is not None else None
        grouped.setdefault((use.reference.list, use.reference.slot, use.code, mapped), []).append(use)
    for (name, slot, code, mapped), same in sorted(grouped.items(), key=lambda one: (*one[0][:3], one[0][3] or "")):
        kind, reference = REFERENCE_LISTS[name], same[0].reference
        found = translated(kind, reference, code, source(name), target(name), mapped)
        entry = source(name).by_code.get((slot, as_code(kind, code)))
        yield Cell(
            division,
            name,
            code,
            entry.description if entry is not None else "",
            found.state,
            found.entry.code if found.entry is not None and found.state in ("found", "mapped", "conflict") else None,
            found.differs,
            len(frozenset().union(*(use.customers for use in same))),
            tuple(use.reference.field for use in same),
            slot,
            found.why,
        )


def as_text(names: Mapping[int, str], found: Iterable[Cell]) -> Iterator[str]:
    """Yield lines for a person: a company in one, and one for each code that needs somebody."""
    by_division: dict[int, list[Cell]] = {division: [] for division in names}
    for cell in found:
        by_division[cell.division].append(cell)
    for division, listed in by_division.items():
        counts = Counter(cell.state for cell in listed)
        states = ", ".join(f"{counts[state]} {state}" for state in sorted(counts))
        yield f"{division} {names[division]}: {len(listed)} codes in use{f': {states}' if states else ''}"
        for cell in sorted(listed, key=lambda one: (-one.customers, one.list, one.source_code)):
            if cell.state not in ("found", "mapped"):
                customers = f"{cell.customers} customer{'s' if cell.customers != 1 else ''}"
                yield f"  {cell.state:<10} {cell.list} {cell.source_code}, {customers}: {cell.why}"


def verdict(found: Iterable[Cell]) -> str:
    """Return what it comes to, in one line."""
    counts = Counter(cell.state for cell in found)
    if not counts:
        return "No account of the source refers to any list."
    if not any(counts[state] for state in ("missing", "conflict", "unreadable")):
        return "Every code in use means the same in every company."
    parts = [f"{counts[state]} {words}" for state, words in _WORDS.items() if counts[state]]
    return f"To look at: {', '.join(parts)}. Make them in those companies, or map them in the setting references."


_WORDS: Mapping[State, str] = {"missing": "missing", "conflict": "with another meaning", "unreadable": "not readable"}
REFERENCES_TO_LISTS = {name: one for name, one in ACCOUNTS.references.items() if one.list in REFERENCE_LISTS}
