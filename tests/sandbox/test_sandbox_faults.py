"""Faults: what goes wrong, when, and what is true afterwards."""

from typing import Any

import httpx
import pytest
from exact_http import ANYONE, Exact, message, trade
from sandbox_driver import REFRESH_TOKEN, Sandbox, small_world

NEW = {"Name": "Nieuw", "Code": "9"}


def test_a_lost_answer_leaves_the_change(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("lost_answer", method="POST", endpoint="crm/Accounts")

    with pytest.raises(httpx.RemoteProtocolError):
        exact.post(201, NEW)

    assert sandbox.codes(201) == ["9"]
    (call,) = sandbox.journal(division=201)
    assert (call["status"], call["fault"]) == (201, "lost_answer")


def test_a_reset_before_leaves_nothing(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("reset_before", method="POST")

    with pytest.raises(httpx.ReadError):
        exact.post(201, NEW)

    assert sandbox.codes(201) == []
    (call,) = sandbox.journal(division=201)
    assert (call["status"], call["fault"]) == (None, "reset_before")
    assert exact.post(201, NEW).status_code == 201


def test_a_truncated_body_ends_in_the_middle(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("truncated_body")

    with pytest.raises(httpx.RemoteProtocolError):
        exact.get("100/crm/Accounts")


def test_a_wrong_content_length_cuts_the_json(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("wrong_content_length")

    answer = exact.get("100/crm/Accounts")

    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        answer.json()
    assert exact.get("100/crm/Accounts").status_code == 200


@pytest.mark.parametrize(("kind", "applied", "codes"), [("garbage_json", True, ["9"]), ("html_body", False, [])])
def test_an_answer_may_be_nonsense_after_the_change_or_without_it(
    sandbox: Sandbox, exact: Exact, kind: str, applied: bool, codes: list[str]
) -> None:
    sandbox.fault(kind, method="POST", applied=applied)

    answer = exact.post(201, NEW)

    with pytest.raises(ValueError, match=r"Expecting|control"):
        answer.json()
    assert sandbox.codes(201) == codes


def test_a_real_fault_is_a_500_in_exacts_words(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("fault_500")

    answer = exact.post(201, NEW)

    assert answer.status_code == 500
    assert message(answer).startswith("A problem has occurred.")
    assert sandbox.codes(201) == []


def test_any_status_and_body_may_be_ordered(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("status", status=408, body="slow down", headers={"Retry-After": "7"})
    sandbox.fault("503")

    first, second = exact.get("100/crm/Accounts"), exact.get("100/crm/Accounts")

    assert (first.status_code, first.text, first.headers["Retry-After"]) == (408, "slow down", "7")
    assert second.status_code == 503


def test_a_slow_answer_comes_after_the_change(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("slow", seconds=2, method="POST")

    with pytest.raises(httpx.ReadTimeout):
        exact.http.post("/api/v1/201/crm/Accounts", json=NEW, timeout=0.2)

    assert sandbox.codes(201) == ["9"]


@pytest.mark.parametrize(
    ("kind", "header"), [("429_minute", "X-RateLimit-Minutely-Reset"), ("429_day", "X-RateLimit-Reset")]
)
def test_a_window_used_up_by_others_stays_so_until_it_passes(sandbox: Sandbox, kind: str, header: str) -> None:
    sandbox.reset(small_world(limits={"enabled": True, "token_seconds": 1_000_000}, now="2026-03-01T12:00:10Z"))
    exact = Exact(sandbox)
    sandbox.fault(kind)

    first, second = exact.get("100/crm/Accounts"), exact.get("100/crm/Accounts")
    sandbox.advance(86_400)

    assert (first.status_code, second.status_code) == (429, 429)
    assert header in first.headers
    assert first.content == b""
    assert exact.get("100/crm/Accounts").status_code == 200


def test_a_429_may_come_without_headers(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.fault("429_no_headers")

    refused = exact.get("100/crm/Accounts")

    assert refused.status_code == 429
    assert not [name for name in refused.headers if name.lower().startswith("x-ratelimit")]
    assert exact.get("100/crm/Accounts").status_code == 200


def test_the_error_rule_may_strike_at_once(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"enabled": True}))
    exact = Exact(sandbox)
    sandbox.fault("error_block", method="POST")

    answers = [exact.post(201, NEW), exact.post(201, NEW), exact.post(202, NEW)]

    assert [answer.status_code for answer in answers] == [429, 429, 201]


def test_a_lost_token_answer_spends_the_token(sandbox: Sandbox) -> None:
    sandbox.fault("token_lost_answer")

    with pytest.raises(httpx.RemoteProtocolError):
        trade(sandbox.url, refresh_token=REFRESH_TOKEN)

    assert trade(sandbox.url, refresh_token=REFRESH_TOKEN).status_code == 401
    assert [token["presented"] for token in sandbox.tokens()] == [2, 0]


@pytest.mark.parametrize(
    ("when", "statuses"),
    [
        ({"nth": 3}, [200, 200, 503, 200, 200, 200]),
        ({"nth": 3, "times": 2}, [200, 200, 503, 503, 200, 200]),
        ({"every": 2}, [200, 503, 200, 503, 200, 503]),
        ({"every": 2, "times": 1}, [200, 503, 200, 200, 200, 200]),
        ({"times": 3}, [503, 503, 503, 200, 200, 200]),
        ({"division": 201}, [200] * 6),
        ({"method": "POST"}, [200] * 6),
        ({"endpoint": "system/divisions"}, [503, 200, 200, 200, 200, 200]),
        ({"contains": "$select=Code"}, [200] * 6),
    ],
)
def test_a_fault_strikes_when_it_should(
    sandbox: Sandbox, exact: Exact, when: dict[str, Any], statuses: list[int]
) -> None:
    sandbox.fault("503", **when)

    assert [exact.get("100/system/Divisions").status_code for _ in range(6)] == statuses


def test_chance_is_the_same_for_the_same_seed(sandbox: Sandbox, exact: Exact) -> None:
    def run() -> list[int]:
        sandbox.clear_faults()
        sandbox.fault("503", probability=0.5, seed=7)
        return [exact.get("100/system/Divisions").status_code for _ in range(20)]

    first = run()

    assert set(first) == {200, 503}
    assert run() == first


def test_a_fault_that_is_none_is_refused(sandbox: Sandbox) -> None:
    for fault in ({"kind": "earthquake"}, {"kind": "503", "wenn": 1}):
        answer = ANYONE.post(f"{sandbox.url}/_sandbox/faults", json={"faults": [fault]})

        assert answer.status_code == 400
    assert ANYONE.get(f"{sandbox.url}/_sandbox/faults").json() == {"faults": []}


@pytest.mark.parametrize("when", [{"times": 0}, {"every": 0}, {"nth": 0}])
def test_an_order_that_could_never_strike_is_refused(sandbox: Sandbox, when: dict[str, int]) -> None:
    with pytest.raises(AssertionError, match="count from 1"):
        sandbox.fault("503", **when)
