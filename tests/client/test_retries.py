"""What follows from an answer: the table of steps, and the reading of Exact's words."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from exactonline_client.retries import Method, Next, Outcome, Step, next_step, outcome_of

METHODS: tuple[Method, ...] = get_args(Method)
ATTEMPTS = range(1, 12)
MAY_HAVE_HAPPENED = {Outcome.NO_ANSWER, Outcome.UNREADABLE, Outcome.FAULT, Outcome.UNKNOWN_TEXT}
DID_NOT_HAPPEN = {Outcome.NOT_SENT, Outcome.LIMITED, Outcome.TOKEN_EXPIRED}
"""Of the outcomes after which the same request may succeed."""
FINAL = set(Outcome) - MAY_HAVE_HAPPENED - DID_NOT_HAPPEN - {Outcome.DONE}


def steps(method: Method, outcome: Outcome) -> list[Next]:
    return [next_step(method, outcome, attempt) for attempt in ATTEMPTS]


# The table


@pytest.mark.parametrize("method", METHODS)
def test_only_what_is_done_is_accepted(method: Method) -> None:
    accepted = {outcome for outcome in Outcome if Next(Step.ACCEPT) in steps(method, outcome)}

    assert accepted == {Outcome.DONE}


@pytest.mark.parametrize("outcome", MAY_HAVE_HAPPENED, ids=lambda outcome: outcome.name)
def test_a_create_that_may_have_happened_is_looked_for_before_it_is_sent_again(outcome: Outcome) -> None:
    taken = [following.step for following in steps("POST", outcome)]

    assert taken[0] is Step.LOOK_FIRST
    assert set(taken) == {Step.LOOK_FIRST, Step.GIVE_UP}


@pytest.mark.parametrize("method", [method for method in METHODS if method != "POST"])
def test_what_can_be_sent_twice_without_harm_is_repeated_without_a_look(method: Method) -> None:
    for outcome in MAY_HAVE_HAPPENED:
        assert {following.step for following in steps(method, outcome)} == {Step.REPEAT, Step.GIVE_UP}


@pytest.mark.parametrize("method", METHODS)
def test_what_exact_did_not_take_in_is_sent_again(method: Method) -> None:
    assert next_step(method, Outcome.NOT_SENT, 1) == Next(Step.REPEAT, 1.0)
    assert next_step(method, Outcome.LIMITED, 1) == Next(Step.WAIT_FOR_LIMIT)
    assert next_step(method, Outcome.TOKEN_EXPIRED, 1) == Next(Step.RENEW_TOKEN)


@pytest.mark.parametrize("method", METHODS)
def test_what_more_tries_cannot_mend_is_given_up_at_once(method: Method) -> None:
    for outcome in FINAL:
        assert set(steps(method, outcome)) == {Next(Step.GIVE_UP)}


@pytest.mark.parametrize("method", METHODS)
def test_every_row_of_tries_ends_and_its_delays_grow(method: Method) -> None:
    for outcome in set(Outcome) - {Outcome.DONE, Outcome.LIMITED}:
        row = steps(method, outcome)
        tries = [following.delay_seconds for following in row if following.step is not Step.GIVE_UP]

        assert row[len(tries) :] == [Next(Step.GIVE_UP)] * (len(ATTEMPTS) - len(tries))
        assert len(tries) <= 5
        assert tries == sorted(tries)


def test_a_limit_is_waited_for_however_often_it_comes() -> None:
    for method in METHODS:
        assert set(steps(method, Outcome.LIMITED)) == {Next(Step.WAIT_FOR_LIMIT)}


def test_a_token_is_renewed_once() -> None:
    assert [following.step for following in steps("GET", Outcome.TOKEN_EXPIRED)][:2] == [Step.RENEW_TOKEN, Step.GIVE_UP]


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
        (302, Outcome.UNEXPECTED),
        (400, Outcome.REJECTED),
        (401, Outcome.TOKEN_EXPIRED),
        (403, Outcome.FORBIDDEN),
        (404, Outcome.NOT_FOUND),
        (408, Outcome.FAULT),
        (418, Outcome.UNEXPECTED),
        (429, Outcome.LIMITED),
        (502, Outcome.FAULT),
        (503, Outcome.FAULT),
        (504, Outcome.FAULT),
    ],
)
def test_a_status_other_than_500_speaks_for_itself(status: int, outcome: Outcome) -> None:
    assert outcome_of(status, "") is outcome
    assert outcome_of(status, "Gegeven bestaat reeds.") is outcome


@pytest.mark.parametrize(
    "text",
    [
        "Gegeven bestaat reeds.",
        "gegeven bestaat reeds",
        "Data already exists.",
        "Bestaat reeds: Mandaat referentie",
        "Bestaat al: Code",
        "Already exists: Code",
        "Moet zijn: Uniek - Artikel, Valuta",
        "Daten bereits vorhanden.",
        "Donnée déjà existante.",
        "Los datos ya existen.",
    ],
)
def test_a_text_that_says_the_key_is_taken_is_no_fault_of_the_record(text: str) -> None:
    assert outcome_of(500, text) is Outcome.EXISTS


@pytest.mark.parametrize(
    "text",
    [
        "Verplicht: Naam",
        "Mandatory: Name",
        "Ongeldig: Email",
        "Invalid: Email [] (English) [500]",
        "Ongeldige referentie: Betalingsconditie Ongeldige referentie: Btw-code",
        "Invalid reference: Payment condition",
        "Unknown: Fiscal year (2031)",
        "In gebruik: Relatie",
        "In use: Account",
        "Niet herkende GUID-indeling.",
        "Periode is afgesloten: 2025 - 12",
    ],
)
def test_a_text_that_names_what_is_wrong_refuses_the_record(text: str) -> None:
    assert outcome_of(500, text) is Outcome.INVALID


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A problem has occurred. The cause of this issue will be investigated as soon as possible.",
        "Er is een fout opgetreden.",
        "Object reference not set to an instance of an object.",
    ],
)
def test_a_real_fault_is_told_from_a_fault_of_the_record(text: str) -> None:
    assert outcome_of(500, text) is Outcome.FAULT


@pytest.mark.parametrize("text", ["Valeur non autorisée.", "Ungültig: E-Mail", "Obligatorio: Nombre", "?"])
def test_a_text_in_another_language_is_unknown(text: str) -> None:
    assert outcome_of(500, text) is Outcome.UNKNOWN_TEXT


@pytest.mark.parametrize(
    ("dutch", "english"),
    [("Moet zijn: Groter dan 0", "Must be: Greater than 0"), ("Moet zijn: Uniek - Code", "Must be: Unique - Code")],
)
def test_both_languages_of_a_text_mean_the_same(dutch: str, english: str) -> None:
    assert outcome_of(500, dutch) is outcome_of(500, english)


@pytest.mark.parametrize("text", ["Unknown error", "Invalid operation. The connection is closed."])
def test_a_fault_that_begins_with_such_a_word_does_not_refuse_the_record(text: str) -> None:
    assert outcome_of(500, text) is not Outcome.INVALID
