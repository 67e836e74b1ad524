"""What the store keeps for the next reading, in both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from exactonline_client.companies import Company
from exactonline_client.feeds.bookmark import ANCHORS, LOG_KEPT, Kept
from exactonline_client.feeds.memory import FeedMemory, metadata
from exactonline_client.store import Store

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)
COMPANY = Company("https://start.exactonline.nl", 100)


@pytest.fixture
def store(any_store_url: str) -> Iterator[Store]:
    with Store.open(any_store_url, metadata) as opened:
        yield opened


def rows(*versions: int, reading: str = "first") -> dict[str, Kept]:
    return {f"row-{version}": Kept(version, reading, AT.isoformat()) for version in versions}


def end(
    memory: FeedMemory, series: str, at: datetime, keep: dict[str, Kept], *, above: int = 0, **options: object
) -> None:
    given = {"deleted": ("account", ()), "begins": True, **options}
    memory.end(series, at, keep={"account": keep}, above={"account": above}, **given)  # type: ignore[arg-type]


def test_rows_above_the_floor_and_some_before_are_kept(store: Store) -> None:
    memory = FeedMemory(store, COMPANY, "account")
    big = 2**40  # row versions count all that a database ever wrote

    end(memory, "a", AT, rows(*range(big, big + 40)))

    kept = memory.kept("a", "account", big + 19)
    assert sorted(one.version for one in kept.values()) == list(range(big + 20 - ANCHORS, big + 40))
    assert memory.kept("b", "account", 0) == memory.kept("a", "account deletion", 0) == {}


def test_a_row_is_kept_under_the_last_reading_that_handed_it_over(store: Store) -> None:
    memory = FeedMemory(store, COMPANY, "account")
    memory.keep("a", "account", rows(1, 2))

    memory.keep("a", "account", {"row-1": Kept(3, "second", None)})

    assert memory.kept("a", "account", 0) == {"row-1": Kept(3, "second", None), **rows(2)}


def test_what_is_not_looked_for_any_more_goes(store: Store) -> None:
    memory = FeedMemory(store, COMPANY, "account")
    end(memory, "a", AT, rows(*range(1, 2000)))

    deleted = tuple(f"row-{version}" for version in range(1000, 1999))
    end(memory, "a", AT, {}, above=500, deleted=("account", deleted), begins=False)

    kept = memory.kept("a", "account", 0)
    assert sorted(one.version for one in kept.values()) == [*range(501, 1000), 1999]


def test_the_last_reading_of_a_series_is_known_and_never_moves_back(store: Store) -> None:
    memory = FeedMemory(store, COMPANY, "account")
    end(memory, "a", AT, {})
    end(memory, "a", AT - timedelta(minutes=5), {}, begins=False)

    assert (memory.last_reading("a"), memory.last_reading("b")) == (AT, None)


def test_a_series_that_is_forgotten_is_unknown(store: Store) -> None:
    memory = FeedMemory(store, COMPANY, "account")
    end(memory, "a", AT, rows(1))

    memory.forget("a")

    assert (memory.last_reading("a"), memory.kept("a", "account", 0)) == (None, {})


def test_a_series_that_nobody_continued_goes_when_a_later_one_begins(store: Store) -> None:
    memory, other = FeedMemory(store, COMPANY, "account"), FeedMemory(store, Company("elsewhere", 100), "account")
    end(memory, "a", AT, rows(1))
    end(other, "b", AT, rows(1))

    end(memory, "c", AT + LOG_KEPT + timedelta(days=1), rows(2))

    assert [memory.last_reading(series) is None for series in "abc"] == [True, False, False]
    assert [bool(memory.kept(series, "account", 0)) for series in "abc"] == [False, True, True]
