"""What a refusal is about, and what is to be done."""

from __future__ import annotations

from typing import Any

import pytest
from exactonline_client.advice import NEEDED_SCOPES, advise, scope_of
from exactonline_client.errors import DivisionRefusedError

SCOPE_TEXT = "Forbidden - Application Scope Violated. Cannot read 'organization.administration' scope."


@pytest.mark.parametrize(
    ("text", "reason", "cause", "words"),
    [
        (SCOPE_TEXT, "", "app_scope", "the scope 'Organization administration': add it to the app"),
        ("Application Scope Violated", "", "app_scope", "the scope 'Crm accounts'"),
        ("Forbidden", "LicenseExpired", "licence", "The licence of this company has ended"),
        ("Forbidden", "DivisionBlocked", "blocked_company", "The company is blocked"),
        ("Forbidden", "BlockedCustomer", "blocked_customer", "holds the contract"),
        ("Forbidden", "BlockedUser", "blocked_user", "have the user released"),
        ("Forbidden", "InactiveUser", "blocked_user", "have the user released"),
        ("", "NoDivisionAccess", "consent", "granted to the app at consent"),
        ("Forbidden - User division is not within division scope.", "", "consent", "granted to the app at consent"),
        ("Wrong Division", "", "consent", "granted to the app at consent"),
        ("Forbidden", "", "right", "Check the rights of the user"),
        ("Forbidden", "Somethingnew", "unknown", "Look up in Exact Online"),
    ],
)
def test_each_cause_has_a_next_step_of_its_own(text: str, reason: str, cause: str, words: str) -> None:
    advice = advise(403, text, reason, "crm/Accounts")

    assert advice.cause == cause
    assert words in advice.next_step


def test_a_missing_scope_is_not_mended_by_a_new_consent() -> None:
    assert "consent" not in advise(403, SCOPE_TEXT, "", "sync/Deleted").next_step


def test_a_401_of_one_company_asks_for_no_new_login() -> None:
    assert "no new login is needed" in advise(401, "", "", "crm/Accounts").next_step


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        ("crm/Accounts", "Crm accounts"),
        ("sync/CRM/Accounts", "Crm accounts"),
        ("sync/Deleted", "Organization administration"),
        ("system/Divisions", "Organization administration"),
        ("users/UserHasRights", "Organization administration"),
        ("vat/VATCodes", "Financial accounting"),
        ("current/Me", ""),
    ],
)
def test_an_endpoint_needs_its_scope(endpoint: str, scope: str) -> None:
    assert scope_of(endpoint) == scope


def test_what_tap_and_target_need_are_scopes_of_their_endpoints() -> None:
    used = ("crm/Accounts", "sync/CRM/Accounts", "sync/Deleted", "system/Divisions", "users/UserHasRights")

    assert {scope_of(endpoint) for endpoint in used} == set(NEEDED_SCOPES)


@pytest.mark.parametrize(
    ("facts", "kind", "scope"),
    [
        ({"reason": "LicenseExpired", "key": "7"}, "no_access", "company"),
        ({"reason": "DivisionBlocked"}, "moving", "company"),
        ({"text": "Forbidden", "key": "7"}, "no_access", "record"),
        ({"text": "Forbidden"}, "no_access", "company"),
        ({"text": "Forbidden", "division": 0, "reason": "BlockedUser"}, "no_access", "site"),
    ],
)
def test_a_refusal_belongs_to_the_smallest_thing_that_explains_it(facts: dict[str, Any], kind: str, scope: str) -> None:
    error = DivisionRefusedError(**{"division": 201, "status": 403, "said": "Forbidden", **facts})

    assert (error.kind, error.scope) == (kind, scope)
