"""The contacts, addresses and bank accounts of the demo world."""

import re
from collections import Counter
from typing import Any

import pytest
from exact_http import Exact
from exactonline_sandbox.child_entities import CHILDREN
from exactonline_sandbox.demo import COLLISION, HOLDING, OPERATING_COMPANIES, REFUSED, SOUTH, demo_world
from sandbox_driver import Sandbox

Row = dict[str, Any]


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return demo_world()


@pytest.fixture(scope="module")
def holding(world: dict[str, Any]) -> dict[str, list[Row]]:
    return dict(world["children"][str(HOLDING)])


def every_row(world: dict[str, Any], entity: str) -> list[Row]:
    return [row for held in world["children"].values() for row in held[entity]]


def test_the_holding_has_some_hundred_of_each(holding: dict[str, list[Row]]) -> None:
    assert all(150 < len(holding[entity]) < 400 for entity in CHILDREN)


def test_each_company_knows_a_part_of_them_half_of_it_as_it_is(
    world: dict[str, Any], holding: dict[str, list[Row]]
) -> None:
    for division in OPERATING_COMPANIES:
        for entity in CHILDREN:
            here = world["children"][str(division)][entity]
            equal = [row for row in here if row in holding[entity]]
            assert 0 < len(equal) < len(here) < len(holding[entity])


def test_they_belong_to_accounts_of_their_company(world: dict[str, Any]) -> None:
    for division, held in world["children"].items():
        codes = {account["Code"] for account in world["accounts"][division]}
        for entity in CHILDREN:
            assert {row.get("Account") for row in held[entity]} - codes <= {None}


def test_the_other_party_under_a_code_of_the_holding_has_nothing_of_hers(
    world: dict[str, Any], holding: dict[str, list[Row]]
) -> None:
    _, code = COLLISION
    theirs = [row for row in world["children"][str(SOUTH)]["Contacts"] if row["Account"] == code]

    assert theirs
    assert not any(row in holding["Contacts"] for row in theirs)


def test_every_member_may_be_written_but_what_makes_a_row_instructive(world: dict[str, Any]) -> None:
    for entity, known in CHILDREN.items():
        writable = {name for name, member in known.entity.properties.items() if member.writable}
        used = {name for row in every_row(world, entity) for name in row}
        assert used - writable <= {"IsAnonymised"}


def test_ibans_carry_right_check_digits(world: dict[str, Any]) -> None:
    numbers = [row["BankAccount"] for row in every_row(world, "BankAccounts")]
    ibans = [number for number in numbers if number[0].isalpha()]

    assert set(numbers) - set(ibans) == {"300040000300010"}
    assert {number[:2]: len(number) for number in ibans} == {"NL": 18, "BE": 16, "DE": 22}
    for number in ibans:
        assert int("".join(str(int(character, 36)) for character in number[4:] + number[:4])) % 97 == 1


def test_mail_addresses_belong_to_no_one(world: dict[str, Any]) -> None:
    for row in every_row(world, "Contacts"):
        assert re.fullmatch(r"[a-z.]+@[a-z0-9-]+\.example", row.get("Email", "a@b.example")), row


def test_what_is_instructive_is_there(holding: dict[str, list[Row]]) -> None:
    contacts, addresses, bank_accounts = (holding[entity] for entity in CHILDREN)

    people = Counter((row["Account"], row.get("FirstName"), row["LastName"]) for row in contacts)
    assert people["10005", "Jan", "Smit"] == 2
    assert [row["Account"] for row in contacts if row.get("IsAnonymised")] == ["10008"]
    assert [row["Type"] for row in addresses if "Warehouse" in row and "Account" not in row] == [4]
    replaced = [(row["Main"], row.get("Blocked")) for row in bank_accounts if row["Account"] == "10011"]
    assert replaced == [(False, True), (True, None)]


def test_customers_that_exact_refuses_have_nothing(holding: dict[str, list[Row]]) -> None:
    assert not any(row.get("Account") in REFUSED for entity in CHILDREN for row in holding[entity])


def test_what_the_holding_has_is_taken_by_exact_as_it_is(sandbox: Sandbox, world: dict[str, Any]) -> None:
    sandbox.reset({**world, "limits": {"enabled": False}})
    app = {name: world["apps"][0][name] for name in ("client_id", "client_secret")}
    exact = Exact(sandbox, world["users"][0]["refresh_token"], **app)
    (account,) = exact.rows(f"{SOUTH}/crm/Accounts", filter="trim(Code) eq '90001'", select="ID")

    answers = [
        exact.send("POST", f"{SOUTH}/crm/{entity}", {**row, "Account": account["ID"]})
        for entity, rows in world["children"][str(HOLDING)].items()
        for row in rows[:40]
    ]

    assert [answer.status_code for answer in answers if answer.status_code != 201] == []
