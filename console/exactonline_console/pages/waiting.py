"""Needs you: everything that waits for a person, and what can be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError
from exactonline_client.transport import utc_now
from starlette.responses import Response

from exactonline_console import jobs, looks
from exactonline_console.decisions import WAYS, Decisions, Settled, pick_id
from exactonline_console.pages.history import page_number
from exactonline_console.pages.jobs import companies_in_reach
from exactonline_console.registered import registered
from exactonline_console.visits import Visit
from exactonline_console.worklist import GROUPS, URGENT, Wanted, Worklist

DAYS_AHEAD = 7
APPROVE_ALL = "approve-all"


@dataclass(frozen=True, slots=True)
class Login:
    """A login that a person has to renew."""

    connection: str
    days: int | None
    """None when nobody is logged in, or Exact takes the login no longer."""


def show(visit: Visit) -> Response:
    """A page of the list, in part as the filters say."""
    return _page(visit, None)


def settle(visit: Visit) -> Response:
    """Do what a person says of the customers that are ticked."""
    what, wanted = visit.given("what"), _wanted(visit.given)
    if what == APPROVE_ALL:
        return _approve_all(visit, wanted)
    if what not in WAYS:
        raise ConfigurationError("Choose what to do with the customers.")
    items = Worklist(visit.store, sites(visit), utc_now()).named(visit.given_all("item"), wanted.division)
    if not items:
        raise ConfigurationError("Tick the customers first.")
    picked = {name: value for name, value in visit.form.items() if name.startswith("pick.") and isinstance(value, str)}
    settled = _decisions(visit).settle(what, items, reason=visit.given("reason")[:500], picked=picked)
    for item in items:
        visit.note(what, f"{item.code}, {', '.join(str(place.division) for place in item.places)}")
    return _after(visit, settled)


def _approve_all(visit: Visit, wanted: Wanted) -> Response:
    plans = Worklist(visit.store, sites(visit), utc_now()).plans_to_approve(wanted.division)
    settled = _decisions(visit).approve_plans(plans)
    visit.note("approve", ", ".join(str(division) for _, division in plans))
    return _after(visit, settled)


def _after(visit: Visit, settled: Settled) -> Response:
    if settled.left or settled.unclear:
        return _page(visit, settled)
    filters = {name: visit.given(name) for name in ("group", "company", "search") if visit.given(name)}
    return visit.go("/waiting", done="settled", **filters)


def needs(visit: Visit) -> dict[str, int]:
    """How many customers wait in each group, for the start page; groups without any are left out."""
    found = Worklist(visit.store, sites(visit), utc_now()).counts()
    return {name: found[name] for name in URGENT if found[name]}


def logins(visit: Visit) -> list[Login]:
    """The logins that a person has to renew soon."""
    found = []
    for one in registered(visit.project):
        settings = one.settings(visit.project.store_url)
        days, look = looks.days_left(settings, visit.store), looks.remembered(one.name, settings, visit.store)
        if look is not None and look.is_login_needed:
            days = None
        if days is None or days < DAYS_AHEAD:
            found.append(Login(one.name, days))
    return found


def sites(visit: Visit) -> list[str]:
    """The sites of all connections, each once."""
    settings = [one.settings(visit.project.store_url) for one in registered(visit.project)]
    return list(dict.fromkeys(one.base_url for one in settings))


def _page(visit: Visit, settled: Settled | None) -> Response:
    wanted = _wanted(visit.given if settled else visit.asked)
    worklist = Worklist(visit.store, sites(visit), utc_now())
    page = worklist.page(wanted, page_number(visit))
    decisions = _decisions(visit)
    candidates = {
        pick_id(item, place): decisions.candidates(item, place)
        for item in page.items
        if item.group == "decide" and item.entity == ACCOUNTS.stream
        for place in item.places
    }
    shown = {item.group for item in page.items}
    return visit.page(
        "waiting.html",
        page=page,
        wanted=wanted,
        counts=worklist.counts(wanted.division),
        groups=GROUPS,
        companies=worklist.companies(),
        logins=logins(visit),
        candidates=candidates,
        pick_id=pick_id,
        ways=[way for way, groups in WAYS.items() if shown & set(groups)],
        settled=settled,
        jobs=jobs.saved(visit.project),
        sites={one.code: one.site for one in companies_in_reach(visit)},
    )


def _wanted(value: Callable[[str], str]) -> Wanted:
    group, company = value("group"), value("company")
    return Wanted(
        group if group in GROUPS else None,
        int(company) if company.isdigit() and len(company) < 12 else None,
        value("search")[:100] or None,
    )


def _decisions(visit: Visit) -> Decisions:
    return Decisions(visit.store, sites(visit), visit.user, four_eyes=jobs.four_eyes(visit.project))
