"""The demo world is what people rehearse with, so its promises are held here."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from exact_http import Exact
from exactonline_sandbox.account_references import REFERENCES
from exactonline_sandbox.demo import (
    ARCHIVED,
    BELGIUM,
    COLLISION,
    FIRST_OWN_CODE,
    GERMANY,
    HOLDING,
    OPERATING_COMPANIES,
    OUT_OF_REACH,
    SOUTH,
    demo_world,
)
from exactonline_sandbox.properties import ACCOUNT
from exactonline_sandbox.world import world_from
from sandbox_driver import Sandbox

Account = dict[str, Any]

POSTCODES = {"NL": r"[1-9]\d{3} [A-Z]{2}", "BE": r"[1-9]\d{3}", "DE": r"\d{5}"}
# Not documented by Exact; from a third-party client's schema, and kept to be on the safe side.
LONGEST = {"Name": 50, "AddressLine1": 60, "AddressLine2": 60, "City": 40, "Postcode": 20, "Phone": 17}


@pytest.fixture(scope="module")
def world() -> dict[str, Any]:
    return demo_world()


@pytest.fixture(scope="module")
def customers(world: dict[str, Any]) -> dict[str, Account]:
    return {account["Code"]: account for account in world["accounts"][str(HOLDING)]}


def held_by(world: dict[str, Any], division: int) -> dict[str, Account]:
    return {account["Code"]: account for account in world["accounts"][str(division)]}


def all_accounts(world: dict[str, Any]) -> list[Account]:
    return [account for accounts in world["accounts"].values() for account in accounts]


def out_of_date(customer: Account, known: Account) -> bool:
    kept_apart = {"Remarks", "CreditLineSales", *REFERENCES}
    return any(known.get(name) != customer[name] for name in customer.keys() - kept_apart)


def test_it_is_the_same_in_every_process() -> None:
    program = "import json; from exactonline_sandbox.demo import demo_world; print(json.dumps(demo_world()))"
    environment = os.environ | {"PYTHONHASHSEED": "4711"}

    elsewhere = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)

    assert json.loads(elsewhere.stdout) == demo_world()


def test_another_seed_makes_other_customers() -> None:
    assert demo_world(1)["accounts"] != demo_world(2)["accounts"]


def test_changing_one_world_leaves_the_next_as_it_was() -> None:
    demo_world()["users"][0]["divisions"].clear()

    assert HOLDING in demo_world()["users"][0]["divisions"]


def test_the_user_reaches_the_holding_its_companies_and_an_archived_one(world: dict[str, Any]) -> None:
    statuses = {division["code"]: division["status"] for division in world["divisions"]}

    (user,) = world["users"]

    assert user["divisions"] == [HOLDING, *OPERATING_COMPANIES, ARCHIVED]
    assert statuses == {**dict.fromkeys((HOLDING, *OPERATING_COMPANIES, OUT_OF_REACH), 1), ARCHIVED: 2}
    assert [division["country"] for division in world["divisions"][1:5]] == ["NL", "NL", "BE", "DE"]
    assert list(world["accounts"]) == [str(code) for code in statuses]


def test_codes_are_unique_in_each_division(world: dict[str, Any]) -> None:
    for accounts in world["accounts"].values():
        codes = [account["Code"] for account in accounts]

        assert len(set(codes)) == len(codes)
        assert all(code.isdecimal() for code in codes)


def test_the_holding_has_240_customers_of_three_countries(customers: dict[str, Account]) -> None:
    countries = {customer["Country"] for customer in customers.values()}

    assert len(customers) == 240
    assert countries - {"ZZ"} == {"NL", "BE", "DE"}
    assert len({customer["Name"] for customer in customers.values()}) == 240


def test_each_company_has_some_equal_some_different_some_missing_and_some_of_its_own(
    world: dict[str, Any], customers: dict[str, Account]
) -> None:
    for division in OPERATING_COMPANIES:
        held = held_by(world, division)
        shared = [(customers[code], known) for code, known in held.items() if code in customers]
        own = held.keys() - customers.keys()

        assert 0 < sum(out_of_date(customer, known) for customer, known in shared) < len(shared)
        assert len(shared) < len(customers)
        assert own
        assert all(int(code) >= FIRST_OWN_CODE for code in own)


def test_exactly_one_code_belongs_to_two_parties(world: dict[str, Any], customers: dict[str, Account]) -> None:
    collisions = [
        (division, code)
        for division in OPERATING_COMPANIES
        for code, known in held_by(world, division).items()
        if code in customers
        and known["Name"].casefold() != customers[code]["Name"].casefold()
        and known["ChamberOfCommerce"] != customers[code]["ChamberOfCommerce"]
        and known["VATNumber"] != customers[code]["VATNumber"]
    ]

    assert collisions == [COLLISION]


def test_a_known_customer_differs_in_no_number_and_in_its_name_only_by_case(
    world: dict[str, Any], customers: dict[str, Account]
) -> None:
    for division in OPERATING_COMPANIES:
        for code, known in held_by(world, division).items():
            if code in customers and (division, code) != COLLISION:
                customer = customers[code]
                assert known["Name"] in {customer["Name"], customer["Name"].upper()}
                assert known["ChamberOfCommerce"] == customer["ChamberOfCommerce"]
                assert known["VATNumber"] == customer["VATNumber"]


def test_two_customers_must_be_refused_and_no_company_has_them(
    world: dict[str, Any], customers: dict[str, Account]
) -> None:
    bad_email = [code for code, customer in customers.items() if "@@" in customer.get("Email", "")]
    bad_country = [code for code, customer in customers.items() if customer["Country"] not in POSTCODES]
    elsewhere = {code for division in OPERATING_COMPANIES for code in held_by(world, division)}

    assert [len(bad_email), len(bad_country)] == [1, 1]
    assert not elsewhere & {*bad_email, *bad_country}


def test_every_company_has_lists_and_they_differ_where_they_should(world: dict[str, Any]) -> None:
    conditions, vat, ledger, names, classes = (
        {code: {str(row[key]): row for row in lists[name]} for code, lists in world["lists"].items()}
        for name, key in (
            ("PaymentConditions", "Code"),
            ("VATCodes", "Code"),
            ("GLAccounts", "Code"),
            ("AccountClassificationNames", "SequenceNumber"),
            ("AccountClassifications", "Code"),
        )
    )
    here, south, belgium, germany = (str(code) for code in (HOLDING, SOUTH, BELGIUM, GERMANY))

    assert list(world["lists"]) == list(world["accounts"])
    assert conditions[here].keys() - conditions[south].keys() == {"60"}
    assert [conditions[code]["14"]["PaymentDays"] for code in (here, germany)] == [14, 10]
    assert [vat[code]["1"]["Percentage"] for code in (here, belgium)] == [0.09, 0.06]
    assert [vat[code]["2"]["Percentage"] for code in (here, belgium)] == [0.21, 0.21]
    assert "2" not in vat[germany]
    assert not {"8000", "8010", "8020"} & ledger[germany].keys()
    assert ledger[here].keys() - ledger[south].keys() == {"8010"}
    assert [names[code]["1"]["Description"] for code in (here, belgium)] == ["Branche", "Sector"]
    assert "TRANSP" in classes[here].keys() - classes[south].keys()


def test_customers_refer_to_what_the_holding_has_and_others_lack(
    world: dict[str, Any], customers: dict[str, Account]
) -> None:
    used = {
        name: {customer.get(name) for customer in customers.values()} - {None}
        for name in ("PaymentConditionSales", "SalesVATCode", "GLAccountSales", "Classification1", "Parent")
    }

    assert used["PaymentConditionSales"] >= {"60", "14", "30"}
    assert used["SalesVATCode"] == {"1", "2", "7"}
    assert used["GLAccountSales"] == {"8000", "8010", "8020"}
    assert "TRANSP" in used["Classification1"]
    assert used["Parent"] <= customers.keys() - {"10017", "10239", "10240"}
    assert any("Parent" in customers[code] for code in used["Parent"]), "a parent that has a parent"


def test_the_parents_of_customers_end(customers: dict[str, Account]) -> None:
    for customer in customers.values():
        seen = {customer["Code"]}
        while above := customer.get("Parent"):
            assert above not in seen
            seen.add(above)
            customer = customers[above]  # noqa: PLW2901 - up the line


def test_what_the_holding_refers_to_is_taken_by_exact_as_it_is(sandbox: Sandbox, world: dict[str, Any]) -> None:
    sandbox.reset({**world, "limits": {"enabled": False}})
    app = {name: world["apps"][0][name] for name in ("client_id", "client_secret")}
    exact = Exact(sandbox, world["users"][0]["refresh_token"], **app)

    for code in ("10001", "10012", "10033"):
        held = sandbox.account(HOLDING, code)
        sent = {name: held[name] for name in REFERENCES if held[name] is not None}
        assert sent
        assert exact.put(HOLDING, held["ID"], sent).status_code == 204


def test_the_sandbox_can_be_filled_with_it(world: dict[str, Any]) -> None:
    assert len(world_from(world).divisions) == len(world["divisions"])


def test_every_property_may_be_written(world: dict[str, Any]) -> None:
    writable = {name for name, known in ACCOUNT.properties.items() if known.writable}

    assert {name for account in all_accounts(world) for name in account} <= writable


def test_addresses_fit_their_country_and_texts_fit_their_column(world: dict[str, Any]) -> None:
    for account in all_accounts(world):
        pattern = POSTCODES.get(account["Country"], ".+")
        assert re.fullmatch(pattern, account["Postcode"]), account
        assert all(len(account.get(name, "")) <= longest for name, longest in LONGEST.items()), account


def test_e_mail_and_web_addresses_belong_to_no_one(world: dict[str, Any]) -> None:
    for account in all_accounts(world):
        if account["Code"] != "10239":
            assert re.fullmatch(r"[a-z0-9]+@[a-z0-9-]+\.example", account.get("Email", "a@b.example"))
        assert re.fullmatch(r"https://www\.[a-z0-9-]{1,63}\.example", account.get("Website", "https://www.b.example"))


def test_vat_numbers_carry_valid_check_digits(world: dict[str, Any]) -> None:
    for account in all_accounts(world):
        vat_number = account["VATNumber"]
        assert VAT_CHECKS[vat_number[:2]](vat_number[2:]), account


def test_trade_register_numbers_have_the_form_of_their_country(world: dict[str, Any]) -> None:
    forms = {"NL": r"\d{8}", "BE": r"0\d{9}", "DE": r"HR[AB] \d{4,6}"}
    for account in all_accounts(world):
        country = account["VATNumber"][:2]
        assert re.fullmatch(forms[country], account["ChamberOfCommerce"]), account
        if country == "BE":
            assert account["VATNumber"] == f"BE{account['ChamberOfCommerce']}"


def is_dutch_vat(number: str) -> bool:
    """Nine digits that pass the test by eleven (a company), or all of it modulo 97 (a person)."""
    assert re.fullmatch(r"\d{9}B\d\d", number)
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    by_eleven = sum(weight * int(digit) for weight, digit in zip(weights, number[:9], strict=True))
    letters_as_numbers = "".join(str(int(character, 36)) for character in f"NL{number}")
    return by_eleven % 11 == 0 or int(letters_as_numbers) % 97 == 1


def is_belgian_vat(number: str) -> bool:
    return len(number) == 10 and (int(number[:8]) + int(number[8:])) % 97 == 0


def is_german_vat(number: str) -> bool:
    remainder = 5
    for digit in number:
        remainder = ((remainder or 10) * 2 % 11 + int(digit)) % 10
    return len(number) == 9 and remainder == 1


VAT_CHECKS = {"NL": is_dutch_vat, "BE": is_belgian_vat, "DE": is_german_vat}


@pytest.mark.parametrize("number", ["NL004495445B01", "NL002455799B11", "BE0403019261", "DE136695976"])
def test_the_checks_accept_a_published_example_and_reject_its_neighbour(number: str) -> None:
    is_valid = VAT_CHECKS[number[:2]]
    neighbour = f"{number[:4]}{(int(number[4]) + 1) % 10}{number[5:]}"

    assert is_valid(number[2:])
    assert not is_valid(neighbour[2:])
