"""Addresses made, changed and deleted, and the visit address that belongs to the account: dossier E 3.2, 3.14, 3.15."""

from typing import Any

import httpx
import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, small_world

PATH = "100/crm/Addresses"
FEED = "100/sync/CRM/Addresses"
FOREIGN = "11111111-2222-3333-4444-555555555555"
KADE = {"Type": 4, "AddressLine1": "Kade 1", "Postcode": "3011 AA", "City": "Rotterdam", "Country": "NL"}
CUSTOMER = {"Code": "1", "Name": "Klant 1 B.V.", "Country": "NL", "AddressLine1": "Dorpsstraat 1", "City": "Utrecht"}


@pytest.fixture
def account(exact: Exact) -> str:
    return exact.key(100, "1")


def post(exact: Exact, account: str, **members: Any) -> httpx.Response:
    return exact.send("POST", PATH, {"Account": account, **KADE, **members})


def made(exact: Exact, account: str, **members: Any) -> str:
    answer = post(exact, account, **members)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["d"]["ID"])


def read(exact: Exact, key: str) -> dict[str, Any]:
    return dict(exact.get(f"{PATH}(guid'{key}')").json()["d"])


def put(exact: Exact, key: str, **members: Any) -> httpx.Response:
    return exact.send("PUT", f"{PATH}(guid'{key}')", members)


def visit(exact: Exact, account: str) -> dict[str, Any]:
    """The main visit address of an account."""
    return exact.rows(PATH, filter=f"Account eq guid'{account}' and Type eq 1 and Main eq true")[0]


def test_an_address_is_made_and_the_answer_holds_the_id(exact: Exact, account: str) -> None:
    answer = post(exact, account, Phone="010-1", NicNumber="00012", Mailbox="post@kade.example", FreeBoolField_01=True)

    echo = answer.json()["d"]
    row = read(exact, echo["ID"])
    assert (answer.status_code, answer.headers["Location"]) == (201, echo["__metadata"]["uri"])
    assert {name for name, value in echo.items() if value is not None} == {"__metadata", "ID"}
    assert {name: row[name] for name in KADE} == {**KADE, "Country": "NL "}
    assert (row["Phone"], row["NicNumber"], row["Source"], row["CountryName"]) == ("010-1", "00012", 2, "Nederland")
    assert [row[name] for name in ("Mailbox", "FreeBoolField_01", "FreeBoolField_02")] == [
        "post@kade.example",
        True,
        None,
    ]


def test_a_post_of_an_address_that_the_account_has_names_the_one_that_is_there(sandbox: Sandbox, exact: Exact) -> None:
    account = exact.key(100, "1")
    key = made(exact, account)
    before = sandbox.children(100, "Addresses")

    again = post(exact, account, City=" Rotterdam ", Phone="010-1")

    assert (again.status_code, again.json()["d"]["ID"]) == (201, key)
    assert sandbox.children(100, "Addresses") == before


def test_a_post_of_the_accounts_own_address_names_that(exact: Exact, account: str) -> None:
    own = visit(exact, account)
    same = {name: own[name] for name in ("Type", "AddressLine1", "Postcode", "City", "Country")}

    assert exact.send("POST", PATH, {"Account": account, **same}).json()["d"]["ID"] == own["ID"]


@pytest.mark.parametrize(
    "other", [{"Type": 3}, {"AddressLine1": "Kade 2"}, {"Postcode": "3011 AB"}, {"City": "Delft"}, {"Country": "BE"}]
)
@pytest.mark.parametrize("switch", ["whole", "first_line"])
def test_another_type_or_content_is_another_address(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, other: dict[str, Any]
) -> None:
    sandbox.limits(same_address=switch)

    assert made(exact, account) != made(exact, account, **other)
    assert made(exact, account) != made(exact, exact.key(100, "2"))


@pytest.mark.parametrize("other", [{"AddressLine2": "Poort 3"}, {"AddressLine3": "t.a.v. magazijn"}, {"State": "ZH"}])
@pytest.mark.parametrize(("switch", "one"), [("whole", False), ("first_line", True)])
def test_whether_the_other_lines_and_the_state_count_is_a_switch(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, one: bool, other: dict[str, Any]
) -> None:
    sandbox.limits(same_address=switch)

    assert (made(exact, account) == made(exact, account, **other)) is one


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Account": None}, "Verplicht: Relatie"),
        ({"Type": None}, "Verplicht: Type"),
        ({"AddressLine1": None}, "Verplicht: Adres"),
        ({"Type": 5}, "Ongeldig: Type"),
        ({"Country": "ZZ"}, "Ongeldig: Land"),
        ({"State": "BY"}, "Ongeldig: Provincie"),
        ({"Account": FOREIGN}, "Ongeldige referentie: Relatie"),
        ({"Contact": FOREIGN}, "Ongeldige referentie: Contactpersoon"),
    ],
)
def test_an_address_that_cannot_be_is_refused(
    sandbox: Sandbox, exact: Exact, account: str, body: dict[str, Any], words: str
) -> None:
    answer = post(exact, account, **body)

    assert (answer.status_code, message(answer)) == (500, words)
    assert len(sandbox.children(100, "Addresses", "1")) == 1


def test_the_contact_of_an_address_is_one_of_its_account(sandbox: Sandbox, exact: Exact, account: str) -> None:
    own, other = sandbox.fill_children(
        100, "Contacts", [{"Account": "1", "LastName": "Mol"}, {"Account": "2", "LastName": "Vos"}]
    )

    refused = post(exact, account, Contact=other["ID"])
    key = made(exact, account, Contact=own["ID"])
    sandbox.limits(foreign_guid="null")
    dropped = made(exact, account, AddressLine1="Kade 2", Contact=other["ID"])

    assert message(refused) == "Ongeldige referentie: Contactpersoon"
    assert (read(exact, key)["ContactName"], read(exact, dropped)["Contact"]) == ("Mol", None)


def test_the_source_of_an_address_is_not_written(exact: Exact, account: str) -> None:
    assert read(exact, made(exact, account, Source=9))["Source"] == 2


@pytest.mark.parametrize(
    "members", [{"Type": 3}, {"Account": FOREIGN}, {"Warehouse": FOREIGN}], ids=["type", "account", "warehouse"]
)
def test_moving_an_address_elsewhere_is_not_imitated(
    sandbox: Sandbox, exact: Exact, account: str, members: dict[str, Any]
) -> None:
    assert put(exact, made(exact, account), **members).status_code == 501


def test_an_address_is_changed_and_deleted(sandbox: Sandbox, exact: Exact, account: str) -> None:
    key = made(exact, account)
    version = int(exact.rows(FEED, select="Timestamp")[-1]["Timestamp"])

    changed = put(exact, key, Account=account, Type=4, AddressLine1="Kade 2")
    after = exact.rows(FEED, filter=f"Timestamp gt {version}L", select="ID,AddressLine1,Postcode")
    deleted = exact.send("DELETE", f"{PATH}(guid'{key}')")

    assert (changed.status_code, deleted.status_code) == (204, 204)
    assert [(row["ID"], row["AddressLine1"], row["Postcode"]) for row in after] == [(key, "Kade 2", "3011 AA")]
    (gone,) = exact.rows("100/sync/Deleted")
    assert (gone["EntityType"], gone["EntityKey"]) == (3, key)


@pytest.mark.parametrize(("switch", "main"), [("reset", [False, True]), ("kept", [True, True])])
@pytest.mark.parametrize("by", ["POST", "PUT"])
def test_a_main_address_resets_the_one_of_its_type_before_it_or_not(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, main: list[bool], by: str
) -> None:
    sandbox.limits(main_siblings=switch)
    first = made(exact, account)
    second = made(exact, account, AddressLine1="Kade 2", Main=by == "POST")
    invoice = made(exact, account, Type=3)

    put(exact, second, Main=True)

    assert [read(exact, key)["Main"] for key in (first, second)] == main
    assert (read(exact, invoice)["Main"], visit(exact, account)["Main"]) == (True, True)


def test_a_main_one_that_is_reset_shows_in_the_feed(exact: Exact, account: str) -> None:
    first = made(exact, account)
    version = int(exact.rows(FEED, select="Timestamp")[-1]["Timestamp"])

    second = made(exact, account, AddressLine1="Kade 2", Main=True)

    after = exact.rows(FEED, filter=f"Timestamp gt {version}L", select="ID,Main")
    assert {row["ID"]: row["Main"] for row in after} == {first: False, second: True}


@pytest.mark.parametrize(("switch", "types"), [("none", [1]), ("made", [1, 2, 3, 4])])
def test_only_the_visit_address_comes_with_an_account_or_all_four(
    sandbox: Sandbox, exact: Exact, switch: str, types: list[int]
) -> None:
    sandbox.limits(other_addresses=switch)

    exact.post(201, {"Name": "Nieuw", "AddressLine1": "Kade 1", "City": "Ede"})
    exact.post(201, {"Name": "Zonder adres"})

    rows = exact.rows("201/crm/Addresses", orderby="Type")
    assert [(row["Type"], row["Main"], row["AddressLine1"], row["City"]) for row in rows] == [
        (kind, True, "Kade 1", "Ede") for kind in types
    ]


def test_as_one_row_the_account_and_its_visit_address_change_together(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(accounts={100: [CUSTOMER]}))
    exact = Exact(sandbox)
    account = exact.key(100, "1")
    key = visit(exact, account)["ID"]

    exact.put(100, account, {"AddressLine1": "Kade 1"})
    told = visit(exact, account)["AddressLine1"]
    before = sandbox.account(100, "1")
    changed = put(exact, key, AddressLine1="Kade 2", Postcode="3011 AA", Notes="Bel aan")

    after, own = sandbox.account(100, "1"), visit(exact, account)
    assert (told, changed.status_code) == ("Kade 1", 204)
    assert (after["AddressLine1"], after["Postcode"], after["City"]) == ("Kade 2", "3011 AA", "Utrecht")
    assert after["Timestamp"] > before["Timestamp"]
    assert (own["ID"], own["AddressLine1"], own["Notes"]) == (key, "Kade 2", "Bel aan")
    exact.put(100, account, {"City": "Delft"})
    assert (visit(exact, account)["City"], visit(exact, account)["Notes"]) == ("Delft", "Bel aan")


def test_as_two_rows_each_goes_its_own_way(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(accounts={100: [CUSTOMER]}, switches={"visit_address": "two_rows"}))
    exact = Exact(sandbox)
    account = exact.key(100, "1")
    before = visit(exact, account)
    versions = [row["Timestamp"] for row in exact.rows(FEED, select="Timestamp")]

    exact.put(100, account, {"AddressLine1": "Kade 1", "Phone": "030-1"})
    after = visit(exact, account)
    put(exact, before["ID"], AddressLine1="Kade 2")

    assert after == before
    assert visit(exact, account)["AddressLine1"] == "Kade 2"
    assert sandbox.account(100, "1")["AddressLine1"] == "Kade 1"
    (moved,) = exact.rows(FEED, filter=f"Timestamp gt {versions[-1]}L", select="ID,Timestamp")
    assert moved["ID"] == before["ID"]
    assert len(exact.rows(PATH)) == 1


@pytest.mark.parametrize(("switch", "moves"), [("one_row", True), ("two_rows", False)])
def test_the_feed_of_addresses_shows_a_change_of_the_account_or_not(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, moves: bool
) -> None:
    sandbox.limits(visit_address=switch)
    version = int(exact.rows(FEED, select="Timestamp")[-1]["Timestamp"])

    exact.put(100, account, {"City": "Ede"})

    after = exact.rows(FEED, filter=f"Timestamp gt {version}L", select="ID,City")
    assert [row["City"] for row in after] == (["Ede"] if moves else [])


def test_a_visit_address_posted_to_an_account_without_one_becomes_its_own(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(accounts={100: [{"Code": "1", "Name": "Kaal"}]}))
    exact = Exact(sandbox)
    account = exact.key(100, "1")

    key = made(exact, account, Type=1)

    assert (visit(exact, account)["ID"], sandbox.account(100, "1")["AddressLine1"]) == (key, "Kade 1")


def test_a_further_visit_address_is_no_main_one_and_the_main_one_is_not_exchanged(exact: Exact, account: str) -> None:
    own = visit(exact, account)["ID"]
    further = made(exact, account, Type=1)

    assert read(exact, further)["Main"] is False
    assert post(exact, account, Type=1, AddressLine1="Kade 2", Main=True).status_code == 501
    assert put(exact, further, Main=True).status_code == 501
    assert put(exact, own, Main=False).status_code == 501
    assert exact.send("DELETE", f"{PATH}(guid'{own}')").status_code == 501
    assert put(exact, own, Main=True).status_code == 204


def test_a_visit_address_stated_by_hand_is_the_accounts_own(sandbox: Sandbox) -> None:
    rows = [{"Account": "1", "Type": 1, "Main": True, "AddressLine1": "Kade 1", "Notes": "Bel aan"}]

    sandbox.reset(small_world(children={100: {"Addresses": rows}}))

    (row,) = [row for row in sandbox.children(100, "Addresses", "1") if row["Type"] == 1]
    assert (row["AddressLine1"], row["City"], row["Notes"]) == ("Kade 1", "Utrecht", "Bel aan")
    assert sandbox.account(100, "1")["AddressLine1"] == "Kade 1"


@pytest.mark.parametrize(("switch", "moves"), [("account_stays", False), ("account_moves", True)])
def test_the_timestamp_of_the_account_stays_or_moves(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, moves: bool
) -> None:
    sandbox.limits(child_changes=switch)
    before = sandbox.account(100, "1")

    made(exact, account)

    assert (sandbox.account(100, "1")["Timestamp"] > before["Timestamp"]) is moves


@pytest.mark.parametrize(("switch", "types"), [("logged", [2, 3]), ("silent", [2])])
def test_what_goes_with_its_account_is_in_the_log_of_deletions_or_not(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, types: list[int]
) -> None:
    made(exact, account)
    sandbox.limits(deleted_with_account=switch)

    exact.delete(100, account)

    assert sorted(row["EntityType"] for row in exact.rows("100/sync/Deleted")) == types
    assert exact.rows(PATH, filter=f"Account eq guid'{account}'") == []


def test_without_the_right_to_write_nothing_is_written(sandbox: Sandbox, exact: Exact, account: str) -> None:
    sandbox.change_division(100, rights={"write_Addresses": False})

    assert (post(exact, account).status_code, len(exact.rows(PATH))) == (403, 3)
