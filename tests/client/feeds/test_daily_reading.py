"""The reader of bank accounts, of which Exact has no feed, against a sandbox: all pages, once a day at most."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.client import ExactClient
from exactonline_client.companies import Company
from exactonline_client.entities import BANK_ACCOUNTS
from exactonline_client.errors import UnexpectedReplyError
from exactonline_client.feeds import memory
from exactonline_client.feeds.bookmark import Position
from exactonline_client.feeds.reader import FeedReader, Reading, take_pages
from exactonline_client.odata import Row
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from sandbox_driver import Sandbox, customer, small_world

NORTH = 201
HOUR = 3600
MORNING = "2026-03-02T08:00:00Z"


class Mirror:
    """The bank accounts of a company as a consumer holds them, with where the last reading ended."""

    def __init__(self, client: ExactClient, store: Store, sandbox: Sandbox) -> None:
        self._client = client
        self._sandbox = sandbox
        self._reader = FeedReader(client, store, Company(sandbox.url, NORTH), BANK_ACCOUNTS)
        self.position = Position()
        self.rows: dict[str, Row] = {}
        self.calls = 0

    def refresh(self, **options: Any) -> Reading:
        self._client.run(self._client.me())  # what Exact's clock shows
        before = self._sandbox.calls()
        feed = self._reader.read(self.position, lambda: self.rows, **{"select": ("BankAccount",), **options})
        reading = self._client.run(take_pages(feed, self._take))
        self.calls = self._sandbox.calls() - before
        for key in reading.deleted:
            self.rows.pop(key)
        self.position = Position.of_json(reading.position.as_json()) if reading.position else self.position
        return reading

    def _take(self, rows: list[Row]) -> None:
        self.rows |= {row["ID"]: row for row in rows}

    @property
    def numbers(self) -> list[str]:
        return sorted(row["BankAccount"] for row in self.rows.values())


def bank_accounts(count: int) -> list[dict[str, Any]]:
    return [{"Account": "1", "BankAccount": f"NL20INGB{number:010}"} for number in range(1, count + 1)]


def fill(sandbox: Sandbox, count: int) -> None:
    children = {NORTH: {"BankAccounts": bank_accounts(count)}}
    limits = {"token_seconds": 10**7}
    sandbox.reset(small_world(0, accounts={NORTH: [customer(1)]}, children=children, limits=limits, now=MORNING))


@pytest.fixture
def mirror(sandbox: Sandbox, tmp_path: Path) -> Iterator[Mirror]:
    """A mirror of a company with three bank accounts, at 8 in the morning."""
    fill(sandbox, 3)
    settings = Settings.from_config(sandbox.config(store_url=f"sqlite:///{tmp_path / 'store.db'}"))
    with (
        Store.open(settings.store_url, memory.metadata) as store,
        ExactClient(settings, store, program="test", sleep=lambda _: None) as client,
    ):
        yield Mirror(client, store, sandbox)


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (60, 1), (61, 2), (150, 3)])
def test_all_rows_are_read_sixty_at_a_time(mirror: Mirror, sandbox: Sandbox, count: int, pages: int) -> None:
    fill(sandbox, count)

    reading = mirror.refresh()

    assert (mirror.calls, len(mirror.rows), reading.rows) == (pages, count, count)
    assert {row["Timestamp"] for row in mirror.rows.values()} <= {1}
    assert all(row["Modified"] for row in mirror.rows.values())


def test_on_the_same_day_nothing_is_read_again(mirror: Mirror, sandbox: Sandbox) -> None:
    first = mirror.refresh()
    sandbox.fill_children(NORTH, "BankAccounts", bank_accounts(4)[3:])
    sandbox.advance(15 * HOUR)

    second = mirror.refresh()

    assert (mirror.calls, len(mirror.rows), second.position) == (0, 3, first.position)
    assert (second.rows, second.in_full, second.deleted) == (0, None, frozenset())
    assert second.began_at == first.began_at  # what was written since may be missing


def test_on_the_next_day_all_rows_are_read_and_what_is_missing_was_deleted(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()
    gone, changed, _ = sandbox.children(NORTH, "BankAccounts")
    sandbox.remove_child(NORTH, "BankAccounts", gone["ID"])
    sandbox.edit_child(NORTH, "BankAccounts", changed["ID"], Description="Zakelijk")
    sandbox.advance(16 * HOUR)

    reading = mirror.refresh(select=("BankAccount",))

    assert (mirror.calls, reading.rows, reading.deleted) == (1, 2, {gone["ID"]})
    assert gone["BankAccount"] not in mirror.numbers


def test_a_run_that_starts_a_little_earlier_each_day_reads_each_day(mirror: Mirror, sandbox: Sandbox) -> None:
    mirror.refresh()

    for _ in range(3):
        sandbox.advance(23.9 * HOUR)
        mirror.refresh()
        assert mirror.calls == 1


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"select": ("BankAccount", "Description")}, "more is selected than it was read with: Description"),
        ({"moved_at": datetime(2026, 3, 2, 9, tzinfo=timezone.utc)}, "Exact moved it to another database"),
        ({"in_full": "a backup was restored"}, "a backup was restored"),
    ],
    ids=["fields", "moved", "consumer"],
)
def test_what_does_not_fit_the_last_reading_is_read_at_once(mirror: Mirror, options: dict[str, Any], why: str) -> None:
    mirror.refresh()

    reading = mirror.refresh(**options)

    assert (mirror.calls, reading.rows, reading.in_full) == (1, 3, why)


def test_fewer_properties_are_no_reason_to_read(mirror: Mirror) -> None:
    mirror.refresh(select=("BankAccount", "Description"))

    mirror.refresh()

    assert mirror.calls == 0


def test_a_company_that_shows_none_is_not_believed_and_asked_again(mirror: Mirror, sandbox: Sandbox) -> None:
    first = mirror.refresh()
    sandbox.change_division(NORTH, rights={"read_BankAccounts": False})
    sandbox.advance(24 * HOUR)

    blind = mirror.refresh()
    sandbox.change_division(NORTH, rights={})
    after = mirror.refresh()

    assert (blind.position, blind.deleted, after.rows) == (None, frozenset(), 3)
    assert after.began_at - first.began_at >= timedelta(days=1)


def test_an_error_in_the_middle_moves_nothing_and_takes_nothing_for_deleted(mirror: Mirror, sandbox: Sandbox) -> None:
    fill(sandbox, 90)
    sandbox.fault("status", status=400, body="", endpoint="crm/BankAccounts", nth=2)
    with pytest.raises(UnexpectedReplyError):
        mirror.refresh()

    mirror.refresh()

    assert (mirror.calls, len(mirror.rows)) == (2, 90)
