"""The rotating pair of tokens in a real SQLite file."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from exactonline_client.refreshes import NO_ATTEMPTS, Attempts
from exactonline_client.store import Store
from exactonline_client.tokens import Kept, TokenSet, TokenStore, began_with

NOW = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
LATER = NOW + timedelta(seconds=30)
SITE = "https://start.exactonline.nl"


def pair(number: int, issued_at: datetime = NOW) -> TokenSet:
    return TokenSet(f"access-{number}", f"refresh-{number}", issued_at, issued_at + timedelta(seconds=600))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def tokens(store: Store) -> TokenStore:
    return TokenStore(store, SITE, "app")


def stored_now(url: str, client_id: str = "app") -> Kept | None:
    """What a process that starts now would see."""
    with Store.open(url) as another:
        return TokenStore(another, SITE, client_id).get()


def test_there_is_nothing_before_the_first_login(tokens: TokenStore) -> None:
    assert tokens.get() is None


def test_a_chain_is_seen_by_the_next_process(url: str, tokens: TokenStore) -> None:
    kept = tokens.start("first", pair(1))

    assert stored_now(url) == kept == Kept(pair(1), kept.first_token_hash)


def test_a_new_pair_takes_the_place_of_the_old_one_and_its_chain_goes_on(url: str, tokens: TokenStore) -> None:
    tokens.start("first", pair(1))

    tokens.put(pair(2))

    kept = stored_now(url)
    assert kept is not None
    assert kept.tokens == pair(2)
    assert began_with(kept, "first")


def test_refreshes_that_were_begun_are_counted_until_a_pair_is_stored(url: str, tokens: TokenStore) -> None:
    tokens.start("first", pair(1))

    tokens.begin_refresh(NOW)
    tokens.begin_refresh(LATER)
    begun = stored_now(url)
    tokens.put(pair(2))

    assert begun is not None
    assert (begun.tokens, begun.attempts.unclear, begun.attempts.last_at) == (pair(1), 2, LATER)
    ended = stored_now(url)
    assert ended is not None
    assert ended.attempts == NO_ATTEMPTS


def test_the_end_of_a_pause_is_kept_for_the_next_process(url: str, tokens: TokenStore) -> None:
    tokens.start("first", pair(1))

    tokens.end_refresh(Attempts(not_before=LATER))

    kept = stored_now(url)
    assert kept is not None
    assert kept.attempts == Attempts(0, None, LATER)


def test_a_refresh_that_an_older_version_began_counts_once(url: str, store: Store, tokens: TokenStore) -> None:
    tokens.start("first", pair(1))
    with store.write() as connection:
        connection.exec_driver_sql(
            "UPDATE tokens SET refresh_begun_at = '2026-06-25T14:00:00+00:00', refresh_tries = NULL"
        )

    kept = stored_now(url)

    assert kept is not None
    assert (kept.attempts.unclear, kept.attempts.due_at(NOW)) == (1, NOW)


def test_a_person_who_consents_anew_begins_a_new_chain(url: str, tokens: TokenStore) -> None:
    tokens.start("first", pair(1))
    tokens.begin_refresh(NOW)

    tokens.start("second", pair(5))

    kept = stored_now(url)
    assert kept is not None
    assert (kept.tokens, kept.attempts) == (pair(5), NO_ATTEMPTS)
    assert began_with(kept, "second")
    assert not began_with(kept, "first")


def test_another_app_at_the_same_site_has_tokens_of_its_own(url: str, store: Store, tokens: TokenStore) -> None:
    tokens.start("first", pair(1))
    TokenStore(store, SITE, "other app").start("first", pair(2))

    tokens.put(pair(3))

    other = stored_now(url, "other app")
    assert other is not None
    assert other.tokens == pair(2)


def of_connection(store: Store, name: str, *, shares_app: bool) -> TokenStore:
    return TokenStore(store, SITE, "app", name=name, shares_app=shares_app)


def test_two_users_of_one_app_have_tokens_of_their_own(store: Store) -> None:
    north, south = (of_connection(store, name, shares_app=True) for name in ("north", "south"))
    north.start("first of north", pair(1))
    south.start("first of south", pair(2))

    south.put(pair(3))
    south.count.add(NOW)

    kept = north.get()
    assert kept is not None
    assert kept.tokens == pair(1)
    assert (north.count.today(NOW), south.count.today(NOW)) == (0, 1)


@pytest.mark.parametrize("shares_app", [True, False], ids=["another one came", "the other one left"])
def test_a_connection_keeps_its_login_when_it_shares_its_app_from_now_on_or_no_more(
    store: Store, shares_app: bool
) -> None:
    before = of_connection(store, "north", shares_app=not shares_app)
    before.log_in(pair(1), "older")
    before.start("newer", TokenSet("", "newer", NOW, NOW))

    now = of_connection(store, "north", shares_app=shares_app)

    kept = now.get()
    assert kept is not None
    assert began_with(kept, "older")
    assert now.go_back()
    back = now.get()
    assert back is not None
    assert back.tokens == pair(1)
    assert of_connection(store, "south", shares_app=True).get() is None


def test_the_login_of_an_only_connection_without_a_name_is_given_to_none_of_several(store: Store) -> None:
    TokenStore(store, SITE, "app").start("first", pair(1))

    assert [of_connection(store, name, shares_app=True).get() for name in ("north", "south")] == [None, None]


def test_an_only_connection_that_got_a_name_keeps_its_login(store: Store) -> None:
    TokenStore(store, SITE, "app").start("first", pair(1))

    assert of_connection(store, "north", shares_app=False).get() is not None


def test_one_refreshes_at_a_time(url: str, tokens: TokenStore) -> None:
    entered = threading.Event()

    def refresh_too() -> None:
        with Store.open(url) as another, TokenStore(another, SITE, "app").lock():
            entered.set()

    with tokens.lock():
        threading.Thread(target=refresh_too).start()
        assert not entered.wait(0.2)
    assert entered.wait(10)


@pytest.mark.timeout(10)
def test_two_apps_do_not_wait_for_each_other(store: Store, tokens: TokenStore) -> None:
    with tokens.lock(), TokenStore(store, SITE, "other app").lock():
        pass


@pytest.mark.parametrize(
    ("age_seconds", "fresh", "alive"), [(0, True, True), (579, True, True), (580, False, True), (600, False, False)]
)
def test_a_token_is_used_until_shortly_before_its_end(age_seconds: int, fresh: bool, alive: bool) -> None:
    at = NOW + timedelta(seconds=age_seconds)

    assert (pair(1).is_fresh(at), pair(1).is_alive(at)) == (fresh, alive)


def test_a_token_of_a_short_life_is_used_for_most_of_it() -> None:
    short = TokenSet("access", "refresh", NOW, NOW + timedelta(seconds=10))

    assert short.is_fresh(NOW + timedelta(seconds=7.9))
    assert not short.is_fresh(NOW + timedelta(seconds=8))


def test_tokens_can_be_printed_without_being_shown(tokens: TokenStore) -> None:
    shown = repr(tokens.start("first-secret", pair(1)))

    assert "2026" in shown
    assert not [secret for secret in ("access-1", "refresh-1", "first-secret") if secret in shown]
