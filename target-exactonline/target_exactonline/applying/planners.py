"""Puts together what plans for one entity of one company."""

from __future__ import annotations

from target_exactonline.applying.task import Shared, Task
from target_exactonline.planning.first_contact import FirstContact
from target_exactonline.planning.parents import Parents, Placed
from target_exactonline.planning.planner import Planner
from target_exactonline.planning.references import Translator
from target_exactonline.planning.referred import References
from target_exactonline.planning.siblings import Siblings
from target_exactonline.planning.signing import Signing
from target_exactonline.planning.terms import Terms
from target_exactonline.reporting.recorder import CompanyRecorder
from target_exactonline.store.mirror import Mirror


def planner_of(
    task: Task,
    shared: Shared,
    mirror: Mirror,
    translator: Translator,
    recorder: CompanyRecorder,
    today: str,
    placed: Placed,
) -> Planner:
    """Return a planner.

    Args:
        mirror: Rows of the company.
        translator: Of the codes that records refer to.
        recorder: Of how records end.
        today: In the company.
        placed: What this dry run does about accounts, for what belongs to them.
    """
    memory, entity, number = shared.memory, shared.memory.entity, task.number
    sources = memory.sources(task.company.site)
    terms = Terms(task.division.code, entity, task.rules, today, shared.retry_refused, shared.reconcile, shared.dry_run)
    references: References | Parents
    contacts: FirstContact | Siblings
    if entity.parent is None:
        references = References(
            number, task.desire, translator, sources, memory.copies, mirror, is_trial=shared.dry_run
        )
        contacts = FirstContact(number, terms, memory, mirror, task.values, task.records)
    else:
        references = Parents(number, task.company.site, task.desire, translator, shared.accounts, placed)
        contacts = Siblings(number, terms, memory, mirror)
    return Planner(
        number,
        terms,
        references,
        contacts,
        memory.copies,
        sources,
        mirror,
        memory.plans,
        Signing(shared.approvals.of(entity.stream), memory.approvals, number, entity.stream),
        recorder,
    )
