"""References that were left out of one company's rows, by what they refer to and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from typing import Any, NamedTuple


class LeftOut(NamedTuple):
    """One code that a company does not have as the source means it."""

    field: str
    code: str
    state: str
    why: str

    def as_words(self, customers: int) -> str:
        """Return it as a part of a sentence, with the number of customers that it concerns."""
        return (
            f"{self.field} {self.code} ({self.state}, {customers} customer{'s' if customers != 1 else ''}): {self.why}"
        )


class LeftOutCounts:
    """How many customers each concerns."""

    def __init__(self) -> None:
        self._counts: Counter[LeftOut] = Counter()
        self._waiting: dict[tuple[str, str], LeftOut] = {}
        """Of what may still come in the same run: customer and field."""

    def add(self, customer: str, not_sent: Iterable[Any], changed: Container[str]) -> None:
        """Count what was left out of one row; `changed` holds the fields that were written."""
        for one in not_sent:
            left = LeftOut(*one)
            self._counts[left] += 1
            if left.state == "waiting":
                self._waiting[customer, left.field] = left
        if self._waiting and changed:
            for place in [one for one in self._waiting if one[0] == customer and one[1] in changed]:
                self._counts[self._waiting.pop(place)] -= 1

    def rows(self) -> list[tuple[LeftOut, int]]:
        """Return each with its number of customers, the most first."""
        return sorted(((one, count) for one, count in self._counts.items() if count), key=lambda row: (-row[1], row[0]))
