"""Each setting: what it does, and what is said when it is wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from exactonline_client.entities import ACCOUNTS, CHILDREN
from exactonline_client.errors import ConfigurationError
from mapper_exactonline.fan_out import SETTINGS, FanOut, Seen, seen_division, source_division

ACTIVE_AND_ARCHIVED = {202: Seen(1), 100: Seen(1), 201: Seen(1), 203: Seen(2), 204: Seen(0)}


def fan_out(**config: Any) -> FanOut:
    return FanOut.from_config(config)


def copies_of(record: dict[str, Any], **config: Any) -> list[dict[str, Any]]:
    return list(fan_out(target_divisions=[201, 202], **config).copies(record, [201, 202]))


def test_nothing_set_means_every_active_division_and_the_fields_that_are_safe_to_copy() -> None:
    fields = {stream: entity.safe_to_copy for stream, entity in CHILDREN.items()}

    assert fan_out() == FanOut(None, frozenset(), ACCOUNTS.safe_to_copy, {}, None, fields_of=fields)


def test_null_means_not_set() -> None:
    assert fan_out(**dict.fromkeys(SETTINGS)) == fan_out()


def test_the_described_defaults_change_nothing() -> None:
    assert fan_out(**{name: about["default"] for name, about in SETTINGS.items() if "default" in about}) == fan_out()


def test_target_divisions_keep_their_order_and_each_counts_once() -> None:
    assert fan_out(target_divisions=[202, "201", 202, "0201"]).targets(100, {}) == (202, 201)


BRANCHES = {
    100: Seen(1, "Holding BV", "NL"),
    201: Seen(1, "Bakkerij De Zon", "NL"),
    202: Seen(1, "Boulangerie Soleil", "BE"),
    203: Seen(2, "Bakkerij Oud", "NL"),
    204: Seen(1, "BAKKERIJ proef", "BE"),
}


@pytest.mark.parametrize(
    ("config", "targets"),
    [
        ({"target_names": ["bakkerij*"]}, (201, 204)),
        ({"target_names": ["Bakkerij De Zon"]}, (201,)),
        ({"target_names": ["bakkerij*"], "target_divisions": [202]}, (202, 201, 204)),
        ({"target_names": ["*"], "exclude_names": ["*PROEF"]}, (201, 202)),
        ({"exclude_names": ["bak*"]}, (202,)),
        ({"countries": ["be"]}, (202, 204)),
        ({"countries": ["BE"], "target_divisions": [201, 202]}, (202,)),
        ({"target_names": ["*zon", "*soleil"], "countries": ["NL", "BE"], "exclude_divisions": [202]}, (201,)),
        ({"target_names": ["holding*", "*zon"]}, (201,)),
    ],
)
def test_targets_are_chosen_by_name_and_country(config: dict[str, Any], targets: tuple[int, ...]) -> None:
    assert fan_out(**config).targets(100, BRANCHES) == targets


def test_targets_of_a_pattern_have_to_be_seen_and_those_of_a_code_have_not() -> None:
    assert not fan_out(target_names=["*"]).names_targets
    assert not fan_out(target_divisions=[201], countries=["NL"]).names_targets
    assert fan_out(target_divisions=[201]).names_targets


def test_a_star_among_the_fields_stands_for_those_that_are_safe_to_copy() -> None:
    assert fan_out(fields=["*", "Blocked"]).fields == (*ACCOUNTS.safe_to_copy, "Blocked")
    assert fan_out(fields={"accounts": ["*"]}) == fan_out()


def test_each_field_has_a_rule_and_a_star_those_that_are_not_named() -> None:
    assert fan_out(field_rules={"Phone": "initial", "*": "target"}).field_rules == {"Phone": "initial", "*": "target"}


def test_divisions_may_be_text_as_the_environment_gives_it() -> None:
    config = fan_out(exclude_divisions=["202"], overrides={"201": {"Language": "FR"}}, limit="5")

    assert config.exclude_divisions == {202}
    assert config.overrides == {201: {"Language": "FR"}}
    assert config.limit == 5


def test_excluded_and_inactive_divisions_and_the_source_are_no_targets() -> None:
    assert fan_out(exclude_divisions=[202]).targets(100, ACTIVE_AND_ARCHIVED) == (201,)


def test_without_a_known_source_every_active_division_is_a_target() -> None:
    assert fan_out().targets(None, ACTIVE_AND_ARCHIVED) == (100, 201, 202)


def test_fields_choose_what_travels_and_the_key_always_does() -> None:
    record = {"Division": 100, "Code": "1", "Name": "A", "City": "B", "ID": "x"}

    assert copies_of(record, fields=["City", "Code", "Division", "City"]) == [
        {"Division": 201, "Code": "1", "City": "B"},
        {"Division": 202, "Code": "1", "City": "B"},
    ]


def test_a_field_of_company_policy_travels_when_asked_for() -> None:
    assert copies_of({"Code": "1", "Blocked": True}, fields=["Blocked"])[0]["Blocked"] is True


@pytest.mark.parametrize("named", ["Country", "State"])
def test_country_and_state_travel_together(named: str) -> None:
    assert set(fan_out(fields=[named]).fields) == {"Country", "State"}


def test_a_state_without_its_country_stays_behind() -> None:
    assert "State" not in copies_of({"Code": "1", "State": "ZH"})[0]
    assert "State" not in fan_out().address({"properties": {"Code": {}, "State": {}}})["properties"]


def test_an_override_replaces_what_the_source_says_in_its_division_only() -> None:
    record = {"Code": "1", "Language": "NL"}

    first, second = copies_of(record, overrides={"202": {"Language": "FR", "PaymentConditionSales": "14"}})

    assert first == {"Division": 201, "Code": "1", "Language": "NL"}
    assert second == {"Division": 202, "Code": "1", "Language": "FR", "PaymentConditionSales": "14"}


def test_an_override_of_a_number_may_come_as_a_decimal_from_a_settings_file() -> None:
    overrides = {"201": {"CreditLineSales": Decimal("2500.50")}}

    assert copies_of({"Code": "1"}, overrides=overrides)[0]["CreditLineSales"] == Decimal("2500.50")


def test_a_code_that_is_a_number_becomes_text() -> None:
    assert copies_of({"Code": 10042})[0]["Code"] == "10042"


def test_the_addressed_schema_drops_what_stays_behind_and_widens_what_is_overridden() -> None:
    schema = {
        "type": "object",
        "properties": {
            "ID": {"type": "string"},
            "Timestamp": {"type": "integer"},
            "Code": {"type": ["string", "null"]},
            "Name": {"type": "string", "maxLength": 50},
            "Language": {"type": "string"},
            "PaymentConditionSales": {"type": "string"},
        },
        "required": ["ID", "Timestamp", "Code", "Name"],
    }

    addressed = fan_out(overrides={"201": {"Language": None, "Blocked": True}}).address(schema)

    assert addressed == {
        "type": "object",
        "properties": {
            "Division": {"type": "integer"},
            "Code": {"type": "string"},
            "Name": {"type": "string", "maxLength": 50},
            "Language": {"type": ["string", "null"]},
            "Blocked": {"type": ["boolean", "null"]},
        },
        "required": ["Division", "Code"],
    }


def test_a_record_says_where_it_comes_from_or_does_not() -> None:
    assert source_division({"Division": "100"}) == 100
    assert source_division({"Division": None}) is None


def test_a_division_is_seen_with_its_status() -> None:
    assert seen_division({"Code": 201, "Status": 1, "Description": "Noord"}) == (201, Seen(1, "Noord"))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"target_division": [201]}, "target_division: there is no such setting. Did you mean target_divisions?"),
    ({"target_divisions": 201}, "target_divisions: 201 is not a list."),
    ({"target_divisions": []}, "target_divisions: the list is empty. Name at least one division"),
    ({"target_divisions": ["north"]}, "target_divisions: 'north' is not a division code. Give whole numbers"),
    ({"target_divisions": [True]}, "target_divisions: True is not a division code."),
    ({"target_divisions": [-1]}, "target_divisions: -1 is not a division code."),
    ({"exclude_divisions": [2.5]}, "exclude_divisions: 2.5 is not a division code."),
    (
        {"target_divisions": [201, 202], "exclude_divisions": ["202"]},
        "exclude_divisions: 202 is also in target_divisions. Take it off one of the two.",
    ),
    ({"fields": "Name"}, "fields: 'Name' is not a list."),
    ({"fields": ["name"]}, "fields: 'name' is not a property of an account. Did you mean Name?"),
    ({"fields": [{"a": 1}]}, "fields: {'a': 1} is not a property of an account."),
    ({"fields": ["IsSales"]}, "fields: IsSales is read-only: Exact fills it itself. Take it off."),
    ({"fields": ["ID"]}, "fields: ID is read-only"),
    ({"fields": ["Timestamp"]}, "fields: Timestamp is read-only"),
    ({"fields": ["CompanySize"]}, "fields: CompanySize is tied to its division"),
    ({"fields": ["ActivitySector"]}, "fields: ActivitySector is tied to its division"),
    ({"overrides": [201]}, "overrides: [201] is not an object."),
    ({"overrides": {"201": "FR"}}, "overrides of 201: 'FR' is not an object."),
    ({"overrides": {"north": {"Language": "FR"}}}, "overrides: 'north' is not a division code."),
    ({"overrides": {"201": {"Code": "1"}}}, "overrides of 201: Code says which record it is and cannot be set."),
    ({"overrides": {"201": {"Division": 1}}}, "overrides of 201: Division says which record it is"),
    ({"overrides": {"201": {"ID": "x"}}}, "overrides of 201: ID says which record it is"),
    ({"overrides": {"201": {"Langage": "FR"}}}, "overrides of 201: 'Langage' is not a property of an account."),
    ({"overrides": {"201": {"Creator": "x"}}}, "overrides of 201: Creator is read-only"),
    (
        {"overrides": {"201": {"Blocked": "false"}}},
        "overrides of 201: Blocked cannot be 'false'. Give true or false, or null.",
    ),
    (
        {"overrides": {"201": {"IsMailing": True}}},
        "overrides of 201: IsMailing cannot be True. Give a whole number, or null.",
    ),
    ({"overrides": {"201": {"Country": "BE"}}}, "overrides of 201: Country stands alone"),
    ({"fields": ["Name"], "overrides": {"201": {"State": "ZH"}}}, "overrides of 201: State stands alone"),
    (
        {"target_divisions": [201], "overrides": {"202": {"Language": "FR"}}},
        "overrides: 202 is not a target division. Add it to the targets, or take it off.",
    ),
    (
        {"exclude_divisions": [202], "overrides": {"202": {"Language": "FR"}}},
        "overrides: 202 is not a target division.",
    ),
    ({"target_names": "bak*"}, "target_names: 'bak*' is not a list."),
    ({"target_names": []}, "target_names: the list is empty."),
    ({"exclude_names": [7]}, "exclude_names: 7 is not a name."),
    ({"countries": ["Nederland"]}, "countries: 'Nederland' is not a country."),
    ({"countries": []}, "countries: the list is empty."),
    ({"streams": []}, "streams: [] is not a list of streams."),
    ({"fields": {"invoices": ["*"]}}, "fields: 'invoices' is no stream whose records are copied (accounts, contacts,"),
    ({"fields": {"contacts": ["Nam"]}}, "fields: 'Nam' is not a property of a contact."),
    ({"fields": {"contacts": ["HID"]}}, "fields: HID says what another field says"),
    ({"fields": {"addresses": ["Contact"]}}, "fields: Contact is tied to its division"),
    ({"field_rules": ["Phone"]}, "field_rules: ['Phone'] is not an object."),
    ({"field_rules": {"Phone": "ours"}}, "field_rules: Phone cannot be 'ours'. Give one of source, initial, target."),
    ({"field_rules": {"Phome": "initial"}}, "field_rules: 'Phome' is not a property of an account. Did you mean"),
    ({"limit": 0}, "limit: 0 is not a number of records. Give 1 or more, or leave it out."),
    ({"limit": "some"}, "limit: 'some' is not a number of records."),
]


@pytest.mark.parametrize(("config", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_a_wrong_setting_is_refused_with_its_name_its_value_and_what_to_do(
    config: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        FanOut.from_config(config)

    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("config", "seen", "sentence"),
    [
        ({}, {}, "target_divisions: not set, and no divisions were seen."),
        (
            {},
            {100: Seen(1), 203: Seen(2)},
            "target_divisions: not set, and of the divisions seen (100, 203) none is active",
        ),
        ({"target_names": ["Bakkerij X"]}, BRANCHES, "target_names: no division seen is called 'Bakkerij X'."),
        ({"target_names": ["x*"]}, BRANCHES, "target_names: x*, and of the divisions seen"),
        ({"countries": ["DE"]}, BRANCHES, "countries: DE, and of the divisions seen"),
        ({"countries": ["NL"]}, {}, "countries: NL, and no divisions were seen."),
        ({"target_divisions": [9], "countries": ["NL"]}, BRANCHES, "target_divisions: 9 is not among the divisions"),
        ({"exclude_divisions": [210]}, ACTIVE_AND_ARCHIVED, "exclude_divisions: 210 is not among the divisions seen"),
        ({"overrides": {"210": {"Fax": ""}}}, ACTIVE_AND_ARCHIVED, "overrides: 210 is not among the divisions seen"),
    ],
)
def test_targets_are_refused_when_what_was_seen_does_not_settle_them(
    config: dict[str, Any], seen: dict[int, Seen], sentence: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        FanOut.from_config(config).targets(100, seen)

    assert str(refusal.value).startswith(sentence)


@pytest.mark.parametrize("record", [{"Code": 201}, {"Code": 201, "Status": None}, {"Status": 1}])
def test_a_division_of_unknown_status_is_refused(record: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="must carry Code and Status"):
        seen_division(record)
