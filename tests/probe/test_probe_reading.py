"""Questions that only read."""

from __future__ import annotations

from exactonline_probe.questions import QUESTIONS
from probe_driver import Probe

READING = [one for one in QUESTIONS if one.group == "reading"]


def test_every_reading_question_is_answered_as_assumed_or_not_served(probe: Probe) -> None:
    ran = probe.run("run")

    assert ran.status == 0, ran.output
    assert set(ran.lines) == {one.id for one in READING}
    assert set(ran.with_verdict("as assumed", "not served here")) == set(ran.lines)
    assert ran.with_verdict("not served here") == ["metadata_crm", "metadata_cashflow", "metadata_vat"]


def test_reading_sends_nothing_but_get_and_says_so(probe: Probe) -> None:
    ran = probe.run("run")

    methods = {call["method"] for call in probe.sandbox.journal() if not call["endpoint"].startswith("oauth2/")}
    assert methods == {"GET"}
    assert "Nothing but GET requests is sent; nothing is changed." in ran.output


def test_the_calls_stay_under_the_ceiling_that_was_announced(probe: Probe) -> None:
    ran = probe.run("run")

    announced = int(ran.output.partition("at most ")[2].partition(" calls")[0])
    assert 0 < probe.sandbox.calls() <= announced


def test_one_answer_serves_all_questions_that_look_at_it(probe: Probe) -> None:
    probe.run("run")

    reads = [call["target"] for call in probe.sandbox.journal(method="GET")]
    assert len(reads) == len(set(reads))


def test_a_dry_run_lists_the_requests_and_sends_none(probe: Probe) -> None:
    ran = probe.run("run", "--dry")

    assert ran.output.splitlines() == list(dict.fromkeys(ask.title for one in READING for ask in one.asks))
    assert probe.sandbox.journal() == []


def test_there_are_questions_enough_each_with_an_id_of_its_own() -> None:
    assert len(READING) >= 25
    assert len({one.id for one in QUESTIONS}) == len(QUESTIONS)
    for one in QUESTIONS:
        labels = [answer.label for answer in one.answers]
        assert len(labels) == len(set(labels)), one.id
