"""Contacts made, changed and deleted: dossier E 3.1, 3.14, 3.15."""

from typing import Any

import httpx
import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, small_world

PATH = "100/crm/Contacts"
FOREIGN = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def account(exact: Exact) -> str:
    """The ID of customer 1, who has no contact yet."""
    return exact.key(100, "1")


def post(exact: Exact, account: str, **members: Any) -> httpx.Response:
    return exact.send("POST", PATH, {"Account": account, **members})


def made(exact: Exact, account: str, **members: Any) -> str:
    answer = post(exact, account, **members)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["d"]["ID"])


def read(exact: Exact, key: str) -> dict[str, Any]:
    return dict(exact.get(f"{PATH}(guid'{key}')").json()["d"])


def test_four_plain_members_are_enough_and_the_answer_is_nearly_empty(exact: Exact, account: str) -> None:
    answer = post(exact, account, FirstName="Alice", LastName="Test", Email="alice.test@example.com")

    echo = answer.json()["d"]
    assert answer.status_code == 201
    assert answer.headers["Location"] == echo["__metadata"]["uri"]
    assert {name: value for name, value in echo.items() if value is not None} == {
        "__metadata": echo["__metadata"],
        "ID": echo["ID"],
        "AccountIsCustomer": False,
        "IsAnonymised": 0,
    }


def test_exact_fills_in_what_was_recorded(sandbox: Sandbox) -> None:
    french = {"Code": "1", "Name": "Test Customer 2", "Status": "C", "Country": "FR"}
    sandbox.reset(small_world(accounts={100: [french]}, now="2026-06-25T14:14:12Z"))
    exact = Exact(sandbox)

    row = read(exact, made(exact, exact.key(100, "1"), FirstName="Alice", LastName="Test", Email="alice@example.com"))

    filled = {name: value for name, value in row.items() if value is not None and name != "__metadata"}
    by_exact = {
        "AccountIsCustomer": True,
        "AccountIsSupplier": False,
        "AccountMainContact": row["ID"],
        "AccountName": "Test Customer 2",
        "BirthName": "Test",
        "BusinessEmail": "alice@example.com",
        "Code": "1".rjust(18),
        "Country": "FR ",
        "FullName": "Alice Test",
        "Gender": "O",
        "IsAnonymised": 0,
        "IsMailingExcluded": False,
        "IsMainContact": True,
        "Language": "FR        ",
        "StartDate": "/Date(1782345600000)/",
    }
    moments = {"Created", "Creator", "CreatorFullName", "Modified", "Modifier", "ModifierFullName"}
    pictures = {"PictureUrl", "PictureThumbnailUrl"}
    sent = {"ID", "Account", "FirstName", "LastName", "Email"}
    assert {name: filled[name] for name in by_exact} == by_exact
    assert filled.keys() == by_exact.keys() | moments | pictures | sent | {"Division", "HID", "Person"}


def test_prefer_gives_all_values(exact: Exact, account: str) -> None:
    body = {"Account": account, "LastName": "Mol"}

    echo = exact.send("POST", PATH, body, Prefer="return=representation").json()["d"]

    assert echo == read(exact, echo["ID"])


def test_the_first_contact_becomes_the_main_one_and_the_account_follows(exact: Exact, account: str) -> None:
    before = exact.row(100, "1")
    first = made(exact, account, LastName="Mol")
    second = made(exact, account, LastName="Vos")

    after = exact.row(100, "1")
    assert (before["MainContact"], after["MainContact"]) == (None, first)
    assert [read(exact, key)["IsMainContact"] for key in (first, second)] == [True, False]
    assert [read(exact, key)["AccountMainContact"] for key in (first, second)] == [first, first]
    assert after["Modified"] == before["Modified"]


def test_is_main_contact_is_not_written(exact: Exact, account: str) -> None:
    first = made(exact, account, LastName="Mol")
    second = made(exact, account, LastName="Vos", IsMainContact=True)
    exact.send("PUT", f"{PATH}(guid'{first}')", {"IsMainContact": False})

    assert [read(exact, key)["IsMainContact"] for key in (first, second)] == [True, False]


def test_the_main_contact_is_moved_by_its_account_to_one_of_its_own(exact: Exact, account: str) -> None:
    first, second = made(exact, account, LastName="Mol"), made(exact, account, LastName="Vos")
    other = made(exact, exact.key(100, "2"), LastName="Das")

    refused = [exact.put(100, account, {"MainContact": key}) for key in (other, FOREIGN)]
    moved = exact.put(100, account, {"MainContact": second})

    assert [message(answer) for answer in refused] == ["Ongeldige referentie: Contactpersoon"] * 2
    assert moved.status_code == 204
    assert [read(exact, key)["IsMainContact"] for key in (first, second)] == [False, True]
    assert message(exact.post(100, {"Name": "Nieuw", "MainContact": second})) == "Ongeldige referentie: Contactpersoon"


def test_the_account_of_a_main_contact_that_is_deleted_has_none(exact: Exact, account: str) -> None:
    first, second = made(exact, account, LastName="Mol"), made(exact, account, LastName="Vos")

    answer = exact.send("DELETE", f"{PATH}(guid'{first}')")

    assert (answer.status_code, answer.content) == (204, b"")
    assert exact.row(100, "1")["MainContact"] is None
    assert read(exact, second)["IsMainContact"] is False
    (gone,) = exact.rows("100/sync/Deleted")
    assert (gone["EntityType"], gone["EntityKey"]) == (5, first)


def test_the_same_person_is_taken_twice(exact: Exact, account: str) -> None:
    body = {"FirstName": "Test", "LastName": "Contact", "Email": "test@example.com"}

    keys = {made(exact, account, **body), made(exact, account, **body)}

    assert len(keys) == 2
    assert [row["FullName"] for row in exact.rows(PATH)] == ["Test Contact"] * 2


def test_each_contact_gets_the_next_number_of_its_company_and_a_person_of_its_own(exact: Exact, account: str) -> None:
    rows = [read(exact, made(exact, account, LastName="Mol")) for _ in range(3)]

    assert [row["HID"] - rows[0]["HID"] for row in rows] == [0, 1, 2]
    assert len({row["Person"] for row in rows}) == 3


@pytest.mark.parametrize(
    ("plain", "business"), [("Email", "BusinessEmail"), ("Phone", "BusinessPhone"), ("Mobile", "BusinessMobile")]
)
def test_twins_overwrite_each_other(exact: Exact, account: str, plain: str, business: str) -> None:
    first, then, last = (f"{name}@example.com" for name in "abc")
    key = made(exact, account, LastName="Mol", **{plain: first})
    told = []
    for body in ({}, {business: then}, {plain: last}, {plain: None}):
        exact.send("PUT", f"{PATH}(guid'{key}')", body)
        row = read(exact, key)
        told.append((row[plain], row[business]))

    assert told == [(first, first), (then, then), (last, last), (None, None)]


def test_the_retired_names_overwrite_the_names(exact: Exact, account: str) -> None:
    key = made(exact, account, FirstName="Els", LastName="Mol")

    exact.send("PUT", f"{PATH}(guid'{key}')", {"BirthName": "Vos", "BirthNamePrefix": "de"})

    row = read(exact, key)
    assert (row["LastName"], row["MiddleName"], row["FullName"]) == ("Vos", "de", "Els de Vos")


def test_a_put_changes_what_was_sent_and_moves_modified_and_the_timestamp(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.set_clock("2026-03-01T12:00:00Z")
    key = made(exact, exact.key(100, "1"), FirstName="Test", LastName="Contact", Email="test@example.com")
    before = read(exact, key)
    version = int(exact.rows("100/sync/CRM/Contacts", select="Timestamp")[0]["Timestamp"])
    sandbox.advance(60)

    answer = exact.send(
        "PUT", f"{PATH}(guid'{key}')", {"ID": key, "Account": before["Account"], "FirstName": "Updated"}
    )

    after = read(exact, key)
    changed = {name for name in after if after[name] != before[name]}
    assert (answer.status_code, answer.content) == (204, b"")
    assert changed == {"FirstName", "FullName", "Modified"}
    assert int(exact.rows("100/sync/CRM/Contacts", select="Timestamp")[0]["Timestamp"]) == version + 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Account": None}, "Verplicht: Relatie"),
        ({"LastName": None}, "Verplicht: Achternaam"),
        ({"LastName": None, "Account": None}, "Verplicht: Relatie\r\nVerplicht: Achternaam"),
        ({"Account": FOREIGN}, "Ongeldige referentie: Relatie"),
        ({"LeadSource": FOREIGN}, "Ongeldige referentie: Bron"),
        ({"Email": "jan@@bakker"}, "Ongeldig: Email"),
        ({"Gender": "X"}, "Ongeldig: Geslacht"),
        ({"Account": "relatie 1"}, "Niet herkende GUID-indeling."),
    ],
)
def test_a_contact_that_cannot_be_is_refused_in_words(
    sandbox: Sandbox, exact: Exact, account: str, body: dict[str, Any], words: str
) -> None:
    answer = exact.send("POST", PATH, {"Account": account, "LastName": "Mol", **body})

    assert (answer.status_code, message(answer)) == (500, words)
    assert sandbox.children(100, "Contacts") == []


def test_a_first_name_alone_is_enough(exact: Exact, account: str) -> None:
    assert read(exact, made(exact, account, FirstName="Els"))["FullName"] == "Els"


def test_an_unknown_member_is_a_400(exact: Exact, account: str) -> None:
    answer = post(exact, account, LastName="Mol", NotAField="x")

    assert answer.status_code == 400
    assert message(answer) == (
        "Error processing request stream. The property name 'NotAField' specified for type "
        "'Exact.Web.Api.Models.Contact' is not valid."
    )


def test_an_account_of_another_company_is_dropped_by_a_switch_and_then_missing(
    sandbox: Sandbox, exact: Exact, account: str
) -> None:
    sandbox.limits(foreign_guid="null")

    refused = exact.send("POST", "201/crm/Contacts", {"Account": account, "LastName": "Mol"})
    key = made(exact, account, LastName="Mol", LeadSource=FOREIGN)

    assert message(refused) == "Verplicht: Relatie"
    assert read(exact, key)["LeadSource"] is None


@pytest.mark.parametrize(
    ("member", "value"), [("HID", 7), ("Person", FOREIGN), ("Picture", "AAAA"), ("IdentificationUser", FOREIGN)]
)
def test_what_nobody_is_known_to_have_sent_is_not_imitated(exact: Exact, account: str, member: str, value: Any) -> None:
    answer = post(exact, account, LastName="Mol", **{member: value})

    assert answer.status_code == 501
    assert f"{member} in a body of crm/Contacts" in answer.text


def test_a_person_is_not_moved_to_another_account(exact: Exact, account: str) -> None:
    key = made(exact, account, LastName="Mol")

    answer = exact.send("PUT", f"{PATH}(guid'{key}')", {"Account": exact.key(100, "2")})

    assert answer.status_code == 501


@pytest.mark.parametrize("right", ["write_Contacts", "write_accounts"])
def test_without_the_right_to_write_nothing_is_written(
    sandbox: Sandbox, exact: Exact, account: str, right: str
) -> None:
    key = made(exact, account, LastName="Mol")
    sandbox.change_division(100, rights={right: False})

    answers = [
        post(exact, account, LastName="Vos"),
        exact.send("PUT", f"{PATH}(guid'{key}')", {"LastName": "Vos"}),
        exact.send("DELETE", f"{PATH}(guid'{key}')"),
    ]

    assert [(answer.status_code, message(answer)) for answer in answers] == [(403, "Forbidden")] * 3
    assert [row["LastName"] for row in sandbox.children(100, "Contacts")] == ["Mol"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_key_is_a_404(exact: Exact, method: str) -> None:
    assert exact.send(method, f"{PATH}(guid'{FOREIGN}')", {}).status_code == 404


@pytest.mark.parametrize(("switch", "moves"), [("account_stays", False), ("account_moves", True)])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_timestamp_of_the_account_stays_or_moves_and_modified_stays(
    sandbox: Sandbox, exact: Exact, account: str, method: str, switch: str, moves: bool
) -> None:
    key = made(exact, account, LastName="Mol")
    sandbox.limits(child_changes=switch)
    before = sandbox.account(100, "1")

    exact.send(method, PATH if method == "POST" else f"{PATH}(guid'{key}')", {"Account": account, "LastName": "Vos"})

    after = sandbox.account(100, "1")
    assert (after["Timestamp"] > before["Timestamp"]) is moves
    assert after["Modified"] == before["Modified"]


@pytest.mark.parametrize(("switch", "types"), [("logged", [2, 5]), ("silent", [2])])
def test_what_goes_with_its_account_is_in_the_log_of_deletions_or_not(
    sandbox: Sandbox, exact: Exact, account: str, switch: str, types: list[int]
) -> None:
    made(exact, account, LastName="Mol")
    sandbox.limits(deleted_with_account=switch)

    exact.delete(100, account)

    assert sorted(row["EntityType"] for row in exact.rows("100/sync/Deleted")) == types
    assert exact.rows(PATH) == []
    assert exact.rows("100/sync/CRM/Contacts", select="ID") == []


def test_a_fault_may_be_ordered_for_the_contacts_of_one_account(sandbox: Sandbox, exact: Exact, account: str) -> None:
    sandbox.fault("fault_500", code="1", endpoint="crm/Contacts", method=["POST", "PUT"], times=2)

    spared = post(exact, exact.key(100, "2"), LastName="Das")
    hit = post(exact, account, LastName="Mol")
    sandbox.clear_faults()
    key = made(exact, account, LastName="Mol")
    sandbox.fault("lost_answer", code="1", endpoint="crm/Contacts", method="PUT")
    with pytest.raises(httpx.RemoteProtocolError):
        exact.send("PUT", f"{PATH}(guid'{key}')", {"LastName": "Vos"})

    assert (spared.status_code, hit.status_code) == (201, 500)
    assert read(exact, key)["LastName"] == "Vos"
