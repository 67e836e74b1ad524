"""What the mapper makes of whole streams of messages, in this process."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from exactonline_client.errors import ConfigurationError
from hypothesis import given
from hypothesis import strategies as st
from mapper_exactonline.fan_out import FanOut
from mapper_exactonline.mapper import MapperExactOnline
from mapper_exactonline.pipe import LineReader, LineWriter, Verbatim
from singer_sdk.exceptions import InvalidInputLine

Message = dict[str, Any]
TARGETS = [201, 100, 202]
PROPERTIES = {name: {} for name in ["ID", "Division", "Code", "Name", "Latitude", "PeppolIdentifierType"]}


def schema(stream: str, *keys: str) -> Message:
    return {"type": "SCHEMA", "stream": stream, "schema": {"properties": PROPERTIES}, "key_properties": list(keys)}


def account(code: int, stream: str = "accounts", **fields: Any) -> Message:
    return {"type": "RECORD", "stream": stream, "record": {"Division": 100, "Code": str(code), **fields}}


def division(code: int, status: int) -> Message:
    return {"type": "RECORD", "stream": "divisions", "record": {"Code": code, "Status": status}}


def state(value: int) -> Message:
    return {"type": "STATE", "value": {"bookmarks": value}}


@contextmanager
def signals_left_alone() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def mapped_text(config: dict[str, Any], text: str) -> str:
    """What the mapper writes when it reads this."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with signals_left_alone(), redirect_stdout(output):
        MapperExactOnline(config=config).listen(io.TextIOWrapper(io.BytesIO(text.encode())))
    return output.buffer.getvalue().decode()  # type: ignore[attr-defined]


def mapped(config: dict[str, Any], *messages: Message) -> list[Message]:
    text = mapped_text(config, "".join(f"{json.dumps(message)}\n" for message in messages))
    return [json.loads(line) for line in text.splitlines()]


def copies(messages: list[Message]) -> list[tuple[int, str]]:
    return [
        (message["record"]["Division"], message["record"]["Code"])
        for message in messages
        if message["type"] == "RECORD"
    ]


@given(st.lists(st.sampled_from(["record", "state", "other"]), max_size=20))
def test_a_state_passes_unchanged_and_after_the_copies_of_all_before_it(kinds: list[str]) -> None:
    sent = [schema("accounts", "ID"), schema("deleted_accounts", "ID")]
    expected: list[Message | tuple[int, str]] = []
    for number, kind in enumerate(kinds):
        if kind == "record":
            sent.append(account(number, Name="A"))
            expected += [(201, str(number)), (202, str(number))]
        else:
            sent.append(state(number) if kind == "state" else account(number, "deleted_accounts", ID="x"))
            expected.append(sent[-1])

    received = mapped({"target_divisions": TARGETS}, *sent)[2:]

    assert [message if message in sent else copies([message])[0] for message in received] == expected


@given(
    st.lists(
        st.tuples(st.integers(-(2**63), 2**64 - 1), st.decimals(allow_nan=False, allow_infinity=False)), min_size=1
    )
)
def test_numbers_keep_every_digit(numbers: list[tuple[int, Any]]) -> None:
    lines = [
        f'{{"type":"RECORD","stream":"accounts","record":{{"Code":"1","Latitude":{decimal},"Longitude":{integer}}}}}'
        for integer, decimal in numbers
    ]

    copied = mapped_text(
        {"target_divisions": [201]}, "\n".join([json.dumps(schema("accounts", "ID")), *lines])
    ).splitlines()[1:]

    for line, (integer, decimal) in zip(copied, numbers, strict=True):
        assert f'"Latitude":{decimal},"Longitude":{integer}' in line


def test_a_second_mapper_passes_addressed_copies_unchanged_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    once = mapped({"target_divisions": [201]}, schema("accounts", "ID"), account(1), state(1))

    twice = mapped({"target_divisions": [202, 203]}, *once)

    assert twice == once
    assert "accounts is addressed already and passes unchanged." in caplog.text


CONTACTS = {
    "type": "SCHEMA",
    "stream": "contacts",
    "schema": {"properties": {name: {} for name in ("ID", "Division", "Code", "AccountCode", "LastName", "HID")}},
    "key_properties": ["ID"],
}
CONTACT = {"Division": 100, "ID": "c1", "Code": "7", "AccountCode": "7", "LastName": "Vos", "HID": 11149}


def contact(**fields: Any) -> Message:
    return {"type": "RECORD", "stream": "contacts", "record": {**CONTACT, **fields}}


def test_what_belongs_to_accounts_is_addressed_by_the_code_of_its_account_and_the_key_at_the_source() -> None:
    told, first, second = mapped({"target_divisions": TARGETS}, CONTACTS, contact())

    assert told["key_properties"] == told["schema"]["required"] == ["Division", "AccountCode", "SourceKey"]
    assert set(told["schema"]["properties"]) == {"Division", "AccountCode", "SourceKey", "LastName"}
    keys = {"AccountCode": "7", "SourceKey": "c1"}
    assert first["record"] == {"Division": 201, **keys, "LastName": "Vos"}
    assert second["record"] == {"Division": 202, **keys, "LastName": "Vos"}
    assert first["source"] == second["source"] == {"Division": 100, "ID": "c1"}
    assert (first["source_record"], "source_record" in second) == (CONTACT, False)


def test_the_key_that_a_foreign_tap_keeps_stable_is_passed_on() -> None:
    message = {**CONTACTS, "schema": {"properties": {"AccountCode": {}, "SourceKey": {}, "LastName": {}}}}
    record = {"AccountCode": "7", "SourceKey": "7/Vos", "LastName": "Vos"}

    _, copied = mapped({"target_divisions": [201]}, message, {**contact(), "record": record})

    assert copied["record"] == {"Division": 201, **record}


def test_the_fields_of_each_stream_are_its_own() -> None:
    config = {"target_divisions": [201], "fields": {"accounts": ["Name"], "contacts": ["FirstName"]}}
    lines = schema("accounts", "ID"), account(7, Name="A", Latitude=1), CONTACTS, contact(FirstName="Bo")

    *_, copied = mapped(config, *lines)

    assert copied["record"] == {"Division": 201, "AccountCode": "7", "SourceKey": "c1", "FirstName": "Bo"}


def test_contacts_are_no_accounts_though_the_settings_name_them_and_they_have_a_code() -> None:
    lines = CONTACTS, contact(), schema("accounts", "ID"), account(7)

    named = mapped({"target_divisions": [201], "streams": ["contacts"]}, *lines)
    others = mapped({"target_divisions": [201], "streams": ["accounts"]}, *lines)

    assert named[1]["record"]["SourceKey"] == "c1"
    assert others[1]["record"] == CONTACT


def test_addressed_contacts_pass_unchanged() -> None:
    once = mapped({"target_divisions": [201]}, CONTACTS, contact())

    assert mapped({"target_divisions": [202, 203]}, *once) == once


def test_a_mark_of_deletion_goes_with_each_copy() -> None:
    properties = {**CONTACTS["schema"]["properties"], "_sdc_deleted_at": {"type": ["string", "null"]}}  # type: ignore[index]
    mark = {"_sdc_deleted_at": "2026-11-01T00:00:00Z"}
    lines = [{**contact(), "record": {"Division": 100, "ID": key, **mark}} for key in ("c1", "c2")]
    lines[0]["record"]["AccountCode"] = "7"

    told, known, unknown = mapped(
        {"target_divisions": [201]}, {**CONTACTS, "schema": {"properties": properties}}, *lines
    )

    assert told["schema"]["properties"]["_sdc_deleted_at"] == {"type": ["string", "null"]}
    assert known["record"] == {"Division": 201, "AccountCode": "7", "SourceKey": "c1", **mark}
    assert unknown["record"] == {"Division": 201, "AccountCode": "", "SourceKey": "c2", **mark}


def test_the_divisions_seen_become_the_targets_and_pass_unchanged() -> None:
    seen = [schema("divisions", "Code"), division(202, 1), division(100, 1), division(203, 2), division(201, 1)]

    received = mapped({}, *seen, schema("accounts", "ID"), account(7))

    assert received[:5] == seen
    assert copies(received[6:]) == [(201, "7"), (202, "7")]


def test_a_division_seen_late_gets_what_comes_after_it() -> None:
    received = mapped(
        {},
        schema("accounts", "ID"),
        division(201, 1),
        account(1),
        division(202, 1),
        account(2),
        division(201, 2),
        account(3),
    )

    accounts = [message for message in received if message.get("stream") == "accounts"]
    assert copies(accounts) == [(201, "1"), (201, "2"), (202, "2"), (202, "3")]


def test_several_sources_each_reach_the_others() -> None:
    elsewhere = account(8)
    elsewhere["record"]["Division"] = 201

    received = mapped({"target_divisions": [100, 201]}, schema("accounts", "ID"), account(7), elsewhere)

    assert copies(received) == [(201, "7"), (100, "8")]


def test_no_copy_is_written_when_the_targets_are_not_known() -> None:
    with pytest.raises(ConfigurationError, match="no divisions were seen"):
        mapped({}, schema("accounts", "ID"), account(1))


def test_a_stream_that_does_not_say_where_it_comes_from_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    message = schema("debtors", "Code")
    message["schema"] = {"properties": {"Code": {}}}

    mapped({"target_divisions": [201]}, message)

    assert "debtors does not say which division it comes from" in caplog.text


def test_the_limit_counts_source_records_of_each_stream_over_the_whole_run(caplog: pytest.LogCaptureFixture) -> None:
    records = [account(code, stream) for code in range(1, 5) for stream in ("accounts", "debtors")]
    records.insert(4, schema("accounts", "ID"))

    both = {"target_divisions": [201], "limit": 2, "streams": ["accounts", "debtors"]}
    received = mapped(both, schema("accounts", "ID"), schema("debtors", "ID"), *records)

    assert copies(received) == [(201, "1"), (201, "1"), (201, "2"), (201, "2")]
    assert caplog.text.count("accounts: limit of 2 records reached") == 1


def test_what_the_limit_leaves_out_is_neither_acknowledged_nor_given_up_for_deletion() -> None:
    activate = {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 1}
    before = [schema("accounts", "ID"), account(1), state(1), activate]

    received = mapped({"target_divisions": [201], "limit": 1}, *before, account(2), state(2), activate)

    assert [message["type"] for message in received] == ["SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION"]


def test_batch_files_of_a_stream_that_is_copied_are_refused() -> None:
    batch = {"type": "BATCH", "stream": "accounts", "encoding": {"format": "jsonl"}, "manifest": []}

    assert mapped({"target_divisions": [201]}, schema("deleted_accounts", "ID"), batch | {"stream": "other"})[1:]
    with pytest.raises(ConfigurationError, match="accounts comes as BATCH files"):
        mapped({"target_divisions": [201]}, schema("accounts", "ID"), batch)


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "RECORD", "stre',
        "[1]",
        '{"record": {"Name": "secret party"}}',
        '{"type": "RECORD", "stream": "accounts", "record": ["secret party"]}',
        '{"type": "RECORD", "stream": "accounts"}',
        '{"type": "SCHEMA", "stream": "accounts", "schema": null}',
        '{"type": "secret party"}',
    ],
)
def test_a_line_that_is_no_message_is_named_by_its_number_and_not_repeated(line: str) -> None:
    with pytest.raises(InvalidInputLine, match=r"^Line 3 of the input") as refusal:
        mapped_text({}, f"\n{json.dumps(schema('deleted_accounts', 'ID'))}\n{line}")

    assert "secret" not in str(refusal.value)


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPPER_EXACTONLINE_TARGET_DIVISIONS", "[201, 202]")
    monkeypatch.setenv("MAPPER_EXACTONLINE_OVERRIDES", '{"201": {"Language": "FR"}}')

    with signals_left_alone():
        fan_out = MapperExactOnline(parse_env_config=True)._fan_out

    assert fan_out == FanOut.from_config({"target_divisions": [201, 202], "overrides": {201: {"Language": "FR"}}})


@pytest.mark.parametrize(("name", "value"), [("LIMIT", "some"), ("OVERRIDES", "{")])
def test_a_setting_in_the_environment_that_cannot_be_read_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"MAPPER_EXACTONLINE_{name}", value)

    with signals_left_alone(), pytest.raises(ConfigurationError, match="A setting in the environment"):
        MapperExactOnline(parse_env_config=True)


@pytest.mark.parametrize("content", ["{", "[1]", None])
def test_settings_files_that_cannot_be_read_are_named(
    content: str | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "config.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(SystemExit) as end:
        MapperExactOnline.get_singer_command().main(["--config", str(path), "--config", "ENV"])

    assert end.value.code == 1
    assert f"The settings in {path} cannot be read" in caplog.text


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        MapperExactOnline.get_singer_command().main(["--version"])

    assert capsys.readouterr().out.startswith(f"mapper-exactonline v{version('exactonline-mapper')}, ")


class Stingy(io.BytesIO):
    """Takes only some bytes of each write, as an unbuffered stdout does when a signal comes in between."""

    def write(self, content: Any, /) -> int:
        return super().write(content[:7])


def test_an_output_that_takes_a_part_at_a_time_loses_nothing() -> None:
    output = io.TextIOWrapper(Stingy(), encoding="utf-8")
    writer = LineWriter()

    with redirect_stdout(output):
        writer.write_message(Verbatim(account(1)))
        writer.write_message(Verbatim(state(1)))

    assert [json.loads(line) for line in output.buffer.getvalue().splitlines()] == [account(1), state(1)]


class Trickle(io.BytesIO):
    """Hands over no more than some bytes at a time."""

    def __init__(self, content: bytes, sizes: list[int]) -> None:
        super().__init__(content)
        self.sizes = sizes

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(self.sizes.pop() if self.sizes else 3)


@given(st.lists(st.text("ab é🏢", max_size=6)), st.lists(st.integers(1, 9)), st.booleans())
def test_lines_are_whole_however_the_bytes_arrive(texts: list[str], sizes: list[int], ended: bool) -> None:
    messages = [{"type": "STATE", "value": {"text": text}} for text in texts]
    content = "\n".join(json.dumps(message) for message in messages) + "\n" * ended
    received: list[Message] = []

    LineReader(before_wait=lambda: None).process_lines(Trickle(content.encode(), sizes), {"STATE": received.append})

    assert received == messages
