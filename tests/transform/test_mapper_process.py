"""The mapper as a program: its pipes, its signals, its exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mapper_exactonline.fan_out import SETTINGS
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from warm_start import BIN

MESSAGES = Path(__file__).parent / "messages"
PROGRAM = [str(BIN / "python"), "-m", "mapper_exactonline"]
SCHEMA = {
    "type": "SCHEMA",
    "stream": "accounts",
    "schema": {"properties": {"Division": {}, "Code": {}, "Name": {}}},
    "key_properties": ["ID"],
}
Configure = Callable[..., list[str]]


class SingerFile(SingleFileSnapshotExtension):
    """One snapshot per file, as the messages themselves."""

    _write_mode = WriteMode.TEXT
    file_extension = "singer"

    def serialize(self, data: Any, **_: Any) -> str:
        return str(data)


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    def command(**config: Any) -> list[str]:
        path = tmp_path / "config.json"
        path.write_text(json.dumps(config))
        return [*PROGRAM, "--config", str(path)]

    return command


def run(command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False)


def lines(*messages: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(message).encode() + b"\n" for message in messages)


def account(code: int) -> dict[str, Any]:
    return {"type": "RECORD", "stream": "accounts", "record": {"Division": 100, "Code": str(code), "Name": "x" * 300}}


def test_the_accounts_of_a_holding_reach_its_two_active_companies(
    configure: Configure, snapshot: SnapshotAssertion
) -> None:
    text = (MESSAGES / "holding_and_two_companies.singer").read_text(encoding="utf-8")

    result = run(configure(overrides={"202": {"Language": "FR", "CreditLineSales": 1000.5}}), text)

    assert result.returncode == 0, result.stderr
    assert result.stdout == snapshot(extension_class=SingerFile)
    assert "accounts: 2 records read, 4 copies passed on, 0 records left out" in result.stderr


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"target_divisions": ["north"]}, "target_divisions: 'north' is not a division code."),
        ({}, "target_divisions: not set, and no divisions were seen."),
    ],
)
def test_what_is_wrong_with_the_settings_is_one_line_and_exit_status_1(
    config: dict[str, Any], sentence: str, configure: Configure
) -> None:
    result = run(configure(**config), lines(SCHEMA, account(1)).decode())

    errors = [line for line in result.stderr.splitlines() if " INFO " not in line]
    assert result.returncode == 1
    assert '"RECORD"' not in result.stdout
    assert len(errors) == 1
    assert sentence in errors[0]


def test_it_tells_its_settings() -> None:
    about = json.loads(run([*PROGRAM, "--about", "--format=json"]).stdout)

    assert list(about["settings"]["properties"]) == list(SETTINGS)


def test_copies_go_out_while_the_source_is_silent_and_a_signal_then_ends_it(configure: Configure) -> None:
    with subprocess.Popen(configure(target_divisions=[201, 202]), stdin=-1, stdout=-1, stderr=-1) as mapper:
        mapper.stdin.write(lines(SCHEMA, account(1)))
        mapper.stdin.flush()

        out = [json.loads(mapper.stdout.readline())["type"] for _ in range(3)]
        mapper.send_signal(signal.SIGTERM)

        assert out == ["SCHEMA", "RECORD", "RECORD"]
        assert mapper.wait(timeout=10) == 128 + signal.SIGTERM
        assert mapper.stdout.read() == b""


def test_stopped_half_way_it_leaves_whole_lines_and_no_state_ahead_of_its_copies(configure: Configure) -> None:
    targets = list(range(201, 231))
    mapper = subprocess.Popen(configure(target_divisions=targets), stdin=-1, stdout=-1, stderr=subprocess.DEVNULL)
    feeder = threading.Thread(target=feed, args=(mapper.stdin,), daemon=True)

    feeder.start()
    first = mapper.stdout.read(1_000_000)
    mapper.send_signal(signal.SIGTERM)
    output = first + mapper.stdout.read()

    assert mapper.wait(timeout=10) == 128 + signal.SIGTERM
    feeder.join(timeout=10)
    assert output.endswith(b"\n")
    copied: list[tuple[str, int]] = []
    for message in map(json.loads, output.splitlines()):
        if message["type"] == "RECORD":
            copied.append((message["record"]["Code"], message["record"]["Division"]))
        elif message["type"] == "STATE":
            assert len(copied) == message["value"]["records"] * len(targets)
    assert copied == [(str(code), target) for code in range(len(copied) // len(targets)) for target in targets]


def feed(pipe: Any) -> None:
    """Records without end, with a STATE after each ten, until the reader is gone."""
    try:
        pipe.write(lines(SCHEMA))
        for code in range(10_000_000):
            pipe.write(lines(account(code)))
            if code % 10 == 9:
                pipe.write(lines({"type": "STATE", "value": {"records": code + 1}}))
    except (BrokenPipeError, ValueError):
        pass


def test_a_source_that_was_cut_off_ends_it_with_a_failure_and_no_state(configure: Configure) -> None:
    cut_off = lines(SCHEMA, account(1), {"type": "STATE", "value": {}})[:-9].decode()

    result = run(configure(target_divisions=[201]), cut_off)

    assert result.returncode == 1
    assert "Line 3 of the input is not whole" in result.stderr
    assert "Traceback" not in result.stderr
    assert '"STATE"' not in result.stdout


def test_a_target_that_has_gone_ends_it_with_a_failure_and_no_noise(configure: Configure) -> None:
    with subprocess.Popen(configure(target_divisions=[201]), stdin=-1, stdout=-1, stderr=-1) as mapper:
        mapper.stdout.close()
        mapper.stdin.write(lines(SCHEMA))
        mapper.stdin.close()

        assert [line for line in mapper.stderr.read().decode().splitlines() if " INFO " not in line] == []
        assert mapper.wait(timeout=10) == 1


def test_the_fan_out_needs_no_singer_library_and_no_network() -> None:
    heavy = "singer_sdk httpx requests sqlalchemy exactonline_client.transport"
    check = f"import sys, mapper_exactonline.fan_out; print([m for m in {heavy!r}.split() if m in sys.modules])"

    assert run([sys.executable, "-c", check]).stdout == "[]\n"
