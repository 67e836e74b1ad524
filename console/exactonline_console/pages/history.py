"""All runs, whoever started them, and all that was done in the page."""

from __future__ import annotations

from starlette.responses import Response

from exactonline_console import jobs
from exactonline_console.labels import ACTIONS
from exactonline_console.results import Results
from exactonline_console.visits import Visit

RUNS_SHOWN = 50
ACTIONS_SHOWN = 100


def show_runs(visit: Visit) -> Response:
    """Runs, newest first."""
    number = page_number(visit)
    found = Results(visit.store).newest(RUNS_SHOWN + 1, (number - 1) * RUNS_SHOWN)
    names = {code: name for job in jobs.saved(visit.project) for code, name in job.names.items()}
    return visit.page(
        "history.html", results=found[:RUNS_SHOWN], names=names, number_of_page=number, has_more=len(found) > RUNS_SHOWN
    )


def show_actions(visit: Visit) -> Response:
    """Who did what."""
    number = page_number(visit)
    found = visit.house.actions.newest(ACTIONS_SHOWN + 1, (number - 1) * ACTIONS_SHOWN)
    return visit.page(
        "actions.html",
        actions=found[:ACTIONS_SHOWN],
        labels=ACTIONS,
        number_of_page=number,
        has_more=len(found) > ACTIONS_SHOWN,
    )


def page_number(visit: Visit) -> int:
    """Which page is asked for."""
    asked = visit.asked("page")
    return max(1, int(asked)) if asked.isdigit() and len(asked) < 7 else 1
