"""Plans of dry runs, which are kept for a while."""

from __future__ import annotations

from exactonline_client.store import Store
from sqlalchemy import delete, select

from target_exactonline.store.rows import pages
from target_exactonline.store.tables import changes, plans, runs

TRIALS_KEPT = 5
"""Syncs whose trial plans can still be read; those of an older one are forgotten when another begins."""


def forget_old_trials(store: Store) -> None:
    """Drop the changes of trial plans of all but the newest syncs."""
    with store.write() as connection:
        trials = select(runs.c.id, runs.c.number).where(runs.c.dry_run).order_by(runs.c.number.desc())
        syncs: dict[str, None] = {}
        old = []
        for row in connection.execute(trials):
            syncs.setdefault(row.id)
            if len(syncs) > TRIALS_KEPT:
                old.append(row.number)
        for page in pages(old):
            trial = select(plans.c.id).where(plans.c.run.in_(page), plans.c.is_trial)
            connection.execute(delete(changes).where(changes.c.plan.in_(trial)))
            connection.execute(delete(plans).where(plans.c.run.in_(page), plans.c.is_trial))
