"""Companies: which one is copied to which others, saved as a job."""

from __future__ import annotations

from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError
from starlette.responses import RedirectResponse, Response

from exactonline_console import jobs, looks, proofs
from exactonline_console.job_form import job_of
from exactonline_console.jobs import Job
from exactonline_console.labels import USUAL
from exactonline_console.looks import Company
from exactonline_console.registered import registered
from exactonline_console.results import Results
from exactonline_console.visits import Visit

GIVEN = (
    "name",
    "source",
    "later_too",
    "which_fields",
    "limit",
    "on_collision",
    "max_creates",
    "max_updates_percent",
)
THEN = ("preview", "check")
SAME_FORM = 307


def companies_in_reach(visit: Visit) -> list[Company]:
    """The companies of all connections, as Exact last listed them, by name."""
    found: list[Company] = []
    for one in registered(visit.project):
        look = looks.remembered(one.name, one.settings(visit.project.store_url), visit.store)
        found += look.companies if look else ()
    return sorted(found, key=lambda company: (not company.is_usable, company.name.casefold()))


def new(visit: Visit) -> Response:
    """The form for a new job."""
    companies = companies_in_reach(visit)
    if not companies:
        return visit.go("/connections", done="connect-first")
    return _form(visit, companies, None)


def create(visit: Visit) -> Response:
    """Keep a new job."""
    companies = companies_in_reach(visit)
    try:
        job = _job(visit, companies, visit.given("name"))
        jobs.add(visit.project, job)
    except ConfigurationError as error:
        return _form(visit, companies, None, status=400, sentence=str(error))
    visit.note("job-saved", job.name)
    return visit.go(f"/jobs/{job.name}", done="saved")


def show(visit: Visit) -> Response:
    """One job."""
    job = jobs.job(visit.project, visit.request.path_params["name"])
    return _form(visit, companies_in_reach(visit), job)


def change(visit: Visit) -> Response:
    """Keep what is new about a job."""
    companies = companies_in_reach(visit)
    job = jobs.job(visit.project, visit.request.path_params["name"])
    try:
        jobs.save(visit.project, _job(visit, companies, job.name))
    except ConfigurationError as error:
        return _form(visit, companies, job, status=400, sentence=str(error))
    visit.note("job-saved", job.name)
    then = visit.given("then")
    if then in THEN:  # what is shown is what was filled in
        return RedirectResponse(f"/jobs/{job.name}/{then}", SAME_FORM)
    if then == "synchronize":
        return visit.go(f"/jobs/{job.name}/synchronize")
    return visit.go(f"/jobs/{job.name}", done="saved")


def check(visit: Visit) -> Response:
    """Ask Exact whether the job can start."""
    job = jobs.job(visit.project, visit.request.path_params["name"])
    known = [one for one in registered(visit.project) if one.name in job.connections]
    readiness = proofs.check(job, [one.settings(visit.project.store_url) for one in known], visit.store)
    visit.note("job-checked", job.name)
    return visit.page("check.html", job=job, readiness=readiness)


def ask_to_remove(visit: Visit) -> Response:
    """Ask once more."""
    return visit.page("job_remove.html", job=jobs.job(visit.project, visit.request.path_params["name"]))


def remove(visit: Visit) -> Response:
    """Take a job away."""
    name = visit.request.path_params["name"]
    jobs.remove(visit.project, name)
    visit.note("job-removed", name)
    return visit.go("/", done="job-removed")


def _job(visit: Visit, companies: list[Company], name: str) -> Job:
    given = {one: visit.given(one) for one in GIVEN} | {"name": name}
    return job_of(given, {one: visit.given_all(one) for one in ("targets", "fields")}, companies)


def _form(
    visit: Visit, companies: list[Company], job: Job | None, *, status: int = 200, sentence: str | None = None
) -> Response:
    given = {one: visit.given(one) for one in GIVEN} if visit.form else _given_by(job)
    ticked = visit.given_all("targets") if visit.form else _ticked_by(job, companies)
    fields = visit.given_all("fields") if visit.form else list((job and job.fields) or USUAL)
    others = [name for name in ACCOUNTS.safe_to_copy if name not in USUAL]
    return visit.page(
        "job.html",
        status,
        job=job,
        companies=companies,
        given=given,
        ticked=set(ticked),
        fields=set(fields),
        usual=USUAL,
        others=others,
        count_of_fields=len(ACCOUNTS.safe_to_copy),
        sentence=sentence,
        last=Results(visit.store).newest_of(job.name) if job else None,
    )


def _given_by(job: Job | None) -> dict[str, str]:
    if job is None:
        return dict.fromkeys(GIVEN, "") | {"name": "customers"}
    share = "" if job.max_updates_share is None else f"{job.max_updates_share * 100:g}"
    return {
        "name": job.name,
        "source": str(job.source),
        "later_too": "" if job.targets else "yes",
        "which_fields": "some" if job.fields else "all",
        "limit": str(job.limit or ""),
        "on_collision": job.on_collision,
        "max_creates": "" if job.max_creates is None else str(job.max_creates),
        "max_updates_percent": share,
    }


def _ticked_by(job: Job | None, companies: list[Company]) -> list[str]:
    if job is None:
        return []
    if job.targets:
        return [str(code) for code in job.targets]
    left_out = {job.source, *job.excluded}
    return [str(one.code) for one in companies if one.is_usable and one.code not in left_out]
