"""What the target keeps of plans and of refusals, written straight into a store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS
from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from target_exactonline.planning.model import Copy, Create, SourceKey, SourceRecord, Update
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


def keep_refused(store: Store, site: str, division: int, codes: Iterable[str], reason: str) -> None:
    """Keep that Exact refused records of a foreign stream for one company."""
    memory, at = Memory(store, ACCOUNTS), utc_now()
    company = memory.companies.number(Company(site, division))
    records = [SourceRecord(SourceKey(0, code), code, {"Name": "X"}, company=company) for code in codes]
    memory.sources(site).remember(records)
    found = memory.sources(site).of_keys([one.key for one in records])
    settlement = Settlement(store, company, memory.copies, memory.mirror(company), memory.plans, 1)
    settlement.keep(
        [
            Ended(
                Result(division, one.record.code, Outcome.REFUSED, at, "rejected", reason),
                one.number,
                copy=Copy(one.record.key, one.record.code, state="refused", kind="rejected", reason=reason),
            )
            for one in found
        ],
        None,
    )
