"""What the tap's store knows of rows that were read, in both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS, BANK_ACCOUNTS
from exactonline_client.store import Store
from tap_exactonline import known
from tap_exactonline.known import KnownRows

NOON = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HERE, THERE = Company("https://start.exactonline.nl", 100), Company("https://start.exactonline.nl", 201)


@pytest.fixture
def store(any_store_url: str) -> Iterator[Store]:
    with Store.open(any_store_url, known.metadata) as opened:
        yield opened


def test_rows_are_known_by_entity_and_company(store: Store) -> None:
    KnownRows(store, HERE, ACCOUNTS).see([{"ID": "a", "Code": "1"}])
    KnownRows(store, HERE, BANK_ACCOUNTS).see([{"ID": "b", "AccountCode": "1"}, {"ID": "c"}])

    assert KnownRows(store, HERE, ACCOUNTS).codes(["a", "b"]) == {"a": "1"}
    assert KnownRows(store, HERE, BANK_ACCOUNTS).codes(["a", "b", "c"]) == {"b": "1", "c": ""}
    assert KnownRows(store, THERE, ACCOUNTS).ids() == []


def test_a_code_that_changed_takes_the_place_of_the_old_one(store: Store) -> None:
    accounts = KnownRows(store, HERE, ACCOUNTS)
    accounts.see([{"ID": "a", "Code": "1"}])

    accounts.see([{"ID": "a", "Code": "2"}])

    assert accounts.codes(["a"]) == {"a": "2"}


def test_a_row_that_is_missing_is_known_to_whoever_read_before_that(store: Store) -> None:
    rows = KnownRows(store, HERE, BANK_ACCOUNTS)
    rows.see([{"ID": "a"}, {"ID": "b"}])

    rows.miss(["a"], NOON)
    rows.miss(["a"], NOON + timedelta(days=1))  # the first time counts

    assert sorted(rows.ids()) == sorted(rows.ids(NOON - timedelta(seconds=1))) == ["a", "b"]
    assert rows.ids(NOON) == ["b"]


def test_a_row_that_returns_is_missing_no_longer(store: Store) -> None:
    rows = KnownRows(store, HERE, BANK_ACCOUNTS)
    rows.see([{"ID": "a", "AccountCode": "1"}])
    rows.miss(["a"], NOON)

    rows.see([{"ID": "a", "AccountCode": "1"}])

    assert rows.ids(NOON) == ["a"]
