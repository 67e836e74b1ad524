"""Dossier 7: the clock minute, the day, and the error rule."""

import httpx
import pytest
from exact_http import Exact
from sandbox_driver import Sandbox, small_world

MINUTE = ("X-RateLimit-Minutely-Limit", "X-RateLimit-Minutely-Remaining", "X-RateLimit-Minutely-Reset")
DAY = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
NOON = "2026-03-01T12:00:10Z"
NOON_MS = 1_772_366_400_000


def limited(sandbox: Sandbox, **limits: float) -> Exact:
    sandbox.reset(small_world(limits={"enabled": True, **limits}, now=NOON))
    return Exact(sandbox)


def numbers(answer: httpx.Response, names: tuple[str, str, str]) -> list[int]:
    return [int(answer.headers[name]) for name in names]


def statuses(exact: Exact, path: str, calls: int) -> list[int]:
    return [exact.get(path).status_code for _ in range(calls)]


def test_every_answer_tells_what_is_left_and_when_it_resets(sandbox: Sandbox) -> None:
    exact = limited(sandbox)

    answer = exact.get("100/crm/Accounts", filter="broken")

    assert answer.status_code == 400
    assert numbers(answer, MINUTE) == [60, 59, NOON_MS + 60_000]
    assert numbers(answer, DAY) == [5000, 4999, NOON_MS + 12 * 3_600_000]


def test_the_sixty_first_call_in_a_clock_minute_is_a_429_with_its_own_headers_only(sandbox: Sandbox) -> None:
    exact = limited(sandbox)
    answers = statuses(exact, "100/system/Divisions", 60)

    refused = exact.get("100/system/Divisions")
    elsewhere = exact.get("201/system/Divisions")
    sandbox.advance(50)
    later = exact.get("100/system/Divisions")

    assert set(answers) == {200}
    assert (refused.status_code, refused.content) == (429, b"")
    assert numbers(refused, MINUTE) == [60, 0, NOON_MS + 60_000]
    assert not set(DAY) & set(refused.headers)
    assert (elsewhere.status_code, later.status_code) == (200, 200)
    assert numbers(later, DAY)[1] == 5000 - 61


def test_a_spent_day_is_a_429_with_the_day_headers_until_midnight_utc(sandbox: Sandbox) -> None:
    exact = limited(sandbox, per_day=2, token_seconds=100_000)
    answers = statuses(exact, "100/system/Divisions", 3)

    refused = exact.get("100/system/Divisions")
    sandbox.set_clock("2026-03-02T00:00:00Z")

    assert answers == [200, 200, 429]
    assert numbers(refused, DAY) == [2, 0, NOON_MS + 12 * 3_600_000]
    assert not {name.lower() for name in MINUTE} & {name.lower() for name in refused.headers}
    assert exact.get("100/system/Divisions").status_code == 200


def test_a_429_may_come_without_headers_by_a_switch(sandbox: Sandbox) -> None:
    exact = limited(sandbox, per_minute=1)
    sandbox.limits(rate_headers_on_429="none")

    refused = [exact.get("100/system/Divisions") for _ in range(2)][1]

    assert refused.status_code == 429
    assert not [name for name in refused.headers if name.lower().startswith("x-ratelimit")]


def test_the_end_of_the_minute_may_be_left_out(sandbox: Sandbox) -> None:
    exact = limited(sandbox, per_minute=1)
    sandbox.limits(minutely_reset="missing")

    answers = [exact.get("100/system/Divisions") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    for answer in answers:
        assert (MINUTE[1] in answer.headers, MINUTE[2] in answer.headers) == (True, False)


def test_a_minute_and_a_day_may_be_short(sandbox: Sandbox) -> None:
    exact = limited(sandbox, minute_seconds=2, day_seconds=20)

    answer = exact.get("100/system/Divisions")

    assert numbers(answer, MINUTE)[2] == NOON_MS + 12_000
    assert numbers(answer, DAY)[2] == NOON_MS + 20_000


def test_me_costs_nothing(sandbox: Sandbox) -> None:
    exact = limited(sandbox, per_minute=1)

    answers = [exact.get("current/Me") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not [name for name in answers[0].headers if name.lower().startswith("x-ratelimit")]


def test_lifted_limits_tell_of_a_million(exact: Exact) -> None:
    answer = exact.get("100/system/Divisions")

    assert numbers(answer, MINUTE)[:2] == [1_000_000, 999_999]


def test_more_than_ten_errors_block_that_endpoint_for_an_hour_after_the_last(sandbox: Sandbox) -> None:
    exact = limited(sandbox, token_seconds=10_000)
    broken = "100/crm/Accounts(guid'00000000-0000-0000-0000-000000000000')"
    answers = statuses(exact, broken, 11)
    sandbox.advance(60)

    blocked = exact.get("100/crm/Accounts")
    others = [exact.get("100/sync/CRM/Accounts").status_code, exact.get("201/crm/Accounts").status_code]
    sandbox.advance(3500)
    still = exact.get("100/crm/Accounts").status_code
    sandbox.advance(60)

    assert answers == [404] * 11
    assert (blocked.status_code, blocked.content) == (429, b"")
    assert not [name for name in blocked.headers if name.lower().startswith("x-ratelimit")]
    assert others == [200, 200]
    assert still == 429
    assert exact.get("100/crm/Accounts").status_code == 200


def test_ten_errors_in_an_hour_are_allowed_and_500_is_none(sandbox: Sandbox) -> None:
    exact = limited(sandbox)
    for _ in range(12):
        assert exact.post(100, {}).status_code == 500
    errors = [exact.get("100/crm/Accounts", filter="x").status_code for _ in range(10)]

    assert errors == [400] * 10
    assert exact.get("100/crm/Accounts").status_code == 200


@pytest.mark.parametrize("changes", [{"per_hour": 1}, {"foreign_guid": "sometimes"}])
def test_unknown_limits_and_switches_are_refused(sandbox: Sandbox, changes: dict[str, object]) -> None:
    answer = httpx.post(f"{sandbox.url}/_sandbox/limits", json=changes)

    assert answer.status_code == 400
