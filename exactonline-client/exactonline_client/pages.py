"""Pages of a list, each with the way to the next. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from exactonline_client.odata import Row


@dataclass(frozen=True, slots=True)
class Link:
    """Where the next page is, and those that led there."""

    target: str
    before: frozenset[str] = frozenset()

    def to(self, target: str) -> Link | None:
        """The link of the page after this one; None if it leads back."""
        before = self.before | {self.target}
        return None if target in before else Link(target, before)


@dataclass(frozen=True, slots=True)
class RowPage:
    """One page of a list."""

    rows: list[Row]
    next_link: Link | None
