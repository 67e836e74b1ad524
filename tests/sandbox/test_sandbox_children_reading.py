"""Contacts, addresses and bank accounts read: dossier E 1, 3.1 to 3.3."""

import pytest
from child_world import CHILDREN
from exact_http import Exact, message
from sandbox_driver import SOURCE, Sandbox, small_world

# How many members each path serves, and the rows there with the accounts' own addresses.
PATHS = {
    "crm/Contacts": (70, 3),
    "bulk/CRM/Contacts": (70, 3),
    "sync/CRM/Contacts": (71, 3),
    "crm/Addresses": (55, 5),
    "bulk/CRM/Addresses": (55, 5),
    "sync/CRM/Addresses": (56, 5),
    "crm/BankAccounts": (24, 2),
}
FEEDS = {"Contacts": 5, "Addresses": 3}


@pytest.fixture
def company(sandbox: Sandbox) -> Exact:
    sandbox.reset(small_world(children={SOURCE: CHILDREN}))
    return Exact(sandbox)


def every_member(exact: Exact, path: str) -> str:
    """A `$select` of all members of an entity, which bulk demands and a sync feed of contacts does not take as `*`."""
    name = path.rpartition("/")[2]
    members = [member for member in exact.rows(f"100/crm/{name}")[0] if member != "__metadata"]
    return ",".join([*members, "Timestamp"] if path.startswith("sync/") else members)


@pytest.mark.parametrize("path", PATHS)
def test_each_path_serves_the_members_of_the_reference(company: Exact, path: str) -> None:
    members, rows = PATHS[path]

    found = company.rows(f"100/{path}", select=every_member(company, path))

    assert [len(row) - 1 for row in found] == [members] * rows
    assert all(row["Division"] == 100 for row in found)


def test_a_contact_comes_with_its_members_in_the_order_and_under_the_type_recorded(company: Exact) -> None:
    (row, *_) = company.rows("100/crm/Contacts")

    names = list(row)
    assert row["__metadata"]["type"] == "Exact.Web.Api.Models.Contact"
    assert names[:4] == ["__metadata", "ID", "Account", "AccountIsCustomer"]
    assert names[34:39] == [
        "IdentificationDate",
        "IdentificationUser",
        "IdentificationDocument",
        "Initials",
        "IsAnonymised",
    ]
    assert names[-3:] == ["LeadPurpose", "LeadSource", "AllowMailing"]


@pytest.mark.parametrize("name", ["Contacts", "Addresses", "BankAccounts"])
def test_a_row_is_read_under_its_own_address(company: Exact, name: str) -> None:
    for row in company.rows(f"100/crm/{name}"):
        assert row["__metadata"]["uri"] == f"{company.url}/api/v1/100/crm/{name}(guid'{row['ID']}')"
        assert company.http.get(row["__metadata"]["uri"]).json()["d"] == row


def test_a_contact_carries_the_code_of_its_account_padded_and_what_else_follows_from_it(
    company: Exact, sandbox: Sandbox
) -> None:
    sandbox.edit(100, "1", IsSupplier=True)

    first, second = company.rows("100/crm/Contacts", filter="trim(Code) eq '1'", orderby="FirstName")

    account = company.row(100, "1")
    for row in (first, second):
        assert (row["Account"], row["Code"], row["AccountName"]) == (account["ID"], "1".rjust(18), "Klant 1 B.V.")
        assert (row["AccountIsCustomer"], row["AccountIsSupplier"], row["Country"]) == (True, True, "NL ")
        assert row["AccountMainContact"] == account["MainContact"] == first["ID"]
        assert row["Language"] == "NL".ljust(10)
        assert row["PictureUrl"].endswith("//docs/images/placeholder_contact_myeol.png")
    assert (first["FullName"], second["FullName"]) == ("Anna de Wit", "Bart Smit")
    assert (first["IsMainContact"], second["IsMainContact"]) == (True, False)
    assert (second["BusinessPhoneExtension"], second["PhoneExtension"]) == ("12", "12")


def test_the_twins_of_mail_and_the_retired_names_follow(company: Exact) -> None:
    (row,) = company.rows("100/crm/Contacts", filter="FirstName eq 'Anna'")

    assert (row["Email"], row["BusinessEmail"]) == ("anna@klant1.example", "anna@klant1.example")
    assert (row["BirthName"], row["BirthNamePrefix"]) == ("Wit", "de")


def test_addresses_and_bank_accounts_carry_the_name_of_their_account_but_not_its_code(company: Exact) -> None:
    (address,) = company.rows("100/crm/Addresses", filter="Type eq 3")
    (bank,) = company.rows("100/crm/BankAccounts", filter=f"Account eq guid'{company.key(100, '3')}'")

    assert (address["AccountName"], address["AccountIsSupplier"]) == ("Klant 2 B.V.", False)
    assert (address["Country"], address["CountryName"], address["Main"]) == ("NL ", "Nederland", True)
    assert (bank["AccountName"], bank["Main"], bank["Blocked"]) == ("Klant 3 B.V.", True, False)
    assert (bank["Type"], bank["TypeDescription"], bank["Format"]) == ("A", "Relatie", "IBAN")
    assert "Code" not in address
    assert "Code" not in bank


def test_an_address_names_the_contact_it_is_linked_to(company: Exact, sandbox: Sandbox) -> None:
    contact = sandbox.children(100, "Contacts", "1")[0]
    address = sandbox.children(100, "Addresses", "1")[0]

    sandbox.edit_child(100, "Addresses", address["ID"], Contact=contact["ID"])

    (row,) = company.rows("100/crm/Addresses", filter=f"Contact eq guid'{contact['ID']}'")
    assert (row["ID"], row["ContactName"]) == (address["ID"], contact["FullName"])


def test_every_account_with_an_address_has_it_as_its_main_visit_address(company: Exact) -> None:
    rows = company.rows("100/crm/Addresses", filter="Type eq 1", orderby="AddressLine1")

    assert [(row["AddressLine1"], row["Postcode"], row["City"], row["Country"], row["Phone"]) for row in rows] == [
        (f"Dorpsstraat {number}", "3511 AB", "Utrecht", "NL ", "030-1234567") for number in (1, 2, 3)
    ]
    assert all(row["Main"] for row in rows)
    assert {row["Account"] for row in rows} == {company.key(100, code) for code in "123"}


def test_an_account_without_an_address_has_no_row_for_it(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(accounts={100: [{"Code": "1", "Name": "Kaal", "Phone": "030-1234567"}]}))

    assert Exact(sandbox).rows("100/crm/Addresses") == []


def test_an_address_of_a_warehouse_has_no_account(company: Exact, sandbox: Sandbox) -> None:
    warehouse = "11111111-2222-3333-4444-555555555555"
    sandbox.fill_children(100, "Addresses", [{"Type": 4, "Warehouse": warehouse, "AddressLine1": "Loods 2"}])

    (row,) = company.rows("100/crm/Addresses", filter=f"Warehouse eq guid'{warehouse}'")

    assert (row["Account"], row["AccountName"], row["AddressLine1"]) == (None, None, "Loods 2")


@pytest.mark.parametrize("name", ["Contacts", "Addresses", "BankAccounts"])
def test_rows_are_found_by_account_and_by_id(company: Exact, name: str) -> None:
    account = company.key(100, "1")

    found = company.rows(f"100/crm/{name}", filter=f"Account eq guid'{account}'")

    expected = sorted(row["ID"] for row in company.rows(f"100/crm/{name}") if row["Account"] == account)
    assert [row["ID"] for row in found] == expected
    assert len(expected) == {"Contacts": 2, "Addresses": 2, "BankAccounts": 1}[name]
    for key in expected:
        assert [row["ID"] for row in company.rows(f"100/crm/{name}", filter=f"ID eq guid'{key}'")] == [key]


@pytest.mark.parametrize(
    ("path", "text", "refused"),
    [
        ("crm/Contacts", "Mobile eq '06'", "Mobile"),
        ("crm/Addresses", "City eq 'Ede'", "City"),
        ("bulk/CRM/Contacts", "LastName eq 'Mol'", "LastName"),
        ("bulk/CRM/Addresses", "Postcode eq '3511 AB'", "Postcode"),
    ],
)
def test_members_that_are_not_listed_do_not_filter(company: Exact, path: str, text: str, refused: str) -> None:
    answer = company.get(f"100/{path}", filter=text, select="ID")

    assert (answer.status_code, message(answer)) == (400, f"Filtering on these fields is not supported: {refused}")


@pytest.mark.parametrize(
    ("path", "text", "rows"),
    [
        ("bulk/CRM/Contacts", "Account eq guid'{account}'", 2),
        ("bulk/CRM/Addresses", "Type eq 1 and Main eq true", 3),
        ("crm/Contacts", "Account eq guid'{account}' and LastName eq 'Wit' and FirstName eq 'Anna'", 1),
        ("crm/Contacts", "Email eq 'anna@klant1.example'", 1),
        ("crm/Addresses", "Account eq guid'{account}' and Type eq 4 and startswith(AddressLine1, 'Kade')", 1),
        ("crm/BankAccounts", "Account eq guid'{account}' and BankAccount eq 'NL91ABNA0417164300'", 1),
        ("crm/BankAccounts", "Modified gt datetime'2020-01-01'", 2),
    ],
)
def test_members_that_are_listed_or_that_clients_use_filter(company: Exact, path: str, text: str, rows: int) -> None:
    found = company.rows(f"100/{path}", filter=text.format(account=company.key(100, "1")), select="ID")

    assert len(found) == rows


@pytest.mark.parametrize("name", ["Contacts", "Addresses"])
def test_a_list_without_a_filter_is_refused_where_a_world_wants_one(
    company: Exact, sandbox: Sandbox, name: str
) -> None:
    sandbox.limits(mandatory_filter=True)

    answers = [company.get(f"100/{path}/{name}", select="ID") for path in ("crm", "bulk/CRM", "sync/CRM")]

    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert message(answers[0]).startswith("This endpoint has mandatory filtering applied.")
    assert company.get("100/crm/BankAccounts").status_code == 200


@pytest.mark.parametrize(("path", "size"), [("crm/{}", 60), ("bulk/CRM/{}", 1000), ("sync/CRM/{}", 1000)])
@pytest.mark.parametrize("name", ["Contacts", "Addresses"])
def test_pages_hold_sixty_or_a_thousand(sandbox: Sandbox, name: str, path: str, size: int) -> None:
    rows = [{"Account": "1", "LastName": "x"} if name == "Contacts" else {"Account": "1", "Type": 4}] * (size + 1)
    sandbox.reset(small_world(accounts={100: [{"Code": "1", "Name": "Kaal"}]}, children={SOURCE: {name: rows}}))
    exact = Exact(sandbox)

    first = exact.get(f"100/{path.format(name)}", select="ID").json()["d"]
    second = exact.http.get(first["__next"]).json()["d"]

    assert (len(first["results"]), len(second["results"])) == (size, 1)
    assert len({row["ID"] for row in first["results"] + second["results"]}) == size + 1


def test_bank_accounts_come_sixty_a_page(sandbox: Sandbox) -> None:
    rows = [{"Account": "1", "BankAccount": f"NL{number}"} for number in range(61)]
    sandbox.reset(small_world(children={SOURCE: {"BankAccounts": rows}}))

    assert len(Exact(sandbox).rows("100/crm/BankAccounts")) == 60


@pytest.mark.parametrize("name", ["Contacts", "Addresses"])
def test_bulk_wants_a_selection(company: Exact, name: str) -> None:
    answer = company.get(f"100/bulk/CRM/{name}")

    assert message(answer) == "Please add a $select or a $top=1 statement to the query string."


def test_the_feed_of_contacts_takes_no_star_and_that_of_addresses_does(company: Exact) -> None:
    assert company.get("100/sync/CRM/Contacts", select="*").status_code == 400
    assert company.get("100/sync/CRM/Contacts", select="ID,FirstName").status_code == 200
    assert company.get("100/sync/CRM/Addresses", select="*").status_code == 200


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_shows_what_was_added_and_changed_and_sync_deleted_what_went(
    company: Exact, sandbox: Sandbox, name: str
) -> None:
    path = f"100/sync/CRM/{name}"
    first = company.rows(path, filter="Timestamp gt 1L", select="ID,Timestamp")
    last = int(first[-1]["Timestamp"])
    changed, gone, *_ = [row for row in sandbox.children(100, name) if row.get("Type") != 1]

    sandbox.edit_child(100, name, changed["ID"], Notes="Nieuw")
    sandbox.remove_child(100, name, gone["ID"])
    new = {"LastName": "Vos"} if name == "Contacts" else {"Type": 2}
    (added,) = sandbox.fill_children(100, name, [{"Account": "3", **new}])

    after = company.rows(path, filter=f"Timestamp gt {last}L", select="ID,Timestamp,Notes")
    (deleted,) = company.rows("100/sync/Deleted", filter=f"Timestamp gt {last}L and EntityType eq {FEEDS[name]}")
    assert [int(row["Timestamp"]) for row in first] == sorted(int(row["Timestamp"]) for row in first)
    assert [(row["ID"], row["Notes"]) for row in after] == [(changed["ID"], "Nieuw"), (added["ID"], None)]
    assert deleted["EntityKey"] == gone["ID"]
    assert company.get(path, filter="Account eq guid'{}'".format(company.key(100, "1"))).status_code == 400


def test_bank_accounts_have_no_feed_no_bulk_and_no_deletions(company: Exact, sandbox: Sandbox) -> None:
    (row,) = sandbox.children(100, "BankAccounts", "1")

    sandbox.remove_child(100, "BankAccounts", row["ID"])

    assert company.rows("100/sync/Deleted") == []
    assert company.get("100/sync/CRM/BankAccounts").status_code == 501
    assert company.get("100/bulk/CRM/BankAccounts").status_code == 501


def test_accounts_bring_their_bank_accounts_when_asked(company: Exact) -> None:
    one, two, three = company.rows("100/crm/Accounts", expand="BankAccounts", orderby="Code")

    assert [row["BankAccount"] for row in one["BankAccounts"]["results"]] == ["NL91ABNA0417164300"]
    assert two["BankAccounts"]["results"] == []
    assert three["BankAccounts"]["results"] == company.rows("100/crm/BankAccounts", filter="Description eq 'Zakelijk'")


@pytest.mark.parametrize("name", ["Contacts", "Addresses", "BankAccounts"])
def test_a_missing_right_shows_as_no_rows(company: Exact, sandbox: Sandbox, name: str) -> None:
    key = company.rows(f"100/crm/{name}")[0]["ID"]

    sandbox.change_division(100, rights={f"read_{name}": False})

    assert company.rows(f"100/crm/{name}") == []
    assert company.get(f"100/crm/{name}(guid'{key}')").status_code == 404
    assert [len(company.rows(f"100/crm/{other}")) > 0 for other in CHILDREN if other != name] == [True, True]
    sandbox.change_division(100, rights={"read_accounts": False})
    assert [company.rows(f"100/crm/{other}") for other in CHILDREN] == [[], [], []]


@pytest.mark.parametrize("name", ["Contacts", "Addresses", "BankAccounts"])
@pytest.mark.parametrize(
    ("action", "right"), [("GET", "read"), ("POST", "write"), ("PUT", "write"), ("DELETE", "write")]
)
def test_a_right_is_asked_for_without_use_of_it(
    company: Exact, sandbox: Sandbox, name: str, action: str, right: str
) -> None:
    asked = f"100/users/UserHasRights?endpoint='crm/{name}'&action='{action}'"
    before = company.get(asked).json()["d"]

    sandbox.change_division(100, rights={f"{right}_{name}": False})

    assert (before, company.get(asked).json()["d"]) == ({"UserHasRights": True}, {"UserHasRights": False})
    assert company.get(asked.replace("/100", "/201").replace("100/", "201/")).json()["d"] == {"UserHasRights": True}


@pytest.mark.parametrize("path", PATHS)
def test_an_app_without_the_scope_of_accounts_is_refused(sandbox: Sandbox, path: str) -> None:
    sandbox.change_app(scopes=["organization.administration"])

    answer = Exact(sandbox).get(f"100/{path}", select="ID")

    assert message(answer) == "Forbidden - Application Scope Violated. Cannot read 'crm.accounts' scope."
