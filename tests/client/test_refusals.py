"""Refusals of a company, a login, a limit: whom each concerns, and what a person is told. Over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from exactonline_client.client import ExactClient
from exactonline_client.entities import ACCOUNTS
from exactonline_client.errors import DivisionRefusedError, ExactError, TryLaterError, UnexpectedReplyError
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from exactonline_client.transport import utc_now
from sandbox_driver import CLIENT_SECRET, Sandbox, customer, small_world

NORTH, SOUTH = 201, 202
ENDPOINT, SYNC, ME, TOKEN = "crm/Accounts", "sync/CRM/Accounts", "current/Me", "oauth2/token"
SCOPE = "Forbidden - Application Scope Violated. Cannot read 'organization.administration' scope."


class Clock:
    """A clock that waiting moves, here and in the sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.slept = 0.0

    def __call__(self) -> datetime:
        return utc_now() + timedelta(seconds=self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._sandbox.advance(seconds)


@contextmanager
def connected(sandbox: Sandbox, folder: Path, clock: Clock, **config: Any) -> Iterator[ExactClient]:
    settings = Settings.from_config(sandbox.config(store_url=f"sqlite:///{folder / 'store.db'}", **config))
    with (
        Store.open(settings.store_url) as store,
        ExactClient(settings, store, program="test", now=clock, sleep=clock.sleep) as made,
    ):
        yield made


@pytest.fixture
def clock(sandbox: Sandbox) -> Clock:
    return Clock(sandbox)


@pytest.fixture
def client(sandbox: Sandbox, clock: Clock, tmp_path: Path) -> Iterator[ExactClient]:
    sandbox.reset(small_world(accounts={NORTH: [customer(1)], SOUTH: [customer(1)]}))
    with connected(sandbox, tmp_path, clock) as made:
        yield made


def found(client: ExactClient, division: int) -> bool:
    return client.run(client.find(ACCOUNTS, division, "1", ("ID",))) is not None


def refusal(client: ExactClient, division: int = NORTH) -> DivisionRefusedError:
    with pytest.raises(DivisionRefusedError) as told:
        found(client, division)
    return told.value


def later(client: ExactClient, division: int) -> TryLaterError:
    with pytest.raises(TryLaterError) as told:
        found(client, division)
    return told.value


# A7: an answer of 401


def test_a_401_of_one_company_is_about_that_company_and_waits_for_nothing(
    client: ExactClient, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.limits(enabled=True)
    assert found(client, SOUTH)
    sandbox.fault("status", status=401, division=NORTH, every=1)

    error = refusal(client)

    assert (error.kind, error.scope, error.advice.cause) == ("no_access", "company", "token")
    assert "no new login is needed" in str(error)
    assert "consent again" not in str(error)
    assert clock.slept == 0
    assert found(client, SOUTH)
    assert [call["status"] for call in sandbox.journal(division=NORTH)] == [401, 401]


def test_a_401_of_one_company_stays_with_it_also_after_a_new_token(client: ExactClient, sandbox: Sandbox) -> None:
    assert found(client, SOUTH)
    sandbox.fault("status", status=401, division=NORTH, every=1)

    assert refusal(client).scope == "company"

    assert len(sandbox.journal(endpoint=TOKEN)) == 2  # limits are lifted, so it was renewed to make sure
    assert found(client, SOUTH)


def test_a_dozen_companies_that_answer_401_cost_one_question_for_a_token(client: ExactClient, sandbox: Sandbox) -> None:
    targets = range(201, 213)
    sandbox.reset(small_world(targets=targets, limits={"enabled": True}))
    sandbox.fault("status", status=401, endpoint=ENDPOINT, every=1)

    for company in targets:
        assert refusal(client, company).scope == "company"

    assert len(sandbox.journal(endpoint=TOKEN)) == 2


def test_a_401_everywhere_is_about_the_site_and_asks_nobody_to_log_in(client: ExactClient, sandbox: Sandbox) -> None:
    assert found(client, SOUTH)
    sandbox.fault("status", status=401, every=1, endpoint="c*")

    with pytest.raises(UnexpectedReplyError, match="The stored login is kept") as told:
        found(client, NORTH)

    assert told.value.scope == "site"
    assert len(sandbox.journal(endpoint=TOKEN)) == 2


def test_a_401_everywhere_is_no_verdict_before_a_renewal_was_tried(
    client: ExactClient, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.limits(enabled=True)
    assert found(client, SOUTH)
    sandbox.fault("status", status=401, every=1, endpoint="c*", times=3)

    assert found(client, NORTH)  # two 401 of the company, one of Me, and the token that came 570 seconds later works

    assert 400 < clock.slept < 600


# A9: 429 that says nothing new


def test_the_third_429_in_a_row_that_says_calls_are_left_is_told_and_the_others_go_on(
    client: ExactClient, sandbox: Sandbox, clock: Clock
) -> None:
    sandbox.limits(enabled=True)
    sandbox.fault("429_calls_left", division=NORTH, every=1)

    with pytest.raises(TryLaterError, match=r"refused 3 calls in a row .* calls are left") as told:
        found(client, NORTH)

    assert (told.value.kind, told.value.scope, told.value.division) == ("contract_limit", "company", NORTH)
    assert clock() < told.value.until
    assert len(sandbox.journal(division=NORTH)) == 3
    assert clock.slept < 200
    assert found(client, SOUTH)


@pytest.mark.parametrize("times", [1, 2])
def test_fewer_of_them_are_waited_for(client: ExactClient, sandbox: Sandbox, times: int) -> None:
    sandbox.limits(enabled=True)
    sandbox.fault("429_calls_left", division=NORTH, times=times)

    assert found(client, NORTH)


@pytest.mark.parametrize("counted", [0, 20000])
def test_companies_that_are_all_refused_so_are_the_limit_of_the_contract_and_cost_no_more_calls_that_day(
    sandbox: Sandbox, clock: Clock, tmp_path: Path, counted: int
) -> None:
    first, *others = companies = tuple(range(201, 207))
    sandbox.reset(small_world(targets=companies, limits={"enabled": True, "per_day_contract": 1}))
    sandbox.limits(contract_refusal="calls_left")
    noon = (clock() + timedelta(days=1)).replace(hour=12)
    clock.sleep((noon - clock()).total_seconds())
    with connected(sandbox, tmp_path, clock, requests_per_day_contract=counted) as client:
        assert not found(client, first)
        refused = [later(client, company) for company in others]
    with connected(sandbox, tmp_path, clock, requests_per_day_contract=counted) as next_program:
        refused.append(later(next_program, first))

    assert [error.scope for error in refused] == ["company"] * 2 + ["site"] * 4
    assert {error.kind for error in refused} == {"contract_limit"}
    assert {error.until.strftime("%H:%M") for error in refused[2:]} <= {"00:00", "00:01"}  # by Exact's clock, midnight
    assert len(sandbox.journal(endpoint=ENDPOINT)) == 1 + 3 * 3

    clock.sleep((refused[-1].until - clock()).total_seconds())
    with connected(sandbox, tmp_path, clock, requests_per_day_contract=counted) as next_day:
        assert not found(next_day, first)


def test_a_company_that_answers_tells_that_the_contract_is_not_spent(client: ExactClient, sandbox: Sandbox) -> None:
    companies = tuple(range(201, 207))
    sandbox.reset(small_world(targets=companies, limits={"enabled": True}))
    for company in (201, 202, 204, 205):
        sandbox.fault("429_calls_left", division=company, every=1)

    assert [later(client, company).scope for company in (201, 202)] == ["company"] * 2
    assert not found(client, 203)
    assert [later(client, company).scope for company in (204, 205)] == ["company"] * 2
    assert not found(client, 206)


# A10: what Exact says is shown


@pytest.mark.parametrize(
    ("answer", "shown", "step"),
    [
        ({"text": "Forbidden", "reason": "LicenseExpired"}, "Forbidden (Reason: LicenseExpired).", "renew it"),
        ({"text": SCOPE}, SCOPE, "add it to the app in Exact's App Centre"),
        ({"text": "Forbidden", "reason": "BlockedUser"}, "(Reason: BlockedUser)", "have the user released"),
        ({"text": "Forbidden"}, "Forbidden.", "Check the rights of the user"),
    ],
)
def test_exact_s_text_and_reason_are_shown_with_the_step_that_mends_it(
    client: ExactClient, sandbox: Sandbox, answer: dict[str, Any], shown: str, step: str
) -> None:
    sandbox.fault("error", status=403, division=NORTH, every=1, **answer)

    told = str(refusal(client))

    assert told.startswith("Exact refuses division 201 (HTTP 403): ")
    assert shown in told
    assert step in told


def test_a_body_of_plain_words_is_shown_beside_the_reason(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("status", status=403, body="Forbidden", reason="LicenseExpired", division=NORTH)

    assert "(HTTP 403): Forbidden (Reason: LicenseExpired). The licence" in str(refusal(client))


def test_a_reason_alone_is_shown(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("status", status=403, headers={"Reason": "NoDivisionAccess"}, division=NORTH)

    assert "(HTTP 403): Reason: NoDivisionAccess. Check that the user may work" in str(refusal(client))


def test_a_reason_beside_a_verdict_on_a_record_is_shown_too(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("error", text="Ongeldig: Email", reason="Something", method="POST", endpoint=ENDPOINT)

    with pytest.raises(ExactError, match=r"Ongeldig: Email \(Reason: Something\)\. Not written"):
        client.run(client.create(ACCOUNTS, NORTH, {"Code": "7", "Name": "Klant"}, ("ID",)))


def test_one_record_that_the_user_may_not_touch_is_not_its_company(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = sandbox.account(NORTH, "1")["ID"]
    sandbox.fault("error", status=403, text="Forbidden", method="PUT", code="1")

    with pytest.raises(DivisionRefusedError) as told:
        client.run(client.update(ACCOUNTS, NORTH, account_id, {"City": "Ede"}, label="1"))

    assert (told.value.scope, told.value.key) == ("record", "1")


# Rights


@pytest.mark.parametrize("may", [True, False])
def test_the_right_to_write_is_asked_for_without_a_write(client: ExactClient, sandbox: Sandbox, may: bool) -> None:
    sandbox.change_division(NORTH, rights={"write_accounts": may})

    assert client.run(client.has_right(ACCOUNTS, NORTH, "POST")) is may
    assert client.run(client.has_right(ACCOUNTS, NORTH, "PUT")) is may
    assert {call["method"] for call in sandbox.journal(division=NORTH)} == {"GET"}


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "error", "status": 403, "text": SCOPE},
        {"kind": "status", "status": 404},
        {"kind": "status", "status": 200, "body": '{"d": {"UserHasRights": "perhaps"}}'},
    ],
    ids=str,
)
def test_a_right_that_exact_does_not_tell_is_unknown(
    client: ExactClient, sandbox: Sandbox, answer: dict[str, Any]
) -> None:
    sandbox.fault(**answer, division=NORTH, every=1)

    assert client.run(client.has_right(ACCOUNTS, NORTH, "POST")) is None


# A16: secrets that an answer quotes


@pytest.mark.parametrize("quoted", ["<access_token>", "<access_token%>"])
@pytest.mark.parametrize("where", ["text", "reason"])
def test_a_token_that_exact_quotes_is_shown_nowhere(
    client: ExactClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, quoted: str, where: str
) -> None:
    assert found(client, SOUTH)
    token = client.run(client._exchange._access_token())
    said = f"Bad token {quoted} [{CLIENT_SECRET}]"
    answer = {"headers": {"Reason": said}} if where == "reason" else {"body": said}
    sandbox.fault("status", status=403, division=NORTH, every=1, **answer)

    with caplog.at_level("DEBUG"):
        told = str(refusal(client))

    assert "Bad token ***** [*****]" in told
    for secret in (token, quote(token, safe=""), CLIENT_SECRET):
        assert secret not in told + caplog.text
