"""Records that wait, and records that Exact refused: try again, or forget."""

from __future__ import annotations

from exactonline_client.errors import ConfigurationError
from starlette.responses import Response
from target_exactonline.store.deferred import Deferred, Waiting

from exactonline_console import jobs
from exactonline_console.pages.jobs import companies_in_reach
from exactonline_console.registered import registered
from exactonline_console.visits import Visit

SHOWN = 500


def show(visit: Visit) -> Response:
    """Both lists."""
    found = [(one.site, one) for one in Deferred(visit.store, sites(visit)).waiting()]
    names = {one.code: one.name for one in companies_in_reach(visit)}
    return visit.page(
        "waiting.html",
        refused=[one for one in found if one[1].state == "refused"],
        parked=[one for one in found if one[1].state == "parked"],
        names=names,
        jobs=jobs.saved(visit.project),
        key=key,
        limit=SHOWN,
    )


def settle(visit: Visit) -> Response:
    """Try the chosen records again in the next run, or forget them."""
    chosen = visit.given_all("record")
    if not chosen:
        raise ConfigurationError("Tick the records first.")
    wanted = visit.given("what")
    if wanted not in {"retry", "forget"}:
        raise ConfigurationError("Choose what to do with the records.")
    done = 0
    for text in chosen:
        site, division, code = _parts(text)
        if site not in sites(visit):
            continue
        waiting = Deferred(visit.store, [site])
        if wanted == "retry":
            done += waiting.try_again(division, code)
        else:
            done += waiting.forget(None, division, code)
        visit.note(wanted, f"{code}, {division}")
    return visit.go("/waiting", done=f"{wanted}-noted" if done else "")


def sites(visit: Visit) -> list[str]:
    """The sites of all connections, each once."""
    settings = [one.settings(visit.project.store_url) for one in registered(visit.project)]
    return list(dict.fromkeys(one.base_url for one in settings))


def key(site: str, one: Waiting) -> str:
    """How a form names a record."""
    return f"{one.division}|{one.code}|{site}"


def _parts(text: str) -> tuple[str, int, str]:
    division, _, rest = text.partition("|")
    code, _, site = rest.rpartition("|")
    if not division.isdigit():
        raise ConfigurationError("Tick the records first.")
    return site, int(division), code
