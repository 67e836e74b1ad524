"""Dossier 6.x and 7.1: the scopes of an app, the rights of a user, the limit of a contract."""

from xml.etree import ElementTree as ET

import pytest
from exact_http import Exact, message
from sandbox_driver import CLIENT_ID, Sandbox, small_world

NOON = "2026-03-01T12:00:10Z"
VIOLATED = "Forbidden - Application Scope Violated. Cannot {} '{}' scope."
WITHOUT_ADMINISTRATION = ["crm.accounts", "financial.accounting"]
RIGHTS = "201/users/UserHasRights?endpoint='crm/BankAccounts'&action='{}'"


def limited(sandbox: Sandbox, **limits: float) -> Exact:
    sandbox.reset(
        small_world(limits={"enabled": True, "token_seconds": 1_000_000, "per_minute": 1000, **limits}, now=NOON)
    )
    return Exact(sandbox)


@pytest.mark.parametrize(
    "path",
    [
        "system/Divisions",
        "system/AllDivisions",
        "system/GetMostRecentlyUsedDivisions",
        "sync/Deleted",
        "users/UserHasRights?endpoint='crm/Accounts'&action='GET'",
        "read/sync/Sync/SyncTimestamp?modified=datetime'2026-01-01'&endPoint='Accounts'",
    ],
)
def test_an_app_without_a_scope_is_refused_in_words_that_name_it(sandbox: Sandbox, exact: Exact, path: str) -> None:
    before = exact.get(f"100/{path}").status_code
    sandbox.change_app(scopes=WITHOUT_ADMINISTRATION)

    refused = exact.get(f"100/{path}")

    assert (before, refused.status_code) == (200, 403)
    assert message(refused) == VIOLATED.format("read", "organization.administration")
    assert "Reason" not in refused.headers
    assert exact.get("100/sync/CRM/Accounts").status_code == 200
    assert exact.get("current/Me").status_code == 200


def test_a_scope_may_be_only_to_read(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.change_app(scopes=["crm.accounts:read"])

    read, written = exact.get("201/crm/Accounts"), exact.post(201, {"Name": "Nieuw"})

    assert read.status_code == 200
    assert (written.status_code, message(written)) == (403, VIOLATED.format("write", "crm.accounts"))
    assert sandbox.codes(201) == []


def test_a_refusal_by_scope_counts_as_an_error(sandbox: Sandbox) -> None:
    exact = limited(sandbox)
    sandbox.change_app(scopes=[])

    statuses = [exact.get("100/sync/Deleted").status_code for _ in range(12)]
    sandbox.change_app(scopes=None)

    assert statuses == [403] * 11 + [429]
    assert exact.get("100/system/Divisions").status_code == 200


def test_a_scope_that_is_none_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(AssertionError, match="no scope called crm"):
        sandbox.change_app(scopes=["crm"])


@pytest.mark.parametrize("action", ["POST", "PUT", "DELETE"])
def test_rights_are_told_without_a_write(sandbox: Sandbox, exact: Exact, action: str) -> None:
    before = exact.get(RIGHTS.format(action)).json()
    sandbox.change_division(201, rights={"write_accounts": False})

    after, reading = exact.get(RIGHTS.format(action)).json(), exact.get(RIGHTS.format("GET")).json()

    assert before == {"d": {"UserHasRights": True}}
    assert after == {"d": {"UserHasRights": False}}
    assert reading == {"d": {"UserHasRights": True}}


def test_rights_in_xml(exact: Exact) -> None:
    answer = exact.http.get(f"/api/v1/{RIGHTS.format('POST')}", headers={"Accept": "*/*"})

    assert ET.fromstring(answer.content).text == "true"  # noqa: S314 - the sandbox wrote it


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("endpoint='crm/Accounts'", 400),
        ("endpoint=crm/Accounts&action='POST'", 400),
        ("endpoint='crm/Quotations'&action='POST'", 501),
        ("endpoint='crm/Accounts'&action='PATCH'", 501),
    ],
)
def test_other_questions_about_rights_are_refused(exact: Exact, query: str, status: int) -> None:
    assert exact.http.get(f"/api/v1/201/users/UserHasRights?{query}").status_code == status


def test_the_five_divisions_used_last_are_listed(sandbox: Sandbox) -> None:
    targets = tuple(range(201, 208))
    sandbox.reset(small_world(targets=targets))
    exact = Exact(sandbox)
    for division in (207, 203, 201, 205, 203, 202):
        exact.get(f"{division}/crm/Accounts", top="1")

    rows = exact.rows("204/system/GetMostRecentlyUsedDivisions")

    assert [row["Code"] for row in rows] == [201, 202, 203, 204, 205]
    assert [row["Code"] for row in rows if row["Current"]] == [204]
    assert "DivisionMoveDate" not in rows[0]


@pytest.mark.parametrize(
    ("form", "status", "headers"),
    [
        ("bare", 429, {}),
        ("day_headers", 429, {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "0"}),
        ("calls_left", 429, {"X-RateLimit-Limit": "5000", "X-RateLimit-Minutely-Limit": "1000"}),
        ("forbidden", 403, {"X-RateLimit-Limit": "5000"}),
    ],
)
def test_a_contract_has_so_many_calls_a_day_over_all_its_companies(
    sandbox: Sandbox, form: str, status: int, headers: dict[str, str]
) -> None:
    exact = limited(sandbox, per_day_contract=5)
    sandbox.limits(contract_refusal=form)

    answers = [exact.get(f"{division}/crm/Accounts") for division in (100, 201, 202, 203, 100, 201)]
    written = exact.post(202, {"Name": "Nieuw"})
    me = exact.get("current/Me")
    sandbox.set_clock("2026-03-02T00:00:00Z")
    next_day = exact.get("201/crm/Accounts")

    assert [answer.status_code for answer in answers] == [200] * 5 + [status]
    assert (written.status_code, sandbox.codes(202)) == (status, [])
    assert (me.status_code, next_day.status_code) == (200, 200)
    limits = {name: value for name, value in answers[5].headers.items() if name.lower().startswith("x-ratelimit")}
    assert {name.lower(): value for name, value in headers.items()}.items() <= limits.items()
    assert bool(limits) == bool(headers)
    assert [(day["calls"], day["refused"]) for day in sandbox.contract()] == [(5, 2), (1, 0)]


def test_refusals_of_a_contract_are_in_the_journal(sandbox: Sandbox) -> None:
    exact = limited(sandbox, per_day_contract=1)
    for division in (201, 202):
        exact.get(f"{division}/crm/Accounts")

    (refused,) = sandbox.journal(division=202)

    assert (refused["status"], refused["error"]) == (429, "contract limit")


def test_a_contract_is_counted_also_where_limits_are_lifted(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(per_day_contract=1)

    statuses = [exact.get("201/crm/Accounts").status_code for _ in range(3)]

    assert statuses == [200] * 3
    (day,) = sandbox.contract(CLIENT_ID)
    assert (day["calls"], day["refused"]) == (3, 0)
