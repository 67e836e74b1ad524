"""What a company did with references that were sent to it: which kinds it keeps, and which values it dropped."""

from __future__ import annotations

from dataclasses import dataclass, field

from exactonline_client.store import Store
from sqlalchemy import select

from target_exactonline.store.rows import upsert
from target_exactonline.store.tables import reference_proofs

KEPT = ""


@dataclass(slots=True)
class Proofs:
    """What is known of one company."""

    kept: set[str] = field(default_factory=set)
    """Fields of which one value that was sent was read back."""
    dropped: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Field and value that Exact did not take → the list's digest then, and what is told of it."""


class ReferenceProofs:
    """Proofs of all companies."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, company: int) -> Proofs:
        """Return what is known of a company."""
        found = Proofs()
        with self._store.read() as connection:
            for row in connection.execute(select(reference_proofs).where(reference_proofs.c.company == company)):
                if row.value == KEPT:
                    found.kept.add(row.field)
                else:
                    found.dropped[row.field, row.value] = (row.digest or "", row.why or "")
        return found

    def keep(
        self, company: int, name: str, value: str = KEPT, digest: str | None = None, why: str | None = None
    ) -> None:
        """Keep that a company takes a kind of reference, or that it did not take a value."""
        row = {"company": company, "field": name, "value": value, "digest": digest, "why": why}
        with self._store.write(f"company-{company}") as connection:
            upsert(connection, reference_proofs, [row])
