"""Two processes on one store of tokens, at a real sandbox."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from exactonline_client.client import ExactClient
from exactonline_client.errors import ExactError, LoginNeededError, RefreshOutcomeUnknownError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenStore
from login_driver import TOKEN, Time, clients, presented, token_calls
from sandbox_driver import Sandbox, small_world
from warm_start import BIN

Connect = Callable[..., ExactClient]

PROGRAM = """
import json, sys
from exactonline_client.client import ExactClient
from exactonline_client.settings import Settings
from exactonline_client.store import Store

settings = Settings.from_config(json.loads(sys.argv[1]))
with Store.open(settings.store_url) as store, ExactClient(settings, store, program="test") as client:
    print("ready", flush=True)
    sys.stdin.readline()
    for rejected in sys.argv[2:]:
        client.login.renew(rejected)
    print(client.login.access_token())
"""


def tokens_of_two_processes(config: dict[str, Any], *rejected: str) -> list[str]:
    """The access tokens of two processes that ask at the same time, after this one was rejected."""
    both = [
        subprocess.Popen(
            [BIN / "python", "-c", PROGRAM, json.dumps(config), *rejected],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [process.communicate(timeout=60)[0].strip() for process in both]


def test_two_processes_that_log_in_at_once_spend_one_refresh_token(any_store_url: str, sandbox: Sandbox) -> None:
    one, other = tokens_of_two_processes(sandbox.config(store_url=any_store_url))

    assert one == other != ""
    assert [token["presented"] for token in sandbox.tokens()] == [1, 0]


def test_two_processes_whose_token_was_rejected_renew_it_once(any_store_url: str, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"token_seconds": 5}))
    config = sandbox.config(store_url=any_store_url)
    rejected = access_token(config)
    sandbox.advance(6)

    one, other = tokens_of_two_processes(config, rejected)

    assert one == other != rejected
    assert [token["presented"] for token in sandbox.tokens()] == [1, 1, 0]


def test_a_refresh_of_another_machine_is_seen_before_an_own_one(any_store_url: str, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(limits={"token_seconds": 5}))
    config = sandbox.config(store_url=any_store_url)
    settings = Settings.from_config(config)
    with Store.open(any_store_url) as store, ExactClient(settings, store, program="test") as here:
        old = here.login.access_token()
        with Store.open(any_store_url) as elsewhere, ExactClient(settings, elsewhere, program="test") as there:
            there.login.access_token()
            there.login.renew(old)

        here.login.renew(old)

        kept = TokenStore(store, sandbox.url, settings.client_id).get()
    assert kept is not None
    assert here.login.access_token() == kept.tokens.access_token != old
    assert max(token["presented"] for token in sandbox.tokens()) == 1


def access_token(config: dict[str, Any]) -> str:
    settings = Settings.from_config(config)
    with Store.open(settings.store_url) as store, ExactClient(settings, store, program="test") as client:
        return client.login.access_token()


# A refresh whose outcome nobody knows


@pytest.fixture
def time(sandbox: Sandbox) -> Time:
    return Time(sandbox)


@pytest.fixture
def settings(sandbox: Sandbox, any_store_url: str) -> Settings:
    return Settings.from_config(sandbox.config(store_url=any_store_url))


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


def test_a_refresh_whose_process_died_is_made_by_the_next_one_after_a_pause(
    connect: Connect, settings: Settings, sandbox: Sandbox, time: Time, worked: str
) -> None:
    with Store.open(settings.store_url) as store:
        TokenStore.of(store, settings).begin_refresh(time.now())

    assert connect().login.access_token() != worked
    assert token_calls(sandbox) == [200]
    assert time.slept == [2]


def test_two_answers_that_say_nothing_end_no_login_and_say_when_the_token_is_presented_again(
    connect: Connect, sandbox: Sandbox, time: Time, worked: str
) -> None:
    sandbox.fault("status", status=502, endpoint=TOKEN, times=2)

    with pytest.raises(RefreshOutcomeUnknownError) as told:
        connect().login.access_token()
    with pytest.raises(RefreshOutcomeUnknownError):
        connect().login.access_token()

    assert not isinstance(told.value, LoginNeededError)
    assert "HTTP 502" in str(told.value)
    assert "2 times in a row" in str(told.value)
    assert "nobody has to log in" in str(told.value)
    assert token_calls(sandbox) == [502, 502]
    time.pass_by((told.value.until - time.now()).total_seconds())
    assert connect().login.access_token() != worked


def test_those_that_waited_for_the_lock_do_not_present_it_again_before_the_pause_is_over(
    connect: Connect, sandbox: Sandbox, worked: str
) -> None:
    sandbox.fault("fault_500", endpoint=TOKEN, every=1)
    waiting = [connect() for _ in range(4)]
    errors: list[ExactError] = []

    def ask(client: ExactClient) -> None:
        try:
            client.login.access_token()
        except ExactError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(client,)) for client in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert worked
    assert [type(error) for error in errors] == [RefreshOutcomeUnknownError] * 4
    assert token_calls(sandbox) == [500, 500]


def test_a_login_is_needed_where_the_next_process_learns_that_exact_took_the_token_of_the_one_that_died(
    connect: Connect, settings: Settings, sandbox: Sandbox, time: Time, worked: str
) -> None:
    sandbox.fault("token_lost_answer")
    with Store.open(settings.store_url) as store:
        tokens = TokenStore.of(store, settings)
        kept = tokens.get()
        assert kept is not None
        tokens.begin_refresh(time.now())
    form = {"grant_type": "refresh_token", "refresh_token": kept.tokens.refresh_token}
    app = {"client_id": settings.client_id, "client_secret": settings.client_secret}
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{sandbox.url}/api/oauth2/token", data={**form, **app})

    for _ in range(2):
        with pytest.raises(LoginNeededError, match=r"Old refresh token used\..*its answer was lost.*consent again"):
            connect().login.access_token()

    assert worked
    assert presented(sandbox) == [1, 3, 0]
