"""Runs: preview, synchronize, watch, stop, and read what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exactonline_client.errors import ConfigurationError
from exactonline_client.transport import utc_now
from starlette.responses import Response, StreamingResponse
from target_exactonline.store.runs import Chosen, Runs

from exactonline_console import jobs, runner
from exactonline_console.downloads import as_csv, as_json_lines
from exactonline_console.forecast import Doubts, doubts, forecast, minutes_in_all
from exactonline_console.jobs import Job
from exactonline_console.launches import Kind, Launches
from exactonline_console.logs import last_lines
from exactonline_console.pages.jobs import companies_in_reach
from exactonline_console.records import Records, called_by
from exactonline_console.results import Result, Results, process_of
from exactonline_console.visits import Visit

OUTCOMES = ("created", "updated", "refused", "parked", "skipped", "deleted")
LINES_SHOWN = 200


def preview(visit: Visit) -> Response:
    """Start a dry run."""
    return _start(visit, _job(visit), "preview")


def ask_to_synchronize(visit: Visit) -> Response:
    """Say what is about to happen, and ask once more if there is reason to."""
    job = _job(visit)
    last = Results(visit.store).newest_of(job.name, preview=True)
    return visit.page(
        "synchronize.html",
        job=job,
        preview=last,
        doubts=_doubts(visit, job, last),
        forecast=forecast(last, companies_in_reach(visit)) if last else [],
    )


def synchronize(visit: Visit) -> Response:
    """Start a run that writes, unless there is a doubt that the visitor did not see."""
    job = _job(visit)
    last = Results(visit.store).newest_of(job.name, preview=True)
    if _doubts(visit, job, last) and visit.given("confirmed") != "yes":
        return visit.go(f"/jobs/{job.name}/synchronize")
    return _start(visit, job, "sync-unlimited" if visit.given("safety_limits") == "off" else "sync")


def show(visit: Visit) -> Response:
    """One run: under way, or over."""
    result = _result(visit)
    unlisted = Records(visit.store, result).unlisted(result.counts) if result.is_over else {}
    return visit.page("run.html", unlisted=unlisted, **_about(visit, result), **_page_of_records(visit, result))


def progress(visit: Visit) -> Response:
    """How far a run is, as a part of its page; the page anew when it is over."""
    result = _result(visit)
    if result.is_over:
        response = Response(status_code=200)
        response.headers["HX-Refresh"] = "true"
        return response
    return visit.page("run_progress.html", **_about(visit, result))


def records(visit: Visit) -> Response:
    """A page of records, as a part of the run's page."""
    result = _result(visit)
    return visit.page("run_records.html", result=result, job=_job_of(visit, result), **_page_of_records(visit, result))


def log(visit: Visit) -> Response:
    """What the programs of a run said, for whoever wants to know."""
    result = _result(visit)
    lines = last_lines(visit.project.log(result.id), LINES_SHOWN) if result.job else []
    return visit.page("run_log.html", result=result, lines=lines)


def download_csv(visit: Visit) -> Response:
    """All records that are chosen, for a spreadsheet."""
    result = _result(visit)
    names = _names(visit, result)
    found = Records(visit.store, result).all(_chosen(visit))
    return _download(visit, result, as_csv(found, lambda code: names.get(code or 0, "")), "csv", "text/csv")


def download_json_lines(visit: Visit) -> Response:
    """All records that are chosen, for a program."""
    result = _result(visit)
    found = Records(visit.store, result).all(_chosen(visit))
    return _download(visit, result, as_json_lines(found), "jsonl", "application/x-ndjson")


def stop(visit: Visit) -> Response:
    """Ask a run to stop: the process that looks after it does, or the run itself if that process is gone."""
    result = _result(visit)
    if result.is_over or not result.can_be_stopped:
        raise ConfigurationError("This run is over, or it is at work on another machine: stop it where it was started.")
    launches = Launches(visit.store)
    launch = launches.find(result.id)
    if launch is None:
        _stop_other(visit, result.id)
    else:
        launches.ask_to_stop(launch.id, visit.user)
        if launch.is_here and launch.meltano and not (launch.runner and launch.runner.is_alive):
            launch.meltano.ask_to_end()
    visit.note("stop", result.job or result.started_by)
    return visit.go(f"/runs/{result.id}", done="stopping")


def _stop_other(visit: Visit, number: str) -> None:
    """Tell a run that was not started by the page, as Ctrl-C would in its terminal."""
    kept = Runs(visit.store).find(number)
    process = process_of(kept) if kept else None
    if process is not None:
        process.ask_to_end()


def _start(visit: Visit, job: Job, kind: Kind) -> Response:
    busy = Results(visit.store).under_way()
    if busy is not None:
        return visit.go(f"/runs/{busy.id}", done="busy")
    jobs.check(visit.project, job)
    _ = visit.project.meltano
    launches = Launches(visit.store)
    launch = launches.add(job.name, kind, visit.user)
    try:
        runner.start(visit.project, launch)
    except OSError as error:
        launches.end(launch.id, 1, f"It could not be started: {error.strerror}.")
        raise
    visit.note(kind, job.name)
    return visit.go(f"/runs/{launch.id}")


def _about(visit: Visit, result: Result) -> dict[str, Any]:
    """What the page says of a run as a whole."""
    job = _job_of(visit, result)
    companies = forecast(result, companies_in_reach(visit)) if result.is_preview else []
    return {
        "result": result,
        "job": job,
        "standings": Results(visit.store).progress(result) if not result.is_over else [],
        "forecast": companies,
        "minutes": minutes_in_all(companies),
        "doubts": _doubts(visit, job, result) if job and result.is_preview and result.is_over else Doubts(),
    }


def _page_of_records(visit: Visit, result: Result) -> dict[str, Any]:
    chosen = _chosen(visit)
    number = visit.asked("page")
    page = Records(visit.store, result).page(chosen, int(number) if number.isdigit() and len(number) < 9 else 1)
    called = called_by(visit.store, page.records, {one.code: one.site for one in companies_in_reach(visit)})
    return {"records": page, "called": called, "chosen": chosen, "outcomes": OUTCOMES, "names": _names(visit, result)}


def _chosen(visit: Visit) -> Chosen:
    division, outcome = visit.asked("company"), visit.asked("kind")
    return Chosen(
        division=int(division) if division.isdigit() and len(division) < 12 else None,
        outcomes=(outcome,) if outcome in OUTCOMES else None,
        search=visit.asked("search")[:100] or None,
    )


def _download(visit: Visit, result: Result, chunks: Iterator[bytes], kind: str, media_type: str) -> Response:
    visit.note("download", f"{result.job or result.id} {result.started_at:%Y-%m-%d %H:%M} {kind}")
    name = f"{result.job or 'run'}-{result.started_at:%Y%m%d-%H%M}.{kind}"  # both have only letters, digits, hyphens
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(visit.hidden.redacted(chunks), media_type=f"{media_type}; charset=utf-8", headers=headers)


def _doubts(visit: Visit, job: Job, last: Result | None) -> Doubts:
    found = Records(visit.store, last) if last else None
    changed_at = jobs.changed_at(visit.project, job.name)
    held_back, collisions = (found.held_back(), found.collisions()) if found else (0, 0)
    return doubts(job, changed_at, last, held_back, collisions, utc_now())


def _names(visit: Visit, result: Result) -> dict[int | None, str]:
    job = _job_of(visit, result)
    return {one.code: one.name for one in result.divisions} | dict(job.names if job else {})


def _job(visit: Visit) -> Job:
    return jobs.job(visit.project, visit.request.path_params["name"])


def _job_of(visit: Visit, result: Result) -> Job | None:
    return next((one for one in jobs.saved(visit.project) if one.name == result.job), None)


def _result(visit: Visit) -> Result:
    result = Results(visit.store).get(visit.request.path_params["id"])
    if result is None:
        raise ConfigurationError("There is no such run.")
    return result
