"""How records ended, as lines and as counts that add up."""

from __future__ import annotations

import re
import threading
from collections import Counter
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_exactonline.planning.model import SourceKey
from target_exactonline.reporting.outcomes import Outcome, Result, Tally

AT = datetime(2026, 6, 25, 14, 0, 0, 123_456, tzinfo=timezone.utc)
NORTH, SOUTH = 201, 202


def result(outcome: Outcome, division: int | None = NORTH) -> Result:
    return Result(division, "7", outcome, AT)


def tally(*outcomes: Outcome, division: int | None = NORTH) -> Tally:
    counts = Tally()
    for outcome in outcomes:
        counts.add(result(outcome, division))
    return counts


def test_a_result_is_a_line_of_the_results_file() -> None:
    updated = Result(
        NORTH, "10042", Outcome.UPDATED, AT, changes={"City": ("Delft", "Gent")}, source=SourceKey(100, "5e2d")
    )

    assert updated.as_line(run="r1", dry_run=False) == {
        "entity": "accounts",
        "division": 201,
        "code": "10042",
        "outcome": "updated",
        "kind": None,
        "reason": None,
        "changes": {"City": ["Delft", "Gent"]},
        "source": {"division": 100, "id": "5e2d"},
        "not_sent": [],
        "run": "r1",
        "at": "2026-06-25T14:00:00.123+00:00",
    }


def test_a_line_names_another_code_and_another_match_only_where_there_is_one() -> None:
    usual = Result(NORTH, "7", Outcome.UPDATED, AT, matched_on="Code", target_code="7")
    other = Result(NORTH, "7", Outcome.UPDATED, AT, matched_on="VATNumber", target_code="3007")

    line = other.as_line(run="r1", dry_run=False)

    assert usual.as_line(run="r1", dry_run=False).keys().isdisjoint({"matched_on", "target_code"})
    assert (line["matched_on"], line["target_code"]) == ("VATNumber", "3007")


def test_a_record_of_a_foreign_stream_names_no_source() -> None:
    foreign = Result(NORTH, "7", Outcome.CREATED, AT, source=SourceKey(0, "7"))

    assert foreign.as_line(run="r1", dry_run=False)["source"] is None


def test_a_line_of_a_trial_run_says_so() -> None:
    line = result(Outcome.CREATED).as_line(run="r1", dry_run=True)

    assert line == {**result(Outcome.CREATED).as_line(run="r1", dry_run=False), "dry_run": True}


def test_a_division_is_one_line_in_the_log() -> None:
    counts = tally(*[Outcome.CREATED] * 12, *[Outcome.UPDATED] * 3, *[Outcome.UNCHANGED] * 485, Outcome.REFUSED)

    assert list(counts.lines({NORTH: 17, None: 2})) == [
        "records → division 201: 12 created, 3 updated, 485 unchanged, 1 refused, 0 parked (501 received, 17 calls)"
    ]


def test_skipped_ones_are_told_only_where_there_are_any() -> None:
    (line,) = tally(Outcome.SKIPPED, Outcome.CREATED).lines({})

    assert "0 parked, 1 skipped (2 received, 0 calls)" in line


def test_records_that_name_no_division_have_a_line_of_their_own() -> None:
    (line,) = tally(Outcome.REFUSED, division=None).lines({})

    assert line.startswith("records → no division: ")


def test_a_run_is_one_line_over_all_divisions() -> None:
    counts = tally(Outcome.CREATED, Outcome.PARKED)
    counts.add(result(Outcome.CREATED, SOUTH))
    counts.add(result(Outcome.REFUSED, SOUTH))

    assert counts.summary() == "2 created, 0 updated, 0 unchanged, 1 refused, 1 parked (4 received)"
    assert counts.count(Outcome.CREATED) == 2


def test_nothing_came_in() -> None:
    assert list(Tally().lines({})) == []
    assert Tally().summary() == "0 created, 0 updated, 0 unchanged, 0 refused, 0 parked (0 received)"


@given(st.lists(st.tuples(st.none() | st.integers(1, 4), st.sampled_from(Outcome)), max_size=60))
def test_the_counts_of_every_line_add_up_to_what_was_received(ends: list[tuple[int | None, Outcome]]) -> None:
    counts = Tally()
    for division, outcome in ends:
        counts.add(result(outcome, division))

    for line in [*counts.lines({}), counts.summary()]:
        told, received = line.split("(")
        numbers = [int(number) for number in re.findall(r"(\d+) [a-z]", told.split(":")[-1])]
        assert sum(numbers) == int(received.split(" ")[0])
    by_outcome = Counter(outcome for _, outcome in ends)
    assert [counts.count(outcome) for outcome in Outcome] == [by_outcome[outcome] for outcome in Outcome]


@pytest.mark.timeout(20)
def test_threads_miscount_nothing() -> None:
    counts = Tally()

    def work() -> None:
        for _ in range(500):
            counts.add(result(Outcome.CREATED))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counts.summary().startswith("4000 created")
    assert counts.summary().endswith("(4000 received)")
