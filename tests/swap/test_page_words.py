"""The maps, expressions and messages of docs/other-plugins.md: each does, or is said, as the page has it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from arrivals import Other
from meltano_driver import manifest, plugins
from page import CHECKOUT, PAGE, expressions, fenced, messages
from sandbox_driver import Sandbox, small_world
from singer_driver import Project, singer

NORTH, SOUTH = COMPANIES = 2000101, 2000102
BOTH = {"target_divisions": list(COMPANIES)}
MEANT = {
    "31-12-2019": ("EstablishedDate", "2019-12-31T00:00:00"),
    "12/31/2019": ("EstablishedDate", "2019-12-31T00:00:00"),
    "20191231": ("EstablishedDate", "2019-12-31T00:00:00"),
    "43830": ("EstablishedDate", "2019-12-31T00:00:00"),
    "1.052,37": ("Latitude", 1052.37),
    "yes, often": ("IsSupplier", True),
}
"""What an example of the page is converted to, and in which property."""


@pytest.fixture
def companies(sandbox: Sandbox, tmp_path: Path) -> Project:
    """A project whose companies are those of the page."""
    sandbox.reset(small_world(targets=COMPANIES))
    return Project(sandbox, tmp_path)


def rows(**columns: Any) -> str:
    """A stream of one row."""
    return singer("customers", [], [columns])


def recorded(tap: str) -> str:
    """What a tap that cannot be installed here made of an example."""
    return (Path(__file__).parent / "recorded" / f"{tap}.singer").read_text(encoding="utf-8")


def test_a_map_of_the_page_gives_columns_their_names(companies: Project) -> None:
    (maps,) = [json.loads(text) for text in fenced("json") if "record['Naam klant']" in text]
    given = rows(klantnr="7", **{"Naam klant": "Jan"}, colour="red", City="Gent")

    ran = companies.load(given, stream_maps=maps, fan_out=BOTH)

    assert ran.status == 0, ran.log
    assert "passed over" not in ran.log
    account = companies.sandbox.account(NORTH, "7")
    assert (account["Name"], account["City"]) == ("Jan", "Gent")


@pytest.mark.parametrize(("example", "expression"), expressions())
def test_an_expression_of_the_page_makes_the_one_meaning_of_a_value(
    companies: Project, example: str, expression: str
) -> None:
    name, wanted = MEANT[example]
    column = next(word for word in ("founded", "latitude", "supplier") if word in expression)
    maps = {"customers": {name: expression, column: "__NULL__"}}
    given = [{"Code": "7", "Name": "Jan", column: example}, {"Code": "8", "Name": "Piet", column: None}]

    ran = companies.load(singer("customers", [], given), stream_maps=maps, fan_out=BOTH)

    assert ran.status == 0, ran.log
    assert companies.sandbox.account(NORTH, "7")[name] == wanted
    assert companies.sandbox.account(NORTH, "8")[name] in (None, False)


def test_every_message_of_the_page_is_one_that_is_said(companies: Project) -> None:
    said = []
    for given in (
        rows(code="7", name="Jan"),
        rows(Code="7", Name="Jan", plaats="Gent", kleur="rood"),
        rows(Code="10044", Name="Jan", IsSupplier="misschien"),
        rows(Code="7", Name="Jan") + singer("items", [], [{"Code": "A", "Name": "Stoel"}]),
    ):
        said.append(companies.load(given, fan_out=BOTH).log)
        if companies.report.exists():
            said += [line["reason"] or "" for line in companies.outcomes]

    words = [one for one in messages() if "another party" not in one]  # that one belongs to the list of the page

    text = " ".join(" ".join(said).split())
    assert [message for message in words if message not in text] == []
    assert len(words) == 4


def test_the_stream_of_tap_csv_arrives_with_the_map_of_the_page(companies: Project) -> None:
    (maps,) = [json.loads(text) for text in fenced("json") if "Leverancier" in text]

    ran = companies.load(recorded("tap-csv"), stream_maps=maps, fan_out=BOTH)

    assert ran.status == 0, ran.log
    found = [[one[name] for name in ("Code", "Name", "IsSupplier")] for one in companies.sandbox.accounts(SOUTH)]
    assert found == [
        ["00071", "Bloemen Siërra", True],
        ["00072", "Café Ærø", False],
        ["00073", "Tuincentrum 't Groene Hart; Alphen", False],
        ["00074", "Wijnhuis €uropa", True],
    ]


def test_the_stream_of_tap_spreadsheets_anywhere_arrives_with_the_map_of_the_other_one(companies: Project) -> None:
    (tap,) = [one for one in plugins(manifest()) if one["name"] == "tap-spreadsheets-excel"]

    ran = companies.load(recorded("tap-spreadsheets-anywhere"), stream_maps=tap["config"]["stream_maps"], fan_out=BOTH)

    assert ran.status == 0, ran.log
    names = ("Code", "ChamberOfCommerce", "IsSupplier", "EstablishedDate")
    assert [[one[name] for name in names] for one in companies.sandbox.accounts(SOUTH)] == [
        ["71001", "98192111", True, "2019-07-01T00:00:00"],
        ["71002", "unknown", False, None],
        ["71003", "61234568", False, "1998-03-15T00:00:00"],
    ]


def test_an_expression_reaches_into_nested_values(companies: Project) -> None:
    addresses = {"7": {"address": {"city": "Gent"}}, "8": {"address": None}, "9": {}}
    records = [{"Code": code, "Name": f"Klant {code}", **address} for code, address in addresses.items()]
    given = singer("customers", [], records)
    given = given.replace('"address": {"type": ["string", "null"]}', '"address": {"type": ["object", "null"]}')
    (expression,) = re.findall(r'`"City": "([^"]+)"`', PAGE)

    ran = companies.load(given, stream_maps={"customers": {"City": expression}}, fan_out=BOTH)

    assert ran.status == 0, ran.log
    assert [one["City"] for one in companies.sandbox.accounts(NORTH)] == ["Gent", None, None]


def test_the_file_settings_of_the_page_keep_codes_that_are_text(other: Other) -> None:
    (text,) = [one for one in fenced("yaml") if "schema_overrides" in one]
    settings = yaml.safe_load(text.replace("${MELTANO_PROJECT_ROOT}", str(CHECKOUT)))

    ran = other("tap-spreadsheets").run(settings)

    assert ran.status == 0, ran.log
    assert [one["customer_no"] for one in ran.records("customers")] == ["71001", "71002", "71003"]


def test_the_fan_out_of_the_page_takes_one_of_two_streams(companies: Project) -> None:
    (fan_out,) = re.findall(r"`TARGET_COMPANIES_FAN_OUT='([^']*streams[^']*)'`", PAGE)
    given = rows(Code="7", Name="Jan") + singer("items", [], [{"Code": "A", "Name": "Stoel"}])

    ran = companies.load(given, fan_out=json.loads(fan_out))

    assert ran.status == 0, ran.log
    assert companies.sandbox.codes(NORTH) == companies.sandbox.codes(SOUTH) == ["7"]


def test_a_mark_of_its_own_is_mapped_to_a_deletion_as_the_page_has_it(companies: Project) -> None:
    (name, column) = re.findall(r'`"(_sdc_deleted_at)": "(\w+)"`', PAGE)[0]
    settings = {"stream_maps": {"customers": {name: column}}, "fan_out": BOTH, "on_source_deletion": "delete"}
    there = {"Code": "7", "Name": "Jan", column: None}, {"Code": "8", "Name": "Piet", column: None}
    companies.load(singer("customers", [], there), **settings)
    assert companies.sandbox.codes(NORTH) == ["7", "8"]

    companies.load(rows(Code="7", Name="Jan", **{column: "2026-11-01"}), **settings)

    assert companies.sandbox.codes(NORTH) == ["8"]
