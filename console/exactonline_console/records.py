"""The records of one run, a page at a time: what a preview would do, or what a run did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exactonline_client.store import Store
from target_exactonline.store.names import names_of
from target_exactonline.store.runs import Chosen, Runs

from exactonline_console.results import Result

PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A page of records."""

    records: list[dict[str, Any]]
    number: int
    count: int
    """Of all pages together."""

    @property
    def pages(self) -> int:
        """How many there are."""
        return max(1, -(-self.count // PAGE))


def called_by(
    store: Store, records: Sequence[Mapping[str, Any]], sites: Mapping[int, str]
) -> dict[tuple[int, str], str]:
    """The names that the accounts of these records have in their companies, by company and code, as far as is known."""
    codes: dict[int, list[str]] = {}
    for record in records:
        codes.setdefault(record["division"] or 0, []).append(record["code"])
    return {
        (division, code): name
        for division, some in codes.items()
        if division in sites
        for code, name in names_of(store, sites[division], division, some).items()
    }


class Records:
    """The records of a run."""

    def __init__(self, store: Store, result: Result) -> None:
        self._runs = Runs(store)
        self._run = result.run
        self._is_preview = result.is_preview

    def page(self, chosen: Chosen, number: int) -> Page:
        """One page; a number beyond the last shows the last."""
        if self._run is None:
            return Page([], 1, 0)
        first = list(self._read(self._run, chosen, PAGE + 1, 0)) if number <= 1 else []
        if number <= 1 and len(first) <= PAGE:  # a search that finds little goes through all records once, not twice
            return Page(first, 1, len(first))
        count = self._count(chosen)
        number = min(max(1, number), max(1, -(-count // PAGE)))
        if number == 1 and first:
            return Page(first[:PAGE], 1, count)
        return Page(list(self._read(self._run, chosen, PAGE, (number - 1) * PAGE)), number, count)

    def all(self, chosen: Chosen) -> Iterator[dict[str, Any]]:
        """All of them, read as they are taken."""
        if self._run is not None:
            yield from self._read(self._run, chosen, None, 0)

    def unlisted(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Return how many that the run counted as refused or waiting it lists nowhere, since they are no news."""
        found = {one: counts.get(one, 0) for one in ("refused", "parked") if counts.get(one, 0)}
        missing = {one: count - self._count(Chosen(outcomes=(one,))) for one, count in found.items()}
        return {one: count for one, count in missing.items() if count > 0}

    def held_back(self) -> int:
        """Records that a safety limit holds back."""
        return self._count(Chosen(kinds=("safety_limit",)))

    def collisions(self) -> int:
        """Records refused because their code belongs to somebody else."""
        return self._count(Chosen(kinds=("collision",)))

    def _count(self, chosen: Chosen) -> int:
        if self._run is None:
            return 0
        count = self._runs.count_planned if self._is_preview else self._runs.count_done
        return count(self._run, chosen)

    def _read(self, run: int, chosen: Chosen, limit: int | None, offset: int) -> Iterator[dict[str, Any]]:
        read = self._runs.planned if self._is_preview else self._runs.done
        return read(run, chosen, limit, offset)
