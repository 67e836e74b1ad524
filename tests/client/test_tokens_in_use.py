"""An access token that Exact still accepts goes on while there is no newer one, and nobody waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from exactonline_client.client import ExactClient
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.tokens import TokenSet, TokenStore
from login_driver import TOKEN, Time, clients, token_calls
from sandbox_driver import REFRESH_TOKEN, Sandbox

Connect = Callable[..., ExactClient]


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
def ending(connect: Connect, time: Time, sandbox: Sandbox) -> str:
    """An access token that is good for 15 seconds more."""
    token = connect().login.access_token()
    time.pass_by(585)
    sandbox.forget_calls()
    return token


@pytest.mark.parametrize("fault", ["fault_500", "429_no_headers", "reset_before", "503"])
def test_the_access_token_in_use_goes_on_rather_than_that_anybody_waits(
    connect: Connect, sandbox: Sandbox, time: Time, ending: str, fault: str
) -> None:
    sandbox.fault(fault, endpoint=TOKEN)
    client = connect()

    assert [client.login.access_token() for _ in range(5)] == [ending] * 5
    assert (len(token_calls(sandbox)), time.slept) == (1, [])


def test_it_goes_on_when_the_token_requests_of_the_day_are_made(
    connect: Connect, settings: Settings, sandbox: Sandbox, time: Time, ending: str
) -> None:
    with Store.open(settings.store_url) as store:
        count = TokenStore.of(store, settings).count
        while count.today(time.now()) < 200:
            count.add(time.now())

    assert connect().login.access_token() == ending
    assert token_calls(sandbox) == []


def test_it_goes_on_when_the_site_cannot_be_reached(
    settings: Settings, connect: Connect, time: Time, ending: str
) -> None:
    nowhere = "http://127.0.0.1:1"
    with Store.open(settings.store_url) as store:
        at = time.now() - timedelta(seconds=585)
        pair = TokenSet(ending, "good", at, at + timedelta(seconds=600))
        TokenStore(store, nowhere, settings.client_id).log_in(pair, REFRESH_TOKEN)

    assert connect(base_url=nowhere).login.access_token() == ending


def test_a_refresh_that_is_too_early_is_not_asked_for_with_each_call(
    connect: Connect, sandbox: Sandbox, time: Time
) -> None:
    sandbox.limits(enabled=True)
    client = connect()
    token = client.login.access_token()
    time.pass_here(585)

    assert [client.login.access_token() for _ in range(5)] == [token] * 5
    assert token_calls(sandbox) == [200, 400]


def test_a_401_that_was_one_of_a_kind_is_not_waited_for(connect: Connect, sandbox: Sandbox, time: Time) -> None:
    sandbox.limits(enabled=True)
    client = connect()
    client.login.access_token()
    sandbox.fault("status", status=401, endpoint="current/Me")

    me = client.run(client.me())

    assert (me.name, time.slept) == ("Anna de Boer", [])
    assert token_calls(sandbox) == [200, 400]


def test_a_refresh_that_is_too_early_leaves_a_token_in_use_that_is_still_good(
    connect: Connect, sandbox: Sandbox, time: Time
) -> None:
    sandbox.limits(enabled=True)
    client = connect()
    token = client.login.access_token()
    time.pass_here(585)

    assert client.login.access_token() == token
    assert token_calls(sandbox) == [200, 400]
