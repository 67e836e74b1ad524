"""Dossier 6: consent, codes and tokens."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from exact_http import ANYONE, Exact, trade
from sandbox_driver import (
    AUTHORIZATION_CODE,
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    REFRESH_TOKEN,
    Sandbox,
    small_world,
)

STRICT = {"enabled": True, "per_minute": 1000}


@pytest.fixture
def strict(sandbox: Sandbox) -> Sandbox:
    sandbox.reset(small_world(limits=STRICT))
    return sandbox


def consent(sandbox: Sandbox, **changed: str) -> httpx.Response:
    asked = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI, "response_type": "code", "force_login": "0"}
    return ANYONE.get(f"{sandbox.url}/api/oauth2/auth", params={**asked, **changed})


def code_in(answer: httpx.Response) -> str:
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_a_token_answer_counts_its_seconds_in_a_text(sandbox: Sandbox) -> None:
    answer = trade(sandbox.url, refresh_token=REFRESH_TOKEN).json()

    assert answer["expires_in"] == "600"
    assert answer["token_type"] == "Bearer"
    assert answer["refresh_token"] != REFRESH_TOKEN


def test_each_refresh_token_works_once(strict: Sandbox) -> None:
    first = trade(strict.url, refresh_token=REFRESH_TOKEN)

    again = trade(strict.url, refresh_token=REFRESH_TOKEN)

    assert first.status_code == 200
    assert again.status_code == 401
    assert again.json() == {"error": "unauthorized_client", "error_description": "Old refresh token used."}
    assert [token["presented"] for token in strict.tokens()] == [2, 0]


def test_a_refresh_before_570_seconds_is_refused_and_the_token_stays_good(strict: Sandbox) -> None:
    fresh = trade(strict.url, refresh_token=REFRESH_TOKEN).json()["refresh_token"]
    strict.advance(565)

    early = trade(strict.url, refresh_token=fresh)
    strict.advance(6)
    in_time = trade(strict.url, refresh_token=fresh)

    assert early.status_code == 400
    assert early.json() == {
        "error": "access_denied",
        "error_description": "Rate limit exceeded: access_token not expired",
    }
    assert early.headers["Reason"].startswith("TooEarlyToRefreshTokens: Rate limit exceeded")
    assert in_time.status_code == 200


def test_the_older_answer_to_an_early_refresh_is_a_switch(strict: Sandbox) -> None:
    strict.limits(early_refresh_status=401)
    fresh = trade(strict.url, refresh_token=REFRESH_TOKEN).json()["refresh_token"]

    assert trade(strict.url, refresh_token=fresh).status_code == 401


def test_without_limits_a_token_may_be_refreshed_at_once(sandbox: Sandbox) -> None:
    fresh = trade(sandbox.url, refresh_token=REFRESH_TOKEN).json()["refresh_token"]

    assert trade(sandbox.url, refresh_token=fresh).status_code == 200


def test_a_refresh_token_expires_after_thirty_days(strict: Sandbox) -> None:
    strict.advance(31 * 86_400)

    answer = trade(strict.url, refresh_token=REFRESH_TOKEN)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert answer.json()["error_description"].startswith("The refresh token expired at ")


def test_a_new_consent_breaks_the_old_chain(strict: Sandbox) -> None:
    trade(strict.url, code=AUTHORIZATION_CODE, redirect_uri=REDIRECT_URI)

    answer = trade(strict.url, refresh_token=REFRESH_TOKEN)

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "Token is not allowed, because of invalid or empty chainId",
    }


@pytest.mark.parametrize(
    "form", [{"client_secret": "stale"}, {"client_id": "other"}, {"refresh_token": "x"}, {"grant_type": ""}]
)
def test_anything_malformed_is_an_invalid_request(strict: Sandbox, form: dict[str, str]) -> None:
    answer = trade(strict.url, **{"refresh_token": REFRESH_TOKEN, **form})

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


def test_no_more_than_200_token_calls_a_day(strict: Sandbox) -> None:
    strict.limits(token_calls_per_day=2)
    answers = [trade(strict.url, refresh_token=REFRESH_TOKEN).status_code for _ in range(3)]
    strict.advance(86_400)

    assert answers == [200, 401, 400]
    assert trade(strict.url, refresh_token=REFRESH_TOKEN).status_code == 401


def test_basic_authentication_works_and_a_bearer_header_does_not(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/api/oauth2/token"
    form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}

    bearer = ANYONE.post(url, data=form, headers={"Authorization": "Bearer x"})
    basic = ANYONE.post(url, data=form, auth=(CLIENT_ID, CLIENT_SECRET))

    assert (bearer.status_code, basic.status_code) == (401, 200)


def test_an_access_token_lives_ten_minutes(strict: Sandbox) -> None:
    exact = Exact(strict)
    strict.advance(599)
    before = exact.get("current/Me").status_code
    strict.advance(2)

    after = exact.get("100/system/Divisions")

    assert before == 200
    assert after.status_code == 401
    assert "access%20token%20expired" in after.headers["WWW-Authenticate"]


def test_no_token_or_a_made_up_one_is_a_401(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/api/v1/current/Me"

    without = ANYONE.get(url)
    made_up = ANYONE.get(url, headers={"Authorization": "Bearer made-up"})

    assert (without.status_code, made_up.status_code) == (401, 401)
    assert "message%20expired" in made_up.headers["WWW-Authenticate"]


def test_consent_is_asked_on_a_page_and_given_by_a_button(sandbox: Sandbox) -> None:
    page = consent(sandbox, state="s&1")

    given = ANYONE.post(
        f"{sandbox.url}/api/oauth2/auth",
        data={
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "state": "s&1",
            "_user": "Anna de Boer",
        },
    )

    assert 'value="Anna de Boer"' in page.text
    assert given.status_code == 302
    assert given.headers["location"].startswith(REDIRECT_URI + "?code=")
    assert parse_qs(urlsplit(given.headers["location"]).query)["state"] == ["s&1"]
    assert trade(sandbox.url, code=code_in(given), redirect_uri=REDIRECT_URI).status_code == 200


def test_a_code_works_once_and_for_three_minutes(sandbox: Sandbox) -> None:
    used, late = (code_in(consent(sandbox, _user="anna@example.com")) for _ in range(2))
    first = trade(sandbox.url, code=used, redirect_uri=REDIRECT_URI)
    second = trade(sandbox.url, code=used, redirect_uri=REDIRECT_URI)
    sandbox.advance(181)

    third = trade(sandbox.url, code=late, redirect_uri=REDIRECT_URI)

    assert [first.status_code, second.status_code, third.status_code] == [200, 400, 400]


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://example.com/other"},
        {"redirect_uri": "http://example.com/callback"},
        {"client_id": "stranger"},
        {"response_type": ""},
    ],
)
def test_consent_needs_the_registered_address_and_app(sandbox: Sandbox, changed: dict[str, str]) -> None:
    assert consent(sandbox, _user="Anna de Boer", **changed).status_code == 400


def test_what_is_not_imitated_in_oauth_says_so(sandbox: Sandbox) -> None:
    assert consent(sandbox, response_type="token").status_code == 501
    assert trade(sandbox.url, grant_type="password").status_code == 501
