"""What is not imitated is refused with 501, and the answer names it."""

import pytest
from exact_http import Exact, message


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/v1/100/crm/Documents", "crm/Documents"),
        ("/api/v1/100/crm/Opportunities", "crm/Opportunities"),
        ("/api/v1/100/$metadata", "$metadata"),
        ("/api/v1/100/crm/$batch", "$batch"),
        ("/api/v1/100/webhooks/WebhookSubscriptions", "webhooks/WebhookSubscriptions"),
        ("/api/v1/100/crm/Accounts(guid'00000000-0000-0000-0000-000000000000')/Name", "/Name"),
        ("/api/v1/100/sync/CRM/Accounts(5L)", "sync/CRM/Accounts with a key"),
        ("/api/v1/current/Nonsense", "Nonsense"),
        ("/docs/XMLUpload.aspx?Topic=Accounts&_Division_=100", "XMLUpload.aspx"),
        ("/favicon.ico", "/favicon.ico"),
        ("/api/v1/100/crm/Accounts?$format=json", "$format"),
        ("/api/v1/100/crm/Accounts?$expand=MainContact", "$expand=MainContact"),
        ("/api/v1/100/crm/Accounts?$filter=not (Name eq 'x')", "operator not"),
        ("/api/v1/100/crm/Accounts?$filter=IsAccountant add 1 eq 2", "operator add"),
        ("/api/v1/100/crm/Accounts?$filter=tolower(Name) eq 'x'", "function tolower()"),
        ("/api/v1/100/crm/Accounts?$filter=IsAccountant eq 1.5M", "literal 1.5M"),
        ("/api/v1/100/crm/Accounts?$filter=Name eq binary'00'", "literal binary'"),
        ("/api/v1/100/sync/CRM/Accounts?$orderby=Name", "$orderby"),
        ("/api/v1/100/read/sync/Sync/SyncTimestamp?modified=datetime'2026-01-01'&endPoint='Items'", "SyncTimestamp"),
    ],
)
def test_a_get_that_is_not_known_is_named(exact: Exact, path: str, named: str) -> None:
    answer = exact.http.get(path)

    assert answer.status_code == 501
    assert named in message(answer)


@pytest.mark.parametrize("method", ["PATCH", "MERGE", "HEAD", "OPTIONS"])
def test_methods_without_evidence_are_refused(exact: Exact, method: str) -> None:
    assert exact.http.request(method, "/api/v1/100/crm/Accounts").status_code == 501


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/100/sync/CRM/Accounts"),
        ("POST", "/api/v1/100/crm/Accounts(guid'00000000-0000-0000-0000-000000000000')"),
        ("PUT", "/api/v1/100/crm/Accounts"),
        ("DELETE", "/api/v1/100/system/Divisions(201)"),
        ("POST", "/api/v1/current/Me"),
        ("GET", "/api/oauth2/token"),
    ],
)
def test_methods_are_refused_where_they_do_not_belong(exact: Exact, method: str, path: str) -> None:
    assert exact.http.request(method, path, json={}).status_code == 501


@pytest.mark.parametrize(
    "header",
    [
        {"Prefer": "return=minimal"},
        {"X-HTTP-Method": "MERGE"},
        {"If-Match": "*"},
        {"Content-Encoding": "gzip"},
        {"Content-Type": "application/atom+xml"},
    ],
)
def test_headers_that_would_matter_are_refused(exact: Exact, header: dict[str, str]) -> None:
    answer = exact.http.post("/api/v1/201/crm/Accounts", content=b'{"Name": "x"}', headers=header)

    assert answer.status_code == 501
    assert exact.rows("201/crm/Accounts") == []


def test_a_date_with_a_zone_is_refused(exact: Exact) -> None:
    answer = exact.post(201, {"Name": "x", "EndDate": "2026-01-01T00:00:00Z"})

    assert (answer.status_code, "zone" in message(answer)) == (501, True)


def test_bank_accounts_may_be_expanded_and_are_none(exact: Exact) -> None:
    (row,) = exact.rows("100/crm/Accounts", expand="BankAccounts", top="1")

    assert row["BankAccounts"] == {"results": []}
