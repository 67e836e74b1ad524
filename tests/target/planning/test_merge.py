"""Two records for one copy, merged field by field (law 5; case B10)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from exactonline_client.entities import ACCOUNTS
from hypothesis import given
from hypothesis import strategies as st
from target_exactonline.planning.merge import merged
from target_exactonline.planning.model import SourceKey, SourceRecord

KEY = SourceKey(100, "5e2d5a3c-0000-4000-8000-000000000001")


def record(*problems: str, code: str = "5", **values: Any) -> SourceRecord:
    return SourceRecord(KEY, code, values, problems)


def test_each_of_two_streams_brings_its_own_field() -> None:
    both = merged(ACCOUNTS, record(Email="a@jan.example"), record(City="Gent"))

    assert both == record(City="Gent", Email="a@jan.example")


def test_the_newer_record_wins_a_field_that_both_bring() -> None:
    assert merged(ACCOUNTS, record(City="Gent"), record(City="Delft", Fax="1")) == record(City="Gent", Fax="1")


def test_a_record_that_carries_none_says_that_the_field_is_empty() -> None:
    assert merged(ACCOUNTS, record(City=None), record(City="Delft")) == record(City=None)


def test_a_problem_lasts_until_something_newer_is_said_of_its_field() -> None:
    older = record("Country is 'Holland'; Exact takes a two-letter ISO 3166 code", Country=None)

    assert merged(ACCOUNTS, record(City="Gent"), older).problems == older.problems
    assert merged(ACCOUNTS, record(Country="NL"), older).problems == ()


def test_a_record_that_returns_after_its_deletion_is_there_again_with_all_that_is_known_of_it() -> None:
    deleted = replace(record(City="Delft"), is_deleted=True)

    assert merged(ACCOUNTS, record(Email="a@jan.example"), deleted) == record(City="Delft", Email="a@jan.example")


NAMES = ("City", "Email", "Fax")
PROBLEMS = st.lists(st.sampled_from([f"{name} is wrong" for name in (*NAMES, "Code")]), max_size=2, unique=True)
RECORDS = st.builds(
    SourceRecord,
    st.just(KEY),
    st.sampled_from(["5", "6"]),
    st.dictionaries(st.sampled_from(NAMES), st.none() | st.sampled_from("ab")),
    PROBLEMS.map(tuple),
    st.booleans(),
)


@given(RECORDS, RECORDS, RECORDS)
def test_merging_is_associative(newest: SourceRecord, middle: SourceRecord, oldest: SourceRecord) -> None:
    by_newest = merged(ACCOUNTS, newest, merged(ACCOUNTS, middle, oldest))
    by_oldest = merged(ACCOUNTS, merged(ACCOUNTS, newest, middle), oldest)

    assert by_newest == by_oldest


@given(RECORDS)
def test_a_record_merged_with_itself_is_itself(one: SourceRecord) -> None:
    assert merged(ACCOUNTS, one, one) == one


@given(RECORDS, RECORDS)
def test_every_field_is_as_the_newest_record_that_has_it_says(newer: SourceRecord, older: SourceRecord) -> None:
    both = merged(ACCOUNTS, newer, older)

    assert both.values == {
        name: (newer if name in newer.values else older).values[name] for name in {*newer.values, *older.values}
    }
    assert (both.key, both.code, both.is_deleted) == (newer.key, newer.code, newer.is_deleted)
