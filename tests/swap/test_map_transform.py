"""The mapper of Meltano in the middle, as meltano.yml has it ready."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from arrivals import Other
from meltano_driver import manifest, plugins
from sandbox_driver import SOURCE, Sandbox, customer, small_world
from singer_driver import Project, piped

NORTH = 201


@pytest.fixture(scope="module")
def customers_as_accounts() -> dict[str, object]:
    """The settings of the mapping."""
    (mapper,) = [plugin for plugin in plugins(manifest()) if plugin["name"] == "map-transform"]
    (mapping,) = mapper["mappings"]
    return dict(mapping["config"])


def test_a_file_with_other_names_goes_through_the_ready_mapping(
    project: Project, other: Other, customers_as_accounts: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "customers.jsonl"
    row = {"number": "10042", "name": "Café Ærø", "street": "Kade 1", "postcode": "9000", "city": "Gent"}
    rest = {"country": "be", "email": "info@aero.example", "supplier": "nee", "colour": "blue"}
    path.write_text(json.dumps({**row, **rest}) + "\n", encoding="utf-8")

    ran = piped(
        other("tap-jsonl").command({"path": str(path), "stream_name": "customers"}),
        other("map-transform").command(customers_as_accounts),
        project.target.command(project.target_config(fan_out={"target_divisions": [NORTH]})),
    )

    assert [one.status for one in ran] == [0, 0, 0], "\n".join(one.log for one in ran)
    account = project.sandbox.account(NORTH, "10042")
    assert [account[name] for name in ("Name", "AddressLine1", "Postcode", "City", "Country", "Email")] == [
        "Café Ærø",
        "Kade 1",
        "9000",
        "Gent",
        "BE",
        "info@aero.example",
    ]
    assert account["IsSupplier"] is False


def test_between_our_tap_and_our_target_it_can_leave_records_out_and_change_them(
    sandbox: Sandbox, project: Project, other: Other
) -> None:
    sandbox.reset(small_world(accounts={SOURCE: [customer(1), customer(2, Country="BE", City="Gent")]}))
    maps = {"accounts": {"__filter__": "Country == 'BE'", "City": "City.upper()"}}

    read = project.read()
    mapped = other("map-transform").run({"stream_maps": maps}, given=read.output)
    ran = project.load(mapped.output, fan_out={})

    assert (mapped.status, ran.status, ran.state) == (0, 0, read.state), mapped.log + ran.log
    assert sandbox.codes(NORTH) == ["2"]
    assert sandbox.account(NORTH, "2")["City"] == "GENT"
    assert {line["outcome"] for line in project.outcomes} == {"created"}
