"""Rows that other taps mark as deleted, and rows that a full reading does not bring (C4)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from singer_driver import Project, addressed, singer

NORTH, SOUTH = 201, 202
MARK = "_sdc_deleted_at"
BOTH = {"target_divisions": [NORTH, SOUTH]}


def customers(*codes: int, **more: Any) -> list[dict[str, Any]]:
    return [{"Code": str(code), "Name": f"Klant {code}", **more} for code in codes]


def in_full(
    records: Sequence[Mapping[str, Any]], version: int, keys: Sequence[str] = ("Code",), *, ends: bool = True
) -> str:
    """A full reading of a stream, as taps send it that ask a target to follow deletions."""
    schema, *lines = singer("customers", list(keys), records).splitlines()
    versioned = [json.dumps({**json.loads(line), "version": version}) for line in lines]
    activate = json.dumps({"type": "ACTIVATE_VERSION", "stream": "customers", "version": version})
    return "\n".join([schema, activate, *versioned, *([activate] if ends else [])]) + "\n"


def blocked(project: Project, division: int) -> dict[str, bool]:
    return {one["Code"]: bool(one["Blocked"]) for one in project.sandbox.accounts(division)}


def test_a_row_that_is_marked_as_deleted_is_not_created(project: Project) -> None:
    rows = [*customers(1), *customers(2, **{MARK: "2026-11-01T00:00:00Z"}), *customers(3, **{MARK: None})]

    ran = project.load(singer("customers", ["Code"], rows, {"at": 1}), fan_out=BOTH)

    assert (ran.status, ran.state) == (0, {"at": 1})
    assert project.sandbox.codes(NORTH) == ["1", "3"]


@pytest.mark.parametrize(
    ("setting", "left"),
    [("ignore", {"1": False, "2": False}), ("block", {"1": False, "2": True}), ("delete", {"1": False})],
)
def test_a_mark_obeys_the_setting_for_deletions(project: Project, setting: str, left: dict[str, bool]) -> None:
    project.load(singer("customers", ["Code"], customers(1, 2)), fan_out=BOTH)

    marked = customers(2, **{MARK: "2026-11-01"})
    project.load(singer("customers", ["Code"], marked), fan_out=BOTH, on_source_deletion=setting)

    assert blocked(project, NORTH) == blocked(project, SOUTH) == left


def test_a_mark_in_an_addressed_stream_is_for_its_company_only(project: Project) -> None:
    both = [{"Division": division, **one} for division in (NORTH, SOUTH) for one in customers(1)]
    project.load(addressed(both))

    project.load(addressed([{**both[0], MARK: "2026-11-01"}]), on_source_deletion="delete")

    assert (project.sandbox.codes(NORTH), project.sandbox.codes(SOUTH)) == ([], ["1"])


def test_a_row_that_returns_is_there_again(project: Project) -> None:
    project.load(singer("customers", ["Code"], customers(1)), fan_out=BOTH)
    marked = customers(1, **{MARK: "2026-11-01"})
    project.load(singer("customers", ["Code"], marked), fan_out=BOTH, on_source_deletion="block")
    assert blocked(project, NORTH) == {"1": True}

    project.load(singer("customers", ["Code"], customers(1)), fan_out=BOTH, on_source_deletion="block")

    assert blocked(project, NORTH) == {"1": False}


def test_the_mapping_step_passes_a_mark_on(project: Project) -> None:
    rows = singer("customers", ["Code"], [*customers(1), *customers(2, **{MARK: "2026-11-01"})])
    mapped = project.mapper.run_here(BOTH, given=rows)

    project.load(mapped.output)

    assert project.sandbox.codes(NORTH) == ["1"]


@pytest.mark.parametrize("setting", ["ignore", "block", "delete"])
@pytest.mark.parametrize("way", ["fan_out", "mapping step", "addressed"])
def test_what_a_full_reading_does_not_bring_is_deleted_at_the_source(project: Project, way: str, setting: str) -> None:
    def load(rows: Sequence[Mapping[str, Any]], version: int) -> None:
        if way == "addressed":
            each = [{"Division": NORTH, **one} for one in rows]
            project.load(in_full(each, version, ("Division", "Code")), on_source_deletion=setting)
        elif way == "fan_out":
            project.load(in_full(rows, version), fan_out=BOTH, on_source_deletion=setting)
        else:
            mapped = project.mapper.run_here(BOTH, given=in_full(rows, version))
            project.load(mapped.output, on_source_deletion=setting)

    load(customers(1, 2, 3), 1)
    assert blocked(project, NORTH) == {"1": False, "2": False, "3": False}

    load(customers(1, 3), 2)

    others = {"1": False, "3": False}
    assert (
        blocked(project, NORTH)
        == {"ignore": {**others, "2": False}, "block": {**others, "2": True}, "delete": others}[setting]
    )
    project.sandbox.forget_calls()
    load(customers(1, 3), 3)
    assert project.writes() == []


def test_a_full_reading_that_breaks_off_deletes_nothing(project: Project) -> None:
    project.load(in_full(customers(1, 2, 3), 1), fan_out=BOTH, on_source_deletion="delete")

    project.load(in_full(customers(1), 2, ends=False), fan_out=BOTH, on_source_deletion="delete")

    assert project.sandbox.codes(NORTH) == ["1", "2", "3"]


def test_a_full_reading_that_brings_nothing_deletes_nothing(project: Project) -> None:
    project.load(in_full(customers(1, 2), 1), fan_out=BOTH, on_source_deletion="delete")

    project.load(in_full([], 2), fan_out=BOTH, on_source_deletion="delete")

    assert project.sandbox.codes(NORTH) == ["1", "2"]


def test_a_full_reading_says_nothing_of_companies_that_it_brought_nothing_of(project: Project) -> None:
    """Another pipeline on this store may have a stream of the same name."""
    north, south = ([{"Division": division, **one} for one in customers(1)] for division in (NORTH, SOUTH))
    keys = ("Division", "Code")
    project.load(in_full([*north, *south], 1, keys), on_source_deletion="delete")

    project.load(in_full(north, 2, keys), on_source_deletion="delete")

    assert (project.sandbox.codes(NORTH), project.sandbox.codes(SOUTH)) == (["1"], ["1"])


def test_the_safety_limit_holds_for_them_too(project: Project) -> None:
    project.load(in_full(customers(1, 2, 3), 1), fan_out=BOTH, on_source_deletion="delete")

    ran = project.load(in_full(customers(1), 2), fan_out=BOTH, on_source_deletion="delete", max_deletes=1)

    assert project.sandbox.codes(NORTH) == ["1", "2", "3"]
    assert {line["kind"] for line in project.outcomes if line["code"] != "1"} == {"safety_limit"}
    assert ran.status == 0


def test_a_trial_shows_them_and_forgets_them(project: Project) -> None:
    project.load(in_full(customers(1, 2), 1), fan_out=BOTH, on_source_deletion="delete")

    project.load(in_full(customers(1), 2), fan_out=BOTH, on_source_deletion="delete", dry_run=True)

    assert {(line["code"], line["outcome"]) for line in project.outcomes if line["code"] == "2"} == {("2", "deleted")}
    assert project.sandbox.codes(NORTH) == ["1", "2"]


@pytest.mark.parametrize(
    ("column", "maps"),
    [
        ("deleted_on", {MARK: "deleted_on"}),
        ("deleted_on", {MARK: "deleted_on", "Code": "Code", "Name": "Name", "__else__": None}),
        (MARK, {"Code": "Code", "Name": "Name", "__else__": None}),
    ],
    ids=["made by it", "made by it alone", "left out by it"],
)
def test_a_stream_map_does_not_lose_a_mark(project: Project, column: str, maps: Mapping[str, str | None]) -> None:
    settings = {"fan_out": BOTH, "stream_maps": {"customers": maps}, "on_source_deletion": "delete"}
    rows = [*customers(1, **{column: None}), *customers(2, **{column: "2026-11-01"})]
    project.load(singer("customers", ["Code"], rows), **settings)
    assert project.sandbox.codes(NORTH) == ["1"]

    project.load(singer("customers", ["Code"], customers(1, **{column: "2026-11-02"})), **settings)

    assert (project.sandbox.codes(NORTH), project.sandbox.codes(SOUTH)) == ([], [])
