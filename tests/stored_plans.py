"""Plans of dry runs as the target keeps them, written straight into a store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS
from exactonline_client.store import Store
from target_exactonline.planning.model import Create, Update
from target_exactonline.reporting.outcomes import Outcome, Result
from target_exactonline.store.memory import Memory
from target_exactonline.store.plans import Change
from target_exactonline.store.settlement import Ended, Settlement

SITE = "https://start.exactonline.nl"


def keep_plan(store: Store, run: int, results: Iterable[Result]) -> None:
    """Keep how a dry run would end, company by company."""
    memory = Memory(store, ACCOUNTS)
    by_division: dict[int, list[Result]] = defaultdict(list)
    for result in results:
        by_division[result.division or 0].append(result)
    for division, mine in by_division.items():
        company, at = memory.companies.number(Company(SITE, division)), mine[0].at
        plan = memory.plans.begin(run, company, ACCOUNTS.stream, at, is_trial=True)
        changes = [_change(one) for one in mine if one.outcome is not Outcome.REFUSED]
        memory.plans.add(plan, run, company, ACCOUNTS.stream, changes, at)
        settlement = Settlement(store, company, memory.copies, memory.mirror(company), memory.plans, run)
        settlement.note([Ended(one) for one in mine if one.outcome is Outcome.REFUSED], plan)


def _change(result: Result) -> Change:
    if result.outcome is Outcome.CREATED:
        return Change(0, result.code, Create({name: after for name, (_, after) in result.changes.items()}))
    return Change(0, result.code, Update(f"of {result.code}", result.changes))
