"""Guessing passwords: counted before they are checked, one at a time, slower and slower, and nobody is locked out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from unittest import mock

import argon2
import httpx
import pytest
from console_driver import Here, Visitor
from exactonline_client.errors import TryLaterError
from exactonline_client.store import Store
from exactonline_console import tables, users
from exactonline_console.attempts import (
    FREE_OF_NAME,
    FREE_OF_PLACE,
    LONGEST_OF_NAME,
    LONGEST_OF_PLACE,
    next_of_name,
    next_of_place,
    place_of,
)
from exactonline_console.pages import entrance
from exactonline_console.security import device_mark, device_of, doors
from exactonline_console.users import Users
from target_exactonline.store import tables as target_tables

PASSWORD = "correct horse battery"
NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
PROXY = "127.0.0.1"


class Clock:
    """The time of the page, which stands still but for what a test says."""

    def __init__(self) -> None:
        self._began = datetime.now(timezone.utc)
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return self._began + self.ahead


@pytest.fixture
def clock() -> Iterator[Clock]:
    moved = Clock()
    with mock.patch.object(users, "utc_now", moved), mock.patch.object(entrance, "utc_now", moved):
        yield moved


class Attempts:
    """The passwords that were hashed, and how many at a time."""

    def __init__(self) -> None:
        self.checked = 0
        self.most_at_once = 0
        self._now = 0
        self._mutex = threading.Lock()
        self._verify = argon2.PasswordHasher.verify

    def verify(self, hasher: argon2.PasswordHasher, kept: str, password: str) -> bool:
        with self._mutex:
            self.checked += 1
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            return self._verify(hasher, kept, password)
        finally:
            with self._mutex:
                self._now -= 1


@pytest.fixture
def attempts() -> Iterator[Attempts]:
    seen = Attempts()

    def verify(hasher: argon2.PasswordHasher, kept: str, password: str) -> bool:
        return seen.verify(hasher, kept, password)

    with mock.patch.object(argon2.PasswordHasher, "verify", verify):
        yield seen


@pytest.fixture(autouse=True)
def _quick_hashes() -> Iterator[None]:
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    with mock.patch.object(users, "PasswordHasher", lambda: quick):
        yield


@pytest.fixture
def guarded(page: Here) -> Here:
    """A page that asks anna for a password."""
    with page.store() as store:
        Users(store).put("anna", PASSWORD)
    return page


def tries(
    page: Here, password: str, name: str = "anna", come_from: str | None = None, browser: Visitor | None = None
) -> httpx.Response:
    visitor = browser or Visitor(page.url)
    token = re.search(r'name="csrf" value="(\w+)"', visitor.get("/login").text)
    assert token
    headers = {"Origin": page.url, **({"X-Forwarded-For": come_from} if come_from else {})}
    return visitor.http.post("/login", data={"csrf": token[1], "name": name, "password": password}, headers=headers)


def test_of_many_guesses_at_a_time_no_more_are_checked_than_one_after_the_other(
    guarded: Here, attempts: Attempts, clock: Clock
) -> None:
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda number: tries(guarded, f"guess {number}"), range(24)))

    assert attempts.checked <= FREE_OF_PLACE
    assert attempts.most_at_once == 1
    assert {answer.status_code for answer in answers} == {401, 429}


def test_from_many_addresses_too_one_is_checked_at_a_time_and_the_page_answers_others(
    serve: Callable[..., Here], attempts: Attempts
) -> None:
    page = serve(proxies=(PROXY,))
    with page.store() as store:
        Users(store).put("anna", PASSWORD)
    with ThreadPoolExecutor(24) as pool:
        answers = [pool.submit(tries, page, "guess", f"name {number}", f"10.0.0.{number}") for number in range(24)]
        assert httpx.get(f"{page.url}/login").status_code == 200

    assert {answer.result().status_code for answer in answers} <= {401, 429}
    assert attempts.most_at_once == 1


def test_after_some_failures_the_next_attempt_has_to_wait_and_then_gets_in(guarded: Here, clock: Clock) -> None:
    for _ in range(FREE_OF_PLACE):
        assert tries(guarded, "wrong").status_code == 401

    early = tries(guarded, PASSWORD)
    assert early.status_code == 429
    assert "Too many attempts failed. Wait 1 second" in early.text
    assert early.headers["retry-after"] == "1"
    clock.ahead = timedelta(seconds=2)
    assert tries(guarded, PASSWORD).status_code == 303


def test_a_dutch_visitor_is_told_in_dutch(guarded: Here, clock: Clock) -> None:
    for _ in range(FREE_OF_PLACE):
        tries(guarded, "wrong")

    said = tries(guarded, PASSWORD, browser=Visitor(guarded.url, headers={"Accept-Language": "nl"})).text

    assert "Te veel pogingen mislukten. Wacht 1 seconde" in said


def test_guesses_of_others_keep_nobody_away_from_where_he_logged_in_before(guarded: Here, clock: Clock) -> None:
    home = Visitor(guarded.url)
    assert tries(guarded, PASSWORD, browser=home).status_code == 303
    home.http.cookies.delete("exactonline_session")
    for _ in range(FREE_OF_PLACE + 1):
        tries(guarded, "wrong")
    assert tries(guarded, PASSWORD).status_code == 429

    assert tries(guarded, PASSWORD, browser=home).status_code == 303


def test_a_browser_of_one_user_vouches_for_no_other() -> None:
    mark = device_mark(b"key", "anna", "n")

    assert device_of(mark, b"key", "anna") == "n"
    assert device_of(mark, b"key", "jan") is None
    assert device_of(mark, b"other", "anna") is None
    assert device_of("", b"key", "anna") is None


def test_in_a_browser_that_is_known_guesses_are_slowed_down_too(guarded: Here, clock: Clock) -> None:
    home = Visitor(guarded.url)
    tries(guarded, PASSWORD, browser=home)
    home.http.cookies.delete("exactonline_session")

    answers = [tries(guarded, "wrong", browser=home).status_code for _ in range(FREE_OF_PLACE + 1)]

    assert answers == [401] * FREE_OF_PLACE + [429]


def test_behind_a_named_proxy_everybody_has_an_address_of_his_own(serve: Callable[..., Here], clock: Clock) -> None:
    page = serve(proxies=(PROXY,))
    with page.store() as store:
        Users(store).put("anna", PASSWORD)
    for _ in range(FREE_OF_PLACE):
        tries(page, "wrong", "nobody", "10.0.0.6")

    assert tries(page, PASSWORD, come_from="10.0.0.6").status_code == 429
    assert tries(page, PASSWORD, come_from="10.0.0.6, 10.0.0.7").status_code == 303


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.2", "1.1.1.1, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.2", "192.0.2.7, 10.0.0.3", "192.0.2.7"),
        ("10.0.0.2", "10.0.0.3", "10.0.0.3"),
        ("192.0.2.9", "192.0.2.7", "192.0.2.9"),
    ],
)
def test_only_a_named_proxy_is_believed_about_where_somebody_comes_from(
    peer: str, forwarded: str, address: str
) -> None:
    ways = doors("10.0.0.1", 8066, proxies=("10.0.0.2", "10.0.0.3"), has_users=True)

    assert ways.address_of(peer, forwarded) == address


def test_without_a_named_proxy_nobody_is_believed() -> None:
    assert doors("127.0.0.1", 8066).address_of("127.0.0.1", "192.0.2.7") == "127.0.0.1"


def test_a_machine_with_a_whole_network_of_addresses_is_one_place() -> None:
    assert place_of("2001:db8::1") == place_of("2001:db8::ffff") != place_of("2001:db8:0:1::1")
    assert place_of("192.0.2.7") == "192.0.2.7"
    assert place_of("unix socket") == "unix socket"


def test_waits_grow_and_end() -> None:
    waits = [(next_of_place([NOW] * count) or NOW) - NOW for count in (0, FREE_OF_PLACE - 1, FREE_OF_PLACE, 8, 500)]

    assert waits == [timedelta(0), timedelta(0), timedelta(seconds=1), timedelta(seconds=8), LONGEST_OF_PLACE]
    assert next_of_name([NOW] * (FREE_OF_NAME - 1)) is None
    assert next_of_name([NOW] * 500) == NOW + LONGEST_OF_NAME


def test_attempts_are_counted_in_postgresql_too(postgres_url: str, clock: Clock) -> None:
    with Store.open(postgres_url, target_tables.metadata, tables.metadata) as store:
        Users(store).put("anna", PASSWORD)
        for _ in range(FREE_OF_PLACE):
            assert Users(store).log_in("anna", "wrong", "192.0.2.7") is None

        with pytest.raises(TryLaterError):
            Users(store).log_in("anna", PASSWORD, "192.0.2.7")
        assert Users(store).log_in("anna", PASSWORD, "192.0.2.8")
