"""Inside Exact's limits, at full speed, and what happens when a limit ends the day."""

from collections import Counter

import pytest
from sandbox_driver import Sandbox, small_world
from target_driver import InProcessTarget, wanted

NORTH, SOUTH, WEST = 201, 202, 203
MINUTE_SECONDS = 1


def limited(**limits: object) -> dict[str, object]:
    return {"limits": {"enabled": True, "per_minute": 10_000, "per_day": 100_000, **limits}}


def refusals(sandbox: Sandbox) -> Counter[int]:
    return Counter(call["division"] for call in sandbox.journal() if call["status"] == 429)


def test_every_call_of_each_minute_is_used_and_hardly_one_is_refused(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(**limited(per_minute=20, minute_seconds=MINUTE_SECONDS)))

    loaded = target.load([one for code in (NORTH, SOUTH, WEST) for one in wanted(code, *range(1, 71))])

    assert loaded.counts() == {"created": 210}
    assert all(count <= 1 for count in refusals(sandbox).values())


def test_a_clock_that_differs_from_exacts_changes_nothing(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(**limited(per_minute=20, minute_seconds=MINUTE_SECONDS)))
    sandbox.advance(-7 * 3600 - 11.4)

    loaded = target.load(wanted(NORTH, *range(1, 51)))

    assert loaded.counts() == {"created": 50}
    assert all(count <= 1 for count in refusals(sandbox).values())


def test_one_request_at_a_time_goes_to_a_division(target: InProcessTarget, sandbox: Sandbox) -> None:
    target.load([one for code in (NORTH, SOUTH, WEST) for one in wanted(code, *range(1, 31))], parallel_divisions=64)

    assert not any(call["overlapped"] for call in sandbox.journal())


def test_a_division_that_waits_for_its_minute_holds_up_no_other(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.fault("429_minute", division=NORTH, endpoint="sync/CRM/Accounts")

    loaded = target.load(wanted(NORTH, 1) + wanted(SOUTH, *range(1, 6)), parallel_divisions=1, requests_per_minute=30)

    creates = [call["division"] for call in target.writes()]
    assert creates == [SOUTH] * 5 + [NORTH]
    assert loaded.counts() == {"created": 6}


def test_when_the_day_is_spent_the_rest_is_parked_and_the_others_go_on(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.reset(small_world(**limited(per_day=30)))

    loaded = target.load(wanted(NORTH, *range(1, 51)) + wanted(SOUTH, *range(1, 6)), state={"at": 1})

    assert loaded.status == 0
    assert loaded.counts(NORTH) == {
        "created": 27,
        "parked": 23,
    }  # the day less the list of divisions, one read and one look
    assert loaded.counts(SOUTH) == {"created": 5}
    assert loaded.states == [{"at": 1}]
    assert "calls of this day are used" in loaded.log


def test_the_next_day_goes_on_with_what_was_parked_and_creates_nothing_twice(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.reset(small_world(**limited(per_day=30, day_seconds=1000)))
    target.load(wanted(NORTH, *range(1, 51)))
    sandbox.advance(1000)

    loaded = target.load([])

    assert loaded.counts() == {"created": 23}
    assert sandbox.codes(NORTH) == sorted(map(str, range(1, 51)))
    created = Counter(call["body"]["Code"] for call in target.writes() if call["status"] == 201)
    assert set(created.values()) == {1}


def test_a_second_run_on_the_same_day_knows_what_the_first_one_used(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(**limited(per_day=30)))
    target.load(wanted(NORTH, *range(1, 51)))
    sandbox.forget_calls()

    loaded = target.load([])

    assert loaded.counts() == {"parked": 23}
    assert sandbox.journal(division=NORTH) == []


def test_an_own_ceiling_ends_the_day_before_exact_does(target: InProcessTarget, sandbox: Sandbox) -> None:
    sandbox.reset(small_world(**limited(per_day=100)))

    loaded = target.load(wanted(NORTH, *range(1, 31)), requests_per_day=12)

    assert loaded.counts() == {"created": 9, "parked": 21}


@pytest.mark.parametrize("status", [400, 404])
def test_a_division_that_answers_every_write_with_an_error_rests_before_exact_blocks_the_key(
    target: InProcessTarget, sandbox: Sandbox, status: int
) -> None:
    target.load(wanted(NORTH, *range(1, 31)))
    sandbox.fault("status", status=status, division=NORTH, endpoint="crm/Accounts", every=1)

    runs = [
        target.load(wanted(NORTH, *range(1, 31), City=city) + wanted(SOUTH, run)) for run, city in enumerate("ABC", 1)
    ]

    errors = [call for call in sandbox.journal(division=NORTH) if call["status"] == status]
    assert len(errors) <= 10
    assert all(run.counts(SOUTH)["created"] == 1 for run in runs)
    assert all(sum(run.counts(NORTH).values()) >= 30 for run in runs)


def test_a_429_without_headers_is_taken_for_the_block_and_parks_the_division(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.reset(small_world(**limited()))
    sandbox.fault("429_no_headers", division=NORTH, method="POST", every=1)

    loaded = target.load(wanted(NORTH, 1, 2, 3) + wanted(SOUTH, 1))

    assert loaded.counts(NORTH) == {"parked": 3}
    assert len(target.writes(NORTH)) == 1
    assert loaded.counts(SOUTH) == {"created": 1}


def test_the_third_429_in_a_row_that_shows_calls_left_puts_the_company_off_in_words_and_the_others_go_on(
    target: InProcessTarget, sandbox: Sandbox
) -> None:
    sandbox.reset(small_world(**limited(minute_seconds=MINUTE_SECONDS)))
    sandbox.fault("429_calls_left", division=NORTH, method="POST", every=1)

    loaded = target.load(wanted(NORTH, 1, 2, 3) + wanted(SOUTH, 1), state={"at": 1})

    assert loaded.counts(NORTH) == {"parked": 3}
    assert {line["kind"] for line in loaded.outcomes if line["outcome"] == "parked"} == {"contract_limit"}
    (reason,) = loaded.reasons("parked")
    assert "Exact refused 3 calls in a row (HTTP 429) and says that calls are left" in reason
    assert len(target.writes(NORTH)) == 3
    assert (loaded.counts(SOUTH), loaded.states) == ({"created": 1}, [{"at": 1}])


def test_a_limit_on_creates_stops_a_division_before_its_first_write(target: InProcessTarget, sandbox: Sandbox) -> None:
    loaded = target.load(wanted(NORTH, *range(1, 12)) + wanted(SOUTH, 1), max_creates=10)

    assert loaded.counts(NORTH) == {"parked": 11}
    assert target.writes(NORTH) == []
    assert "max_creates" in "".join(loaded.reasons("parked"))
    assert loaded.counts(SOUTH) == {"created": 1}


def test_a_safety_limit_lets_through_what_waits_once_it_is_raised(target: InProcessTarget) -> None:
    target.load(wanted(NORTH, *range(1, 12)), max_creates=10)

    loaded = target.load([], max_creates=11)

    assert loaded.counts() == {"created": 11}


def test_a_limit_on_updates_looks_at_their_share(target: InProcessTarget) -> None:
    target.load(wanted(NORTH, *range(1, 11)))

    stopped = target.load(wanted(NORTH, 1, 2, 3, City="Delft"), max_updates_share=0.2)
    passed = target.load(wanted(NORTH, 1, 2, 3, City="Delft"), max_updates_share=0.3)

    assert stopped.counts() == {"parked": 3}
    assert passed.counts()["updated"] == 3
