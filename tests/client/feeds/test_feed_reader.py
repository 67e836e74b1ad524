"""The reader against a sandbox: its calls, and what it makes of late commits, deletions, faults and clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import UnexpectedReplyError
from exactonline_client.feeds import memory
from exactonline_client.feeds.bookmark import Position
from exactonline_client.feeds.reader import FeedReader, Reading, take_pages
from exactonline_client.odata import Row
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from sandbox_driver import Sandbox, World, customer, small_world

NORTH, SOUTH = 201, 202
HOUR = 3600


class Mirror:
    """A company as a consumer holds it, with where its last reading ended."""

    def __init__(self, client: ExactClient, store: Store, sandbox: Sandbox, division: int = NORTH) -> None:
        self._client = client
        self._sandbox = sandbox
        self._reader = FeedReader(client, store, Company(sandbox.url, division), ACCOUNTS)
        self.position = Position()
        self.rows: dict[str, Row] = {}
        self.taken = 0
        self.calls = 0

    def refresh(self, **options: Any) -> Reading:
        before = self._sandbox.calls()
        feed = self._reader.read(self.position, lambda: self.rows, **{"select": ("Code", "City"), **options})
        reading = self._client.run(take_pages(feed, self._take))
        self.calls = self._sandbox.calls() - before
        for key in reading.deleted:
            self.rows.pop(key, None)
        self.position = Position.of_json(reading.position.as_json()) if reading.position else self.position
        return reading

    def look_at_the_clock(self) -> None:
        """Know Exact's clock, as whoever has listed companies does."""
        self._client.run(self._client.me())

    def _take(self, rows: list[Row]) -> None:
        self.taken += len(rows)
        self.rows |= {row["ID"]: row for row in rows}

    @property
    def cities(self) -> dict[str, str]:
        return {row["Code"]: row["City"] for row in self.rows.values()}


MirrorOf = Callable[[World], Mirror]


@pytest.fixture
def slept() -> list[float]:
    """Seconds of each wait, none of which is sat out."""
    return []


@pytest.fixture
def mirror_of(sandbox: Sandbox, tmp_path: Path, slept: list[float]) -> Iterator[MirrorOf]:
    """A mirror of a company of a world."""
    settings = Settings.from_config(sandbox.config(store_url=f"sqlite:///{tmp_path / 'store.db'}"))
    with (
        Store.open(settings.store_url, memory.metadata) as store,
        ExactClient(settings, store, program="test", sleep=slept.append) as client,
    ):

        def make(world: World) -> Mirror:
            sandbox.reset(world)
            made = Mirror(client, store, sandbox)
            made.look_at_the_clock()
            return made

        yield make


@pytest.fixture
def mirror(mirror_of: MirrorOf) -> Mirror:
    """A mirror of a company with three accounts."""
    return mirror_of(world(3))


def world(n: int, *, now: str | None = None, page: int = 1000) -> World:
    accounts = {NORTH: [customer(number) for number in range(1, n + 1)]}
    limits = {"page_sizes": {"sync": page}, "token_seconds": 10**7}
    return small_world(0, accounts=accounts, limits=limits, now=now)


@pytest.mark.parametrize(("n", "pages"), [(0, 1), (1, 1), (4, 2), (5, 3)])
def test_a_first_reading_takes_a_call_per_page_and_leaves_the_log_for_the_next(
    mirror_of: MirrorOf, sandbox: Sandbox, n: int, pages: int
) -> None:
    mirror = mirror_of(world(n, page=2))

    reading = mirror.refresh()

    assert (mirror.calls, len(mirror.rows), reading.in_full) == (pages, n, "there is no bookmark")


def test_what_is_deleted_after_a_first_reading_is_found_by_the_next(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    key = next(iter(mirror.rows))
    sandbox.remove(NORTH, str(mirror.rows[key]["Code"]))

    reading = mirror.refresh()

    assert reading.deleted == {key}


def test_a_company_where_nothing_changed_takes_two_calls(mirror: Mirror) -> None:
    mirror.refresh()
    mirror.taken = 0

    reading = mirror.refresh()

    assert (mirror.calls, mirror.taken, reading.in_full, reading.deleted) == (2, 0, None, frozenset())


def test_without_deletions_a_company_where_nothing_changed_takes_one_call(mirror: Mirror) -> None:
    mirror.refresh(deletions=None)

    mirror.refresh(deletions=None)

    assert mirror.calls == 1


def test_a_deletion_is_told_apart_from_a_restored_backup_though_deletions_are_not_wanted(
    mirror: Mirror, sandbox: Sandbox
) -> None:
    mirror.refresh(deletions=None)
    sandbox.remove(NORTH, "3")

    first, cost = mirror.refresh(deletions=None), mirror.calls
    second = mirror.refresh(deletions=None)

    assert (first.in_full, second.in_full, cost, mirror.calls) == (None, None, 2, 1)


def test_changes_and_deletions_come_with_the_next_reading(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    sandbox.edit(NORTH, "1", City="Ede")
    sandbox.remove(NORTH, "2")

    mirror.refresh()

    assert (mirror.cities, mirror.calls) == ({"1": "Ede", "3": "Utrecht"}, 2)


def test_a_row_that_commits_late_below_the_row_version_read_is_seen(mirror: Mirror, sandbox: Sandbox) -> None:
    sandbox.begin(NORTH, "1", City="Ede")
    sandbox.seed(NORTH, [customer(number) for number in range(4, 700)])
    mirror.refresh()
    sandbox.commit(NORTH)
    mirror.taken = 0

    mirror.refresh()

    assert (mirror.cities["1"], mirror.taken) == ("Ede", 1)


def test_old_rows_leave_no_overlap(mirror_of: MirrorOf, sandbox: Sandbox) -> None:
    mirror = mirror_of(world(60, now="2026-03-02T08:00:00Z", page=12))
    sandbox.advance(3 * HOUR)
    mirror.look_at_the_clock()
    mirror.refresh()

    mirror.refresh()

    assert (mirror.calls, mirror.taken) == (2, 60)


def test_a_position_is_small_however_much_changed_in_the_last_hour(mirror_of: MirrorOf, sandbox: Sandbox) -> None:
    mirror = mirror_of(world(1500))
    mirror.refresh()

    mirror.refresh()

    assert len(str(mirror.position.as_json())) < 1000
    assert (mirror.calls, mirror.taken) == (3, 1500)


def test_a_row_that_was_deleted_and_made_again_under_its_key_is_there(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    sandbox.remove(NORTH, "2")
    sandbox.seed(NORTH, [customer(2, City="Ede")])  # the sandbox makes keys of codes

    mirror.refresh()
    sandbox.advance(3 * HOUR)
    mirror.refresh()
    mirror.refresh()

    assert mirror.cities == {"1": "Utrecht", "2": "Ede", "3": "Utrecht"}


@pytest.mark.parametrize("minutes", [5, 35, 65])
def test_the_hour_that_comes_twice_hides_no_deletion_and_no_return(
    mirror_of: MirrorOf, sandbox: Sandbox, minutes: int
) -> None:
    mirror = mirror_of(world(3, now="2026-10-24T23:50:00Z"))  # summer time ends at 01:00Z
    mirror.refresh()
    for _ in range(3):
        sandbox.advance(minutes * 60)
        sandbox.remove(NORTH, "2")
        mirror.refresh()
        assert set(mirror.cities) == {"1", "3"}
        sandbox.seed(NORTH, [customer(2)])
        mirror.refresh()
        assert set(mirror.cities) == {"1", "2", "3"}


def test_a_restored_backup_brings_rows_back_that_were_deleted_since(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    sandbox.back_up(NORTH)
    sandbox.remove(NORTH, "2")
    mirror.refresh()
    sandbox.restore(NORTH)

    reading = mirror.refresh()

    assert "as after a restored backup" in (reading.in_full or "")
    assert set(mirror.cities) == {"1", "2", "3"}


def test_more_properties_than_before_mean_a_reading_in_full(mirror: Mirror) -> None:
    mirror.refresh()

    reading = mirror.refresh(select=("Code", "City", "Email"))

    assert reading.in_full == "more is selected than it was read with: Email"
    assert all(row["Email"] for row in mirror.rows.values())


def test_a_company_that_shows_nothing_is_not_believed_and_its_position_stays(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    sandbox.change_division(NORTH, rights={"read_accounts": False, "read_deleted": False})

    reading = mirror.refresh()
    sandbox.change_division(NORTH, rights={})
    sandbox.edit(NORTH, "1", City="Ede")
    after = mirror.refresh()

    assert (reading.position, reading.deleted, after.in_full) == (None, frozenset(), None)
    assert mirror.cities == {"1": "Ede", "2": "Utrecht", "3": "Utrecht"}


def test_a_company_whose_rows_were_all_deleted_is_empty(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    for code in ("1", "2", "3"):
        sandbox.remove(NORTH, code)

    reading = mirror.refresh()

    assert (mirror.rows, reading.in_full) == ({}, None)


def test_an_error_in_the_middle_moves_nothing_and_the_next_reading_is_whole(
    mirror_of: MirrorOf, sandbox: Sandbox
) -> None:
    mirror = mirror_of(world(6, page=2))
    sandbox.fault("status", status=400, body="", endpoint="sync/CRM/Accounts", nth=2)
    with pytest.raises(UnexpectedReplyError):
        mirror.refresh()

    mirror.refresh()

    assert len(mirror.rows) == 6


def test_a_page_that_is_asked_for_again_is_not_noticed(
    mirror_of: MirrorOf, sandbox: Sandbox, slept: list[float]
) -> None:
    mirror = mirror_of(world(6, page=2))
    sandbox.fault("503", endpoint="sync/CRM/Accounts", nth=2)

    mirror.refresh()

    assert (len(mirror.rows), mirror.taken, len(slept)) == (6, 6, 1)


def test_waits_pass_through_to_whoever_drives_it(mirror: Mirror, sandbox: Sandbox) -> None:
    sandbox.fault("503", endpoint="sync/CRM/Accounts")
    feed = mirror._reader.read(Position(), list, select=("Code",))

    events = [event if isinstance(event, datetime) else len(event) for event in feed]

    wait, rows = events
    assert (isinstance(wait, datetime), rows) == (True, 3)


@pytest.mark.parametrize("timestamp_as", ["string", "number"])
def test_row_versions_are_numbers_however_exact_writes_them(
    mirror: Mirror, sandbox: Sandbox, timestamp_as: str
) -> None:
    sandbox.limits(timestamp_as=timestamp_as)

    mirror.refresh()

    assert mirror.position.rows is not None
    assert mirror.position.rows.timestamp == max(row["Timestamp"] for row in mirror.rows.values())


def test_the_log_is_asked_for_rows_of_the_entity_only(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    mirror.refresh()

    (call,) = sandbox.journal(endpoint="sync/Deleted")
    assert "EntityType%20eq%202" in call["target"]
