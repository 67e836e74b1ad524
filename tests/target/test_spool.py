"""The records of a run in their order, each place taken by the newest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_exactonline.spool import CHUNK, Spool, Wanted

NORTH, SOUTH = 201, 202


@pytest.fixture
def spool() -> Iterator[Spool]:
    opened = Spool()
    yield opened
    opened.close()


def wanted(number: int, code: str = "", division: int = NORTH, **values: Any) -> Wanted:
    return Wanted(number, division, code or str(number), "accounts", values)


def held(spool: Spool, division: int = NORTH) -> list[Wanted]:
    return [one for chunk in spool.chunks(division) for one in chunk]


def test_records_come_out_as_they_went_in(spool: Spool) -> None:
    record = Wanted(
        7, NORTH, "0011", "klanten", {"Name": "Café 🏢\x00", "City": None, "Latitude": 5.5}, "2026-06-25", 3
    )

    spool.put([record])

    assert held(spool) == [record]


def test_records_come_out_in_the_order_of_their_numbers(spool: Spool) -> None:
    for number in (5, -2, 9, 1):
        spool.put([wanted(number)])

    assert [one.number for one in held(spool)] == [-2, 1, 5, 9]


def test_divisions_do_not_see_each_others_records(spool: Spool) -> None:
    spool.put([wanted(1, "7"), wanted(2, "7", SOUTH)])

    assert held(spool, SOUTH) == [wanted(2, "7", SOUTH)]
    assert sorted(spool.divisions()) == [NORTH, SOUTH]
    assert held(spool, 999) == []


def test_the_newest_wins_and_goes_to_the_end(spool: Spool) -> None:
    overtaken = spool.put([wanted(1, "7", Name="old"), wanted(2, "8"), wanted(3, "7", Name="new")])

    assert overtaken == [(NORTH, "7")]
    assert held(spool) == [wanted(2, "8"), wanted(3, "7", Name="new")]


def test_each_record_that_is_overtaken_is_told(spool: Spool) -> None:
    spool.put([wanted(1, "7"), wanted(2, "8")])

    assert spool.put([wanted(3, "8"), wanted(4, "7"), wanted(5, "7")]) == [(NORTH, "8"), (NORTH, "7"), (NORTH, "7")]


def test_an_older_wish_does_not_take_a_place_that_is_taken(spool: Spool) -> None:
    spool.put([wanted(1, "7", Name="new")])

    assert spool.put_unless_there(wanted(-1, "7", Name="old")) is False
    assert spool.put_unless_there(wanted(-2, "8", Name="old")) is True
    assert held(spool) == [wanted(-2, "8", Name="old"), wanted(1, "7", Name="new")]


def test_many_records_come_in_chunks(spool: Spool) -> None:
    spool.put(wanted(number) for number in range(CHUNK * 2 + 1))

    assert [len(chunk) for chunk in spool.chunks(NORTH)] == [CHUNK, CHUNK, 1]


def test_records_that_are_taken_while_reading_cost_no_other_its_turn(spool: Spool) -> None:
    spool.put(wanted(number) for number in range(CHUNK * 3))
    seen: list[int] = []

    for chunk in spool.chunks(NORTH):
        seen += [one.number for one in chunk]
        spool.take(NORTH, [one.code for one in chunk])

    assert seen == list(range(CHUNK * 3))
    assert spool.first_number() is None


def test_a_record_that_ended_before_its_chunk_is_not_seen_again(spool: Spool) -> None:
    spool.put(wanted(number) for number in range(CHUNK + 2))
    chunks = spool.chunks(NORTH)
    next(chunks)

    spool.take(NORTH, [str(CHUNK)])

    assert next(chunks) == [wanted(CHUNK + 1)]


def test_the_first_number_is_that_of_the_earliest_record_in_any_division(spool: Spool) -> None:
    spool.put([wanted(4), wanted(2, division=SOUTH), wanted(3)])
    before = spool.first_number()

    spool.take(SOUTH, ["2"])

    assert (before, spool.first_number()) == (2, 3)


@given(st.lists(st.tuples(st.sampled_from(["put", "unless there", "take"]), st.sampled_from("abcd")), max_size=30))
def test_a_spool_is_an_ordered_set_of_codes(operations: list[tuple[str, str]]) -> None:
    spool, model = Spool(), dict[str, int]()
    for number, (operation, code) in enumerate(operations):
        if operation == "take":
            spool.take(NORTH, [code])
            model.pop(code, None)
        elif operation == "put":
            assert spool.put([wanted(number, code)]) == ([(NORTH, code)] if code in model else [])
            model[code] = number
        else:
            assert spool.put_unless_there(wanted(number, code)) is (code not in model)
            model.setdefault(code, number)

    assert [(one.number, one.code) for one in held(spool)] == sorted((number, code) for code, number in model.items())
    assert spool.first_number() == min(model.values(), default=None)
    spool.close()
