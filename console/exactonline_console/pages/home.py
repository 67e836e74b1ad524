"""Where a visitor begins: the jobs with their last results, or the first steps."""

from __future__ import annotations

from starlette.responses import Response

from exactonline_console import jobs, looks
from exactonline_console.pages import waiting
from exactonline_console.registered import registered
from exactonline_console.results import Results
from exactonline_console.visits import Visit


def show(visit: Visit) -> Response:
    """The start page."""
    known = registered(visit.project)
    saved = jobs.saved(visit.project)
    results = Results(visit.store)
    settings = [one.settings(visit.project.store_url) for one in known]
    logged_in = [one.name for one in settings if looks.days_left(one, visit.store) is not None]
    return visit.page(
        "home.html",
        connections=known,
        logged_in=logged_in,
        jobs=[(job, results.newest_of(job.name)) for job in saved],
        under_way=results.under_way(),
        needs=waiting.needs(visit) if known else {},
        logins=waiting.logins(visit) if saved else [],
    )
