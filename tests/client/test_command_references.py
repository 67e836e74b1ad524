"""`exactonline references`: what codes in use at the source come to elsewhere, and nothing written to find out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_driver import Command, Ran
from list_rows import lists_of
from sandbox_driver import REFRESH_TOKEN, SOURCE, TARGETS, Sandbox, customer, small_world

NORTH, SOUTH, EAST = TARGETS
ACCOUNTS = [
    customer(1, PaymentConditionSales="30", SalesVATCode="2", GLAccountSales="8000", Classification2="A"),
    customer(2, PaymentConditionSales="30", PaymentConditionPurchase="14", SalesVATCode="2"),
    customer(3, PaymentConditionPurchase="30"),
]


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """A person who is logged in; in the north all is the same, in the south not, in the east nothing may be read."""
    monkeypatch.chdir(tmp_path)
    south = lists_of(
        without=[("PaymentConditions", "14"), ("AccountClassifications", "A")],
        changed={("VATCodes", "2"): {"Percentage": 0.19}},
    )
    lists = {SOURCE: lists_of(), NORTH: lists_of(), SOUTH: south, EAST: lists_of()}
    closed = {EAST: {"rights": {"read_VATCodes": False}}}
    sandbox.reset(small_world(accounts={SOURCE: ACCOUNTS}, lists=lists, divisions=closed))
    command = Command(sandbox, tmp_path)
    command.env["EXACTONLINE_REFRESH_TOKEN"] = REFRESH_TOKEN
    return command


def look(command: Command, *options: str) -> Ran:
    return command.run("references", "--source", str(SOURCE), *options)


def lines(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.output.splitlines()]


def by_code(ran: Ran, division: int) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["list"], one["source_code"]): one for one in lines(ran) if one["division"] == division}


def test_where_all_is_the_same_it_ends_well(command: Command) -> None:
    ran = look(command, "--targets", str(NORTH))

    assert (ran.status, ran.errors) == (0, "")
    assert ran.output.splitlines() == [
        f"{NORTH} Company {NORTH}: 6 codes in use: 6 found",
        "Every code in use means the same in every company.",
    ]


def test_a_line_says_what_a_code_is_there_and_how_many_customers_have_it(command: Command) -> None:
    ran = look(command, "--targets", f"{NORTH},{SOUTH}", "--json")

    assert ran.status == 3
    south = by_code(ran, SOUTH)
    assert south["payment_conditions", "30"] | {"why": None} == {
        "division": SOUTH,
        "list": "payment_conditions",
        "source_code": "30",
        "description": "30 dagen",
        "state": "found",
        "target_code": "30",
        "differs": {},
        "customers": 3,
        "fields": ["PaymentConditionPurchase", "PaymentConditionSales"],
        "why": None,
    }
    assert south["payment_conditions", "14"]["state"] == "missing"
    assert (south["vat_codes", "2"]["state"], south["vat_codes", "2"]["differs"]) == (
        "conflict",
        {"Percentage": [0.21, 0.19]},
    )
    assert (south["account_classifications", "A"]["state"], south["account_classifications", "A"]["slot"]) == (
        "missing",
        2,
    )
    assert {one["state"] for one in by_code(ran, NORTH).values()} == {"found"}


def test_for_a_person_only_what_needs_one_is_listed(command: Command) -> None:
    ran = look(command)

    assert ran.status == 3
    assert f"{SOUTH} Company {SOUTH}: 6 codes in use: 1 conflict, 3 found, 2 missing" in ran.output
    assert "  conflict   vat_codes 2, 2 customers: The VAT code 2 is another thing here: " in ran.output
    assert "  missing    payment_conditions 14, 1 customer: There is no payment condition 14 here." in ran.output
    assert f"{EAST} Company {EAST}: 6 codes in use: 5 found, 1 unreadable" in ran.output
    assert ran.output.splitlines()[-1].startswith("To look at: 2 missing, 1 with another meaning, 1 not readable.")


def test_maps_and_fields_are_those_of_the_settings(command: Command, sandbox: Sandbox) -> None:
    fan_out = {
        "target_divisions": [SOUTH],
        "fields": ["*", "SalesVATCode", "PaymentConditionPurchase"],
        "references": {"PaymentConditionPurchase": {"map": {str(SOUTH): {"14": "30"}}}},
    }
    command.env["TARGET_EXACTONLINE_FAN_OUT"] = json.dumps(fan_out)

    ran = look(command, "--json")

    found = {key: (one["state"], one["target_code"]) for key, one in by_code(ran, SOUTH).items()}
    assert found == {
        ("payment_conditions", "14"): ("mapped", "30"),
        ("payment_conditions", "30"): ("found", "30"),
        ("vat_codes", "2"): ("conflict", "2"),
    }


def test_it_costs_a_few_calls_at_first_and_none_again(command: Command, sandbox: Sandbox) -> None:
    look(command, "--targets", f"{NORTH},{SOUTH}")
    calls = [call for call in sandbox.journal() if call["endpoint"] != "oauth2/token"]
    assert {call["method"] for call in calls} == {"GET"}
    assert all(sum(call["division"] == code for call in calls) <= 14 for code in (SOURCE, NORTH, SOUTH))
    sandbox.forget_calls()

    again = look(command, "--targets", f"{NORTH},{SOUTH}")

    assert again.status == 3
    assert sandbox.journal() == []


def test_a_company_out_of_reach_is_one_clear_line(command: Command) -> None:
    ran = look(command, "--targets", "999")

    assert ran.status == 1
    assert "999" in ran.errors
    assert len(ran.errors.splitlines()) == 1
