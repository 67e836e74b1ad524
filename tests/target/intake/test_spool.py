"""The source records of a run in their order, two of one source record merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS
from hypothesis import given
from hypothesis import strategies as st
from target_exactonline.intake.spool import Incoming, Spool
from target_exactonline.planning.model import SourceKey, SourceRecord
from target_exactonline.store.rows import RECORDS_AT_A_TIME

NORTH, SOUTH = 201, 202


@pytest.fixture
def spool() -> Iterator[Spool]:
    opened = Spool(ACCOUNTS)
    yield opened
    opened.close()


def incoming(number: int, code: str = "", target: int = NORTH, **values: Any) -> Incoming:
    code = code or str(number)
    return Incoming(number, target, SourceRecord(SourceKey(0, code), code, values, stream="accounts"))


def held(spool: Spool) -> list[Incoming]:
    return [one for page in spool.pages() for one in page]


def test_records_come_out_as_they_went_in(spool: Spool) -> None:
    values = {"Name": "Café 🏢\x00", "City": None, "Latitude": 5.5}
    source = SourceRecord(SourceKey(100, "5e2d"), "0011", values, ("Fax is odd",), is_deleted=True, stream="klanten")
    record = Incoming(7, 0, source, merged=3)

    spool.put([record])

    assert held(spool) == [record]


def test_records_come_out_in_the_order_of_their_numbers(spool: Spool) -> None:
    for number in (5, 2, 9, 1):
        spool.put([incoming(number)])

    assert [one.number for one in held(spool)] == [1, 2, 5, 9]


def test_the_same_code_for_two_companies_is_two_records(spool: Spool) -> None:
    assert spool.put([incoming(1, "7", NORTH), incoming(2, "7", SOUTH)]) == []

    assert [(one.target, one.record.code) for one in held(spool)] == [(NORTH, "7"), (SOUTH, "7")]


def test_two_records_of_one_source_are_one_in_the_place_of_the_first(spool: Spool) -> None:
    second = incoming(3, "7", Name="new", Fax="1")

    merged = spool.put([incoming(1, "7", Name="old", City="Gent"), incoming(2, "8"), second])

    assert merged == [second]
    assert held(spool) == [replace(incoming(1, "7", Name="new", City="Gent", Fax="1"), merged=1), incoming(2, "8")]


def test_each_record_that_became_part_of_another_is_named_and_counted(spool: Spool) -> None:
    spool.put([incoming(1, "7"), incoming(2, "8")])
    others = [incoming(3, "8"), incoming(4, "7"), incoming(5, "7")]

    assert spool.put(others) == others
    assert [(one.number, one.merged) for one in held(spool)] == [(1, 2), (2, 1)]


def test_many_records_come_in_pages(spool: Spool) -> None:
    spool.put([incoming(number) for number in range(1, RECORDS_AT_A_TIME * 2 + 2)])

    assert [len(page) for page in spool.pages()] == [RECORDS_AT_A_TIME, RECORDS_AT_A_TIME, 1]


def test_records_are_found_by_their_numbers(spool: Spool) -> None:
    spool.put([incoming(1), incoming(2), incoming(3)])

    assert spool.get([3, 1, 99]) == {1: incoming(1), 3: incoming(3)}


def test_where_records_come_from_and_go_to_is_known_once_each(spool: Spool) -> None:
    spool.put([incoming(1, target=SOUTH), incoming(2), incoming(3)])
    spool.put([Incoming(4, 0, SourceRecord(SourceKey(100, "5e2d"), "7", {}))])

    assert spool.places() == [(0, NORTH), (0, SOUTH), (100, 0)]


def test_a_spool_that_was_cleared_holds_nothing(spool: Spool) -> None:
    spool.put([incoming(1)])

    spool.clear()

    assert (held(spool), spool.places()) == ([], [])


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.dictionaries(st.sampled_from(["Name", "City"]), st.text()))))
def test_a_spool_is_an_ordered_map_of_merged_records(records: list[tuple[str, dict[str, str]]]) -> None:
    spool, model, firsts = Spool(ACCOUNTS), dict[str, dict[str, str]](), dict[str, int]()
    for number, (code, values) in enumerate(records, 1):
        is_merged = bool(spool.put([incoming(number, code, **values)]))
        assert is_merged is (code in model)
        model[code] = {**model.get(code, {}), **values}
        firsts.setdefault(code, number)

    found = held(spool)
    spool.close()
    assert [(one.number, one.record.code) for one in found] == sorted((number, code) for code, number in firsts.items())
    assert {one.record.code: one.record.values for one in found} == model
    assert sum(one.merged + 1 for one in found) == len(records)
