"""The table of what follows from an answer: which try comes next, and what is given up in the end."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from exactonline_client.retries import (
    TABLE,
    Method,
    Next,
    Outcome,
    Step,
    next_step,
    outcome_of,
    says_that_calls_are_left,
)

METHODS: tuple[Method, ...] = get_args(Method)
ATTEMPTS = range(1, 12)
MAY_HAVE_HAPPENED = {outcome for outcome, row in TABLE.items() if row.may_have_happened}
LOOKED_UP_AFTER_ANY_WRITE = {Outcome.UNREADABLE, Outcome.PAGE}
"""The answer is not of the documented form, so that it says nothing on an update or a deletion either."""
TRIED_AGAIN = {outcome for outcome, row in TABLE.items() if row.delays} | {Outcome.LIMITED}
BARE = ("Gegeven bestaat reeds.",)


def steps(method: Method, outcome: Outcome) -> list[Next]:
    return [next_step(method, outcome, attempt) for attempt in ATTEMPTS]


def last_step(method: Method, outcome: Outcome) -> Step:
    return steps(method, outcome)[-1].step


# The table


def test_every_outcome_has_its_row() -> None:
    assert set(TABLE) == set(Outcome)


@pytest.mark.parametrize("method", METHODS)
def test_only_what_is_done_is_accepted(method: Method) -> None:
    accepted = {outcome for outcome in Outcome if Next(Step.ACCEPT) in steps(method, outcome)}

    assert accepted == {Outcome.DONE}


def test_these_answers_leave_open_whether_a_write_happened() -> None:
    assert {outcome.name for outcome in MAY_HAVE_HAPPENED} == {
        *("NO_ANSWER", "GATEWAY", "PAGE", "UNREADABLE", "FAULT", "UNKNOWN_TEXT")
    }


@pytest.mark.parametrize("outcome", MAY_HAVE_HAPPENED, ids=lambda outcome: outcome.name)
def test_a_create_that_may_have_happened_is_looked_for_before_it_is_sent_again(outcome: Outcome) -> None:
    taken = [following.step for following in steps("POST", outcome)]

    assert taken[0] is Step.LOOK_FIRST
    assert set(taken) == {Step.LOOK_FIRST, Step.DEFER_RECORD}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_change_is_sent_again_without_a_look_unless_something_else_than_exact_seems_to_answer(method: Method) -> None:
    for outcome in MAY_HAVE_HAPPENED:
        first = Step.LOOK_FIRST if outcome in LOOKED_UP_AFTER_ANY_WRITE else Step.REPEAT
        assert {following.step for following in steps(method, outcome)} == {first, Step.DEFER_RECORD}


def test_a_read_is_repeated_without_a_look() -> None:
    for outcome in MAY_HAVE_HAPPENED:
        assert {following.step for following in steps("GET", outcome)} == {Step.REPEAT, Step.DEFER_RECORD}


@pytest.mark.parametrize("method", METHODS)
def test_what_exact_did_not_take_in_is_sent_again(method: Method) -> None:
    assert next_step(method, Outcome.NOT_SENT, 1) == Next(Step.REPEAT, 1.0)
    assert next_step(method, Outcome.LIMITED, 1) == Next(Step.WAIT_FOR_LIMIT)
    assert next_step(method, Outcome.TOKEN_EXPIRED, 1) == Next(Step.RENEW_TOKEN)


@pytest.mark.parametrize("method", METHODS)
def test_what_more_tries_cannot_mend_is_given_up_at_once(method: Method) -> None:
    for outcome in set(Outcome) - TRIED_AGAIN - {Outcome.DONE}:  # NOT_FOUND has a test of its own
        assert set(steps(method, outcome)) == {Next(TABLE[outcome].end)}
        assert TABLE[outcome].end.is_final


@pytest.mark.parametrize("method", METHODS)
def test_every_row_of_tries_ends_and_its_delays_grow(method: Method) -> None:
    for outcome in set(Outcome) - {Outcome.DONE, Outcome.LIMITED}:
        row = steps(method, outcome)
        tries = [following.delay_seconds for following in row if not following.step.is_final]

        assert row[len(tries) :] == [Next(TABLE[outcome].end)] * (len(ATTEMPTS) - len(tries))
        assert len(tries) <= 5
        assert tries == sorted(tries)


def test_a_change_that_meets_no_row_is_looked_up_once_and_anything_else_given_up() -> None:
    for method in METHODS:
        taken = [following.step for following in steps(method, Outcome.NOT_FOUND)][:2]
        first = Step.LOOK_FIRST if method in {"PUT", "DELETE"} else Step.DEFER_RECORD
        assert taken == [first, Step.DEFER_RECORD]


def test_only_exact_s_own_words_refuse_a_record() -> None:
    refused = {outcome for outcome, row in TABLE.items() if row.end is Step.REFUSE_RECORD}

    assert refused == {Outcome.REJECTED, Outcome.INVALID, Outcome.EXISTS}


def test_no_single_answer_gives_up_a_site() -> None:
    assert {row.end for row in TABLE.values() if row.end.is_final} == {
        *(Step.REFUSE_RECORD, Step.DEFER_RECORD, Step.GIVE_UP_COMPANY)
    }


@pytest.mark.parametrize("method", METHODS)
def test_a_limit_is_waited_for_however_often_it_comes(method: Method) -> None:
    assert set(steps(method, Outcome.LIMITED)) == {Next(Step.WAIT_FOR_LIMIT)}


@pytest.mark.parametrize("method", METHODS)
def test_the_third_refusal_in_a_row_that_says_calls_are_left_is_a_limit_of_another_kind(method: Method) -> None:
    taken = [following.step for following in steps(method, Outcome.LIMITED_BY_NOTHING)]

    assert taken[:3] == [Step.WAIT_FOR_LIMIT, Step.WAIT_FOR_LIMIT, Step.GIVE_UP_COMPANY]
    assert TABLE[Outcome.LIMITED_BY_NOTHING].kind == "contract_limit"


def test_a_token_is_renewed_once_and_then_the_company_is_given_up() -> None:
    taken = [following.step for following in steps("GET", Outcome.TOKEN_EXPIRED)]

    assert taken[:2] == [Step.RENEW_TOKEN, Step.GIVE_UP_COMPANY]


def test_a_delay_comes_only_before_another_try() -> None:
    for method, outcome, attempt in product(METHODS, Outcome, ATTEMPTS):
        following = next_step(method, outcome, attempt)

        assert following.delay_seconds == 0 or following.step in {Step.REPEAT, Step.LOOK_FIRST}


# Answers


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DONE),
        (201, Outcome.DONE),
        (204, Outcome.DONE),
        (302, Outcome.PAGE),
        (400, Outcome.REJECTED),
        (401, Outcome.TOKEN_EXPIRED),
        (403, Outcome.FORBIDDEN),
        (404, Outcome.NOT_FOUND),
        (408, Outcome.GATEWAY),
        (413, Outcome.UNEXPECTED),
        (418, Outcome.UNEXPECTED),
        (429, Outcome.LIMITED),
        (501, Outcome.UNEXPECTED),
        (502, Outcome.GATEWAY),
        (503, Outcome.GATEWAY),
        (504, Outcome.GATEWAY),
        (507, Outcome.GATEWAY),
        (520, Outcome.GATEWAY),
        (524, Outcome.GATEWAY),
        (599, Outcome.GATEWAY),
    ],
)
def test_a_status_other_than_500_speaks_for_itself(status: int, outcome: Outcome) -> None:
    assert outcome_of(status) is outcome
    assert outcome_of(status, BARE, method="POST") is outcome


@pytest.mark.parametrize("status", range(500, 600))
def test_every_status_from_500_but_two_is_a_gateway_s(status: int) -> None:
    assert (outcome_of(status) is Outcome.GATEWAY) == (status not in {500, 501})


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_page_refuses_nothing(status: int) -> None:
    assert outcome_of(status, is_page=True) is Outcome.PAGE


def test_an_empty_500_is_exact_s_own_fault() -> None:
    assert outcome_of(500) is Outcome.FAULT


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("Gegeven bestaat reeds.", Outcome.EXISTS),
        ("Bestaat reeds: Btw-nummer", Outcome.INVALID),
        ("Verplicht: Naam", Outcome.INVALID),
        ("Ongeldig: Divisie", Outcome.COMPANY_INVALID),
        ("Time-out verlopen. De time-outperiode is verstreken.", Outcome.FAULT),
        ("Codice già in uso.", Outcome.UNKNOWN_TEXT),
    ],
)
def test_a_500_means_what_its_text_says(said: str, outcome: Outcome) -> None:
    assert outcome_of(500, (said,), method="POST") is outcome


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_that_a_key_exists_refuses_anything_but_a_create(method: Method) -> None:
    assert outcome_of(500, BARE, method=method) is Outcome.INVALID


@pytest.mark.parametrize(
    ("headers", "are_left"),
    [
        ({"x-ratelimit-minutely-remaining": "5"}, True),
        ({"x-ratelimit-remaining": "4000"}, True),
        ({"x-ratelimit-minutely-remaining": "5", "x-ratelimit-remaining": "4000"}, True),
        ({"x-ratelimit-minutely-remaining": "0", "x-ratelimit-remaining": "4000"}, False),
        ({"x-ratelimit-minutely-remaining": "5", "x-ratelimit-remaining": "0"}, False),
        ({"x-ratelimit-minutely-remaining": "many"}, False),
        ({}, False),
    ],
)
def test_a_refusal_that_names_a_limit_with_calls_left_is_told_from_others(
    headers: dict[str, str], are_left: bool
) -> None:
    assert says_that_calls_are_left(headers) is are_left
    expected = Outcome.LIMITED_BY_NOTHING if are_left else Outcome.LIMITED
    assert outcome_of(429, are_calls_left=are_left) is expected
