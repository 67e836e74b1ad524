"""What a person can mend ends a program with one clear line, a status that is not 0, and nothing written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sandbox_driver import SOURCE, TARGETS, small_world
from singer_driver import ABSENT, Project, Ran, addressed, singer

NORTH, SOUTH, EAST = TARGETS
ELSEWHERE = 999
CUSTOMER = {"Code": "1", "Name": "Klant 1"}
FOR_NORTH = addressed([{**CUSTOMER, "Division": NORTH}], {"at": 1})
UNADDRESSED = singer("accounts", ["ID"], [{**CUSTOMER, "ID": "x", "Division": SOURCE}], {"at": 1})
DIVISIONS = singer("divisions", ["Code"], [{"Code": code, "Status": 1} for code in (SOURCE, *TARGETS)])


def assert_one_clear_line(ran: Ran, *words: str) -> None:
    assert ran.status != 0
    assert "Traceback" not in ran.log
    assert "hush" not in ran.log
    assert len(ran.errors) == 1, ran.log
    for word in words:
        assert word in ran.errors[0]


def assert_nothing_was_written(project: Project, ran: Ran) -> None:
    assert project.writes() == []
    assert '"at"' not in ran.output


CLOSED: dict[str, tuple[dict[str, Any], str]] = {
    "archived": ({"status": 2}, "archived"),
    "inactive": ({"status": 0}, "inactive"),
    "blocked": ({"blocking_status": 1}, "Exact itself is at work"),
}


@pytest.mark.parametrize(("keys", "words"), CLOSED.values(), ids=CLOSED)
def test_the_tap_names_a_source_division_that_is_closed(project: Project, keys: dict[str, Any], words: str) -> None:
    project.sandbox.change_division(NORTH, **keys)

    ran = project.read(divisions=[SOURCE, NORTH])

    assert_one_clear_line(ran, str(NORTH), words)
    assert ran.output == ""


@pytest.mark.parametrize("divisions", [[ELSEWHERE], [SOURCE, ELSEWHERE], [SOURCE, EAST]])
def test_the_tap_names_a_source_division_that_it_cannot_reach(project: Project, divisions: list[int]) -> None:
    project.sandbox.reset(small_world(user={"divisions": [SOURCE, NORTH, SOUTH]}))

    ran = project.read(divisions=divisions)

    assert_one_clear_line(ran, str(divisions[-1]), "It reaches: 100, 201, 202.")
    assert ran.output == ""


@pytest.mark.parametrize(("keys", "words"), CLOSED.values(), ids=CLOSED)
def test_the_target_names_a_division_that_is_closed(project: Project, keys: dict[str, Any], words: str) -> None:
    project.sandbox.change_division(SOUTH, **keys)
    given = addressed([{**CUSTOMER, "Division": NORTH}, {**CUSTOMER, "Division": SOUTH}], {"at": 1})

    ran = project.load(given)

    assert_one_clear_line(ran, str(SOUTH), words)
    assert_nothing_was_written(project, ran)


@pytest.mark.parametrize("division", [ELSEWHERE, EAST], ids=["unknown", "out of reach"])
def test_the_target_names_a_division_that_it_cannot_reach(project: Project, division: int) -> None:
    project.sandbox.reset(small_world(user={"divisions": [SOURCE, NORTH, SOUTH]}))
    given = addressed([{**CUSTOMER, "Division": NORTH}, {**CUSTOMER, "Division": division}], {"at": 1})

    ran = project.load(given)

    assert_one_clear_line(ran, str(division), "It reaches: 100, 201, 202.")
    assert_nothing_was_written(project, ran)


WRONG_LOGIN: dict[str, tuple[dict[str, Any], str]] = {
    "no client_id": ({"client_id": ABSENT}, "client_id"),
    "no client_secret": ({"client_secret": ABSENT}, "client_secret"),
    "empty client_secret": ({"client_secret": ""}, "client_secret is missing"),
    "wrong client_secret": ({"client_secret": "wrong"}, "check client_id and client_secret"),
    "no token": ({"refresh_token": ABSENT}, "say `exactonline login`"),
    "http to another host": ({"base_url": "http://exact.example"}, "plain http is for a loopback address only"),
    "no address": ({"base_url": "start.exactonline.nl"}, "must be an https address"),
    "a store that is none": ({"store_url": "store.db"}, "store_url is no SQLAlchemy address"),
    "a store of another kind": ({"store_url": "mysql://me:hush@localhost/x"}, "store_url names mysql"),
    "a ceiling of no calls": ({"requests_per_minute": 0}, "requests_per_minute"),
}


@pytest.mark.parametrize(("settings", "words"), WRONG_LOGIN.values(), ids=WRONG_LOGIN)
def test_the_tap_tells_a_wrong_setting_of_the_login(project: Project, settings: dict[str, Any], words: str) -> None:
    ran = project.read(**settings)

    assert_one_clear_line(ran, words)
    assert ran.output == ""


@pytest.mark.parametrize(("settings", "words"), WRONG_LOGIN.values(), ids=WRONG_LOGIN)
def test_the_target_tells_a_wrong_setting_of_the_login(project: Project, settings: dict[str, Any], words: str) -> None:
    ran = project.load(FOR_NORTH, **settings)

    assert_one_clear_line(ran, words)
    assert_nothing_was_written(project, ran)


def unreadable_store(folder: Path, kind: str) -> str:
    path = folder / "broken.db"
    path.write_text("no database, whatever its name says\n" * 100, encoding="utf-8")
    return f"sqlite:///{path}" if kind == "no database" else f"sqlite:///{path}/below/store.db"


@pytest.mark.parametrize("kind", ["no database", "no folder"])
def test_tap_and_target_name_a_store_that_cannot_be_used(project: Project, tmp_path: Path, kind: str) -> None:
    store_url = unreadable_store(tmp_path, kind)

    read = project.read(store_url=store_url)
    loaded = project.load(FOR_NORTH, store_url=store_url)

    for ran in (read, loaded):
        assert_one_clear_line(ran, "The store sqlite:///", "cannot be used")
    assert read.output == ""
    assert_nothing_was_written(project, loaded)
    assert project.sandbox.journal() == []


def test_a_refresh_token_that_was_used_elsewhere_asks_for_new_consent(project: Project, tmp_path: Path) -> None:
    project.read()
    another_store = f"sqlite:///{tmp_path / 'another.db'}"

    read = project.read(store_url=another_store)
    loaded = project.load(FOR_NORTH, store_url=another_store)

    for ran in (read, loaded):
        assert_one_clear_line(ran, "Old refresh token used.", "must consent again")
    assert read.output == ""
    assert_nothing_was_written(project, loaded)


WRONG_TAP: dict[str, tuple[dict[str, Any], str]] = {
    "no source": ({"divisions": ABSENT}, "'divisions' is a required property"),
    "an empty source": ({"divisions": []}, "divisions"),
    "a source by name": ({"divisions": ["holding"]}, "divisions"),
}


@pytest.mark.parametrize(("settings", "words"), WRONG_TAP.values(), ids=WRONG_TAP)
def test_the_tap_tells_a_wrong_setting_of_its_own(project: Project, settings: dict[str, Any], words: str) -> None:
    ran = project.read(**settings)

    assert_one_clear_line(ran, words)
    assert project.sandbox.journal() == []


WRONG_FAN_OUT: dict[str, tuple[dict[str, Any], str]] = {
    "a division both in and out": (
        {"target_divisions": [NORTH, SOUTH], "exclude_divisions": [SOUTH]},
        "exclude_divisions: 202 is also in target_divisions",
    ),
    "no divisions": ({"target_divisions": []}, "target_divisions: the list is empty"),
    "a constant for another": (
        {"target_divisions": [NORTH], "overrides": {"202": {"City": "Gent"}}},
        "overrides: 202 is not a target division",
    ),
    "a field that is none": ({"fields": ["Shoe"]}, "Shoe"),
    "a field of the source's own": ({"fields": ["ID"]}, "ID"),
    "an exclusion that is unknown": ({"exclude_divisions": [ELSEWHERE]}, "exclude_divisions: 999"),
    "all excluded": ({"exclude_divisions": list(TARGETS)}, "target_divisions: not set"),
}


@pytest.mark.parametrize(("fan_out", "words"), WRONG_FAN_OUT.values(), ids=WRONG_FAN_OUT)
def test_the_target_tells_a_wrong_fan_out(project: Project, fan_out: dict[str, Any], words: str) -> None:
    ran = project.load(DIVISIONS + UNADDRESSED, fan_out=fan_out)

    assert_one_clear_line(ran, words)
    assert_nothing_was_written(project, ran)


@pytest.mark.parametrize(("fan_out", "words"), WRONG_FAN_OUT.values(), ids=WRONG_FAN_OUT)
def test_the_mapper_tells_the_same(project: Project, fan_out: dict[str, Any], words: str) -> None:
    ran = project.mapper.run_here(fan_out, given=DIVISIONS + UNADDRESSED)

    assert_one_clear_line(ran, words)
    assert ran.state is None
    assert ran.records("accounts") == []


WRONG_TARGET: dict[str, tuple[dict[str, Any], str]] = {
    "a load method that is none": ({"load_method": "overwrite"}, "load_method"),
    "nulls that are none": ({"nulls": "ignore"}, "nulls"),
    "errors below zero": ({"max_errors": -1}, "max_errors"),
    "no lane": ({"parallel_divisions": 0}, "parallel_divisions"),
    "a fan-out that is no object": ({"fan_out": [NORTH]}, "fan_out"),
    "a setting of the fan-out that is unknown": ({"fan_out": {"targets": [NORTH]}}, "targets"),
}


@pytest.mark.parametrize(("settings", "words"), WRONG_TARGET.values(), ids=WRONG_TARGET)
def test_the_target_tells_a_wrong_setting_of_its_own(project: Project, settings: dict[str, Any], words: str) -> None:
    ran = project.load(FOR_NORTH, **settings)

    assert_one_clear_line(ran, words)
    assert_nothing_was_written(project, ran)


def test_the_target_names_a_report_folder_that_cannot_be_written(project: Project, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")

    ran = project.load(FOR_NORTH, report_path=str(tmp_path / "taken"))

    assert_one_clear_line(ran, "report_path", "cannot be written")
    assert_nothing_was_written(project, ran)


def test_a_stream_that_is_not_addressed_stops_the_target_before_the_first_write(project: Project) -> None:
    ran = project.load(FOR_NORTH.replace('{"type": "STATE"', UNADDRESSED + '{"type": "STATE"'))

    assert_one_clear_line(ran, "Set fan_out", "mapping step")
    assert_nothing_was_written(project, ran)


@pytest.mark.parametrize("name", ["tap", "mapper", "target"])
def test_a_settings_file_that_cannot_be_read_is_named(project: Project, name: str) -> None:
    plugin = getattr(project, name)
    command = plugin.command({})
    Path(command[-1]).write_text("{not json", encoding="utf-8")
    plugin.command = lambda *_: command

    ran = plugin.run_here({})

    assert_one_clear_line(ran, "The settings in", f"{plugin.name}.json cannot be read")


@pytest.mark.parametrize("line", ['{"type": "RECORD", "stream"', "[]", "Geheim N.V."])
@pytest.mark.parametrize("name", ["mapper", "target"])
def test_a_line_that_is_no_message_is_told_without_its_text(project: Project, name: str, line: str) -> None:
    config = {"target_divisions": [NORTH]} if name == "mapper" else project.target_config()

    ran = getattr(project, name).run_here(config, given=DIVISIONS + line + "\n")

    assert_one_clear_line(ran, "input is not")
    assert "Geheim" not in ran.log
    assert project.writes() == []


def test_real_processes_end_the_same_way(project: Project) -> None:
    read = project.tap.run(project.tap_config(divisions=[ELSEWHERE]))
    mapped = project.mapper.run({"target_divisions": []}, given=DIVISIONS + UNADDRESSED)
    loaded = project.target.run(project.target_config(), given=DIVISIONS + UNADDRESSED)

    for ran, word in ((read, "999"), (mapped, "target_divisions"), (loaded, "Set fan_out")):
        assert_one_clear_line(ran, word)
        assert ran.status == 1
    assert read.output == ""
    assert project.writes() == []
