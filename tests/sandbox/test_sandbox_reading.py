"""Dossier 4.1, 4.2, 5.1, 5.2: envelopes, values, pages, filters."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from exact_http import Exact, message
from sandbox_driver import Sandbox, customer, small_world

ACCOUNTS = "100/crm/Accounts"


@pytest.fixture
def many(sandbox: Sandbox) -> Exact:
    sandbox.reset(small_world(150))
    return Exact(sandbox)


def pages(exact: Exact, first: str) -> list[list[dict[str, Any]]]:
    found, address = [], first
    while address:
        d = exact.http.get(address).json()["d"]
        found.append(d["results"])
        address = d.get("__next")
    return found


@pytest.mark.parametrize("top", ["0", "1", "50", "60"])
def test_a_top_within_a_page_gives_a_bare_array(many: Exact, top: str) -> None:
    d = many.get(ACCOUNTS, top=top).json()["d"]

    assert isinstance(d, list)
    assert len(d) == int(top)


@pytest.mark.parametrize("top", [None, "61", "1000"])
def test_no_top_or_a_larger_one_gives_results(many: Exact, top: str | None) -> None:
    d = many.get(ACCOUNTS, **({"top": top} if top else {})).json()["d"]

    assert len(d["results"]) == 60


def test_an_empty_bare_array_stays_one(exact: Exact) -> None:
    assert exact.get("201/crm/Accounts", top="5").json() == {"d": []}
    assert exact.get("201/crm/Accounts").json() == {"d": {"results": []}}


def test_a_follow_up_page_gives_results_whatever_its_top(many: Exact) -> None:
    first = many.get(ACCOUNTS, select="ID", top="100").json()["d"]
    following = parse_qs(urlsplit(first["__next"]).query)

    second = many.http.get(first["__next"]).json()["d"]

    assert following["$top"] == ["40"]
    assert following["$select"] == ["ID"]
    assert re.fullmatch(r"guid'[0-9a-f-]{36}'", following["$skiptoken"][0])
    assert len(second["results"]) == 40
    assert "__next" not in second


def test_following_next_gives_every_row_once(many: Exact) -> None:
    found = pages(many, "/api/v1/100/crm/Accounts?$select=Code")

    assert [len(page) for page in found] == [60, 60, 30]
    assert len({row["Code"] for page in found for row in page}) == 150


def test_the_token_of_an_ordered_list_holds_its_order_and_the_key(many: Exact) -> None:
    following = many.get(ACCOUNTS, select="Code", orderby="Modified desc,Name").json()["d"]["__next"]

    assert re.search(r"\$skiptoken=datetime'[\dT%.A-F-]+','Klant%20\d+%20B\.V\.',guid'[0-9a-f-]{36}'$", following)
    assert len({row["Code"] for page in pages(many, following) for row in page}) == 90


def test_an_ordered_list_comes_in_order(many: Exact) -> None:
    found = pages(many, "/api/v1/100/crm/Accounts?$select=Name&$orderby=Name desc")

    names = [row["Name"] for page in found for row in page]
    assert names == sorted(names, reverse=True)


def test_the_first_query_with_only_a_skiptoken_added_goes_on(many: Exact) -> None:
    following = many.get(ACCOUNTS, select="ID").json()["d"]["__next"]
    token = parse_qs(urlsplit(following).query)["$skiptoken"][0]

    assert many.rows(ACCOUNTS, select="ID", skiptoken=token) == many.http.get(following).json()["d"]["results"]


def test_skip_leaves_rows_out(many: Exact) -> None:
    whole = many.rows(ACCOUNTS, top="20")

    assert many.rows(ACCOUNTS, top="10", skip="10") == whole[10:]


def test_inlinecount_counts_in_a_text_and_forces_the_object(many: Exact) -> None:
    d = many.get(ACCOUNTS, inlinecount="allpages", top="5", filter="City eq 'Utrecht'").json()["d"]

    assert (d["__count"], len(d["results"])) == ("150", 5)


def test_a_count_is_a_plain_number(many: Exact) -> None:
    answer = many.get(f"{ACCOUNTS}/$count", filter="substringof('7', Name)")

    assert answer.text == str(sum("7" in str(number) for number in range(1, 151)))


def test_one_account_has_exactly_the_known_properties(exact: Exact) -> None:
    one = exact.get(f"100/crm/Accounts(guid'{exact.key(100, '1')}')").json()["d"]
    synced = exact.rows("100/sync/CRM/Accounts", top="1")[0]

    assert len(one) == 167  # 166 and __metadata
    assert len(synced) == 166
    assert "Timestamp" in synced
    assert "Timestamp" not in one
    assert one["BankAccounts"]["__deferred"]["uri"].endswith("/BankAccounts")
    assert one["__metadata"]["type"] == "Exact.Web.Api.Models.Account"


def test_members_come_in_the_servers_order(exact: Exact) -> None:
    (row,) = exact.rows(ACCOUNTS, select="Name,Code,City", top="1")

    assert list(row) == ["__metadata", "City", "Code", "Name"]


def test_text_is_padded_where_exact_pads(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.edit(100, "1", State="UT", SearchCode="ALBEX", SalesVATCode="02")

    row = exact.row(100, "1")

    assert row["Code"] == "1".rjust(18)
    assert (row["Country"], row["State"]) == ("NL ", "UT ")
    assert (row["SearchCode"], row["Language"], row["SalesVATCode"]) == ("ALBEX    ", "NL        ", "02 ")


def test_dates_are_local_wall_time_and_end_in_0_3_or_7(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(now="2026-06-25T14:21:04.262Z"))

    modified = Exact(sandbox).row(100, "1")["Modified"]

    assert modified == "/Date(1782404464263)/"  # 16:21:04.263, as if that were UTC


def test_a_timestamp_is_a_text_or_by_a_switch_a_number(sandbox: Sandbox, exact: Exact) -> None:
    as_text = exact.rows("100/sync/CRM/Accounts")[0]["Timestamp"]
    sandbox.limits(timestamp_as="number")

    assert exact.rows("100/sync/CRM/Accounts")[0]["Timestamp"] == int(as_text)


@pytest.mark.parametrize(
    ("condition", "codes"),
    [
        ("Code eq '                 2'", ["2"]),
        ("Code eq '2'", []),
        ("trim(Code) eq '2'", ["2"]),
        ("Country eq 'NL' and Name ne 'Klant 1 B.V.'", ["2", "3"]),
        ("Name eq 'Klant 1 B.V.' or (City eq 'Delft' and Blocked eq false)", ["1", "3"]),
        ("startswith(Name, 'Klant 3')", ["3"]),
        ("endswith(Email,'2.example') eq true", ["2"]),
        ("substringof('lan''s', Name)", []),
        ("IsAccountant ge 1", []),
        ("Modified gt datetime'2020-01-01' and Modified lt datetime'2099-01-01T00:00:00'", ["1", "2", "3"]),
        ("VATNumber eq null", ["1", "2", "3"]),
        ("VATNumber ne null", []),
        ("ID ne guid'00000000-0000-0000-0000-000000000000'", ["1", "2", "3"]),
        ("ID ne guid '00000000-0000-0000-0000-000000000000'", ["1", "2", "3"]),
    ],
)
def test_a_filter_chooses(sandbox: Sandbox, exact: Exact, condition: str, codes: list[str]) -> None:
    sandbox.edit(100, "3", City="Delft")

    rows = exact.rows(ACCOUNTS, filter=condition, select="Code")

    assert sorted(row["Code"].strip() for row in rows) == codes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"filter": "Nonsense eq 1"}, "Bad Request - Error in query syntax."),
        ({"filter": "Name eq"}, "Bad Request - Error in query syntax."),
        ({"filter": "Name eq 'x' banana"}, "Bad Request - Error in query syntax."),
        ({"filter": "Name eq 5"}, "Bad Request - Error in query syntax."),
        ({"filter": "Name eq City"}, "Bad Request - Error in query syntax."),
        ({"filter": "BankAccounts/ID eq null"}, "Bad Request - Error in query syntax."),
        ({"filter": "ID eq guid'dsadsds'"}, "Unrecognized 'Edm.Guid' literal 'guid'dsadsds'' in '6'."),
        ({"filter": "Website eq 'x'"}, "Filtering on these fields is not supported: Website"),
        ({"filter": ""}, "This $filter parameter is not supported for this resource"),
        ({"select": "Nonsense"}, "Bad Request - Error in query syntax."),
        ({"select": "Timestamp"}, "Bad Request - Error in query syntax."),
        ({"orderby": "Nonsense"}, "Bad Request - Error in query syntax."),
        ({"top": "many"}, "Bad Request - Error in query syntax."),
        ({"skip": "9" * 30}, "Bad Request - Error in query syntax."),
        ({"skiptoken": "5,6"}, "Bad Request - Error in query syntax."),
        ({"orderby": "Name", "skiptoken": "5,6"}, "Bad Request - Error in query syntax."),
    ],
)
def test_a_broken_query_is_a_400(exact: Exact, options: dict[str, str], words: str) -> None:
    answer = exact.get(ACCOUNTS, **options)

    assert answer.status_code == 400
    assert message(answer).startswith(words)


def test_the_mandatory_filter_is_a_switch(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.limits(mandatory_filter=True)

    refused = exact.get(ACCOUNTS, select="ID")

    assert refused.status_code == 400
    assert message(refused).startswith(
        "This endpoint has mandatory filtering applied. A GET request for this endpoint must have a $filter parameter"
        " with one of the following fields in the url:Accountant,AccountManager,AddressLine1,"
    )
    assert ",City,Classification1,Classification2," in message(refused)
    assert ",Classification8,Classification,Code,CodeAtSupplier," in message(refused)
    assert len(exact.rows(ACCOUNTS, filter="Status eq 'C'")) == 3
    assert len(exact.rows("100/sync/CRM/Accounts", select="ID")) == 3


def test_bulk_gives_a_thousand_and_wants_a_select(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(1001))
    exact = Exact(sandbox)

    d = exact.get("100/bulk/CRM/Accounts", select="Code").json()["d"]

    assert len(d["results"]) == 1000
    assert message(exact.get("100/bulk/CRM/Accounts")) == (
        "Please add a $select or a $top=1 statement to the query string."
    )
    assert len(exact.rows("100/bulk/CRM/Accounts", top="1")[0]) == 165


def test_a_moment_in_the_next_pages_address_has_no_zeros_at_its_end(sandbox: Sandbox) -> None:
    sandbox.reset(small_world(3, limits={"page_sizes": {"crm": 1}}, now="2026-06-25T10:40:29.900Z"))
    sandbox.edit(100, "1", Modified="2026-06-25T12:40:29.900")

    d = Exact(sandbox).get(ACCOUNTS, orderby="Modified", filter="trim(Code) eq '1' or Modified gt datetime'2026-01-01'")

    assert "datetime'2026-06-25T12%3A40%3A29.9'," in d.json()["d"]["__next"]


@pytest.mark.parametrize(("status", "switch"), [(414, {}), (404, {"long_url_status": 404})])
def test_an_address_over_6000_characters_is_rejected(
    sandbox: Sandbox, exact: Exact, status: int, switch: dict[str, int]
) -> None:
    sandbox.limits(**switch)
    before = len(f"{exact.url}/api/v1/{ACCOUNTS}?$select=")

    fits = exact.http.get(f"/api/v1/{ACCOUNTS}?$select=" + "ID,".ljust(6000 - before, ","))
    longer = exact.http.get(f"/api/v1/{ACCOUNTS}?$select=" + "ID,".ljust(6001 - before, ","))

    assert (fits.status_code, longer.status_code, longer.content) == (200, status, b"")


def test_members_come_in_the_order_recorded(exact: Exact) -> None:
    account, division = exact.rows(ACCOUNTS)[0], exact.rows("100/system/Divisions")[0]
    me = exact.rows("current/Me")[0]

    names = list(account)
    assert names[10:13] == ["AddressLine3", "BankAccounts", "Blocked"]
    assert names[names.index("InvoicingMethod") + 1 :][:2] == ["AutomaticProcessProposedEntry", "IsAccountant"]
    assert names[-6:] == [
        *("Website", "EORINumber", "AddressSource", "Source", "PeppolIdentifierType", "PeppolIdentifier")
    ]
    assert list(me)[1] == "CurrentDivision"
    assert list(division)[1] == "AddressLine1"
    assert division["Legislation"].strip() == "1"


def test_clients_that_double_slashes_or_send_a_form_type_are_served(exact: Exact) -> None:
    doubled = exact.http.get("/api/v1//100/crm//Accounts?$top=1")
    form = exact.get(ACCOUNTS, {"Content-Type": "application/x-www-form-urlencoded"}, top="1")

    assert (doubled.status_code, form.status_code) == (200, 200)


def test_path_casing_is_free_or_by_a_switch_strict(sandbox: Sandbox, exact: Exact) -> None:
    free = exact.get("100/CRM/accounts").status_code
    sandbox.limits(path_case_sensitive=True)

    assert free == 200
    assert exact.get("100/CRM/accounts").status_code == 404
    assert exact.get("100/crm/Accounts").status_code == 200


def test_an_unknown_key_is_a_404_and_a_bad_one_a_400(exact: Exact) -> None:
    unknown = exact.get("100/crm/Accounts(guid'00000000-0000-0000-0000-000000000000')")
    bad = exact.get("100/crm/Accounts(guid'nonsense')")

    assert (unknown.status_code, bad.status_code) == (404, 400)


def test_codes_of_other_accounts_and_descriptions_are_derived(sandbox: Sandbox, exact: Exact) -> None:
    sandbox.edit(100, "1", InvoiceAccount=exact.key(100, "2"))

    row = exact.row(100, "1")
    english = exact.get(ACCOUNTS, {"CustomDescriptionLanguage": "EN"}, top="1").json()["d"][0]

    assert (row["InvoiceAccountCode"], row["InvoiceAccountName"]) == ("2".rjust(18), "Klant 2 B.V.")
    assert (row["CountryName"], english["CountryName"]) == ("Nederland", "Netherlands")


def test_odd_characters_survive_both_ways(sandbox: Sandbox, exact: Exact) -> None:
    name = "Fä\u00dfchen & Zn. <\u2603> 'q' \"d\"\ttab"
    sandbox.seed(100, [customer(9, Name=name)])

    assert exact.row(100, "9")["Name"] == name
    assert sandbox.account(100, "9")["Name"] == name
