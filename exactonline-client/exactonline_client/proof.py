"""Proof before the first write: asks Exact for what a run needs, and changes nothing there.

It costs a call per connection, one per 60 divisions that it lists, and one per division that is to be read or written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from exactonline_client.client import ExactClient
from exactonline_client.connections import Connections, Reached, placed
from exactonline_client.divisions import ACTIVE, Division, Use, misnamed, why_unfit
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError, ExactError
from exactonline_client.readiness import DivisionFinding, Finding, LoginFinding, Readiness, StoreFinding
from exactonline_client.standing import Standing, standing_of
from exactonline_client.store import Store

SIDE_BY_SIDE = 8
LastWrite = Callable[[str, int], "datetime | None"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What one call showed of a division's accounts."""

    sees_accounts: bool | None = None
    calls_left_today: int | None = None
    problem: str | None = None


def prove(
    connections: Connections,
    store: Store,
    *,
    sources: Collection[int],
    targets: Collection[int] | None,
    excluded: Collection[int] = (),
    expected: Mapping[str, str],
    last_write: LastWrite,
) -> Readiness:
    """Whether a run from these divisions into those can start; what fails is told, not raised.

    Args:
        targets: None for every active division but the sources and those that are excluded.
        last_write: From site and division to when a write there last succeeded, as far as this store knows.
    """
    findings: list[Finding] = [StoreFinding(store.address, tuple(store.versions))]
    reached: list[Reached] = []
    for client in connections.clients:
        standing = standing_of(client, store)
        findings.append(_login(standing))
        reached += [Reached(division, client) for division in standing.divisions]
    try:
        reach = placed(reached)
    except ConfigurationError as error:
        return Readiness(findings, str(error))
    divisions = {code: one.division for code, one in reach.items()}
    if targets is None:
        left_out = {*sources, *excluded}
        targets = [code for code, one in sorted(divisions.items()) if one.status == ACTIVE and code not in left_out]
    wanted: list[tuple[Use, int]] = [*(("source", one) for one in sources), *(("target", one) for one in targets)]
    wrong_names = misnamed(divisions, expected)
    fit = {code for use, code in wanted if not why_unfit(use, code, divisions)}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        sights = dict(zip(fit, pool.map(lambda code: _look_into(reach[code].client, code), fit), strict=True))
    for use, code in wanted:
        problem = why_unfit(use, code, divisions) or wrong_names.pop(code, None)
        findings.append(_division(use, code, reach.get(code), sights.get(code, Sight()), problem, last_write))
    return Readiness(findings, next(iter(wrong_names.values()), None))


def _login(standing: Standing) -> LoginFinding:
    days = None if standing.login_ends_in is None else standing.login_ends_in.days
    return LoginFinding(standing.connection, standing.user, len(standing.divisions), days, standing.problem)


def _look_into(client: ExactClient, division: int) -> Sight:
    """Ask for the accounts as a run does; an answer without any proves nothing, since so does a missing right."""
    try:
        page = client.run(client.page(ACCOUNTS, division, select=("ID",), after=0))
    except ExactError as error:
        return Sight(problem=str(error))
    return Sight(bool(page.rows), client.budgets.calls_left_today(division, client.now()))


def _division(
    use: Use, code: int, reached: Reached | None, sight: Sight, problem: str | None, last_write: LastWrite
) -> DivisionFinding:
    division = reached.division if reached else Division(code, "", "", ACTIVE, 0, None)
    settings = reached.client.settings if reached else None
    return DivisionFinding(
        use,
        code,
        division.name,
        division.country,
        settings.name if settings else "",
        division.state if reached else "",
        sight.sees_accounts,
        last_write(settings.base_url, code) if settings and use == "target" else None,
        sight.calls_left_today,
        problem or sight.problem,
    )
