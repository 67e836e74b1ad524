"""Plans and their changes, for people and programs that look at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from exactonline_client.store import Store
from sqlalchemy import select

from target_exactonline.reporting.outcomes import source_as_object
from target_exactonline.store.field_sets import FieldSets
from target_exactonline.store.plans import fields_of, source_of
from target_exactonline.store.rows import unpacked
from target_exactonline.store.tables import changes, companies, plans, runs, sites, sources

SHOWN = ("create", "update", "delete", "block", "unchanged")


class PlanLists:
    """The plans of some sites."""

    def __init__(self, store: Store, urls: Sequence[str]) -> None:
        self._store = store
        self._sets = FieldSets(store)
        self._here = sites.c.url.in_(urls)

    def plans(self, run_id: str | None = None, limit: int = 100) -> Iterator[dict[str, Any]]:
        """Yield plans, the newest first."""
        query = _PLANS.where(self._here).order_by(plans.c.id.desc()).limit(limit)
        if run_id is not None:
            query = query.where(runs.c.id == run_id)
        with self._store.read() as connection:
            for row in connection.execute(query):
                counts = unpacked(row.counts)
                yield {
                    "plan": row.id,
                    "run": row.run_id,
                    "division": row.division,
                    "name": row.name,
                    "counts": {name: counts.get(name, 0) for name in SHOWN},
                    "unsafe": row.unsafe,
                    "forecast": row.forecast,
                    "approval": row.approval,
                    "dry_run": row.is_trial,
                    "at": row.at.isoformat(),
                }

    def of_run(self, number: int) -> list[int]:
        """Return the plans of a run, by number."""
        with self._store.read() as connection:
            return list(
                connection.execute(select(plans.c.id).where(plans.c.run == number).order_by(plans.c.id)).scalars()
            )

    def changes(self, plan: int) -> Iterator[dict[str, Any]]:
        """Yield the changes of a plan, in the order of writing."""
        query = CHANGES.where(changes.c.plan == plan).order_by(changes.c.rank, changes.c.number)
        with self._store.read() as connection:
            for row in connection.execute(query):
                yield as_line(self._sets, row)


def as_line(sets: FieldSets, row: Any) -> dict[str, Any]:
    """Return a row of `CHANGES` in types that JSON has."""
    return {
        "plan": row.plan,
        "entity": row.entity,
        "division": row.company_division,
        "code": row.code,
        "action": row.action,
        "changes": {name: list(change) for name, change in fields_of(sets, row).items()},
        "outcome": row.outcome,
        "kind": row.kind,
        "reason": row.reason,
        "source": source_as_object(source_of(row)),
        "target_id": row.target_id,
        "target_code": row.target_code or row.code,
        "matched_on": row.matched_on,
        "approved_by": row.approved_by,
    }


_PLANS = (
    select(plans, companies.c.division, companies.c.name, runs.c.id.label("run_id"))
    .join(companies, companies.c.id == plans.c.company)
    .join(sites, sites.c.id == companies.c.site)
    .join(runs, runs.c.number == plans.c.run, isouter=True)
)
CHANGES = (
    select(
        changes,
        companies.c.division.label("company_division"),
        sources.c.division.label("source_division"),
        sources.c.key.label("source_key"),
    )
    .join(companies, companies.c.id == changes.c.company, isouter=True)
    .join(sources, sources.c.id == changes.c.source, isouter=True)
)
