"""The rotating tokens against a sandbox over HTTP: refreshed once, and stored before use."""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from exactonline_client.client import ExactClient
from exactonline_client.errors import (
    ConfigurationError,
    LoginNeededError,
    NobodyLoggedInError,
    TryLaterError,
    UnexpectedReplyError,
)
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from login_driver import Time, clients, consent, presented, token_calls
from sandbox_driver import CLIENT_SECRET, REFRESH_TOKEN, Sandbox
from warm_start import BIN

LOG_IN = """
import hashlib, json, sys
from exactonline_client.client import ExactClient
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenSet, TokenStore

settings = Settings.from_config(json.loads(sys.argv[1]))
client = ExactClient(settings, Store.open(settings.store_url), program="test")
print("ready", flush=True)
sys.stdin.readline()
print(hashlib.sha256(client.login.access_token().encode()).hexdigest())
"""


@pytest.fixture
def time(sandbox: Sandbox) -> Time:
    return Time(sandbox)


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Settings:
    return Settings.from_config(sandbox.config(store_url=f"sqlite:///{tmp_path / 'store.db'}"))


@pytest.fixture
def connect(settings: Settings, time: Time) -> Iterator[Callable[..., ExactClient]]:
    """A client with a connection to the store of its own, as another process has."""
    with clients(settings, time) as make:
        yield make


def data_calls(sandbox: Sandbox) -> list[int]:
    return [call["status"] for call in sandbox.journal(endpoint="current/Me")]


def test_the_first_token_is_used_once_and_what_it_brought_serves_all_later_clients(
    connect: Callable[..., ExactClient], sandbox: Sandbox
) -> None:
    token = connect().login.access_token()

    assert connect().login.access_token() == token
    assert connect(refresh_token=None).login.access_token() == token
    assert presented(sandbox) == [1, 0]


def test_each_refresh_uses_the_token_of_the_one_before(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time
) -> None:
    tokens = set()
    for _ in range(3):
        tokens.add(connect().login.access_token())
        time.pass_by(590)

    assert len(tokens) == 3
    assert presented(sandbox) == [1, 1, 1, 0]


@pytest.mark.parametrize("expires_in_as", ["string", "number"])
def test_a_token_serves_until_shortly_before_its_end(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time, expires_in_as: str
) -> None:
    sandbox.limits(expires_in_as=expires_in_as)
    client = connect()
    token = client.login.access_token()

    time.pass_by(575)
    assert client.login.access_token() == token
    time.pass_by(10)
    assert client.login.access_token() != token
    assert token_calls(sandbox) == [200, 200]


def test_two_processes_refresh_once(settings: Settings, sandbox: Sandbox) -> None:
    config = json.dumps(sandbox.config(store_url=settings.store_url))
    command = [BIN / "python", "-c", LOG_IN, config]
    with ExitStack() as stack:
        both = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(2)
        ]
        for process in both:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in both:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        shown = [process.communicate(timeout=60)[0] for process in both]

    assert len(set(shown)) == 1
    assert len(shown[0].strip()) == len(hashlib.sha256().hexdigest())
    assert token_calls(sandbox) == [200]


def test_many_threads_refresh_once(connect: Callable[..., ExactClient], sandbox: Sandbox) -> None:
    client = connect()
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(client.login.access_token())) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(tokens), len(set(tokens))) == (8, 1)
    assert token_calls(sandbox) == [200]


def test_a_token_that_another_process_renewed_is_taken_over(
    connect: Callable[..., ExactClient], sandbox: Sandbox
) -> None:
    ours, theirs = connect(), connect()
    old = ours.login.access_token()
    assert theirs.login.access_token() == old
    theirs.login.renew(old)

    ours.login.renew(old)

    assert ours.login.access_token() == theirs.login.access_token() != old
    assert token_calls(sandbox) == [200, 200]


def test_a_401_in_the_middle_of_its_life_is_mended_once(connect: Callable[..., ExactClient], sandbox: Sandbox) -> None:
    client = connect()
    client.login.access_token()
    sandbox.fault("status", status=401, endpoint="current/Me")

    me = client.run(client.me())

    assert me.name == "Anna de Boer"
    assert data_calls(sandbox) == [401, 200]
    assert token_calls(sandbox) == [200, 200]


def test_a_second_401_in_a_row_asks_neither_for_consent_nor_for_a_third_token(
    connect: Callable[..., ExactClient], sandbox: Sandbox
) -> None:
    sandbox.fault("status", status=401, endpoint="current/Me", times=9)
    client = connect()

    with pytest.raises(UnexpectedReplyError, match=r"had just given out .*The stored login is kept") as told:
        client.run(client.me())

    assert (told.value.scope, told.value.status) == ("site", 401)
    assert data_calls(sandbox) == [401, 401]
    assert token_calls(sandbox) == [200, 200]


def test_a_token_of_another_process_that_has_ended_as_well_is_renewed(
    connect: Callable[..., ExactClient], sandbox: Sandbox
) -> None:
    ours, theirs = connect(), connect()
    theirs.login.renew(ours.login.access_token())
    sandbox.advance(601)

    me = ours.run(ours.me())

    assert me.name == "Anna de Boer"
    assert data_calls(sandbox) == [401, 401, 200]
    assert token_calls(sandbox) == [200, 200, 200]


@pytest.mark.parametrize("status", [400, 401])
def test_a_refresh_that_is_too_early_is_tried_again_until_its_time_has_come(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time, status: int
) -> None:
    sandbox.limits(enabled=True, early_refresh_status=status)
    client = connect()
    client.login.access_token()
    sandbox.fault("status", status=401, endpoint="current/Me", every=1, times=2)

    me = client.run(client.me())

    assert me.name == "Anna de Boer"
    assert 540 < sum(time.slept) < 620
    first, *early, last = token_calls(sandbox)
    assert (first, set(early), last) == (200, {status}, 200)
    assert len(early) <= 3  # the time is known, so there is no knocking meanwhile


def test_a_refresh_that_is_too_early_says_when_to_come_back(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time
) -> None:
    sandbox.limits(enabled=True)
    client = connect()
    token = client.login.access_token()

    with pytest.raises(TryLaterError) as told:
        client.login.renew(token)

    assert time.now() < told.value.until < time.now() + timedelta(seconds=600)


def test_a_refresh_that_died_before_its_request_went_out_is_not_taken_for_an_interrupted_one(
    connect: Callable[..., ExactClient], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("exactonline_client.oauth.Request", None)  # the last that is made before it is sent
        with pytest.raises(TypeError):
            connect().login.access_token()

    assert connect().login.access_token()
    assert token_calls(sandbox) == [200]


def test_new_consent_mends_a_chain_that_was_lost(connect: Callable[..., ExactClient], sandbox: Sandbox) -> None:
    sandbox.fault("token_lost_answer")
    with pytest.raises(LoginNeededError):
        connect().login.access_token()
    new = consent(sandbox)

    client = connect(refresh_token=new)

    assert client.run(client.me()).name == "Anna de Boer"
    assert connect(refresh_token=new).login.access_token() == client.login.access_token()


@pytest.mark.parametrize("status", [429, 503])
def test_a_token_endpoint_that_is_busy_is_asked_again_with_the_same_token(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time, status: int
) -> None:
    sandbox.fault("status", status=status, endpoint="oauth2/token")
    client = connect()

    me = client.run(client.me())

    assert me.name == "Anna de Boer"
    assert token_calls(sandbox) == [status, 200]
    assert sum(time.slept) >= 29


@pytest.mark.parametrize(("status", "endpoint"), [(429, "oauth2/token"), (503, "oauth2/token"), (503, "current/Me")])
def test_a_wait_that_exact_asks_for_is_kept(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time, status: int, endpoint: str
) -> None:
    sandbox.fault("status", status=status, endpoint=endpoint, headers={"Retry-After": "95"})
    client = connect()

    assert client.run(client.me()).name == "Anna de Boer"
    assert [round(seconds) for seconds in time.slept] == [95]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_a_run_does_not_sit_out_ends_it_and_says_until_when(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time, status: int
) -> None:
    client = connect()
    client.login.access_token()
    sandbox.fault("status", status=status, endpoint="current/Me", headers={"Retry-After": "7200"})

    with pytest.raises(TryLaterError, match="It goes on after") as told:
        client.run(client.me())

    assert told.value.until > time.now() + timedelta(seconds=7000)
    assert (time.slept, data_calls(sandbox)) == ([], [status])


def test_a_call_without_a_division_is_not_repeated_without_end_while_exact_takes_none(
    connect: Callable[..., ExactClient], sandbox: Sandbox, time: Time
) -> None:
    sandbox.fault("status", status=429, endpoint="current/Me", times=99)
    client = connect()

    with pytest.raises(TryLaterError, match="Exact takes no calls now"):
        client.run(client.me())

    assert [round(seconds) for seconds in time.slept] == [60, 60, 60]
    assert data_calls(sandbox) == [429] * 4


def test_a_token_that_was_used_elsewhere_is_told_in_exact_s_words(
    connect: Callable[..., ExactClient], sandbox: Sandbox, tmp_path: Path
) -> None:
    connect().login.access_token()

    with pytest.raises(LoginNeededError, match=r"Old refresh token used\. .*consent again"):
        connect(store_url=f"sqlite:///{tmp_path / 'another.db'}").login.access_token()

    assert token_calls(sandbox) == [200, 401]


def test_a_wrong_secret_is_named_and_costs_no_token(connect: Callable[..., ExactClient], sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="check client_id and client_secret") as told:
        connect(client_secret="not the one").login.access_token()

    assert "not the one" not in str(told.value)
    assert connect().login.access_token()
    assert presented(sandbox)[0] == 1


def test_without_any_token_it_names_the_command_that_gets_one(
    connect: Callable[..., ExactClient], sandbox: Sandbox
) -> None:
    with pytest.raises(NobodyLoggedInError, match="say `exactonline login`"):
        connect(refresh_token=None).login.access_token()

    assert sandbox.journal() == []


def test_where_there_are_several_connections_the_command_names_this_one(
    connect: Callable[..., ExactClient], sandbox: Sandbox
) -> None:
    sandbox.fault("token_lost_answer")
    for token, told in ((None, "Nobody is logged in at the north"), (REFRESH_TOKEN, "Old refresh token used")):
        with pytest.raises(LoginNeededError, match=rf"{told}.* say `exactonline login --connection 'the north'`"):
            connect(name="the north", refresh_token=token).login.access_token()


def test_when_the_token_requests_of_a_day_are_made_a_run_ends_and_does_not_wait_for_midnight(
    connect: Callable[..., ExactClient], settings: Settings, time: Time, sandbox: Sandbox
) -> None:
    time.pass_here((12 - time.now().hour) * 3600)
    with Store.open(settings.store_url) as store:
        for _ in range(200):
            TokenStore.of(store, settings).count.add(time.now())
    client = connect()

    with pytest.raises(TryLaterError, match=r"200 token requests a day.* It goes on after .* 00:00:00 UTC"):
        client.run(client.me())

    assert (time.slept, sandbox.journal()) == ([], [])


def test_a_site_that_cannot_be_reached_costs_no_token(connect: Callable[..., ExactClient], time: Time) -> None:
    nowhere = connect(base_url="http://127.0.0.1:1")

    for _ in range(2):
        with pytest.raises(UnexpectedReplyError, match="no connection"):
            nowhere.login.access_token()

    assert time.slept == [1.0, 2.0, 4.0, 8.0] * 2


def test_settings_show_no_secret(settings: Settings) -> None:
    assert not [secret for secret in (REFRESH_TOKEN, CLIENT_SECRET) if secret in repr(settings)]
