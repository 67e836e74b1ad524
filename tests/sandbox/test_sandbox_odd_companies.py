"""Companies that are unlike others: codes padded with zeros, countries that are none, accounts made anonymous."""

from exact_http import Exact, message
from sandbox_driver import Sandbox, customer, small_world


def test_codes_sent_may_be_padded_with_zeros_by_the_division(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={201: {"code_digits": 7}}, switches={"sent_codes": "padded"}))
    exact = Exact(sandbox)

    echo = exact.post(201, {"Name": "Een", "Code": "1"}, Prefer="return=representation").json()["d"]
    again = exact.post(201, {"Name": "Twee", "Code": "0000001"})
    elsewhere = exact.post(202, {"Name": "Een", "Code": "1"})

    assert echo["Code"] == "           0000001"
    assert (again.status_code, message(again)) == (500, "Gegeven bestaat reeds.")
    assert elsewhere.status_code == 201
    assert (sandbox.codes(201), sandbox.codes(202)) == (["0000001"], ["1"])


def test_a_division_may_hold_a_country_that_is_none_and_know_it_or_not(sandbox: Sandbox) -> None:
    antilles = customer(1, Country="AN")
    sandbox.reset(small_world(accounts={100: [antilles]}, divisions={202: {"countries": ["AN"]}}))
    exact = Exact(sandbox)

    answers = [exact.post(division, {"Name": "Een", "Country": "AN"}) for division in (201, 202)]

    assert exact.row(100, "1")["Country"] == "AN "
    assert exact.row(100, "1")["CountryName"] is None
    assert [answer.status_code for answer in answers] == [500, 201]
    assert message(answers[0]) == "Ongeldig: Land"


def test_an_account_may_be_anonymised(sandbox: Sandbox, exact: Exact) -> None:
    before = exact.row(100, "1")
    sandbox.anonymise(100, "1")

    after = exact.row(100, "1")
    assert (after["IsAnonymised"], after["Email"], after["Phone"], after["ID"]) == (1, None, None, before["ID"])
    assert after["Name"] != before["Name"]
    assert exact.rows("100/sync/CRM/Accounts")[-1]["Code"].strip() == "1"
