"""What errors come to when they add up, and when a deferred record is tried again."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import takewhile

import pytest
from exactonline_client.errors import (
    AlreadyExistsError,
    DivisionRefusedError,
    ExactError,
    LoginNeededError,
    NotFoundError,
    RecordRefusedError,
    TryLaterError,
    UnexpectedReplyError,
    WrongCompanyError,
)
from exactonline_client.failures import (
    COMPANIES_IN_A_ROW,
    RECORDS_IN_A_ROW,
    TRIED_AT_MOST,
    TRIES_AT_MOST,
    Failures,
    next_try,
)
from exactonline_client.failures import GivenUp as Up
from hypothesis import given
from hypothesis import strategies as st

SITE, NORTH = "site", 201
NOW = datetime(2026, 11, 27, 12, tzinfo=timezone.utc)
REFUSED = RecordRefusedError(entity="account", division=NORTH, key="1", status=500, said="Ongeldig: Email")
CODES = st.integers(1, 5).map(str)
COMPANIES = st.integers(201, 205)


def fault(**facts: object) -> UnexpectedReplyError:
    return UnexpectedReplyError("POST crm/Accounts", "broken", **{"scope": "record", "division": NORTH, **facts})  # type: ignore[arg-type]


def limit(kind: str, scope: str = "company") -> TryLaterError:
    return TryLaterError(f"{kind}.", NOW, kind=kind, scope=scope)  # type: ignore[arg-type]


@given(st.integers(1, 50))
def test_one_record_never_gives_up_its_company(times: int) -> None:
    failures = Failures()

    assert {failures.add(SITE, NORTH, "1", fault()) for _ in range(times)} == {Up.RECORD}


@given(st.lists(CODES, max_size=30))
def test_a_company_is_given_up_exactly_when_enough_different_records_failed_in_a_row(codes: list[str]) -> None:
    failures = Failures()

    for number, code in enumerate(codes, 1):
        enough = len(set(codes[:number])) >= RECORDS_IN_A_ROW
        assert failures.add(SITE, NORTH, code, fault()) is (Up.COMPANY if enough else Up.RECORD)


@given(st.lists(CODES | st.none(), max_size=40))
def test_records_count_since_the_last_success_only(events: list[str | None]) -> None:
    failures = Failures()

    for number, code in enumerate(events, 1):
        if code is None:
            failures.add_success(SITE, NORTH)
            continue
        since = list(takewhile(lambda one: one is not None, reversed(events[:number])))
        got = failures.add(SITE, NORTH, code, fault())
        if len(set(since)) >= RECORDS_IN_A_ROW:
            assert got is Up.COMPANY
            return
        assert got is Up.RECORD


@given(st.permutations(["1", "2", "3", "4"]))
def test_verdicts_on_records_never_give_up_their_company(codes: list[str]) -> None:
    failures = Failures()

    assert {failures.add(SITE, NORTH, code, REFUSED) for code in codes} == {Up.RECORD}


def test_records_that_fail_in_different_ways_do_not_add_up() -> None:
    failures = Failures()

    got = [failures.add(SITE, NORTH, str(n), fault(kind=("fault", "unreachable")[n % 2])) for n in range(4)]

    assert set(got) == {Up.RECORD}


@given(st.lists(COMPANIES, min_size=1, max_size=20))
def test_a_site_is_given_up_exactly_when_enough_companies_failed_alike(companies: list[int]) -> None:
    failures = Failures()

    for number, company in enumerate(companies, 1):
        got = failures.add(SITE, company, "", fault(scope="company"))
        assert got is (Up.SITE if len(set(companies[:number])) >= COMPANIES_IN_A_ROW else Up.COMPANY)
    assert failures.given_up(SITE, 999) is (Up.SITE if len(set(companies)) >= COMPANIES_IN_A_ROW else Up.NOTHING)


@pytest.mark.parametrize(
    "error",
    [
        DivisionRefusedError(division=NORTH, status=401, said="HTTP 401"),
        DivisionRefusedError(division=NORTH, status=403, said="Forbidden", reason="NoDivisionAccess"),
        DivisionRefusedError(division=NORTH, status=403, said="Forbidden", reason="LicenseExpired"),
        limit("day_limit"),
        limit("minute_limit"),
        limit("error_limit"),
    ],
    ids=str,
)
def test_what_is_each_company_s_own_never_gives_up_their_site(error: ExactError) -> None:
    failures = Failures()

    assert {failures.add(SITE, company, "", error) for company in range(20)} == {Up.COMPANY}


@pytest.mark.parametrize(
    "error",
    [
        DivisionRefusedError(division=NORTH, status=403, said="Application Scope Violated"),
        DivisionRefusedError(division=NORTH, status=403, said="Forbidden", reason="BlockedUser"),
        WrongCompanyError("GET sync/CRM/Accounts", division=NORTH, other=202, is_write=False),
        limit("contract_limit"),
        fault(scope="company", kind="unreachable"),
    ],
    ids=str,
)
def test_what_companies_have_in_common_gives_up_their_site(error: ExactError) -> None:
    failures = Failures()

    got = [failures.add(SITE, company, "", error) for company in range(COMPANIES_IN_A_ROW)]

    assert got == [Up.COMPANY] * (COMPANIES_IN_A_ROW - 1) + [Up.SITE]


def test_a_success_of_any_company_says_that_the_site_is_well() -> None:
    failures = Failures()
    failures.add(SITE, 201, "", fault(scope="company"))
    failures.add(SITE, 202, "", fault(scope="company"))
    failures.add_success(SITE, 203)

    assert failures.add(SITE, 204, "", fault(scope="company")) is Up.COMPANY


def test_a_company_that_was_given_up_stays_so_and_another_site_is_untouched() -> None:
    failures = Failures()
    failures.add(SITE, NORTH, "", fault(scope="company"))
    failures.add_success(SITE, NORTH)

    assert failures.given_up(SITE, NORTH) is failures.add(SITE, NORTH, "9", REFUSED) is Up.COMPANY
    assert failures.given_up("other", NORTH) is failures.given_up(SITE, 202) is Up.NOTHING


@pytest.mark.parametrize("error", [LoginNeededError("site"), limit("contract_limit", "site")], ids=str)
def test_what_no_company_explains_gives_up_the_site_at_once(error: ExactError) -> None:
    failures = Failures()

    assert failures.add(SITE, NORTH, "1", error) is Up.SITE
    assert failures.given_up(SITE, 202) is Up.SITE


@pytest.mark.parametrize("error", [AlreadyExistsError, NotFoundError])
def test_what_asks_for_another_look_gives_up_nothing(error: type[ExactError]) -> None:
    facts = {"entity": "account", "division": NORTH, "key": "1"}
    more = {"status": 500, "said": "Gegeven bestaat reeds."} if error is AlreadyExistsError else {}

    assert Failures().add(SITE, NORTH, "1", error(**facts, **more)) is Up.NOTHING  # type: ignore[arg-type]


# Deferred records


@given(st.integers(1, 20), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_deferred_record_is_tried_later_or_never_again(tries: int, failing_for: timedelta) -> None:
    at = next_try(tries, NOW - failing_for, NOW)

    is_over = tries >= TRIES_AT_MOST or failing_for >= TRIED_AT_MOST
    assert (at is None) is is_over
    assert at is None or NOW < at <= NOW + timedelta(days=1)


def test_pauses_grow_and_end() -> None:
    pauses = []
    tries, now = 1, NOW
    while (at := next_try(tries, NOW, now)) is not None:
        pauses.append(at - now)
        tries, now = tries + 1, at

    assert pauses == sorted(set(pauses))
    assert len(pauses) == TRIES_AT_MOST - 1
