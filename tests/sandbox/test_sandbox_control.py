"""Control calls, the journal, and what it keeps to itself."""

import json
import threading

import pytest
from exact_http import ANYONE, Exact, trade
from sandbox_driver import AUTHORIZATION_CODE, REDIRECT_URI, SECRETS, Sandbox, customer, small_world


def test_the_journal_tells_each_call_in_order(sandbox: Sandbox, exact: Exact) -> None:
    exact.get("100/crm/Accounts", top="1")
    exact.post(201, {"Name": "Nieuw", "Email": "x"})

    token, read, write = sandbox.journal()

    assert (token["method"], token["endpoint"], token["status"]) == ("POST", "oauth2/token", 200)
    assert (read["division"], read["endpoint"], read["body"]) == (100, "crm/Accounts", None)
    assert read["target"].endswith("/api/v1/100/crm/Accounts?%24top=1")
    assert (write["status"], write["error"]) == (500, "Ongeldig: Email")
    assert write["body"] == {"Name": "Nieuw", "Email": "x"}
    assert (write["user"], write["overlapped"]) == ("Anna de Boer", False)


def test_endpoints_are_named_in_their_official_spelling(sandbox: Sandbox, exact: Exact) -> None:
    exact.get("100//CRM/accounts(guid'00000000-0000-0000-0000-000000000000')")
    exact.get("Current/ME")

    assert [call["endpoint"] for call in sandbox.journal()[1:]] == ["crm/Accounts", "current/Me"]


def test_no_secret_ever_reaches_the_journal(sandbox: Sandbox, exact: Exact) -> None:
    again = trade(sandbox.url, code=AUTHORIZATION_CODE, redirect_uri=REDIRECT_URI).json()
    ANYONE.get(f"{sandbox.url}/api/v1/current/Me?access_token=leak-1&code=leak-2&client_secret=leak-3")

    told = json.dumps(sandbox.journal()) + json.dumps(sandbox.tokens())

    issued = [exact.tokens["access_token"], exact.tokens["refresh_token"], again["refresh_token"]]
    assert not [secret for secret in (*SECRETS, *issued, "leak-") if secret in told]


def test_the_journal_is_filtered_summed_up_and_emptied(sandbox: Sandbox, exact: Exact) -> None:
    exact.rows("100/crm/Accounts")
    exact.rows("100/crm/Accounts")
    exact.rows("201/sync/CRM/Accounts")

    summary = ANYONE.get(f"{sandbox.url}/_sandbox/journal?summary=1").json()

    assert {"division": 100, "method": "GET", "endpoint": "crm/Accounts", "calls": 2} in summary["calls"]
    assert summary["total"] == 4
    assert (sandbox.calls(), sandbox.calls(exclude_token=False)) == (3, 4)
    assert len(sandbox.journal(division=100)) == 2
    assert len(sandbox.journal(since=3, endpoint="sync/CRM/Accounts")) == 1
    sandbox.forget_calls()
    assert sandbox.journal() == []


def test_requests_side_by_side_in_one_division_are_marked(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(latency_ms=100)
    threads = [
        threading.Thread(target=exact.get, args=(f"{division}/system/Divisions",)) for division in (100, 100, 201)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    exact.get("100/system/Divisions")

    marks = [(call["division"], call["overlapped"]) for call in sandbox.journal()[1:]]
    assert sorted(marks[:3]) == [(100, False), (100, True), (201, False)]
    assert marks[3] == (100, False)


def test_a_person_edits_adds_and_removes_past_all_rules(sandbox: Sandbox) -> None:
    edited = sandbox.edit(100, "1", Email="not an address", EndDate="2026-12-31")
    sandbox.seed(201, [customer(5), {"Code": "6", "Name": "Zes", "Created": "2020-01-01T10:00:00"}])
    sandbox.remove(100, "2")

    assert (edited["Email"], edited["EndDate"]) == ("not an address", "2026-12-31T00:00:00")
    assert sandbox.codes(201) == ["5", "6"]
    assert sandbox.account(201, "6")["Created"] == "2020-01-01T10:00:00"
    assert sandbox.codes(100) == ["1", "3"]
    assert sandbox.journal() == []


def test_a_reset_forgets_everything_and_starts_the_world_over(sandbox: Sandbox, exact: Exact) -> None:
    before = sandbox.accounts(100)
    exact.post(100, {"Name": "Nieuw"})
    sandbox.advance(1000)
    sandbox.fault("503")

    sandbox.reset(small_world())

    assert [row["ID"] for row in sandbox.accounts(100)] == [row["ID"] for row in before]
    assert sandbox.journal() == []
    assert exact.get("100/crm/Accounts").status_code == 401
    assert ANYONE.get(f"{sandbox.url}/_sandbox/clock").json()["offset_seconds"] == pytest.approx(0, abs=1)
    assert Exact(sandbox).get("100/crm/Accounts").status_code == 200


def test_a_world_that_is_wrong_is_refused_and_changes_nothing(sandbox: Sandbox) -> None:
    good = small_world()
    wrong = [
        {**good, "planets": []},
        {**good, "accounts": {"999": []}},
        {**good, "accounts": {"100": [{"Name": "without a code"}]}},
        {**good, "accounts": {"100": [{"Code": "1", "Colour": "red"}]}},
        {**good, "limits": {"per_century": 1}},
        {**good, "timezone": "Mars/Olympus"},
        {**good, "now": "2026-01-01T00:00:00"},
    ]

    answers = [ANYONE.post(f"{sandbox.url}/_sandbox/reset", json=world) for world in wrong]

    assert [answer.status_code for answer in answers] == [400] * len(wrong)
    assert "per_century" in answers[4].json()["error"]
    assert sandbox.codes(100) == ["1", "2", "3"]


def test_the_world_can_be_read_back(sandbox: Sandbox) -> None:
    sandbox.limits(per_minute=7)

    world = ANYONE.get(f"{sandbox.url}/_sandbox/world").json()

    assert world["limits"] == {"enabled": False, "per_minute": 7}
    assert world["accounts"] == small_world()["accounts"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "accounts/999"), ("DELETE", "accounts/100/77"), ("POST", "move/999"), ("GET", "nonsense")],
)
def test_controlling_what_is_not_there_is_a_404(sandbox: Sandbox, method: str, path: str) -> None:
    assert ANYONE.request(method, f"{sandbox.url}/_sandbox/{path}").status_code == 404


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"advance_seconds": "later"}'])
def test_a_control_call_that_makes_no_sense_is_a_400(sandbox: Sandbox, body: bytes) -> None:
    assert ANYONE.post(f"{sandbox.url}/_sandbox/clock", content=body).status_code == 400
