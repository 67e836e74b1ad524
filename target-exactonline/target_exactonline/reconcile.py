"""Finds the copies that people changed or deleted in a division, and puts what is wanted of them into the spool."""

from __future__ import annotations

import logging

from exactonline_client.entities import ACCOUNTS

from target_exactonline.intake import Intake
from target_exactonline.plan import Create, Policy, Present, Refuse, Update, decide, wanted_of
from target_exactonline.spool import Wanted
from target_exactonline.store import TargetStore

logger = logging.getLogger(__name__)

RECONCILED = "reconcile"
"""In the place of the stream that a record came from."""
NAMED = 20
"""Copies that the log names; all are in the results."""


def find_what_differs(division: int, store: TargetStore, intake: Intake, policy: Policy) -> None:
    """Compare all copies of a division with what is wanted of them by the last record that came for each."""
    compared, differing = 0, []
    for links in store.all_links(division):
        present = store.present(division, list(links))
        for code, link in links.items():
            wanted = wanted_of(link, policy)
            if not wanted:  # known from before all that is wanted was kept
                continue
            compared += 1
            there = present.get(code)
            if not isinstance(decide(ACCOUNTS, wanted, there, link, policy), (Create, Update, Refuse)):
                continue
            if intake.accept_unless_there(division, code, RECONCILED, wanted, link.source):
                differing.append(f"{code} ({_when(there)})")
    named = ", ".join(differing[:NAMED]) + (" and more" if len(differing) > NAMED else "")
    logger.info(
        "Division %d: %d copies compared with what was written, %d differ%s",
        division,
        compared,
        len(differing),
        f": {named}" if differing else "",
    )


def why_reconciled(wanted: Wanted, before: Present | None) -> str | None:
    """What was found of a copy that is put right, or None for a record that came in."""
    if wanted.stream != RECONCILED:
        return None
    return f"It was not as it was written before: {_when(before)}."


def _when(there: Present | None) -> str:
    if there is None:
        return "deleted"
    return f"modified {there.modified_at:%Y-%m-%d %H:%M:%S %z}" if there.modified_at else "modified"
