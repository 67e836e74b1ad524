"""One account over all runs and companies: what was written to it, when, and by which run."""

from __future__ import annotations

from starlette.responses import Response
from target_exactonline.store.history import History
from target_exactonline.store.runs import Runs

from exactonline_console.pages.history import page_number
from exactonline_console.pages.jobs import companies_in_reach
from exactonline_console.pages.waiting import sites
from exactonline_console.visits import Visit

SHOWN = 100


def show(visit: Visit) -> Response:
    """The changes of the account with this code, newest first."""
    code = visit.asked("code")[:40]
    number = page_number(visit)
    where = sites(visit)
    found = []
    if code and where:
        found = History(visit.store, where).lines(None, code, SHOWN + 1, (number - 1) * SHOWN)
    runs = Runs(visit.store)
    numbers = {one["run"] for one in found if one["run"] is not None}
    return visit.page(
        "account.html",
        code=code,
        events=found[:SHOWN],
        runs={one: kept for one in numbers if (kept := runs.get(one)) is not None},
        names={one.code: one.name for one in companies_in_reach(visit)},
        number_of_page=number,
        has_more=len(found) > SHOWN,
    )
