"""Worlds that differed once, shrunk to the steps that it took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from parties import party
from places import both_sites, quick_runs
from sandbox_driver import Sandbox
from worlds import Op, World, play

SOURCE, OTHER_SOURCE = 100, 300
NORTH, SOUTH, GENT = 201, 202, 401
BLOCK = {NORTH: "block"}


def add(company: int, code: str, number: int, **values: Any) -> Op:
    """A party enters: its own values, but for these."""
    return ("add", company, code, {**party(number), **values}, number)


def edit(company: int, code: str, **values: Any) -> Op:
    return ("edit", company, code, values)


def run(*targets: int, **settings: Any) -> Op:
    return ("run", {"targets": targets or (NORTH,), **settings})


WORLDS: dict[str, list[Op]] = {
    "a code that is free is not kept by an account that had it before a swap": [
        add(SOURCE, "1", 1),
        add(SOURCE, "2", 2),
        run(),
        edit(NORTH, "1", Code="4"),
        ("swap", SOURCE, "2", "1"),
        run(on_code_change="block"),
    ],
    "a copy deleted by hand holds no code that its account has no longer": [
        add(SOURCE, "1", 1),
        add(SOURCE, "2", 2),
        run(),
        ("swap", SOURCE, "1", "2"),
        ("remove", NORTH, "2"),
        run(on_code_change="block"),
    ],
    "a code that changed and was not free is not forgotten in the next run": [
        add(SOURCE, "2", 2),
        add(SOURCE, "3", 3),
        run(),
        edit(SOURCE, "2", City="Delft"),
        ("swap", SOURCE, "3", "2"),
        run(on_code_change="block"),
        run(on_code_change="block", reconcile=True),
    ],
    "a company of a site that had none before is filled from what is remembered": [
        add(SOURCE, "1", 1),
        run(NORTH),
        run(NORTH, GENT),
    ],
    "a company whose site was left out for a run misses nothing": [
        add(SOURCE, "1", 1),
        run(NORTH, GENT),
        edit(SOURCE, "1", City="Delft"),
        run(NORTH),
        run(NORTH, GENT),
    ],
    "what a restored backup took back is put right by reconcile": [
        add(SOURCE, "1", 1),
        run(),
        ("back_up", NORTH),
        edit(SOURCE, "1", City="Delft"),
        run(),
        ("restore", NORTH),
        run(reconcile=True),
    ],
    "what a restored backup took back is put right when the account changes": [
        add(SOURCE, "1", 1),
        run(),
        ("back_up", NORTH),
        edit(SOURCE, "1", City="Delft"),
        run(),
        ("restore", NORTH),
        edit(SOURCE, "1", Phone="030-2222222"),
        run(),
    ],
    "an account that was deleted and entered again takes its copy over within one run": [
        add(SOURCE, "1", 1),
        run(on_source_deletion=BLOCK),
        ("remove", SOURCE, "1"),
        ("add", SOURCE, "1", party(1), 77),
        run(on_source_deletion=BLOCK),
    ],
    "what was written before an account was entered again is cleared with its source": [
        add(SOURCE, "1", 1),
        run(),
        ("remove", SOURCE, "1"),
        ("add", SOURCE, "1", {**party(1), "Phone": "030-9999999"}, 77),
        run(),
        edit(SOURCE, "1", City=None),
        run(),
    ],
    "what a person changed in a field that did not travel, before we wrote another, is put right once it does": [
        add(SOURCE, "1", 1),
        run(),
        edit(NORTH, "1", City=None),
        edit(SOURCE, "1", Language="EN"),
        run(fields=["Name", "Language"]),
        run(),
    ],
}


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Sandbox]]:
    with both_sites(tmp_path_factory.mktemp("sites")) as sites, quick_runs():
        yield sites


@pytest.mark.parametrize("name", WORLDS)
def test_it_is_the_same_now(sites: Mapping[str, Sandbox], tmp_path: Path, name: str) -> None:
    assert play(World.begin(sites, tmp_path / "files"), WORLDS[name]) is None
