"""A record of any tap, converted and checked: what is wrong with it is said before Exact is asked."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from exactonline_client import odata
from exactonline_client.entities import ACCOUNTS
from exactonline_client.zones import CENTRAL_EUROPE
from hypothesis import example, given
from hypothesis import strategies as st
from target_exactonline.intake.spool import Incoming, Spool
from target_exactonline.intake.validation import FALSE_TEXTS, TRUE_TEXTS, Checked, check, division_code
from target_exactonline.planning.model import SourceKey, SourceRecord

ADDRESS = {"Division": 201, "Code": "10042"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
TRICKY = st.sampled_from(
    ["", " ", "nan", "-0", "1e3", "sNaN", "Infinity", "0x10", "\uff12", "true", "Z", "a@b", "NL", "9" * 40]
)
RECORDS = st.dictionaries(st.sampled_from([*ACCOUNTS.fields, "_sdc_batched_at"]), JSON | TRICKY, max_size=6)


def checked(*, is_exacts: bool = False, **record: Any) -> Checked:
    return check(ACCOUNTS, {**ADDRESS, **record}, ACCOUNTS.writable, is_exacts=is_exacts)


def problems(**record: Any) -> tuple[str, ...]:
    return checked(**record).problems


# Address


@pytest.mark.parametrize("division", [201, "201", " 201 ", 201.0, Decimal(201)], ids=repr)
def test_a_division_may_come_as_text_or_number(division: object) -> None:
    assert division_code(division) == 201


@pytest.mark.parametrize(("division", "fits"), [(0, False), (1, True), (2**31 - 1, True), (2**31, False)])
def test_a_division_is_a_number_that_exact_can_give(division: int, fits: bool) -> None:
    assert (division_code(division) is not None) is fits


@pytest.mark.parametrize("division", [None, "", "north", 1.5, True, [201], {}, "Infinity", "NaN"], ids=repr)
def test_what_is_no_code_of_a_division_is_none(division: object) -> None:
    assert division_code(division) is None


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("10042", "10042"),
        ("             10042", "10042"),
        ("0000011", "0000011"),
        (10042, "10042"),
        ("9" * 18, "9" * 18),
    ],
    ids=repr,
)
def test_a_code_keeps_its_digits_and_loses_its_padding(code: object, kept: str) -> None:
    told = checked(Code=code)

    assert (told.code, told.problems) == (kept, ())


@pytest.mark.parametrize("code", [None, "", "   "], ids=repr)
def test_an_empty_code_is_refused(code: object) -> None:
    assert problems(Code=code) == ("Code is empty",)


@pytest.mark.parametrize("code", ["A12", "12-3", "1 2", "-5", "9" * 19, "12.0", -5, [1], {}], ids=repr)
def test_a_code_that_exact_would_not_take_is_shown(code: object) -> None:
    assert problems(Code=code) == (f"Code is {str(code)!r}; Exact takes up to 18 digits and nothing else",)


@pytest.mark.parametrize("code", [10042.5, True], ids=repr)
def test_a_code_of_another_type_is_shown(code: object) -> None:
    (problem,) = problems(Code=code)

    assert str(code) in problem


@pytest.mark.parametrize("code", ["\uff11\uff10\uff10", "\u0661\u0662\u0663"], ids=ascii)
def test_a_code_in_digits_of_another_script_is_refused(code: str) -> None:
    assert problems(Code=code) == (f"Code is {code!r}; Exact takes up to 18 digits and nothing else",)


@pytest.mark.parametrize("division", [2**63, -(2**64), "1e30", "1e999999999"], ids=repr)
def test_a_number_that_no_company_can_have_is_none(division: object) -> None:
    assert division_code(division) is None


# Values


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("Name", "  Jan de Vries  ", "Jan de Vries"),
        ("Postcode", 1234, "1234"),
        ("Phone", Decimal(612345678), "612345678"),
        ("IsSupplier", True, True),
        ("IsSupplier", "true", True),
        ("IsSupplier", "Ja", True),
        ("IsSupplier", "false", False),
        ("IsSupplier", "NEE", False),
        ("IsSupplier", "t", True),
        ("IsSupplier", "f", False),
        ("IsSupplier", "WAAR", True),
        ("IsSupplier", "onwaar", False),
        ("IsSupplier", "Oui", True),
        ("IsSupplier", "nein", False),
        ("IsSupplier", 0, False),
        ("IsSupplier", 1.0, True),
        ("IsSupplier", "1", True),
        ("IsMailing", "1", 1),
        ("IsMailing", True, 1),
        ("IsMailing", 1.0, 1),
        ("IsMailing", 255, 255),
        ("IsMailing", 0, 0),
        ("PurchaseLeadDays", 2**31 - 1, 2**31 - 1),
        ("PurchaseLeadDays", -(2**31), -(2**31)),
        ("IncotermVersionSales", "2020", 2020),
        ("PurchaseLeadDays", " -3 ", -3),
        ("PurchaseLeadDays", "1e2", 100),
        ("Latitude", "52.37", 52.37),
        ("Latitude", Decimal("52.37"), 52.37),
        ("Latitude", 52, 52.0),
        ("EndDate", "2026-01-31", "2026-01-31T00:00:00"),
        ("EndDate", "20260131", "2026-01-31T00:00:00"),
        ("EndDate", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00+00:00"),
        ("EndDate", "2026-01-31 10:00:00.12+01", "2026-01-31T10:00:00.120000+01:00"),
        ("EndDate", "2026-01-31T10:00:00.123456789-0330", "2026-01-31T10:00:00.123456-03:30"),
        ("EndDate", "2026-01-31 10:00", "2026-01-31T10:00:00"),
        ("Country", " nl ", "NL"),
        ("Status", "c", "C"),
        ("EndDate", date(2026, 1, 31), "2026-01-31T00:00:00"),
        ("EndDate", datetime(2026, 1, 31, tzinfo=timezone.utc), "2026-01-31T00:00:00+00:00"),
        ("PriceList", "{5E2D5A3C-0000-4000-8000-000000000001}", "5e2d5a3c-0000-4000-8000-000000000001"),
        ("Logo", "aGFsbG8=", "aGFsbG8="),
    ],
    ids=repr,
)
def test_a_value_comes_out_in_the_type_of_its_field(name: str, value: object, kept: object) -> None:
    told = checked(**{name: value})

    assert (told.values, told.problems) == ({name: kept}, ())
    assert type(told.values[name]) is type(kept)


@pytest.mark.parametrize(
    "name", ["City", "IsSupplier", "IsMailing", "PurchaseLeadDays", "Latitude", "EndDate", "PriceList"]
)
@pytest.mark.parametrize("value", [None, "", "  "], ids=repr)
def test_nothing_is_null_whatever_the_type(name: str, value: object) -> None:
    told = checked(**{name: value})

    assert (told.values, told.problems) == ({name: None}, ())


@pytest.mark.parametrize(
    ("name", "value", "wants"),
    [
        ("City", ["Gent"], "text"),
        ("City", True, "text"),
        ("Logo", {}, "text"),
        ("IsSupplier", "maybe", "true or false"),
        ("IsSupplier", 2, "true or false"),
        ("IsMailing", "one", "a whole number"),
        ("IsMailing", 256, "a whole number from 0 to 255"),
        ("IsMailing", -1, "a whole number from 0 to 255"),
        ("IncotermVersionSales", 32768, "a whole number from -32768 to 32767"),
        ("PurchaseLeadDays", 2**31, "a whole number from -2147483648 to 2147483647"),
        ("PurchaseLeadDays", "1.5", "a whole number"),
        ("PurchaseLeadDays", "1_000", "a whole number"),
        ("PurchaseLeadDays", "1.000,00", "a whole number"),
        ("Latitude", "north", "a number"),
        ("Latitude", "52,37", "a number"),
        ("Latitude", "1_0", "a number"),
        ("Latitude", "nan", "a number"),
        ("Latitude", float("inf"), "a number"),
        ("Latitude", True, "a number"),
        ("EndDate", "01-02-2026", "a date in ISO 8601, such as 2026-01-31, from 1753 on"),
        ("EndDate", "2026-W05-6", "a date in ISO 8601, such as 2026-01-31, from 1753 on"),
        ("EndDate", "31-01-2026", "a date in ISO 8601, such as 2026-01-31, from 1753 on"),
        ("EndDate", "2026-02-30", "a date in ISO 8601, such as 2026-01-31, from 1753 on"),
        ("PriceList", "none", "a GUID"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_field_and_itself(name: str, value: object, wants: str) -> None:
    told = checked(**{name: value})

    assert told.problems == (f"{name} is {str(value)!r}, which is not {wants}",)
    assert told.values == {name: None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Email", "jan"),
        ("Email", "jan@"),
        ("Email", "jan@example"),
        ("Email", "jan de vries@example.nl"),
        ("Email", "a@example.nl; b@example.nl"),
        ("Country", "Nederland"),
        ("Country", "NLD"),
        ("Country", "ZZ"),
        ("Status", "X"),
        ("Status", "Customer"),
    ],
)
def test_a_value_that_exact_is_known_to_refuse_is_refused_with_its_field_and_itself(name: str, value: str) -> None:
    (problem,) = problems(**{name: value})

    assert problem.startswith(f"{name} is {value!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Email", "jan@example.nl"),
        ("Email", "jan+exact@sub.example.co.uk"),
        ("Email", "info@müller.de"),
        ("Email", "jan@bedrijf.test"),
        ("Country", "NL"),
        ("Country", "XK"),
        ("Status", "C"),
    ],
)
def test_what_exact_alone_can_judge_is_left_to_exact(name: str, value: str) -> None:
    assert problems(**{name: value}) == ()


@pytest.mark.parametrize(
    ("day", "fits"), [("1752-12-31", False), ("1753-01-01", True), ("9999-12-31", True), ("10000-01-01", False)]
)
def test_a_day_that_the_database_of_exact_cannot_hold_is_refused(day: str, fits: bool) -> None:
    assert (problems(EstablishedDate=day) == ()) is fits


@pytest.mark.parametrize(
    "address",
    ["info@bedrijf.local", "info@bedrijf.invalid", "jan.@example.nl", "j..p@example.nl", "info@de_bakker.nl"],
)
def test_whether_mail_can_be_sent_to_an_address_is_not_for_us_to_say(address: str) -> None:
    assert problems(Email=address) == ()


def test_a_name_that_is_emptied_is_refused_and_one_that_is_not_sent_is_not() -> None:
    assert problems(Name=None) == ("Name is empty",)
    assert problems(City="Gent") == ()


def test_what_is_wrong_with_a_name_is_told_once() -> None:
    assert problems(Name=["Jan"]) == ("Name is \"['Jan']\", which is not text",)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = checked(Code="A", Email="jan", Country="Holland", IsMailing="no")

    assert [problem.split(" ", 1)[0] for problem in told.problems] == ["Code", "Email", "Country", "IsMailing"]


def test_what_cannot_be_written_is_passed_over() -> None:
    told = checked(
        ID="x", Timestamp="y", Type=1, BankAccounts=[], CountryName="Nederland", _sdc_batched_at=1, Novelty=2
    )

    assert (told.values, told.problems) == ({}, ())


def test_a_value_of_many_pages_is_shown_in_part() -> None:
    (problem,) = problems(Email="x" * 10_000)

    assert len(problem) < 120


def test_no_text_for_a_yes_or_no_means_both() -> None:
    assert TRUE_TEXTS.isdisjoint(FALSE_TEXTS)


@given(st.dates(date(1753, 1, 1), date(9998, 12, 31)))
def test_a_day_in_eight_digits_cannot_be_one_with_the_day_or_month_first(day: date) -> None:
    for other in (f"{day:%d%m}{day.year:04}", f"{day:%m%d}{day.year:04}"):
        assert problems(EndDate=other) != ()


# Laws


@given(RECORDS)
def test_whatever_comes_in_a_check_answers(record: dict[str, Any]) -> None:
    told = check(ACCOUNTS, record, ACCOUNTS.writable)

    assert set(told.values) <= set(ACCOUNTS.writable) - {"Code"}
    assert all(problem.split(" ", 1)[0] in ACCOUNTS.writable for problem in told.problems)


def test_a_number_beyond_all_measure_is_refused_like_any_other() -> None:
    assert problems(Latitude=10**400) != ()


@given(RECORDS)
@example({"Name": "Jan", "Latitude": "5", "EndDate": "2026-01-31", "IsSupplier": "ja"})
def test_what_was_checked_is_checked_with_the_same_result(record: dict[str, Any]) -> None:
    first = checked(**record | ADDRESS)
    if first.problems:
        return

    assert checked(**first.values | ADDRESS) == first


@pytest.mark.parametrize(("name", "value"), [("Email", "jan"), ("Country", "ZZ"), ("Status", "X")])
def test_what_an_exact_company_holds_is_left_to_exact(name: str, value: str) -> None:
    told = checked(is_exacts=True, **{name: value})

    assert (told.values, told.problems) == ({name: value}, ())


def test_a_value_of_another_type_is_refused_wherever_it_comes_from() -> None:
    assert checked(is_exacts=True, IsMailing="no").problems != ()


def test_only_the_fields_that_are_named_are_looked_at() -> None:
    told = check(ACCOUNTS, {"Code": "7", "Name": "Jan", "Email": "jan"}, {"Name"})

    assert (told.values, told.problems) == ({"Name": "Jan"}, ())


def can_be_delivered(told: Checked) -> bool:
    """Whether a checked record gets through the spool and into the body of a request."""
    spool = Spool(ACCOUNTS)
    spool.put([Incoming(1, 201, SourceRecord(SourceKey(0, told.code), told.code, told.values))])
    ((back,),) = spool.pages()
    spool.close()
    return json.loads(odata.encode_row(ACCOUNTS, back.record.values, CENTRAL_EUROPE)) is not None


@given(RECORDS)
@example({"Name": "Jan", "EndDate": "0001-01-01T00:00:00", "Latitude": "-0", "Remarks": "\x00\u2028"})
def test_what_passes_the_check_can_be_delivered(record: dict[str, Any]) -> None:
    told = checked(**record | ADDRESS)

    assert told.problems or can_be_delivered(told)


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999", "0001-01-01T00:00:00+01:00"])
def test_a_date_that_means_forever_is_refused_or_can_be_delivered(when: str) -> None:
    told = checked(EndDate=when)

    assert told.problems or can_be_delivered(told)
