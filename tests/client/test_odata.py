"""The wire format: what is read is what was meant, and what is sent can mean nothing else."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

import pytest
from exactonline_client import odata
from exactonline_client.entities import ACCOUNTS, DELETIONS, DIVISIONS
from exactonline_client.odata import MalformedReplyError, Page
from exactonline_client.zones import CENTRAL_EUROPE
from hypothesis import example, given
from hypothesis import strategies as st

CODE, NAME, ID = ACCOUNTS.fields["Code"], ACCOUNTS.fields["Name"], ACCOUNTS.fields["ID"]
TIMESTAMP, DIVISION = ACCOUNTS.fields["Timestamp"], ACCOUNTS.fields["Division"]
HOSTILE = st.text("'\"&+%#=/?; \\\r\n\t\x00()$,*éL€🏢") | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["results", "__next", "error", "message", "value"]) | st.text(), inner)
    ),
    max_leaves=8,
)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d")
RECORDED = "/Date(1782404464260)/"  # of a row made at 14:21:04 GMT by a site at +02:00


def read(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    return odata.reader(ACCOUNTS, names or tuple(raw), CENTRAL_EUROPE)(raw)


def text_in(literal: str) -> str:
    """What an OData parser reads out of a text literal that stands alone."""
    assert re.fullmatch(r"'(?:[^']|'')*'", literal, re.DOTALL), f"{literal!r} ends before its end"
    return literal[1:-1].replace("''", "'")


# Literals and queries


@given(HOSTILE)
def test_whatever_the_text_its_literal_holds_that_and_nothing_beside_it(text: str) -> None:
    assert text_in(odata.literal(NAME, text)) == text


@given(HOSTILE)
def test_whatever_the_code_its_filter_stays_one_comparison(code: str) -> None:
    name, operator, literal = odata.equals(CODE, code).split(" ", 2)

    assert (name, operator, text_in(literal).lstrip(" ")) == ("Code", "eq", code.lstrip(" "))


@given(HOSTILE, HOSTILE)
def test_a_query_string_parts_into_the_options_that_were_put_in(one: str, other: str) -> None:
    query = odata.query({"$filter": one, "$select": other, "$top": None})

    assert parse_qsl(query, keep_blank_values=True) == [("$filter", one), ("$select", other)]


def test_a_query_string_keeps_odatas_own_characters_readable() -> None:
    query = odata.query({"$filter": odata.equals(NAME, "O'Neil"), "$select": "ID,Code"})

    assert query == "$filter=Name%20eq%20'O''Neil'&$select=ID,Code"


def test_a_code_is_padded_to_eighteen_in_a_filter() -> None:
    assert odata.equals(CODE, "25") == "Code eq '                25'"


def test_a_code_of_eighteen_digits_is_neither_padded_nor_cut() -> None:
    assert odata.literal(CODE, "123456789012345678") == "'123456789012345678'"


def test_each_type_has_its_own_literal() -> None:
    assert odata.literal(ID, "5e2d5a3c-0000-4000-8000-000000000001") == "guid'5e2d5a3c-0000-4000-8000-000000000001'"
    assert odata.after(TIMESTAMP, 5) == "Timestamp gt 5L"
    assert odata.literal(DIVISION, 201) == "201"


# Dates


def test_the_recorded_date_has_the_offset_of_its_summer() -> None:
    assert odata.as_instant(RECORDED, CENTRAL_EUROPE) == "2026-06-25T16:21:04.260000+02:00"


def test_a_winter_date_has_the_offset_of_its_winter() -> None:
    assert odata.as_instant("/Date(1767225600000)/", CENTRAL_EUROPE) == "2026-01-01T00:00:00+01:00"


def test_a_date_before_1970_has_negative_milliseconds() -> None:
    assert odata.as_instant("/Date(-1)/", CENTRAL_EUROPE) == "1969-12-31T23:59:59.999000+01:00"


def test_a_time_in_iso_text_is_wall_time_too() -> None:
    assert odata.as_instant("2026-06-25T16:12:49", CENTRAL_EUROPE) == "2026-06-25T16:12:49+02:00"


@pytest.mark.parametrize("year", [1753, 1864, 1930, 1969])
def test_the_founding_date_of_an_old_company_is_one_that_others_can_read_and_comes_back(year: int) -> None:
    delivered = odata.as_instant(f"{year}-12-31T00:00:00", CENTRAL_EUROPE)
    body = odata.encode_row(ACCOUNTS, {"EstablishedDate": delivered}, CENTRAL_EUROPE)

    assert RFC_3339.fullmatch(delivered)
    assert json.loads(body) == {"EstablishedDate": f"{year}-12-31T00:00:00.000"}


@given(st.integers(-1_000_000_000, 4_000_000_000), st.sampled_from([0, 3, 7, 10, 247, 503, 997]))
@example(1792895400, 0)  # 2026-10-25 02:30, which comes twice
@example(1774751400, 0)  # 2026-03-29 02:30, which no clock ever showed
def test_a_wall_time_comes_back_after_its_way_through_an_instant(seconds: int, milliseconds: int) -> None:
    wire = f"/Date({seconds * 1000 + milliseconds})/"

    back = odata.as_wall_time(datetime.fromisoformat(odata.as_instant(wire, CENTRAL_EUROPE)), CENTRAL_EUROPE)

    assert back == odata.wall_time(wire)


@pytest.mark.parametrize("last", ["9999-12-31T00:00:00", "9999-12-31T23:59:59.997"])
def test_the_end_of_the_calendar_comes_back_as_it_was(last: str) -> None:
    read = odata.as_instant(last, CENTRAL_EUROPE)

    back = odata.as_wall_time(datetime.fromisoformat(read), CENTRAL_EUROPE)

    assert back == datetime.fromisoformat(last)


@pytest.mark.parametrize("last", ["9999-12-31T23:59:59+00:00", "9999-12-31T23:59:59.999999+01:00"])
def test_nothing_is_moved_beyond_the_end_of_the_calendar(last: str) -> None:
    wall = odata.as_wall_time(datetime.fromisoformat(last), CENTRAL_EUROPE)

    assert wall.isoformat().startswith("9999-12-31T23:59:59")


def test_an_instant_of_another_zone_is_stored_as_local_time() -> None:
    late = datetime(2026, 1, 31, 23, 30, tzinfo=timezone.utc)

    assert odata.as_wall_time(late, CENTRAL_EUROPE).isoformat() == "2026-02-01T00:30:00"


def test_a_time_without_zone_is_local_time_already() -> None:
    assert odata.as_wall_time(datetime(2026, 7, 1), CENTRAL_EUROPE).isoformat() == "2026-07-01T00:00:00"  # noqa: DTZ001


@pytest.mark.parametrize(
    ("sent", "stored"),
    [(0, 0), (1, 0), (2, 3), (3, 3), (4, 3), (5, 7), (6, 7), (8, 7), (9, 10), (990, 990), (998, 997), (999, 1000)],
)
def test_milliseconds_are_rounded_as_sql_server_does(sent: int, stored: int) -> None:
    second = datetime(2026, 1, 31, 12, 0, 0)  # noqa: DTZ001

    rounded = odata.as_wall_time(second + timedelta(milliseconds=sent), CENTRAL_EUROPE)

    assert rounded == second + timedelta(milliseconds=stored)


@pytest.mark.parametrize("sent", [15, 35, 995])
def test_milliseconds_halfway_are_rounded_up_as_sql_server_does(sent: int) -> None:
    second = datetime(2026, 1, 31, 23, 59, 59)  # noqa: DTZ001

    rounded = odata.as_wall_time(second + timedelta(milliseconds=sent), CENTRAL_EUROPE)

    assert rounded == second + timedelta(milliseconds=sent + 2)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_rounding_moves_a_time_by_two_milliseconds_at_most_to_what_the_database_can_hold(at: datetime) -> None:
    rounded = odata.as_wall_time(at, CENTRAL_EUROPE)

    assert abs(rounded - at) <= timedelta(milliseconds=2)
    assert rounded.microsecond % 10_000 in {0, 3_000, 7_000}


# Rows


def test_padding_is_gone_from_a_row_that_was_read() -> None:
    row = read({"Code": "           0000011", "Country": "NL ", "SearchCode": "ALBEX    ", "Name": "Jan de Vries"})

    assert row == {"Code": "0000011", "Country": "NL", "SearchCode": "ALBEX", "Name": "Jan de Vries"}


def test_values_are_read_into_their_final_type() -> None:
    row = read(
        {"Timestamp": "12345678901", "Latitude": 52, "IsMailing": 1, "ID": "AB2D5A3C-0000-4000-8000-00000000000F"}
    )

    assert row == {
        "Timestamp": 12345678901,
        "Latitude": 52.0,
        "IsMailing": 1,
        "ID": "ab2d5a3c-0000-4000-8000-00000000000f",
    }


def test_null_stays_null_and_what_is_missing_stays_missing() -> None:
    names = ("Name", "Timestamp", "EndDate", "ID", "City")

    assert read(dict.fromkeys(names[:4]), *names) == dict.fromkeys(names[:4])


def test_members_that_exact_added_without_notice_are_left_out() -> None:
    assert read({"Name": "Jan", "Novelty": 1, "__metadata": {}}) == {"Name": "Jan"}


@pytest.mark.parametrize(
    ("name", "value"),
    [("Timestamp", "soon"), ("EndDate", "/Date()/"), ("EndDate", "/Date(9999999999999999999)/"), ("ID", 7)],
)
def test_a_value_that_cannot_be_read_is_named(name: str, value: object) -> None:
    with pytest.raises(MalformedReplyError, match=f"account with an unreadable {name}"):
        read({name: value})


def test_a_name_that_was_cut_within_a_character_can_still_be_written_down() -> None:
    row = read(odata.parse_single(rb'{"d": {"Name": "Caf\u00e9 De Zon \ud83d"}}'))

    assert row["Name"].encode().decode().startswith("Café De Zon")


# Envelopes


@pytest.mark.parametrize("body", [b'{"d": [{"ID": "1"}]}', b'{"d": {"results": [{"ID": "1"}]}}'], ids=["bare", "full"])
def test_a_list_is_read_from_either_envelope(body: bytes) -> None:
    assert odata.parse_page(body) == Page([{"ID": "1"}], None)


@pytest.mark.parametrize("body", [b'{"d": []}', b'{"d": {"results": []}}'], ids=["bare", "full"])
def test_an_empty_list_is_read_from_either_envelope(body: bytes) -> None:
    assert odata.parse_page(body) == Page([], None)


def test_the_next_page_is_given_exactly_as_exact_wrote_it() -> None:
    link = "https://start.exactonline.nl/api/v1/1/crm/Accounts?$top=40&$skiptoken=guid'0a'"
    body = json.dumps({"d": {"results": [], "__next": link}}).encode()

    assert odata.parse_page(body).next_link == link


@pytest.mark.parametrize(
    "body",
    [b'{"d": {"ID": "1"}}', b'{"d": [{"ID": "1"}]}', b'{"d": {"results": [{"ID": "1"}]}}'],
    ids=["alone", "bare list of one", "list of one"],
)
def test_one_row_is_read_alone_or_from_a_list_of_one(body: bytes) -> None:
    assert odata.parse_single(body) == {"ID": "1"}


def test_a_byte_order_mark_is_passed_over() -> None:
    assert odata.parse_single(b'\xef\xbb\xbf{"d": {"ID": "1"}}') == {"ID": "1"}


UNREADABLE = [
    b"",
    b"<html>",
    b'{"d": {"ID": "',
    b"\xff\xfe",
    b"[]",
    b"{}",
    b"null",
    b'{"d": [1]}',
    b'{"d": {"results": 1}}',
]


@pytest.mark.parametrize("body", UNREADABLE, ids=repr)
def test_a_body_that_holds_no_rows_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        odata.parse_page(body)


@pytest.mark.parametrize("body", [b'{"d": null}', b'{"d": "maintenance"}', b'{"d": 1}'], ids=repr)
def test_a_body_with_something_else_for_d_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedReplyError):
        odata.parse_page(body)


@given(st.binary() | JSON.map(lambda d: json.dumps({"d": d}).encode()))
def test_whatever_comes_for_one_row_it_is_a_row_or_malformed(body: bytes) -> None:
    try:
        row = odata.parse_single(body)
    except MalformedReplyError:
        return

    assert isinstance(row, dict)


# What Exact says


def test_several_messages_are_told_one_by_one() -> None:
    said = "Ongeldige referentie: Leveren aan\r\nOngeldige referentie: Betalingsconditie\r\n"
    body = json.dumps({"error": {"code": "", "message": {"lang": "", "value": said}}}).encode()

    assert odata.error_messages(body) == [
        "Ongeldige referentie: Leveren aan",
        "Ongeldige referentie: Betalingsconditie",
    ]


@pytest.mark.parametrize(
    "body", [b"", b"<html>Service Unavailable</html>", b'{"d": 1}', b'{"error": "no"}', b"[]"], ids=repr
)
def test_a_body_that_is_no_error_of_exact_says_nothing(body: bytes) -> None:
    assert odata.error_messages(body) == []


@pytest.mark.parametrize("message", [None, {"lang": "", "value": None}], ids=["no message", "no value"])
def test_an_error_without_a_text_says_nothing(message: object) -> None:
    assert odata.error_messages(json.dumps({"error": {"message": message}}).encode()) == []


@given(st.binary() | JSON.map(lambda error: json.dumps({"error": error}).encode()))
def test_whatever_comes_as_an_error_its_texts_are_lines(body: bytes) -> None:
    assert all(len(text.splitlines()) == 1 for text in odata.error_messages(body))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"Forbidden", "Forbidden"),
        (b" Service\r\n  Unavailable ", "Service Unavailable"),
        (b"<html>Forbidden</html>", ""),
        (b'{"Message": "no"}', ""),
        (b"x" * 201, ""),
        (b"", ""),
    ],
)
def test_a_short_body_of_plain_text_is_shown_as_a_line(body: bytes, words: str) -> None:
    assert odata.plain_words(body) == words


@pytest.mark.parametrize(
    ("headers", "body", "is_page"),
    [
        ({}, b"<!DOCTYPE html>", True),
        ({}, b"\xef\xbb\xbf\r\n <html>", True),
        ({"content-type": "text/HTML; charset=utf-8"}, b"Back soon", True),
        ({"content-type": "application/json"}, b'{"error": {}}', False),
        ({}, b"Forbidden", False),
        ({}, b"", False),
    ],
)
def test_a_page_is_told_from_an_answer_of_the_api(headers: dict[str, str], body: bytes, is_page: bool) -> None:
    assert odata.is_page(headers, body) is is_page


# What is sent


def test_a_row_is_sent_compact_with_its_code_padded_and_its_date_as_local_time() -> None:
    values = {"Code": "25", "Name": "Café", "City": None, "IsSupplier": False, "EndDate": "2026-06-30T22:00:00Z"}

    assert odata.encode_row(ACCOUNTS, values, CENTRAL_EUROPE).decode() == (
        '{"Code":"                25","Name":"Café","City":null,"IsSupplier":false,"EndDate":"2026-07-01T00:00:00.000"}'
    )


@given(HOSTILE)
def test_whatever_the_name_it_is_sent_as_it_is(name: str) -> None:
    assert json.loads(odata.encode_row(ACCOUNTS, {"Name": name}, CENTRAL_EUROPE)) == {"Name": name}


@given(st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001
def test_a_date_that_was_read_is_sent_back_as_the_same_wall_time(at: datetime) -> None:
    wall = odata.as_wall_time(at, CENTRAL_EUROPE)

    delivered = odata.as_instant(wall.isoformat(), CENTRAL_EUROPE)
    body = odata.encode_row(ACCOUNTS, {"EndDate": delivered}, CENTRAL_EUROPE)

    assert datetime.fromisoformat(json.loads(body)["EndDate"]) == wall


def test_the_deletion_log_and_the_divisions_are_read_by_the_same_rules() -> None:
    deletion = odata.reader(DELETIONS, ("EntityKey", "EntityType"), CENTRAL_EUROPE)(
        {"EntityKey": "AB", "EntityType": 2}
    )
    division = odata.reader(DIVISIONS, ("Code", "Hid", "Country"), CENTRAL_EUROPE)(
        {"Code": 7, "Hid": "1", "Country": "FR "}
    )

    assert deletion == {"EntityKey": "ab", "EntityType": 2}
    assert division == {"Code": 7, "Hid": 1, "Country": "FR"}
