"""Values and lists as other taps bring them: one meaning is taken, two are refused in words (C2, C3, C7)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sandbox_driver import customer, small_world
from singer_driver import Project, addressed, singer

NORTH = 201
ONE = {"target_divisions": [NORTH]}


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("ChamberOfCommerce", 98192111.0, "98192111"),
        ("IsSupplier", 1.0, True),
        ("IsSupplier", 0.0, False),
        ("Phone", 31301234567.0, "31301234567"),
        ("PurchaseLeadDays", 3.0, 3),
    ],
)
def test_a_whole_number_that_came_as_a_float_is_that_number(
    project: Project, field: str, given: Any, kept: Any
) -> None:
    """C2."""
    project.load(addressed([{"Division": NORTH, "Code": 10002.0, "Name": "Klant", field: given}]))

    assert project.sandbox.account(NORTH, "10002")[field] == kept


@pytest.mark.parametrize(("field", "given"), [("IsSupplier", 0.5), ("PurchaseLeadDays", 3.5), ("Code", 1.5)])
def test_a_number_that_could_mean_two_things_is_refused_with_its_column_and_value(
    project: Project, field: str, given: float
) -> None:
    """C2, the other way."""
    ran = project.load(addressed([{"Division": NORTH, "Code": "7", "Name": "Klant", field: given}, good(8)]))

    assert ran.status == 0
    assert project.sandbox.codes(NORTH) == ["8"]
    (refused,) = [line for line in project.outcomes if line["outcome"] == "refused"]
    assert refused["kind"] == "invalid"
    assert all(part in refused["reason"] for part in (field, str(given), "record 1 of the stream accounts"))


def good(code: int) -> dict[str, Any]:
    return {"Division": NORTH, "Code": str(code), "Name": f"Klant {code}"}


@pytest.mark.parametrize(
    "theirs",
    [
        {"Name": "Bakkerij Smit", "City": "Ede", "Postcode": "6711 AB", "AddressLine1": "Molenstraat 3"},
        {"Name": "Bakkerij Het Hoekje", "City": "Utrecht", "Email": "hoek@hetje.example", "Postcode": "3512 CD"},
    ],
)
def test_a_row_under_the_same_code_that_is_another_party_is_not_touched(
    project: Project, theirs: dict[str, Any]
) -> None:
    """C3."""
    there = {**customer(90001), "AddressLine1": "Kade 9", "Phone": "015-1", "Email": None, **theirs}
    project.sandbox.reset(small_world(accounts={NORTH: [there]}))
    rows = [{"Code": "90001", "Name": "Bakkerij De Zon", "City": "Utrecht"}]

    project.load(singer("customers", ["Code"], rows), fan_out=ONE)

    assert project.sandbox.account(NORTH, "90001")["Name"] == theirs["Name"]
    assert project.writes() == []
    (line,) = project.outcomes
    assert line["kind"] == "collision"


@pytest.mark.parametrize(
    ("field", "given"),
    [("Phone", 10**400), ("Latitude", 10**400), ("Code", 10**400), ("Name", "Kl\x00ant"), ("Code", "7\x00")],
)
def test_one_bad_value_is_the_refusal_of_its_record(
    project: Project, postgres_url: str, field: str, given: object
) -> None:
    """C7, on the store that keeps no NUL."""
    lines = addressed([{**good(7), field: given}, good(8)], {"at": 1})

    ran = project.load(lines, store_url=postgres_url)

    assert (ran.status, ran.state) == (0, {"at": 1})
    assert "Traceback" not in ran.log
    assert project.sandbox.codes(NORTH) == ["8"]
    assert {line["kind"] for line in project.outcomes if line["outcome"] == "refused"} == {"invalid"}


def test_an_id_that_no_database_keeps_is_passed_over(project: Project, postgres_url: str) -> None:
    """C7: the record is then known by its code."""
    rows = [{"ID": "a\x00", "Division": 100, "Code": "7", "Name": "Klant"}]

    ran = project.load(singer("customers", ["Code"], rows), fan_out=ONE, store_url=postgres_url)

    assert "Traceback" not in ran.log
    assert project.sandbox.codes(NORTH) == ["7"]


@pytest.mark.parametrize("keys", [[["Code"]], [7], "Code", {"Code": 1}])
def test_keys_that_are_none_end_in_one_clear_line(project: Project, keys: object) -> None:
    """C7, of a message."""
    schema, *rest = singer("customers", ["Code"], [{"Code": "1", "Name": "A"}]).splitlines()
    lines = [json.dumps({**json.loads(schema), "key_properties": keys}), *rest]

    ran = project.load("\n".join(lines) + "\n", fan_out=ONE)

    assert ran.status == 1
    assert "Traceback" not in ran.log
    assert len(ran.errors) == 1
    assert project.sandbox.codes(NORTH) == []
