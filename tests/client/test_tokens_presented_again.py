"""A refresh token after an answer that says nothing of it: presented again, and a person only where Exact says so."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from exactonline_client.auth import NEVER
from exactonline_client.client import ExactClient
from exactonline_client.errors import (
    ConfigurationError,
    ExactError,
    LoginNeededError,
    RefreshOutcomeUnknownError,
    TryLaterError,
)
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenSet, TokenStore
from login_driver import TOKEN, Time, clients, presented, token_calls
from sandbox_driver import REFRESH_TOKEN, Sandbox, small_world

Connect = Callable[..., ExactClient]
PAGE = "<!DOCTYPE html><html><body><h1>Exact Online</h1></body></html>"
IN_HTML = {"Content-Type": "text/html"}


def answered(status: int, body: str = "", **headers: str) -> dict[str, Any]:
    """An answer in place of Exact's: the refresh token stays good."""
    return {"kind": "status", "status": status, "body": body, "headers": headers or None}


def refused(status: int, error: str, description: str = "", **headers: str) -> dict[str, Any]:
    body = {"error": error, **({"error_description": description} if description else {})}
    return answered(status, json.dumps(body), **headers)


NOT_TAKEN = {
    "500": {"kind": "fault_500"},
    "500 with an OAuth error": refused(500, "invalid_grant"),
    "502 of a gateway": answered(502, PAGE, **IN_HTML),
    "503": {"kind": "503"},
    "504": answered(504),
    "599 of a proxy": answered(599),
    "408": answered(408),
    "429 without headers": {"kind": "429_no_headers"},
    "404 of a gateway": answered(404, PAGE, **IN_HTML),
    "403 of a firewall": answered(403, PAGE, **IN_HTML),
    "401 without a body": answered(401),
    "400 of a web page": answered(400, PAGE, **IN_HTML),
    "400 with no error in it": answered(400, "{}"),
    "400 with an error of the data API": answered(400, '{"error": {"code": "", "message": {"value": "A problem"}}}'),
    "400 with an unknown code": refused(400, "server_error", "Try again later"),
    "a redirect to a page": answered(302, Location="https://start.exactonline.nl/docs/Maintenance.aspx"),
    "a redirect that keeps the form": answered(307, Location="/api/oauth2/token"),
    "a page with 200": {"kind": "html_body", "applied": False},
    "unreadable JSON with 200": {"kind": "garbage_json", "applied": False},
    "nothing with 200": answered(200),
    "204": answered(204),
    "an empty object with 200": answered(200, "{}"),
    "a list with 200": answered(200, "[]"),
    "no refresh token with 200": answered(200, '{"access_token": "a", "token_type": "Bearer", "expires_in": "600"}'),
    "no texts for tokens with 200": answered(200, '{"access_token": null, "refresh_token": null, "expires_in": "600"}'),
    "the connection reset before the request": {"kind": "reset_before"},
    "the connection closed before the request": {"kind": "lost_answer", "applied": False},
}
TAKEN = [
    *({"kind": kind} for kind in ("token_lost_answer", "truncated_body", "wrong_content_length", "garbage_json")),
    *({"kind": "status", "status": status, "applied": True} for status in (200, 500, 502)),
]
OLD = {
    "old": refused(401, "unauthorized_client", "Old refresh token used."),
    "another client": refused(400, "unauthorized_client"),
    "expired": refused(400, "invalid_request", "The refresh token expired at 10/11/2022 9:18:20 PM and it is now …"),
    "broken chain": refused(400, "invalid_grant", "Token is not allowed, because of invalid or empty chainId"),
    "consent withdrawn": refused(400, "access_denied", "The user revoked the access of this app."),
    "said in the header": answered(401, "", Reason="Old refresh token used."),
}


@pytest.fixture
def time(sandbox: Sandbox) -> Time:
    return Time(sandbox)


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    return Settings.from_config(sandbox.config(store_url=f"sqlite:///{tmp_path / 'store.db'}"))


@pytest.fixture
def connect(settings: Settings, time: Time) -> Iterator[Connect]:
    with clients(settings, time) as make:
        yield make


@pytest.fixture
def worked(connect: Connect, time: Time, sandbox: Sandbox) -> str:
    """The access token of a login that has worked, and is over; what was called until then is forgotten."""
    token = connect().login.access_token()
    time.pass_by(700)
    sandbox.forget_calls()
    return token


def spoil(sandbox: Sandbox, fault: dict[str, Any], **when: Any) -> None:
    sandbox.fault(**{"endpoint": TOKEN, **{name: value for name, value in fault.items() if value is not None}}, **when)


@pytest.mark.parametrize("fault", NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_a_run_goes_on_after_one_answer_that_says_nothing_of_a_token_that_is_still_good(
    connect: Connect, sandbox: Sandbox, time: Time, worked: str, fault: dict[str, Any]
) -> None:
    spoil(sandbox, fault)
    client = connect()

    me = client.run(client.me())

    assert me.name == "Anna de Boer"
    assert client.login.access_token() != worked
    assert (len(token_calls(sandbox)), token_calls(sandbox)[-1]) == (2, 200)
    assert sum(time.slept) <= 31


@pytest.mark.parametrize("fault", ["fault_500", "503", "reset_before"])
def test_so_does_the_first_run_with_the_refresh_token_of_the_settings(
    connect: Connect, sandbox: Sandbox, fault: str
) -> None:
    spoil(sandbox, {"kind": fault})
    client = connect()

    assert client.run(client.me()).name == "Anna de Boer"
    assert len(token_calls(sandbox)) == 2


def test_the_second_try_comes_after_a_pause_and_under_the_same_lock(
    connect: Connect, sandbox: Sandbox, time: Time, worked: str
) -> None:
    spoil(sandbox, {"kind": "fault_500"})

    assert connect().login.access_token() != worked
    assert time.slept == [2]


def test_a_bare_refusal_of_an_app_that_worked_is_tried_again_before_anybody_checks_the_app(
    connect: Connect, sandbox: Sandbox, worked: str
) -> None:
    spoil(sandbox, refused(400, "invalid_request"), times=3)

    with pytest.raises(ConfigurationError, match="check client_id and client_secret"):
        connect().login.access_token()
    assert token_calls(sandbox) == [400, 400]
    with pytest.raises(ConfigurationError, match="check client_id and client_secret"):
        connect().login.access_token()
    assert connect().login.access_token() != worked


@pytest.mark.parametrize("fault", TAKEN, ids=lambda fault: f"{fault['kind']} {fault.get('status', '')}".strip())
def test_a_login_is_needed_where_exact_replaced_the_token_and_nobody_got_the_new_one(
    connect: Connect, sandbox: Sandbox, worked: str, fault: dict[str, Any]
) -> None:
    spoil(sandbox, fault)

    with pytest.raises(LoginNeededError, match=r"Old refresh token used\..*its answer was lost.*consent again"):
        connect().login.access_token()

    assert worked
    assert presented(sandbox) == [1, 2, 0]


@pytest.mark.parametrize("fault", OLD.values(), ids=OLD)
def test_what_exact_itself_refuses_is_not_presented_a_second_time(
    connect: Connect, sandbox: Sandbox, time: Time, worked: str, fault: dict[str, Any]
) -> None:
    spoil(sandbox, fault)

    with pytest.raises(LoginNeededError, match="consent again") as told:
        connect().login.access_token()

    assert worked
    assert "was lost" not in str(told.value)
    assert (len(token_calls(sandbox)), time.slept) == (1, [])


def test_a_day_without_one_answer_costs_few_of_the_token_requests_and_no_login(
    connect: Connect, sandbox: Sandbox, time: Time, worked: str
) -> None:
    spoil(sandbox, {"kind": "fault_500"}, every=1)
    client = connect()
    end = time.now() + timedelta(days=1)

    while time.now() < end:
        with pytest.raises(RefreshOutcomeUnknownError):
            client.login.access_token()
        time.pass_by(600)  # a run every ten minutes

    assert 24 <= len(token_calls(sandbox)) <= 30
    sandbox.clear_faults()
    time.pass_by(3600)
    assert client.login.access_token() != worked


def test_the_pause_of_a_clock_that_was_wrong_is_not_waited_for(
    connect: Connect, sandbox: Sandbox, time: Time, worked: str
) -> None:
    spoil(sandbox, {"kind": "fault_500"}, times=2)
    time.pass_here(30 * 86400)
    with pytest.raises(RefreshOutcomeUnknownError):
        connect().login.access_token()
    time.pass_here(-30 * 86400)

    assert connect().login.access_token() != worked


# What is no answer to the question whether the token is old


@pytest.mark.parametrize("reason", ["BlockedUser", "InactiveUser", "BlockedCustomer", "LicenseExpired"])
def test_a_user_that_is_shut_out_is_named_and_goes_on_when_that_is_mended(
    connect: Connect, sandbox: Sandbox, worked: str, reason: str
) -> None:
    spoil(sandbox, refused(403, "access_denied", "Forbidden", Reason=reason))

    with pytest.raises(ConfigurationError, match=rf"gives out no tokens \(access_denied: {reason}\)") as told:
        connect().login.access_token()

    assert "log in" not in str(told.value)
    assert connect().login.access_token() != worked


def test_a_201st_token_request_of_another_program_ends_no_login(connect: Connect, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"enabled": True, "token_calls_per_day": 0}))

    with pytest.raises(TryLaterError):
        connect().login.access_token()

    assert token_calls(sandbox) == [400]


def test_a_new_refresh_token_is_not_lost_because_the_life_beside_it_cannot_be_read(
    connect: Connect, settings: Settings, sandbox: Sandbox, worked: str
) -> None:
    spoil(sandbox, answered(200, '{"access_token": "a new one", "refresh_token": "the next", "expires_in": "soon"}'))

    assert connect().login.access_token() == "a new one" != worked

    with Store.open(settings.store_url) as store:
        kept = TokenStore.of(store, settings).get()
    assert kept is not None
    assert kept.tokens.refresh_token == "the next"
    assert kept.tokens.expires_at - kept.tokens.issued_at == timedelta(seconds=600)


# Beside a login that was set aside


def test_a_first_token_is_presented_again_before_the_login_that_worked_is_gone_back_to(
    connect: Connect, settings: Settings, sandbox: Sandbox, time: Time
) -> None:
    connect(refresh_token=REFRESH_TOKEN).login.access_token()
    with Store.open(settings.store_url) as store:
        tokens = TokenStore.of(store, settings)
        kept = tokens.get()
        assert kept is not None
        tokens.log_in(kept.tokens)  # so that the first token is unknown to the store again
        tokens.start("older", TokenSet("", REFRESH_TOKEN, NEVER, NEVER))
    spoil(sandbox, {"kind": "fault_500"})

    assert connect(refresh_token="older").login.access_token() == kept.tokens.access_token
    assert token_calls(sandbox) == [200, 500, 401]
    assert connect(refresh_token="older").login.access_token() == kept.tokens.access_token
    assert token_calls(sandbox) == [200, 500, 401]


# No secret is shown


@pytest.mark.parametrize("field", ["error", "error_description", "Reason"])
@pytest.mark.parametrize(
    "spelt",
    [
        str,
        quote_plus,
        lambda token: re.sub("%..", lambda code: code[0].lower(), quote_plus(token)),
        lambda token: json.dumps(token).replace("/", "\\/"),
    ],
    ids=["plain", "as in a form", "in small letters", "as in JSON"],
)
def test_a_refresh_token_that_the_answer_quotes_is_shown_nowhere(
    connect: Connect, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, field: str, spelt: Callable[[str], str]
) -> None:
    caplog.set_level(logging.DEBUG)
    quoting = f"no such token: {spelt(REFRESH_TOKEN)}."
    words = {"error": "oops", "error_description": "", **({} if field == "Reason" else {field: quoting})}
    headers = {"Reason": quoting} if field == "Reason" else {}
    spoil(sandbox, answered(400, json.dumps(words), **headers), times=2)

    with pytest.raises(ExactError) as told:
        connect().login.access_token()

    shown = f"{told.value}\n{caplog.text}"
    assert "no such token: " in shown
    assert "*****" in shown
    assert "stampnl001" not in shown.lower()
