"""All groups together, their ceilings, and what spends a limit on purpose."""

from __future__ import annotations

from exactonline_probe.ceilings import COUNTED, ERRORS_PER_HOUR
from exactonline_probe.question import GROUPS
from exactonline_probe.questions import QUESTIONS
from probe_driver import COMPANY, EVERY_GROUP, Probe, probed_world
from sandbox_driver import small_world

CONTRACT = ("--contract-calls", "500")


def errors(probe: Probe) -> int:
    return sum(call["status"] in COUNTED for call in probe.sandbox.journal())


def test_there_are_sixty_questions_and_more_in_every_group() -> None:
    assert len(QUESTIONS) >= 60
    assert {one.group for one in QUESTIONS} == set(GROUPS)


def test_every_question_of_every_group_is_answered_as_assumed_or_not_served(probe: Probe) -> None:
    probe.sandbox.reset(probed_world(limits={"per_day_contract": 500}))
    before = probe.sandbox.accounts(COMPANY)

    ran = probe.run("run", *EVERY_GROUP, *CONTRACT)

    assert ran.status == 0, ran.output
    assert set(ran.with_verdict("as assumed", "not served here")) == {one.id for one in QUESTIONS}
    assert probe.sandbox.accounts(COMPANY) == before
    assert errors(probe) <= ERRORS_PER_HOUR


def test_the_limits_are_spent_only_by_who_asks_for_it(probe: Probe) -> None:
    ran = probe.run("run", "--write-to", "100", "--company", "Company 100")

    limits = {one.id for one in QUESTIONS if one.group == "limits"}
    assert limits.isdisjoint(ran.lines)
    assert {call["status"] for call in probe.sandbox.journal()}.isdisjoint({429})


def test_the_day_of_the_contract_is_spent_only_by_who_says_how_far(probe: Probe) -> None:
    probe.sandbox.reset(probed_world(limits={"per_day_contract": 500}))

    ran = probe.run("run", "--group", "limits")

    assert ran.with_verdict("not asked") == ["contract_refusal"]
    assert [day["refused"] for day in probe.sandbox.contract()] == [0]


def test_others_keep_their_part_of_the_minute(probe: Probe) -> None:
    probe.run("run", "--write-to", "100", "--company", "Company 100")

    calls = probe.sandbox.journal(division=COMPANY)
    in_minutes = [call["at"][:16] for call in calls if call["status"] != 501]
    assert len(in_minutes) > 100
    assert max(in_minutes.count(minute) for minute in in_minutes) <= 56


def test_after_five_errors_in_an_hour_nothing_more_is_sent(probe: Probe) -> None:
    probe.sandbox.fault("error", status=400, text="Bad Request", every=1, division=COMPANY)

    ran = probe.run("run")
    again = probe.run("run", "--division", "100")

    assert errors(probe) == ERRORS_PER_HOUR
    assert "5 errors in an hour, and any request may be one; go on after" in ran.output
    assert set(again.lines) == set(again.with_verdict("not asked"))


def test_after_that_hour_it_goes_on(probe: Probe) -> None:
    probe.sandbox.fault("error", status=400, text="Bad Request", every=1, division=COMPANY)
    probe.run("run")
    probe.sandbox.clear_faults()
    probe.hours.sleep(3601)

    ran = probe.run("run")

    assert ran.with_verdict("not asked") == []


def test_a_company_that_has_nothing_leaves_questions_undecided_and_none_wrong(probe: Probe) -> None:
    probe.sandbox.reset(small_world(n=0, targets=(), limits={"enabled": True}))

    ran = probe.run("run", *EVERY_GROUP)

    assert ran.with_verdict("differs", "new") == []
    assert {"code_padding", "page_size"} <= set(ran.with_verdict("undecided"))
    assert "foreign_guid" in ran.with_verdict("not asked")


def test_an_app_that_lacks_a_scope_is_told_so(probe: Probe) -> None:
    probe.sandbox.change_app(scopes=["crm.accounts", "organization.administration"])

    ran = probe.run("run", "--group", "references")

    assert "vat_code_padding" in ran.with_verdict("no access")


def test_an_answer_that_nobody_expected_is_new(probe: Probe) -> None:
    probe.sandbox.fault("status", status=418, body="teapot", endpoint="hrm/Divisions")

    ran = probe.run("run")

    assert ran.lines["divisions_hrm"] == ["new", "divisions_hrm", "http_418"]
    assert "1 new" in ran.output
