"""Proof before the first write: asks Exact for what a run needs, and changes nothing there.

It costs a call per connection and one per 60 divisions that it lists, two per division that is to be read, and four per
division that is to be written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from exactonline_client.client import ExactClient
from exactonline_client.connections import Connections, Reached, placed
from exactonline_client.divisions import ACTIVE, Division, Use, misnamed, why_unfit
from exactonline_client.entities import ACCOUNTS, DELETIONS
from exactonline_client.errors import ConfigurationError, ExactError
from exactonline_client.readiness import DivisionFinding, Finding, LoginFinding, Readiness, StoreFinding
from exactonline_client.retries import Method
from exactonline_client.standing import Standing, standing_of
from exactonline_client.store import Store

SIDE_BY_SIDE = 8
WRITES: tuple[Method, ...] = ("POST", "PUT")
LastWrite = Callable[[str, int], "datetime | None"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What a few calls showed of a division's accounts."""

    sees_accounts: bool | None = None
    calls_left_today: int | None = None
    may_write: bool | None = None
    """Whether the user may create and change accounts, by Exact's own word; None if it did not say."""
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
    are_all_listed = all(one.mark == "ok" for one in findings)
    if targets is None:
        left_out = {*sources, *excluded}
        targets = [code for code, one in sorted(divisions.items()) if one.status == ACTIVE and code not in left_out]
    wanted: list[tuple[Use, int]] = [*(("source", one) for one in sources), *(("target", one) for one in targets)]
    wrong_names = misnamed(divisions, expected)
    fit = {code for use, code in wanted if not why_unfit(use, code, divisions)}
    written = {code for use, code in wanted if use == "target"}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        seen = pool.map(lambda code: _look_into(reach[code].client, code, is_written=code in written), fit)
        sights = dict(zip(fit, seen, strict=True))
    for use, code in wanted:
        problem = why_unfit(use, code, divisions) or wrong_names.pop(code, None)
        if code not in reach and not are_all_listed:
            problem = f"The {use} division {code} could not be looked up: mend the login above first."
        findings.append(_division(use, code, reach.get(code), sights.get(code, Sight()), problem, last_write))
    return Readiness(findings, next(iter(wrong_names.values()), None))


def _login(standing: Standing) -> LoginFinding:
    days = None if standing.login_ends_in is None else standing.login_ends_in.days
    return LoginFinding(standing.connection, standing.user, len(standing.divisions), days, standing.problem)


def _look_into(client: ExactClient, division: int, *, is_written: bool) -> Sight:
    """Ask for accounts and deletions as a run does; an answer without any proves nothing: so does a missing right."""
    try:
        page = client.run(client.page(ACCOUNTS, division, select=("ID",), after=0))
        client.run(client.page(DELETIONS, division, select=("EntityKey", "Timestamp"), after=0))
        rights = [client.run(client.has_right(ACCOUNTS, division, action)) for action in WRITES] if is_written else []
    except ExactError as error:
        return Sight(problem=str(error))
    may_write = False if False in rights else True if rights and all(rights) else None
    left = client.budgets.calls_left_today(division, client.now())
    return Sight(bool(page.rows), left, may_write, None if may_write is not False else _may_not_write(division))


def _may_not_write(division: int) -> str:
    return (
        f"The user of this login may not write accounts in division {division}, as Exact itself says: give the user "
        "that right in Exact Online, or take the division off the targets."
    )


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
        may_write=sight.may_write,
    )
