"""Which streams are taken for accounts, and columns that are called almost as a property is."""

from __future__ import annotations

import json

import pytest
from exactonline_client.errors import ConfigurationError
from mapper_exactonline.streams import Streams, check_columns, is_addressed, near_misses, passed_over


@pytest.mark.parametrize(
    ("stream", "keys", "columns", "is_taken"),
    [
        ("accounts", ["ID"], ["ID", "Code"], True),
        ("debtors", [], ["Code"], True),
        ("accounts", ["Code"], ["Code", "Division"], True),
        ("accounts", ["Code", "Division"], ["Code", "Division"], False),
        ("accounts", ["Division", "Code", "ID"], ["Code"], False),
        ("contacts", ["ID"], ["ID", "Code"], False),
        ("orders", ["ID"], ["ID"], False),
        ("divisions", ["Code"], ["Code"], False),
        ("deleted_accounts", ["ID"], ["ID", "Code"], False),
        ("meltano_test_stream", ["id"], ["Code"], False),
    ],
)
def test_the_only_stream_with_a_code_that_is_not_addressed_holds_accounts(
    stream: str, keys: list[str], columns: list[str], is_taken: bool
) -> None:
    assert Streams(None).takes(stream, keys, columns) is is_taken


def test_a_stream_is_addressed_when_division_and_code_are_among_its_keys() -> None:
    assert is_addressed(["Code", "Division"])
    assert not is_addressed(["Code"])


@pytest.mark.parametrize(("first", "second"), [("customers", "items"), ("accounts", "items"), ("items", "accounts")])
def test_two_streams_with_a_code_have_to_be_told_apart(first: str, second: str) -> None:
    streams = Streams(None)
    assert streams.takes(first, [], ["Code", "Name"])

    with pytest.raises(ConfigurationError, match=f"{first} and {second} all have a Code.*setting streams"):
        streams.takes(second, [], ["Code"])


def test_a_stream_may_come_again() -> None:
    streams = Streams(None)

    assert streams.takes("customers", [], ["Code"])
    assert streams.takes("customers", [], ["Code", "Name"])


def test_streams_that_are_named_are_taken_and_no_others() -> None:
    streams = Streams(["customers", "suppliers"])

    assert streams.takes("customers", [], ["Code"])
    assert streams.takes("suppliers", [], ["Code"])
    assert not streams.takes("items", [], ["Code"])
    assert not streams.takes("accounts", [], ["code"])
    with pytest.raises(ConfigurationError, match="streams: customers has no column Code"):
        streams.takes("customers", [], ["Number"])


@pytest.mark.parametrize(
    ("columns", "missed"),
    [
        (["code", "name"], {"code": "Code", "name": "Name"}),
        (["\ufeffCode", "Name"], {"\ufeffCode": "Code"}),
        (
            ["CODE", "Address_Line_1", "post code"],
            {"CODE": "Code", "Address_Line_1": "AddressLine1", "post code": "Postcode"},
        ),
        (["Code", "code"], {}),
        (["code", "CODE"], {"code": "Code"}),
        (["Code", "id", "created", "Zip", "e-mail"], {}),
        (["division", "code"], {"division": "Division", "code": "Code"}),
    ],
)
def test_what_is_a_property_but_for_case_blanks_underscores_or_a_byte_order_mark(
    columns: list[str], missed: dict[str, str]
) -> None:
    assert near_misses(columns) == missed


def test_a_near_miss_is_refused_with_the_map_that_mends_it() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        Streams(None).takes("public-customers", ["id"], ["id", "code", "post code"])

    text = str(refusal.value)
    assert text.startswith("The stream public-customers has 'code' for Code, 'post code' for Postcode")
    shown = text[text.index("{") : text.index("}}") + 2]
    assert json.loads(shown) == {"public-customers": {"Code": "code", "Postcode": "record['post code']"}}
    assert '{"code": "__NULL__"}' in text


def test_a_stream_without_any_code_is_looked_at_no_further() -> None:
    assert not Streams(None).takes("orders", [], ["name"])


def test_an_addressed_stream_is_held_to_the_names_as_well() -> None:
    with pytest.raises(ConfigurationError, match="'name' for Name"):
        check_columns("customers", ["Division", "Code", "name"])


def test_columns_that_are_passed_over_are_named_with_the_nearest_property() -> None:
    assert passed_over(["Code", "Division", "ID", "Created", "_sdc_batched_at"]) is None
    assert passed_over(["Code", "Zip", "e-mail", "Adress", "Name", "Loyalty"]) == (
        "Zip (the nearest property: Postcode), e-mail (the nearest property: Email), "
        "Adress (the nearest property: AddressLine1), Loyalty"
    )
