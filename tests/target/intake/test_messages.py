"""Lines that are no whole message: told in one line that repeats nothing of them, and accounted for."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from sandbox_driver import Sandbox
from singer_driver import addressed
from singer_sdk.exceptions import InvalidInputLine, RecordsWithoutSchemaException
from target_driver import InProcessTarget, wanted
from target_exactonline.intake.messages import MessageReader

NORTH = 201
GOOD = addressed(wanted(NORTH, 1))


def record(**values: Any) -> str:
    """A line as Python's own writer makes it, also of what is no JSON."""
    return json.dumps({"type": "RECORD", "stream": "accounts", "record": {"Division": NORTH, **values}}) + "\n"


def complaint(line: str) -> str:
    with pytest.raises(InvalidInputLine) as told:
        MessageReader().process_lines(io.StringIO(line), {"STATE": print, "RECORD": print, "SCHEMA": print})
    return str(told.value)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Jan de Vries", "is not whole"),
        ('{"type": "RECORD", "stream": "acc', "is not whole"),
        ('{"type": "STATE", "value": {"at": NaN}}', "is not whole"),
        ('{"type": "RECORD", "stream": "accounts", "record": ' + "[" * 5000 + "]" * 5000 + "}", "nested too deeply"),
        ('{"type": "RECORD", "stream": "accounts", "record": {"Name": "caf\udce9"}}', "not in UTF-8"),
        ("[1]", "not a Singer message"),
        ('{"at": 1}', "not a Singer message"),
        ('{"type": "FOO"}', "a type that is none of"),
        ('{"type": "BATCH", "stream": "accounts"}', "does not take"),
        ('{"type": "STATE", "value": null}', "whose value is no object"),
        ('{"type": "RECORD", "record": {}}', "names no stream"),
        ('{"type": "RECORD", "stream": "accounts"}', "whose record is no object"),
        ('{"type": "RECORD", "stream": "accounts", "record": ["Jan de Vries"]}', "whose record is no object"),
        ('{"type": "SCHEMA", "stream": "accounts", "schema": null}', "without properties"),
        ('{"type": "SCHEMA", "stream": "accounts", "schema": {}}', "without properties"),
        ('{"type": "SCHEMA", "stream": "a", "schema": {"properties": {}}, "key_properties": "ID"}', "are no list"),
    ],
)
def test_a_line_that_is_no_message_is_told_without_its_text(line: str, says: str) -> None:
    told = complaint(line)

    assert says in told
    assert "Vries" not in told


def test_a_line_in_another_encoding_is_told() -> None:
    source = io.TextIOWrapper(io.BytesIO(b'{"type": "caf\xe9"}\n'), encoding="utf-8")

    with pytest.raises(InvalidInputLine, match="not in UTF-8"):
        MessageReader().process_lines(source, {})


def test_blank_lines_and_a_byte_order_mark_are_passed_over(target: InProcessTarget) -> None:
    loaded = target.load_lines("\ufeff" + GOOD.replace("\n", "\n\n  \r\n"))

    assert loaded.counts() == {"created": 1}


def test_a_number_that_is_none_or_half_a_character_is_the_fault_of_its_record_alone(target: InProcessTarget) -> None:
    bad = record(Code="2", Name="x", Latitude=float("nan")) + record(Code="3", Name=float("inf"))
    bad += record(Code="4", Name="half \ud83d") + record(Code="5\ud83d", Name="x")

    loaded = target.load_lines(GOOD + bad)

    assert loaded.counts() == {"created": 1, "refused": 4}
    assert all("Not sent; correct it in the source" in reason for reason in loaded.reasons("refused"))


def test_what_came_before_a_half_line_is_accounted_for(target: InProcessTarget, sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInputLine):
        target.load_lines(GOOD + record(Code="2", Name="x")[:-20])

    assert [line["outcome"] for line in target.results()] == ["skipped"]
    assert sandbox.codes(NORTH) == []


def test_a_record_before_its_schema_ends_the_run(target: InProcessTarget) -> None:
    with pytest.raises(RecordsWithoutSchemaException):
        target.load_lines(record(Code="1", Name="x"))


def test_a_version_that_is_activated_changes_nothing(target: InProcessTarget) -> None:
    activate = '{"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 1}\n'

    loaded = target.load_lines(activate + GOOD + activate)

    assert loaded.counts() == {"created": 1}
