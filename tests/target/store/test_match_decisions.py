"""What people decide on first contact, on real databases: kept with who and when, and refused where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

import pytest
from exactonline_client.companies import Company
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import ConfigurationError
from exactonline_client.store import Store
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from target_exactonline.planning.model import Copy, SourceKey, SourceRecord
from target_exactonline.store import tables
from target_exactonline.store.match_lists import MatchLists
from target_exactonline.store.matches import VERDICTS, Matches, Verdict, as_text
from target_exactonline.store.memory import Memory

SITE = "https://start.exactonline.nl"
AT = datetime(2026, 6, 25, 14, 0, tzinfo=timezone.utc)
ONE, OTHER = SourceKey(100, "a"), SourceKey(101, "b")
divisions = count(201)


@dataclass
class Place:
    """A company with three rows, and two source records of which the first is tied to the first row."""

    memory: Memory
    number: int
    division: int

    @property
    def matches(self) -> Matches:
        return self.memory.matches

    def decide(self, code: str, verdict: Verdict, target: str | None = None, *, source: str | None = None) -> None:
        party = self.matches.find([SITE], self.division, code, source)
        self.matches.decide(party, verdict, target, "Anna", AT)

    def copy_of(self, key: SourceKey) -> Copy:
        (source,) = self.memory.sources(SITE).of_keys([key])
        return self.memory.copies.of(self.number, [source.number])[source.number].copy

    def states(self) -> dict[str, tuple[str, str | None]]:
        lines = MatchLists(self.memory.store, [SITE], ACCOUNTS).lines(self.division)
        return {line.party.code: (line.state, line.row.id if line.row else None) for line in lines}


@pytest.fixture(params=["sqlite", "postgres"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    url = f"sqlite:///{tmp_path / 'store.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with Store.open(url, tables.metadata) as store:
        yield Memory(store, ACCOUNTS)


def placed(memory: Memory) -> Place:
    division = next(divisions)
    number = memory.companies.number(Company(SITE, division), "Noord")
    memory.mirror(number).keep(
        [{"ID": key, "Code": code, "Modified": AT.isoformat(), "Timestamp": 1, "Name": "Jan"} for key, code in ROWS]
    )
    sources = memory.sources(SITE)
    sources.remember([SourceRecord(ONE, "5", {"Name": "Jan"}), SourceRecord(OTHER, "6", {"Name": "Piet"})])
    (one,) = sources.of_keys([ONE])
    with memory.store.write() as connection:
        tied = Copy(ONE, "5", "id-1", {"Name": "Jan"}, AT, "VATNumber", state="tied", first_seen=AT)
        memory.copies.write(connection, number, {one.number: (tied, memory.mirror(number).by_id(["id-1"])["id-1"])})
    return Place(memory, number, division)


@pytest.fixture
def place(memory: Memory) -> Place:
    return placed(memory)


ROWS = (("id-1", "30"), ("id-2", "31"), ("id-3", "32"))


def test_the_newest_decision_counts_and_all_are_kept(place: Place) -> None:
    place.decide("6", "left_out")
    place.decide("6", "tied", "id-2")

    decided = place.matches.of(place.number)[OTHER]
    assert (decided.verdict, decided.target_id, decided.by, decided.at) == ("tied", "id-2", "Anna", AT)
    with place.memory.store.read() as connection:
        assert len(connection.execute(tables.match_decisions.select()).all()) == 2


def test_what_is_decided_is_due_in_the_next_run_but_for_what_is_left_out(place: Place) -> None:
    condition = tables.sources.c.company == 0
    later = AT + timedelta(days=1)
    assert not place.memory.copies.has_due(place.number, condition, later)

    place.decide("6", "left_out")
    assert not place.memory.copies.has_due(place.number, condition, later)
    assert place.copy_of(OTHER).state == "held"

    place.decide("6", "as_new")
    assert place.memory.copies.has_due(place.number, condition, later)


def test_a_copy_that_is_untied_forgets_its_row_and_what_was_written_to_it(place: Place) -> None:
    place.decide("5", "untied")

    copy = place.copy_of(ONE)
    assert (copy.target_id, copy.baseline, copy.written_at, copy.matched_on) == (None, {}, None, None)
    assert copy.candidates == ("id-1",)
    assert place.states() == {"5": ("ambiguous", None)}


def test_a_tie_that_is_so_already_changes_nothing_of_the_copy(place: Place) -> None:
    before = place.copy_of(ONE)

    place.decide("5", "tied", "30")

    assert place.copy_of(ONE) == before
    assert place.states() == {"5": ("tied", "id-1")}


@pytest.mark.parametrize(
    ("code", "target", "said"),
    [
        ("6", "id-1", "the copy of account 5"),
        ("6", "99", "has no account 99"),
        ("7", "id-2", "has the code 7"),
    ],
)
def test_what_cannot_be_is_refused_and_not_kept(place: Place, code: str, target: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        place.decide(code, "tied", target)

    assert place.matches.of(place.number) == {}


def test_a_row_that_is_promised_to_one_is_not_given_to_another(place: Place) -> None:
    place.decide("6", "tied", "id-2")

    with pytest.raises(ConfigurationError, match="the copy of account 6"):
        place.decide("5", "tied", "id-2")

    place.decide("6", "untied")
    place.decide("5", "tied", "31")
    assert place.states() == {"5": ("tied", "id-2"), "6": ("ambiguous", None)}


def test_of_two_source_records_with_one_code_it_must_be_said_which(place: Place) -> None:
    place.memory.sources(SITE).remember([SourceRecord(SourceKey(102, "c"), "6", {"Name": "Klaas"})])

    with pytest.raises(ConfigurationError, match="101/b, 102/c"):
        place.decide("6", "left_out")
    with pytest.raises(ConfigurationError, match="'6' is no source record"):
        place.decide("6", "left_out", source="6")

    place.decide("anything", "left_out", source=as_text(SourceKey(102, "c")))
    assert set(place.matches.of(place.number)) == {SourceKey(102, "c")}


def test_nothing_is_decided_while_a_run_is_at_work_in_the_company(place: Place) -> None:
    release = place.memory.store.try_lock(f"lane-{place.number}")
    assert release is not None
    try:
        with Store.open(place.memory.store._url.render_as_string(hide_password=False), tables.metadata) as another:
            matches = Matches(another, ACCOUNTS)
            party = matches.find([SITE], place.division, "6")
            with pytest.raises(ConfigurationError, match="A run is at work"):
                matches.decide(party, "left_out", None, "Anna", AT)
    finally:
        release()

    assert place.matches.of(place.number) == {}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("56"), st.sampled_from(VERDICTS), st.sampled_from([*"123"])), max_size=8))
def test_no_row_is_ever_given_to_two_source_records(memory: Memory, decisions: list[tuple[str, Verdict, str]]) -> None:
    place = placed(memory)
    for code, verdict, row in decisions:
        try:
            place.decide(code, verdict, f"id-{row}" if verdict == "tied" else None)
        except ConfigurationError as error:
            assert "the copy of account" in str(error)

    given_to = [row for _, row in place.states().values() if row is not None]
    assert len(given_to) == len(set(given_to))
