"""Questions that write: where they may, what they touch, and that nothing is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from exactonline_probe.own_rows import NotOursError, OwnRows
from exactonline_probe.question import JSON, Filled, Method
from exactonline_probe.questions import QUESTIONS
from exactonline_probe.replies import Reply
from probe_driver import COMPANY, OTHER, Probe, probed_world
from sandbox_driver import customer

WRITES = ("POST", "PUT", "DELETE")
WRITING = [one for one in QUESTIONS if one.group == "writing"]
NAMED = ("--company", "Company 100")


def writes(probe: Probe) -> list[dict[str, Any]]:
    calls = probe.sandbox.journal()
    return [call for call in calls if call["method"] in WRITES and not call["endpoint"].startswith("oauth2/")]


def test_every_writing_question_is_answered_and_nothing_is_left(probe: Probe) -> None:
    before = probe.sandbox.accounts(COMPANY)

    ran = probe.run("run", "--group", "writing", "--write-to", "100", given="company 100\n")

    assert ran.status == 0, ran.output
    assert ran.with_verdict("as assumed") == [one.id for one in WRITING]
    assert probe.sandbox.accounts(COMPANY) == before
    assert "none is left" in ran.output


def test_it_writes_to_that_company_alone_and_under_its_own_mark(probe: Probe) -> None:
    probe.run("run", "--write-to", "100", *NAMED)

    made = [call["body"] for call in writes(probe) if call["method"] == "POST" and call["status"] == 201]
    places = {call["division"] or call["target"] for call in writes(probe)}
    assert places <= {COMPANY, f"/docs/XMLUpload.aspx?Topic=Accounts&_Division_={COMPANY}"}
    assert len(made) > 20
    accounts = [body for body in made if "Account" not in body]
    assert all(body["Name"].startswith("ZZ-probe ") for body in accounts)


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        (("--write-to", "100"), "company 101\n", "That is not the name of company 100"),
        (("--write-to", "999", "--company", "Company 999"), "", "Company 999 is not within reach"),
    ],
)
def test_it_writes_nothing_where_the_name_is_not_the_companys(
    options: tuple[str, ...], given: str, said: str, probe: Probe
) -> None:
    ran = probe.run("run", *options, given=given)

    assert (ran.status, writes(probe)) == (1, [])
    assert said in ran.errors


def test_it_refuses_a_company_that_is_in_use_unless_told_otherwise(probe: Probe) -> None:
    world = probed_world()
    world["accounts"][str(COMPANY)] = [customer(number) for number in range(1, 202)]
    probe.sandbox.reset(world)

    refused = probe.run("run", "--group", "writing", "--write-to", "100", *NAMED)
    written = writes(probe)
    allowed = probe.run("run", "--group", "writing", "--write-to", "100", *NAMED, "--large-company")

    assert (refused.status, written) == (1, [])
    assert "Company 100 has more than 200 accounts" in refused.errors
    assert allowed.status == 0
    assert len(probe.sandbox.accounts(COMPANY)) == 201


def test_without_a_company_no_question_that_writes_is_asked(probe: Probe) -> None:
    ran = probe.run("run", "--group", "writing")

    assert ran.with_verdict("not asked") == [one.id for one in WRITING]
    assert writes(probe) == []


def test_the_calls_stay_under_the_ceiling_that_was_announced(probe: Probe) -> None:
    ran = probe.run("run", "--write-to", "100", *NAMED)

    announced = int(ran.output.partition("at most ")[2].partition(" calls")[0])
    assert probe.sandbox.calls() <= announced


def test_what_cannot_be_deleted_is_blocked_and_told(probe: Probe) -> None:
    probe.sandbox.fault("error", method="DELETE", text="In gebruik: Relatie", every=1)

    ran = probe.run("run", "--group", "writing", "--write-to", "100", *NAMED)

    left = [one for one in probe.sandbox.accounts(COMPANY) if one["Name"].startswith("ZZ-probe")]
    assert left
    assert all(one["Blocked"] for one in left)
    assert f"{len(left)} could only be blocked" in ran.output
    assert ran.status == 1
    probe.sandbox.clear_faults()
    assert probe.run("clean").status == 0
    assert len(probe.sandbox.accounts(COMPANY)) == 70


def test_an_account_whose_answer_was_lost_is_removed_as_well(probe: Probe) -> None:
    before = probe.sandbox.accounts(COMPANY)
    probe.sandbox.fault("lost_answer", method="POST", endpoint="crm/Accounts", every=2)

    ran = probe.run("run", "--group", "writing", "--write-to", "100", *NAMED)

    assert ran.with_verdict("no answer")
    assert probe.sandbox.accounts(COMPANY) == before


def test_clean_leaves_an_account_alone_whose_name_no_longer_bears_the_mark(probe: Probe) -> None:
    probe.sandbox.fault("status", method=["DELETE", "PUT"], status=503, body="", every=1)
    probe.run("run", "--group", "writing", "--write-to", "100", *NAMED)
    probe.sandbox.clear_faults()
    mine = next(one for one in probe.sandbox.accounts(COMPANY) if one["Name"].startswith("ZZ-probe"))
    probe.sandbox.edit(COMPANY, mine["Code"], Name="Now somebody's")

    probe.run("clean")

    assert [one["Name"] for one in probe.sandbox.accounts(COMPANY) if one["Code"] == mine["Code"]] == ["Now somebody's"]
    assert len(probe.sandbox.accounts(COMPANY)) == 71


class NoWire:
    """Sends nothing."""

    def now(self) -> None:
        """Nothing."""


class NoStore:
    """Keeps nothing."""

    def begin(self, *_: object) -> None:
        """Nothing."""

    def made(self, *_: object) -> None:
        """Nothing."""


FOREIGN = "00000000-0000-0000-0000-000000000001"
OWN = "00000000-0000-0000-0000-000000000002"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"crm/Accounts(guid'{FOREIGN}')", {"Blocked": True}),
        ("DELETE", f"crm/Accounts(guid'{FOREIGN}')", None),
        ("DELETE", "crm/Accounts", None),
        ("PUT", f"crm/Addresses(guid'{FOREIGN}')", {"Account": OWN}),
        ("POST", "crm/Accounts", {"Name": "Somebody"}),
        ("POST", "crm/Contacts", {"Account": FOREIGN, "LastName": "ZZ-probe"}),
        ("POST", "cashflow/PaymentConditions", {"Code": "99"}),
    ],
)
def test_a_write_to_anything_that_the_run_did_not_make_is_a_mistake_that_ends_it(
    method: Method, path: str, body: Mapping[str, Any] | None
) -> None:
    own = OwnRows(NoWire(), NoStore(), COMPANY, iter(range(9)))  # type: ignore[arg-type] # they are not asked
    post = Filled("POST", "crm/Accounts", {}, {"Name": own.new_mark()}, JSON)
    own.check(post)
    own.note(post, Reply(201, {}, f'{{"d": {{"ID": "{OWN}"}}}}'.encode()))
    own.check(Filled("PUT", f"crm/Accounts(guid'{OWN}')", {}, {"City": "Ede"}, JSON))

    with pytest.raises(NotOursError):
        own.check(Filled(method, path, {}, body, JSON))


def test_the_other_company_is_not_written_to(probe: Probe) -> None:
    before = probe.sandbox.accounts(OTHER)

    probe.run("run", "--write-to", "100", *NAMED)

    assert probe.sandbox.accounts(OTHER) == before
