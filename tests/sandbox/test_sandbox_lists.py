"""The reference lists of a company: dossier E 1 and 3.4 to 3.12."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from exact_http import JSON, Exact, message
from sandbox_driver import SOURCE, Sandbox, running, small_world

COMPANY: dict[str, list[dict[str, Any]]] = {
    "PaymentConditions": [
        {"Code": "30", "Description": "30 dagen", "PaymentDays": 30, "PaymentEndOfMonths": 0, "PaymentMethod": "B"},
        {"Code": "14", "Description": "14 dagen", "PaymentDays": 14, "PaymentEndOfMonths": 0, "PaymentMethod": "B"},
    ],
    "Costcenters": [{"Code": "VERKOOP", "Description": "Verkoop"}],
    "Costunits": [{"Code": "PROJ1", "Description": "Project 1"}],
    "GLAccounts": [
        {"Code": "1500", "Description": "Af te dragen btw", "Type": 24, "BalanceSide": "C", "BalanceType": "B"},
        {"Code": "8000", "Description": "Omzet", "Type": 110, "VATCode": "2", "Costcenter": "VERKOOP"},
    ],
    "VATCodes": [
        {"Code": "2", "Description": "Btw hoog", "Percentage": 0.21, "Type": "E", "GLToPay": "1500"},
        {"Code": "VN", "Description": "Verlegd", "Percentage": 0.0, "Type": "B"},
    ],
    "AccountClassificationNames": [
        {"SequenceNumber": 1, "Description": "Branche"},
        {"SequenceNumber": 2, "Description": "Regio"},
    ],
    "AccountClassifications": [
        {"AccountClassificationName": 1, "Code": "A", "Description": "Bouw"},
        {"AccountClassificationName": 2, "Code": "A", "Description": "Noord"},
    ],
    "SalesPriceLists": [{"Code": "GROOT", "Description": "Groothandel", "Currency": "EUR", "Type": 1}],
    "ShippingMethods": [{"Code": "PK", "Description": "Pakket", "VATCode": "2"}],
    "LeadSources": [{"Code": "WEB", "Description": "Website"}],
    "LeadPurposes": [{"Code": "NW", "Description": "Nieuw"}],
}
PATHS = {
    "PaymentConditions": ("cashflow/PaymentConditions", "financial.cashflow"),
    "VATCodes": ("vat/VATCodes", "financial.accounting"),
    "GLAccounts": ("financial/GLAccounts", "financial.generalledgers"),
    "AccountClassifications": ("crm/AccountClassifications", "crm.accounts"),
    "AccountClassificationNames": ("crm/AccountClassificationNames", "crm.accounts"),
    "SalesPriceLists": ("sales/SalesPriceLists", "sales.prices"),
    "ShippingMethods": ("sales/ShippingMethods", "sales.orders"),
    "LeadSources": ("crm/LeadSources", "crm.accounts"),
    "LeadPurposes": ("crm/LeadPurposes", "crm.accounts"),
    "Costcenters": ("hrm/Costcenters", "financial.costcenters"),
    "Costunits": ("hrm/Costunits", "financial.costcenters"),
    "Currencies": ("general/Currencies", "financial.currencies"),
    "Users": ("users/Users", "organization.administration"),
}
SYNC = "100/sync/Financial/GLAccounts"


@pytest.fixture
def company(sandbox: Sandbox) -> Exact:
    sandbox.reset(small_world(lists={SOURCE: COMPANY}))
    return Exact(sandbox)


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, (path, _) in PATHS.items()])
def test_each_list_is_read_with_its_members(company: Exact, sandbox: Sandbox, name: str, path: str) -> None:
    rows = company.rows(f"100/{path}")

    held = sandbox.list_rows(100, name)
    assert len(rows) == len(held) >= 1
    natural = {"AccountClassificationNames": "SequenceNumber", "Users": "UserName"}.get(name, "Code")
    assert sorted(str(row[natural]).strip() for row in rows) == sorted(str(row[natural]) for row in held)
    assert all(row["__metadata"]["uri"].startswith(f"{company.url}/api/v1/100/{path}(") for row in rows)


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, (path, _) in PATHS.items()])
def test_a_row_is_read_under_its_own_address(company: Exact, name: str, path: str) -> None:
    (row, *_) = company.rows(f"100/{path}")

    assert company.http.get(row["__metadata"]["uri"]).json()["d"] == row


def test_price_lists_are_read_at_their_older_path_too(company: Exact) -> None:
    (new,), (old,) = company.rows("100/sales/SalesPriceLists"), company.rows("100/sales/PriceLists")

    assert new["ID"] == old["ID"]


def test_codes_of_vat_are_padded_and_those_of_ledger_accounts_and_conditions_are_not(company: Exact) -> None:
    assert {row["Code"] for row in company.rows("100/vat/VATCodes")} == {"2  ", "VN "}
    assert {row["Code"] for row in company.rows("100/financial/GLAccounts")} == {"1500", "8000"}
    assert {row["Code"] for row in company.rows("100/cashflow/PaymentConditions")} == {"30", "14"}


def test_rows_carry_what_follows_from_the_rows_they_refer_to(company: Exact) -> None:
    (vat,) = company.rows("100/vat/VATCodes", filter="trim(Code) eq '2'")
    (ledger,) = company.rows("100/financial/GLAccounts", filter="Code eq '8000'")
    (shipping,) = company.rows("100/sales/ShippingMethods")

    assert (vat["GLToPayCode"], vat["GLToPayDescription"]) == ("1500", "Af te dragen btw")
    assert "__deferred" in vat["VATPercentages"]
    assert (ledger["VATDescription"], ledger["CostcenterDescription"]) == ("Btw hoog", "Verkoop")
    assert ledger["TypeDescription"] == "Revenue"
    assert (shipping["VATCodeDescription"], shipping["VATPercentage"]) == ("Btw hoog", 0.21)


def test_a_classification_belongs_to_the_name_of_its_slot(company: Exact) -> None:
    names = {row["ID"]: row["SequenceNumber"] for row in company.rows("100/crm/AccountClassificationNames")}
    found = company.rows("100/crm/AccountClassifications", filter="Code eq 'A'")

    told = {(names[row["AccountClassificationName"]], row["Description"]) for row in found}
    assert told == {(1, "Bouw"), (2, "Noord")}
    assert {row["AccountClassificationNameDescription"] for row in found} == {"Branche", "Regio"}


def test_the_users_of_the_licence_and_the_active_currencies_come_from_the_world(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(divisions={SOURCE: {"currencies": ["EUR", "GBP"]}}))
    exact = Exact(sandbox)

    (user,) = exact.rows("100/users/Users")
    assert user["UserID"] == exact.rows("current/Me")[0]["UserID"]
    assert (user["Email"], user["FullName"]) == ("anna@example.com", "Anna de Boer")
    assert [row["Code"] for row in exact.rows("100/general/Currencies")] == ["EUR", "GBP"]


def test_a_world_file_from_before_there_were_lists_goes_on_working(tmp_path: Path) -> None:
    file = tmp_path / "world.db"
    with running(file) as sandbox:
        sandbox.reset(small_world())
        sandbox.remove(100, "1")
    with closing(sqlite3.connect(file)) as db:
        db.execute("DROP TABLE list_rows")
        db.execute("ALTER TABLE deleted DROP COLUMN entity_type")
        db.commit()

    with running(file) as sandbox:
        exact = Exact(sandbox)
        exact.post(201, {"Name": "Nieuw", "SalesCurrency": "EUR"})

        assert sandbox.accounts(201)[0]["SalesCurrency"] == "EUR"
        assert [row["EntityType"] for row in exact.rows("100/sync/Deleted")] == [2]
        assert [row["FullName"] for row in exact.rows("100/users/Users")] == ["Anna de Boer"]


def test_each_company_has_guids_of_its_own_and_users_are_shared(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(lists={100: COMPANY, 201: COMPANY}))

    keys = [{row["ID"] for row in sandbox.list_rows(code, "VATCodes")} for code in (100, 201)]
    users = [sandbox.list_rows(code, "Users")[0]["UserID"] for code in (100, 201)]
    assert keys[0].isdisjoint(keys[1])
    assert users[0] == users[1]


def test_a_list_is_selected_filtered_ordered_and_cut_like_accounts(company: Exact) -> None:
    path = "100/cashflow/PaymentConditions"

    assert [row["Code"] for row in company.rows(path, orderby="Code desc", select="Code")] == ["30", "14"]
    assert [row["Code"] for row in company.rows(path, filter="PaymentDays lt 20")] == ["14"]
    assert set(company.rows(path, select="Code", top="1")[0]) == {"__metadata", "Code"}
    assert isinstance(company.get(path, top="1").json()["d"], list)
    assert "results" in company.get(path).json()["d"]
    assert company.get(f"{path}/$count").text == "2"
    assert company.get(path, select="Kode").status_code == 400


def test_a_list_comes_in_pages_of_sixty(sandbox: Sandbox) -> None:
    many = [{"Code": f"{number:02}", "Description": "…"} for number in range(61)]
    sandbox.reset(small_world(lists={SOURCE: {"PaymentConditions": many}}))
    exact = Exact(sandbox)

    first = exact.get("100/cashflow/PaymentConditions", select="Code").json()["d"]
    second = exact.http.get(first["__next"]).json()["d"]

    assert (len(first["results"]), len(second["results"])) == (60, 1)
    assert len({row["Code"] for row in first["results"] + second["results"]}) == 61


def test_an_empty_list_is_empty(exact: Exact) -> None:
    assert exact.rows("201/vat/VATCodes") == []


@pytest.mark.parametrize(("name", "path", "scope"), [(name, *known) for name, known in PATHS.items()])
def test_an_app_without_the_scope_is_refused(sandbox: Sandbox, name: str, path: str, scope: str) -> None:
    sandbox.change_app(scopes=[one for one in {known for _, known in PATHS.values()} if one != scope])

    answer = Exact(sandbox).get(f"100/{path}")

    assert answer.status_code == 403
    assert message(answer) == f"Forbidden - Application Scope Violated. Cannot read '{scope}' scope."


@pytest.mark.parametrize(("name", "path"), [(name, path) for name, (path, _) in PATHS.items()])
def test_a_user_without_the_right_is_refused_that_list_alone(
    company: Exact, sandbox: Sandbox, name: str, path: str
) -> None:
    sandbox.change_division(100, rights={f"read_{name}": False})

    asked = company.http.get(
        "/api/v1/100/users/UserHasRights", params={"endpoint": f"'{path}'", "action": "'GET'"}
    ).json()["d"]

    assert asked == {"UserHasRights": False}
    assert (company.get(f"100/{path}").status_code, message(company.get(f"100/{path}"))) == (403, "Forbidden")
    assert company.get(f"201/{path}").status_code == 200
    assert [company.get(f"100/{other}").status_code for other, _ in PATHS.values() if other != path] == [200] * 12


def test_a_missing_right_may_show_as_zero_rows(company: Exact, sandbox: Sandbox) -> None:
    key = company.rows("100/vat/VATCodes")[0]["ID"]
    sandbox.limits(missing_list_right="no_rows")
    sandbox.change_division(100, rights={"read_VATCodes": False})

    assert company.rows("100/vat/VATCodes") == []
    assert company.get(f"100/vat/VATCodes(guid'{key}')").status_code == 404


def test_ledger_accounts_filter_on_the_listed_members_only(company: Exact) -> None:
    assert company.rows("100/financial/GLAccounts", filter="Type eq 24", select="Code")[0]["Code"] == "1500"

    answer = company.get("100/financial/GLAccounts", filter="Description eq 'Omzet'")

    assert (answer.status_code, message(answer)) == (400, "Filtering on these fields is not supported: Description")


def test_ledger_accounts_have_a_sync_feed_with_deletions(company: Exact, sandbox: Sandbox) -> None:
    first = company.rows(SYNC, filter="Timestamp gt 1L", select="ID,Code,Timestamp")
    last = int(first[-1]["Timestamp"])

    sandbox.edit_list_row(100, "GLAccounts", "1500", Description="Btw")
    sandbox.remove_list_row(100, "GLAccounts", "8000")

    (changed,) = company.rows(SYNC, filter=f"Timestamp gt {last}L", select="Code,Description,Timestamp")
    (gone,) = company.rows("100/sync/Deleted", filter=f"Timestamp gt {last}L and EntityType eq 7")
    assert [row["Code"] for row in first] == ["1500", "8000"]
    assert (changed["Code"], changed["Description"]) == ("1500", "Btw")
    assert gone["EntityKey"] == first[1]["ID"]
    assert int(gone["Timestamp"]) > int(changed["Timestamp"]) > last
    assert company.rows("100/sync/Deleted", filter="EntityType eq 2") == []
    assert company.get(SYNC, filter="Code eq '1500'").status_code == 400


def test_ledger_accounts_in_bulk_want_a_selection(company: Exact) -> None:
    assert company.get("100/bulk/Financial/GLAccounts").status_code == 400
    assert len(company.rows("100/bulk/Financial/GLAccounts", select="Code,Type")) == 2


def test_a_moved_company_gives_its_ledger_accounts_new_row_versions(company: Exact, sandbox: Sandbox) -> None:
    sandbox.move(100)

    versions = [int(row["Timestamp"]) for row in company.rows(SYNC, select="Timestamp")]
    accounts = [int(row["Timestamp"]) for row in company.rows("100/sync/CRM/Accounts", select="Timestamp")]
    assert accounts + versions == list(range(2, 7))


def test_a_restored_backup_brings_the_lists_back(company: Exact, sandbox: Sandbox) -> None:
    before = sandbox.list_rows(100, "GLAccounts")
    sandbox.back_up(100)
    sandbox.remove_list_row(100, "GLAccounts", "8000")

    sandbox.restore(100)

    assert sandbox.list_rows(100, "GLAccounts") == before


def test_rows_are_added_changed_replaced_and_deleted(company: Exact, sandbox: Sandbox) -> None:
    sandbox.fill_list(100, "PaymentConditions", [{"Code": "60", "Description": "60 dagen"}])
    kept = sandbox.list_row(100, "PaymentConditions", "14")
    changed = sandbox.edit_list_row(100, "PaymentConditions", "14", PaymentDays=15)
    assert (changed["ID"], changed["PaymentDays"]) == (kept["ID"], 15)

    renamed = sandbox.edit_list_row(100, "PaymentConditions", "14", Code="15")
    assert (renamed["ID"], renamed["Code"]) == (kept["ID"], "15")
    assert [row["Code"] for row in sandbox.list_rows(100, "PaymentConditions")] == ["15", "30", "60"]

    sandbox.fill_list(100, "PaymentConditions", [{"Code": "30", "Description": "Dertig"}], replace=True)
    assert [row["Description"] for row in sandbox.list_rows(100, "PaymentConditions")] == ["Dertig"]

    sandbox.remove_list_row(100, "AccountClassifications", "2", "A")
    assert [row["Description"] for row in company.rows("100/crm/AccountClassifications")] == ["Bouw"]


@pytest.mark.parametrize(
    ("name", "row", "told"),
    [
        ("VATCodes", {"Code": "3", "Rate": 0.09}, "no member called Rate"),
        ("VATCodes", {"Description": "x"}, "needs Code"),
        ("VATCodes", {"Code": "3", "GLToPay": "9999"}, "GLAccounts of division 100 has no 9999"),
        ("VATCodes", {"Code": "3", "Percentage": "9"}, "is no Edm.Double"),
        ("Colours", {"Code": "3"}, "no list called Colours"),
    ],
)
def test_a_wrong_row_is_refused_and_changes_nothing(
    company: Exact, sandbox: Sandbox, name: str, row: dict[str, Any], told: str
) -> None:
    before = sandbox.list_rows(100, "VATCodes")

    with pytest.raises(AssertionError, match=told):
        sandbox.fill_list(100, name, [{"Code": "9", "Description": "x"}, row])

    assert sandbox.list_rows(100, "VATCodes") == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_lists_are_not_written_over_the_api(company: Exact, method: str) -> None:
    answer = company.http.request(method, "/api/v1/100/cashflow/PaymentConditions", json={}, headers=JSON)

    assert answer.status_code == 501
