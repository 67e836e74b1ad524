"""The settings of a connection: what is taken, what is refused, and that no refusal shows a secret."""

from __future__ import annotations

import ipaddress
from decimal import Decimal
from typing import Any

import pytest
from exactonline_client.errors import ConfigurationError
from exactonline_client.limits import Ceilings
from exactonline_client.settings import PROPERTIES, Settings
from hypothesis import given
from hypothesis import strategies as st

SECRETS = {
    "client_id": "id-2f8d",
    "client_secret": "geheim-c41b",
    "refresh_token": "Gcp7!first",
    "store_url": "postgresql://bookkeeper:s3cr3t@db/exact",
}
SHOWN_NEVER = [*SECRETS.values(), "s3cr3t"]


def settings(**config: Any) -> Settings:
    return Settings.from_config({**SECRETS, **config})


def complaint(**config: Any) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        settings(**config)
    return str(refusal.value)


def test_two_settings_are_enough() -> None:
    least = Settings.from_config({"client_id": "a", "client_secret": "b"})

    assert least == Settings(
        base_url="https://start.exactonline.nl",
        client_id="a",
        client_secret="b",
        refresh_token=None,
        store_url="sqlite:///.exactonline/store.db",
        requests_per_minute=None,
        requests_per_day=None,
        requests_per_day_contract=20_000,
        timeout_seconds=60.0,
    )


@pytest.mark.parametrize("number", [30, "30", Decimal(30)], ids=repr)
def test_numbers_may_come_as_text_or_decimal(number: object) -> None:
    given_so = settings(requests_per_minute=number, requests_per_day=number, timeout_seconds=number)

    assert (given_so.requests_per_minute, given_so.requests_per_day, given_so.timeout_seconds) == (30, 30, 30.0)


def test_the_lowest_ceiling_is_one_call() -> None:
    slow = settings(requests_per_minute=1, requests_per_day="1")

    assert (slow.requests_per_minute, slow.requests_per_day) == (1, 1)


@pytest.mark.parametrize(
    ("given", "limit"),
    [({}, 20_000), ({"requests_per_day_contract": "300"}, 300), ({"requests_per_day_contract": 0}, None)],
)
def test_a_contract_is_counted_unless_its_limit_is_0(given: dict[str, Any], limit: int | None) -> None:
    assert settings(**given).ceilings == Ceilings(None, None, limit)


@pytest.mark.parametrize("value", [-1, "many", 1.5, True, [60]], ids=repr)
def test_a_contract_that_is_no_whole_number_is_named_with_its_value(value: object) -> None:
    sentence = complaint(requests_per_day_contract=value)

    assert sentence == f"The setting requests_per_day_contract is {value!r}: it must be a whole number, or 0."


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
@pytest.mark.parametrize("value", [None, ""], ids=["null", "empty"])
def test_a_missing_setting_is_named(name: str, value: object) -> None:
    assert complaint(**{name: value}).startswith(f"The setting {name} is missing")


@pytest.mark.parametrize("name", ["requests_per_minute", "requests_per_day"])
@pytest.mark.parametrize("value", [0, -1, "many", "", 1.5, Decimal("0.5"), True, [60]], ids=repr)
def test_a_ceiling_that_is_no_whole_number_is_named_with_its_value(name: str, value: object) -> None:
    sentence = complaint(**{name: value})

    assert sentence == f"The setting {name} is {value!r}: it must be a whole number above zero."


@pytest.mark.parametrize("value", [0, -5, "soon", None, float("nan"), float("inf"), Decimal("NaN"), [60]], ids=repr)
def test_a_time_out_that_is_no_number_of_seconds_is_named_with_its_value(value: object) -> None:
    sentence = complaint(timeout_seconds=value)

    assert sentence == f"The setting timeout_seconds is {value!r}: it must be a number of seconds above zero."


BAD_ADDRESSES = [
    "",
    "start.exactonline.nl",
    "https://",
    "ftp://start.exactonline.nl",
    "http://start.exactonline.nl",
    "http://10.0.0.1:8065",
    "http://0.0.0.0:8065",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com",
    "http://[2001:db8::1]:80",
    "file:///etc/passwd",
    "nowhere:///world.db",
]


@pytest.mark.parametrize("address", BAD_ADDRESSES, ids=repr)
def test_an_address_that_would_show_tokens_or_lead_nowhere_is_refused(address: str) -> None:
    assert complaint(base_url=address).startswith(f"The setting base_url is {address}: ")


@pytest.mark.parametrize(
    "address", ["http://localhost:8065", "http://127.0.0.1:1", "http://127.3.2.1", "http://[::1]:8065"]
)
def test_plain_http_is_fine_on_this_machine(address: str) -> None:
    assert settings(base_url=address).base_url == address


@given(st.ip_addresses(v=4))
def test_plain_http_goes_to_no_other_machine(address: ipaddress.IPv4Address) -> None:
    try:
        settings(base_url=f"http://{address}:8065")
    except ConfigurationError:
        assert address not in ipaddress.ip_network("127.0.0.0/8")
    else:
        assert address in ipaddress.ip_network("127.0.0.0/8")


def test_plain_http_to_elsewhere_is_refused_with_the_reason() -> None:
    assert "plain http is for a loopback address only" in complaint(base_url="http://start.exactonline.nl")
    assert "plain http" not in complaint(base_url="ftp://start.exactonline.nl")


def test_the_address_of_a_rehearsal_is_taken_as_it_is_and_leads_to_no_socket() -> None:
    rehearsal = settings(base_url="sandbox:///home/Jan/World.db")

    assert (rehearsal.base_url, rehearsal.is_web) == ("sandbox:///home/Jan/World.db", False)


def test_space_and_a_last_slash_make_no_other_site_of_an_address() -> None:
    assert settings(base_url=" https://start.exactonline.nl/ ") == settings(base_url="https://start.exactonline.nl")


@pytest.mark.parametrize(
    "address", ["https://me:s3cr3t@start.exactonline.nl", "http://127.0.0.1@example.com", "http://s3cr3t@127.0.0.1"]
)
def test_an_address_with_a_password_is_refused_without_showing_it(address: str) -> None:
    sentence = complaint(base_url=address)

    assert sentence == "The setting base_url holds a user name or password; leave them out."


@pytest.mark.parametrize("address", ["https://[::1", "https://start.exactonline.nl:abc", "https://host:99999"])
def test_an_address_that_cannot_be_read_is_refused(address: str) -> None:
    assert complaint(base_url=address).startswith("The setting base_url is ")


def test_an_address_in_capitals_is_an_address_of_the_web() -> None:
    assert settings(base_url="HTTPS://START.EXACTONLINE.NL").is_web


@pytest.mark.parametrize("address", ["https://me:s3cr3t@host:abc", "https://me:s3cr3t@[::1", "https:/me:s3cr3t@host"])
def test_an_address_with_a_password_that_cannot_be_read_is_refused_without_showing_it(address: str) -> None:
    assert "s3cr3t" not in complaint(base_url=address)


def test_one_site_is_one_address_however_it_is_written() -> None:
    assert settings(base_url="HTTPS://Start.ExactOnline.nl/") == settings(base_url="https://start.exactonline.nl")


WRONG = [
    {"client_id": ""},
    {"client_secret": None},
    {"base_url": "http://example.com"},
    {"base_url": "https://u:s3cr3t@example.com"},
    {"requests_per_minute": "x"},
    {"requests_per_day": 0},
    {"timeout_seconds": -1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_no_refusal_shows_a_secret(wrong: dict[str, Any]) -> None:
    sentence = complaint(**wrong)

    assert not [secret for secret in SHOWN_NEVER if secret in sentence]
    assert next(iter(wrong)) in sentence


def test_settings_can_be_printed_without_showing_a_secret() -> None:
    shown = f"{settings()} {settings()!r}"

    assert "start.exactonline.nl" in shown
    assert not [secret for secret in SHOWN_NEVER if secret in shown]


def test_every_secret_is_declared_as_one_and_every_setting_says_what_it_is_for() -> None:
    assert {name for name, about in PROPERTIES.items() if about.get("secret")} == {*SECRETS, "connections"}
    assert all(about["title"] and about["description"].endswith(".") for about in PROPERTIES.values())


# Several connections

NORTH = {"name": "north", "client_id": "id-north", "client_secret": "geheim-north", "refresh_token": "Gcp7!north"}
SOUTH = {"name": "south", "client_id": "id-south", "client_secret": "geheim-south", "divisions": [201, "202"]}


def connections(*several: dict[str, Any], **config: Any) -> list[Settings]:
    return Settings.all_from_config({**config, "connections": list(several)})


def test_without_connections_the_single_one_is_all_there_is() -> None:
    assert Settings.all_from_config(SECRETS) == Settings.all_from_config({**SECRETS, "connections": []}) == [settings()]


def test_connections_share_what_is_no_part_of_them() -> None:
    north, south = connections(NORTH, SOUTH, timeout_seconds=5, refresh_token="first", base_url="https://elsewhere.nl")

    assert (north.name, north.client_secret, north.refresh_token) == ("north", "geheim-north", "Gcp7!north")
    assert (south.name, south.refresh_token, south.divisions) == ("south", None, (201, 202))
    assert {one.timeout_seconds for one in (north, south)} == {5.0}
    assert {one.base_url for one in (north, south)} == {"https://start.exactonline.nl"}


def test_a_connection_may_have_a_contract_of_its_own() -> None:
    premium = {**SOUTH, "requests_per_day_contract": 30_000}

    assert [one.requests_per_day_contract for one in connections(NORTH, premium)] == [20_000, 30_000]
    assert [one.requests_per_day_contract for one in connections(NORTH, premium, requests_per_day_contract=5)] == [
        5,
        30_000,
    ]


def test_messages_call_a_connection_by_its_name() -> None:
    (south,) = connections(SOUTH)

    assert south.connection == "south (https://start.exactonline.nl)"


@pytest.mark.parametrize(
    ("several", "said"),
    [
        ([NORTH, {**SOUTH, "name": " north "}], "two called north"),
        ([{**SOUTH, "name": " "}], "one without a name"),
        ([NORTH, {**SOUTH, "client_secret": ""}], "Connection south: The setting client_secret is missing"),
        ([{**NORTH, "base_url": "http://example.com"}], "Connection north: The setting base_url is http://example.com"),
    ],
    ids=["same name", "no name", "no secret", "address"],
)
def test_what_is_wrong_with_a_connection_is_told_with_its_name_and_no_secret(
    several: list[dict[str, Any]], said: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        connections(*several)

    assert said in str(refusal.value)
    assert "geheim" not in str(refusal.value)


def test_a_division_of_a_connection_that_is_no_number_is_told_with_its_name() -> None:
    with pytest.raises(ConfigurationError, match="south"):
        connections({**SOUTH, "divisions": ["north"]})
