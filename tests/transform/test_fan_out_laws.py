"""What holds for every record, every schema and every list of divisions."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import jsonschema
from exactonline_client.entities import ACCOUNTS
from hypothesis import given
from hypothesis import strategies as st
from mapper_exactonline.fan_out import KEY_PROPERTIES, FanOut, Seen
from mapper_exactonline.streams import Streams

SOURCE = 100
DIVISIONS = st.integers(1, 400)
TARGETS = st.lists(DIVISIONS, min_size=1, max_size=30, unique=True)
TEXT = st.text('aZ9 é€"\\\n\u2028🏢', max_size=8)
CODES = st.text("0123456789", min_size=1, max_size=18)
NAMES = st.sampled_from([*ACCOUNTS.fields, "_sdc_extracted_at", "AddedByExactLater"]).filter(
    lambda name: name not in KEY_PROPERTIES
)
FIELDS = st.none() | st.lists(st.sampled_from(ACCOUNTS.safe_to_copy), min_size=1)


def constant(name: str) -> st.SearchStrategy[Any]:
    kind = {"Boolean": st.booleans(), "String": TEXT, "Double": st.integers(0, 9)}
    return st.none() | kind.get(ACCOUNTS.fields[name].edm, st.nothing())


CONSTANTS = st.fixed_dictionaries(
    {}, optional={name: constant(name) for name in ["Name", "Blocked", "CreditLineSales", "PaymentConditionSales"]}
)


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema and a record that fits it; not every property of the schema is in the record."""
    kinds: dict[str, st.SearchStrategy[Any]] = {"string": TEXT, "number": st.integers(), "boolean": st.booleans()}
    columns = draw(st.dictionaries(NAMES, st.sampled_from(sorted(kinds)), max_size=12))
    schema = {name: {"type": [kind, "null"]} for name, kind in columns.items()}
    filled = draw(st.sets(st.sampled_from(sorted(columns)))) if columns else set()
    record = {name: draw(st.none() | kinds[columns[name]]) for name in sorted(filled)}
    return (
        {
            "type": "object",
            "properties": {"Division": {"type": "integer"}, "Code": {"type": "string"}, **schema},
            "required": ["Division", "Code", *sorted(filled)],
            "additionalProperties": False,
        },
        {"Division": SOURCE, "Code": draw(CODES), **record},
    )


@st.composite
def fan_outs(draw: st.DrawFn) -> FanOut:
    targets = draw(TARGETS)
    overrides = draw(st.dictionaries(st.sampled_from(targets), CONSTANTS, max_size=3))
    return FanOut.from_config({"target_divisions": targets, "fields": draw(FIELDS), "overrides": overrides})


@given(records(), fan_outs())
def test_each_target_but_the_source_gets_one_copy_in_the_order_of_the_targets(
    schema_and_record: tuple[dict[str, Any], dict[str, Any]], fan_out: FanOut
) -> None:
    _, record = schema_and_record
    targets = fan_out.targets(None, {})

    copies = list(fan_out.copies(record, targets))

    assert [copy["Division"] for copy in copies] == [target for target in targets if target != SOURCE]


@given(records(), fan_outs())
def test_a_copy_holds_its_key_the_fields_that_travel_and_the_constants_and_nothing_else(
    schema_and_record: tuple[dict[str, Any], dict[str, Any]], fan_out: FanOut
) -> None:
    _, record = schema_and_record
    travelling = {name: record[name] for name in fan_out.fields if name in record}
    if "Country" not in record:
        travelling.pop("State", None)

    for copy in fan_out.copies(record, fan_out.targets(SOURCE, {})):
        division = copy["Division"]
        constants = fan_out.overrides.get(division, {})
        assert copy == {"Division": division, "Code": record["Code"], **travelling, **constants}


@given(records(), fan_outs())
def test_what_goes_in_is_not_changed(schema_and_record: tuple[dict[str, Any], dict[str, Any]], fan_out: FanOut) -> None:
    before = deepcopy(schema_and_record)
    schema, record = schema_and_record

    addressed = fan_out.address(schema)
    for copy in fan_out.copies(record, fan_out.targets(SOURCE, {})):
        copy.clear()
    for described in addressed["properties"].values():
        described.clear()

    assert schema_and_record == before


@given(records(), fan_outs())
def test_every_copy_fits_the_addressed_schema(
    schema_and_record: tuple[dict[str, Any], dict[str, Any]], fan_out: FanOut
) -> None:
    schema, record = schema_and_record
    jsonschema.validate(record, schema)

    strict = {**fan_out.address(schema), "additionalProperties": False}

    for copy in fan_out.copies(record, fan_out.targets(SOURCE, {})):
        jsonschema.validate(copy, strict)


@given(records(), fan_outs())
def test_what_is_addressed_is_left_alone_by_a_second_fan_out(
    schema_and_record: tuple[dict[str, Any], dict[str, Any]], fan_out: FanOut
) -> None:
    schema, _ = schema_and_record

    assert Streams(fan_out.streams).takes("accounts", ["ID"], schema["properties"])
    assert not Streams(fan_out.streams).takes("accounts", KEY_PROPERTIES, fan_out.address(schema)["properties"])


@given(
    st.dictionaries(DIVISIONS, st.sampled_from([0, 1, 2])).map(lambda seen: {**seen, SOURCE: 1, 401: 1}),
    st.data(),
)
def test_without_a_list_the_targets_are_the_active_divisions_seen_in_ascending_order(
    seen: dict[int, int], data: st.DataObject
) -> None:
    excluded = data.draw(st.sets(st.sampled_from(sorted(seen))).map(lambda codes: codes - {401}))

    targets = FanOut.from_config({"exclude_divisions": list(excluded)}).targets(
        SOURCE, {code: Seen(status) for code, status in seen.items()}
    )

    active = {code for code, status in seen.items() if status == 1}
    assert targets == tuple(sorted(active - excluded - {SOURCE}))
