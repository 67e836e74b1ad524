"""Every answer is held against what was asked: company, key, form. Over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exactonline_client import answers
from exactonline_client.client import ExactClient
from exactonline_client.entities import ACCOUNTS, DELETIONS
from exactonline_client.errors import (
    AlreadyExistsError,
    ExactError,
    NotFoundError,
    RecordRefusedError,
    UnexpectedReplyError,
    WrongCompanyError,
)
from exactonline_client.settings import Settings
from exactonline_client.store import Store
from sandbox_driver import Sandbox, customer, small_world

NORTH, SOUTH = 201, 202
ENDPOINT, SYNC, DELETED = "crm/Accounts", "sync/CRM/Accounts", "sync/Deleted"
SELECT = ("ID", "Code", "Name", "City")
LISTED = (*SELECT, "Timestamp")
PAGE = "<html>Back soon</html>"


@pytest.fixture
def client(sandbox: Sandbox, tmp_path: Path) -> Iterator[ExactClient]:
    sandbox.reset(small_world(accounts={NORTH: [customer(1), customer(2)], SOUTH: [customer(3)]}))
    settings = Settings.from_config(sandbox.config(store_url=f"sqlite:///{tmp_path / 'store.db'}"))
    with (
        Store.open(settings.store_url) as store,
        ExactClient(settings, store, program="test", sleep=lambda _: None) as made,
    ):
        yield made


def create(client: ExactClient, code: str = "7", **values: Any) -> dict[str, Any]:
    return client.run(client.create(ACCOUNTS, NORTH, {"Code": code, "Name": "Klant 7", **values}, SELECT))


def listed(client: ExactClient) -> list[dict[str, Any]]:
    return [row for rows in client.pages(ACCOUNTS, NORTH, select=LISTED, after=0) for row in rows]


def id_of(sandbox: Sandbox, code: str = "1") -> str:
    return str(sandbox.account(NORTH, code)["ID"])


def change(client: ExactClient, sandbox: Sandbox, **values: Any) -> None:
    client.run(client.update(ACCOUNTS, NORTH, id_of(sandbox), values, label="1"))


def methods(sandbox: Sandbox) -> list[str]:
    return [call["method"] for call in sandbox.journal(endpoint=ENDPOINT)]


# A1: the company


@pytest.mark.parametrize("fault", ["misrouted", "mislabelled"])
def test_a_create_that_is_answered_for_another_company_is_told_with_both_and_ends_the_work_on_the_first(
    client: ExactClient, sandbox: Sandbox, fault: str
) -> None:
    sandbox.fault(fault, company=SOUTH, division=NORTH, method="POST", endpoint=ENDPOINT)

    with pytest.raises(WrongCompanyError) as told:
        create(client)
    with pytest.raises(WrongCompanyError):
        create(client, "8")
    with pytest.raises(WrongCompanyError):
        listed(client)

    error = told.value
    assert (error.division, error.other, error.is_write, error.scope) == (NORTH, SOUTH, True, "company")
    where = SOUTH if fault == "misrouted" else NORTH
    assert error.answered_key == sandbox.account(where, "7")["ID"]
    assert "account 7 may now be in division 202, under the ID" in str(error)
    assert "and not in division 201" in str(error)
    assert "\n" not in str(error)
    assert methods(sandbox) == ["POST"]
    assert len(sandbox.journal(division=NORTH)) == 1


@pytest.mark.parametrize("part", ["member", "uri", "location"])
def test_any_part_of_an_answer_to_a_create_that_names_another_company_is_believed(
    client: ExactClient, sandbox: Sandbox, part: str
) -> None:
    sandbox.fault("mislabelled", company=SOUTH, division=NORTH, method="POST", endpoint=ENDPOINT, parts=[part])

    with pytest.raises(WrongCompanyError, match="Exact answered for division 202 when division 201 was asked"):
        create(client)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "misrouted"},
        {"kind": "foreign_rows", "rows": 1},
        {"kind": "mislabelled", "rows": 1, "parts": ["member"]},
        {"kind": "mislabelled", "rows": 1, "parts": ["uri"]},
    ],
    ids=str,
)
def test_of_a_list_with_a_row_of_another_company_no_row_is_used(
    client: ExactClient, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    sandbox.fault(**fault, company=SOUTH, division=NORTH, endpoint=SYNC)

    with pytest.raises(WrongCompanyError, match="nothing of that answer was used") as told:
        listed(client)

    assert (told.value.other, told.value.is_write) == (SOUTH, False)


def test_a_list_s_next_page_in_another_company_is_not_followed(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.limits(page_sizes={"sync": 1})
    sandbox.fault("mislabelled", company=SOUTH, division=NORTH, endpoint=SYNC, parts=["next"])

    with pytest.raises(WrongCompanyError):
        listed(client)

    assert sandbox.journal(division=SOUTH) == []


def test_a_list_s_next_page_of_another_list_is_not_followed(client: ExactClient, sandbox: Sandbox) -> None:
    link = f"{sandbox.url}/api/v1/{NORTH}/{DELETED}?$select=ID"
    body = json.dumps({"d": {"results": [], "__next": link}})
    sandbox.fault("status", endpoint=SYNC, status=200, body=body, every=1)

    with pytest.raises(UnexpectedReplyError, match="sync/Deleted, which is another list"):
        listed(client)

    assert sandbox.journal(endpoint=DELETED) == []


def test_a_deletion_log_of_another_company_is_not_used(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.remove(SOUTH, "3")
    sandbox.fault("misrouted", company=SOUTH, division=NORTH, endpoint=DELETED)

    with pytest.raises(WrongCompanyError):
        list(client.pages(DELETIONS, NORTH, select=("EntityKey", "Timestamp"), after=0))


@pytest.mark.parametrize("fault", ["misrouted", "mislabelled"])
def test_a_row_of_another_company_is_not_found_in_this_one(client: ExactClient, sandbox: Sandbox, fault: str) -> None:
    code = "3" if fault == "misrouted" else "1"
    sandbox.fault(fault, company=SOUTH, division=NORTH, method="GET", endpoint=ENDPOINT)

    with pytest.raises(WrongCompanyError):
        client.run(client.find(ACCOUNTS, NORTH, code, SELECT))


def test_a_row_of_another_company_is_not_read_by_its_key(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("mislabelled", company=SOUTH, division=NORTH, method="GET", endpoint=ENDPOINT)

    with pytest.raises(WrongCompanyError):
        client.run(client.read(ACCOUNTS, NORTH, id_of(sandbox), SELECT))


def test_other_companies_go_on(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("misrouted", company=SOUTH, division=NORTH, endpoint=SYNC)
    with pytest.raises(WrongCompanyError):
        listed(client)

    assert client.run(client.find(ACCOUNTS, SOUTH, "3", SELECT)) is not None


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_change_that_met_no_row_since_it_went_to_another_company_is_sent_again(
    client: ExactClient, sandbox: Sandbox, method: str
) -> None:
    account_id = id_of(sandbox)
    sandbox.fault("misrouted", company=SOUTH, division=NORTH, method=method)

    if method == "PUT":
        change(client, sandbox, City="Delft")
        assert sandbox.account(NORTH, "1")["City"] == "Delft"
    else:
        client.run(client.delete(ACCOUNTS, NORTH, account_id, label="1"))
        assert sandbox.codes(NORTH) == ["2"]

    assert methods(sandbox) == [method, "GET", method]


@pytest.mark.parametrize(
    ("address", "company"),
    [
        ("https://start.exactonline.nl/api/v1/201/crm/Accounts(guid'1')", 201),
        ("https://start.exactonline.nl/api/v1//201//crm/Accounts", 201),
        ("/API/V1/201/crm/Accounts?$skiptoken='/api/v1/202/'", 201),
        ("https://start.exactonline.nl/api/v1/201", 201),
        ("https://start.exactonline.nl/api/v1/current/Me(guid'1')", None),
        ("https://[broken/api/v1/201/x", None),
        ("", None),
    ],
)
def test_an_address_names_its_company(address: str, company: int | None) -> None:
    assert answers.company_in(address) == company


@pytest.mark.parametrize("said", ["201", 201, None], ids=repr)
def test_a_company_may_come_as_number_or_text_or_not_at_all(said: object) -> None:
    answers.check_rows([{"Division": said}], ACCOUNTS, NORTH)


# A2: the form


@pytest.mark.parametrize("applied", [True, False], ids=["deleted", "not deleted"])
def test_a_deletion_answered_by_a_page_is_looked_up(client: ExactClient, sandbox: Sandbox, applied: bool) -> None:
    sandbox.fault("html_body", method="DELETE", applied=applied)

    client.run(client.delete(ACCOUNTS, NORTH, id_of(sandbox), label="1"))

    assert sandbox.codes(NORTH) == ["2"]
    assert methods(sandbox) == (["DELETE", "GET"] if applied else ["DELETE", "GET", "DELETE"])


@pytest.mark.parametrize("applied", [True, False], ids=["changed", "not changed"])
@pytest.mark.parametrize("status", [200, 201, 302, 403, 404])
def test_an_update_answered_by_a_page_is_looked_up(
    client: ExactClient, sandbox: Sandbox, applied: bool, status: int
) -> None:
    sandbox.fault("html_body", method="PUT", status=status, applied=applied)

    change(client, sandbox, City="Delft")

    assert sandbox.account(NORTH, "1")["City"] == "Delft"
    assert methods(sandbox) == (["PUT", "GET"] if applied else ["PUT", "GET", "PUT"])


@pytest.mark.parametrize("answer", [{"status": 200, "body": ""}, {"status": 200, "body": '{"d": {}}'}, {"status": 202}])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_any_success_but_204_without_a_body_is_looked_up(
    client: ExactClient, sandbox: Sandbox, method: str, answer: dict[str, Any]
) -> None:
    sandbox.fault("status", method=method, **answer)
    account_id = id_of(sandbox)

    if method == "PUT":
        change(client, sandbox, City="Delft")
        assert sandbox.account(NORTH, "1")["City"] == "Delft"
    else:
        client.run(client.delete(ACCOUNTS, NORTH, account_id, label="1"))
        assert sandbox.codes(NORTH) == ["2"]


def test_a_deletion_that_only_pages_answer_is_put_aside_as_unknown(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("html_body", method="DELETE", every=1, applied=False)

    with pytest.raises(UnexpectedReplyError) as told:
        client.run(client.delete(ACCOUNTS, NORTH, id_of(sandbox), label="1"))

    assert (told.value.scope, told.value.kind, told.value.key) == ("record", "fault", "1")
    assert sandbox.codes(NORTH) == ["1", "2"]


@pytest.mark.parametrize("status", [200, 403])
def test_a_create_answered_by_a_page_is_looked_up(client: ExactClient, sandbox: Sandbox, status: int) -> None:
    sandbox.fault("html_body", method="POST", endpoint=ENDPOINT, status=status, applied=True)

    assert create(client)["ID"] == sandbox.account(NORTH, "7")["ID"]
    assert methods(sandbox) == ["POST", "GET"]


def test_a_page_with_403_on_a_list_is_no_refusal(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("html_body", status=403, endpoint=SYNC, applied=False)

    assert [row["Code"] for row in listed(client)] == ["1", "2"]


def test_a_row_that_is_gone_is_deleted_already(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = id_of(sandbox)
    sandbox.remove(NORTH, "1")

    client.run(client.delete(ACCOUNTS, NORTH, account_id, label="1"))

    assert client.run(client.read(ACCOUNTS, NORTH, account_id, SELECT)) is None
    assert {call["status"] for call in sandbox.journal(method="GET", endpoint=ENDPOINT)} == {200}


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_deletion_whose_answers_were_lost_is_found_done(client: ExactClient, sandbox: Sandbox, times: int) -> None:
    sandbox.fault("lost_answer", method="DELETE", times=times)

    client.run(client.delete(ACCOUNTS, NORTH, id_of(sandbox), label="1"))

    assert sandbox.codes(NORTH) == ["2"]
    assert methods(sandbox) == ["DELETE"] * (times + 1) + ["GET"]


def test_a_row_is_read_by_its_key(client: ExactClient, sandbox: Sandbox) -> None:
    row = client.run(client.read(ACCOUNTS, NORTH, id_of(sandbox).upper(), ("Code", "City")))

    assert row is not None
    assert (row["Code"], row["City"]) == ("1", "Utrecht")


# The key


@pytest.mark.parametrize("key", ["Code", "ID"])
def test_an_answer_with_another_row_than_was_asked_for_is_not_taken(
    client: ExactClient, sandbox: Sandbox, key: str
) -> None:
    other = {"ID": id_of(sandbox, "2"), "Code": "2".rjust(18), "Division": NORTH}
    sandbox.fault("status", status=200, body=json.dumps({"d": [other]}), method="GET", endpoint=ENDPOINT)

    call = (
        client.find(ACCOUNTS, NORTH, "1", SELECT)
        if key == "Code"
        else client.read(ACCOUNTS, NORTH, id_of(sandbox), SELECT)
    )
    row = client.run(call)

    assert row is not None
    assert row["Code"] == "1"
    assert methods(sandbox) == ["GET", "GET"]


def test_a_create_answered_with_another_row_is_looked_up(client: ExactClient, sandbox: Sandbox) -> None:
    other = {"ID": id_of(sandbox, "2"), "Code": "2".rjust(18), "Name": "Klant 2 B.V.", "Division": NORTH}
    sandbox.fault("status", status=201, body=json.dumps({"d": other}), method="POST", endpoint=ENDPOINT)

    assert create(client)["ID"] == sandbox.account(NORTH, "7")["ID"]
    assert methods(sandbox) == ["POST", "GET", "POST"]


# A11: the key as Exact keeps it


def test_a_created_row_has_the_code_that_exact_gave_it(client: ExactClient, sandbox: Sandbox) -> None:
    row = {"ID": "0a", "Division": NORTH, "Code": "0000009".rjust(18), "Name": "Klant 7"}
    sandbox.fault("status", status=201, body=json.dumps({"d": row}), method="POST", endpoint=ENDPOINT)

    assert create(client, "9")["Code"] == "0000009"
    assert methods(sandbox) == ["POST"]


def test_a_code_that_exact_chose_itself_is_taken_with_the_row_that_was_sent(
    client: ExactClient, sandbox: Sandbox
) -> None:
    row = {"ID": "0a", "Division": NORTH, "Code": "4711".rjust(18), "Name": "Klant 7"}
    sandbox.fault("status", status=201, body=json.dumps({"d": row}), method="POST", endpoint=ENDPOINT)

    assert create(client, "9")["Code"] == "4711"


@pytest.mark.parametrize("asked", ["11", "0000011", "011"])
def test_a_code_is_found_in_the_form_that_the_company_keeps(client: ExactClient, sandbox: Sandbox, asked: str) -> None:
    sandbox.seed(NORTH, [customer(11, Code="0000011")])

    row = client.run(client.find(ACCOUNTS, NORTH, asked, SELECT))

    assert row is not None
    assert row["Code"] == "0000011"
    assert len(methods(sandbox)) == 1


def test_the_code_to_the_letter_comes_before_others_like_it(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.seed(NORTH, [customer(11), customer(11, Code="0000011"), customer(11, Code="0011")])

    row = client.run(client.find(ACCOUNTS, NORTH, "11", SELECT))

    assert row is not None
    assert row["Code"] == "11"


def test_of_several_codes_like_it_none_is_taken_for_it(
    client: ExactClient, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.seed(NORTH, [customer(11, Code="0000011"), customer(11, Code="0011")])

    assert client.run(client.find(ACCOUNTS, NORTH, "11", SELECT)) is None
    assert "has no account 11, but several like it: 0000011, 0011" in caplog.text


def test_a_lost_answer_to_a_create_finds_the_row_under_the_code_that_exact_gave_it(
    client: ExactClient, sandbox: Sandbox
) -> None:
    sandbox.seed(NORTH, [customer(9, Code="0000009", Name="Klant 7")])
    sandbox.fault("lost_answer", method="POST", endpoint=ENDPOINT, applied=False)

    assert create(client, "9")["Code"] == "0000009"
    assert methods(sandbox) == ["POST", "GET"]


def test_another_row_whose_code_only_looks_alike_is_not_taken_for_the_one_that_was_sent(
    client: ExactClient, sandbox: Sandbox
) -> None:
    sandbox.seed(NORTH, [customer(9, Code="0000009")])
    sandbox.fault("lost_answer", method="POST", endpoint=ENDPOINT, applied=False)

    assert create(client, "9")["Code"] == "9"
    assert sandbox.codes(NORTH) == ["0000009", "1", "2", "9"]


def test_a_create_without_a_code_whose_answer_was_lost_is_not_sent_twice(client: ExactClient, sandbox: Sandbox) -> None:
    sandbox.fault("lost_answer", method="POST", endpoint=ENDPOINT)

    with pytest.raises(UnexpectedReplyError):
        client.run(client.create(ACCOUNTS, NORTH, {"Name": "Zonder code"}, SELECT))

    assert methods(sandbox) == ["POST"]


# A3 to A6: whose fault


@pytest.mark.parametrize("applied", [True, False], ids=["carried out", "not carried out"])
@pytest.mark.parametrize("status", [507, 520, 599])
def test_a_status_that_nobody_foresaw_is_a_gateway_s(
    client: ExactClient, sandbox: Sandbox, status: int, applied: bool
) -> None:
    for method in ("GET", "POST", "PUT"):
        sandbox.fault("status", status=status, body="", method=method, division=NORTH, applied=applied)

    assert [row["Code"] for row in listed(client)] == ["1", "2"]
    assert create(client)["Code"] == "7"
    change(client, sandbox, City="Delft")

    assert sandbox.account(NORTH, "1")["City"] == "Delft"
    assert sandbox.codes(NORTH) == ["1", "2", "7"]
    posts = methods(sandbox).count("POST")
    assert posts == (1 if applied else 2)


@pytest.mark.parametrize(
    "text",
    [
        "Time-out verlopen. De time-outperiode is verstreken voordat de bewerking was voltooid.",
        "Object reference not set to an instance of an object.",
        "Etwas ging schief.",
        "Unknown error",
    ],
)
def test_a_text_that_is_no_verdict_puts_the_record_aside(client: ExactClient, sandbox: Sandbox, text: str) -> None:
    sandbox.fault("error", text=text, method="POST", endpoint=ENDPOINT, code="7", every=1)

    with pytest.raises(UnexpectedReplyError, match="POST crm/Accounts in division 201") as told:
        create(client)

    assert (told.value.kind, told.value.scope, told.value.key) == ("fault", "record", "7")
    assert text.rstrip(".") in str(told.value)
    assert create(client, "8")["Code"] == "8"


@pytest.mark.parametrize("text", ["Te lang: Naam", "Niet toegestaan: Status", "Too long: Name", "Verplicht: Land"])
def test_a_text_of_a_known_pattern_refuses_the_record_at_once(client: ExactClient, sandbox: Sandbox, text: str) -> None:
    sandbox.fault("error", text=text, method="POST", endpoint=ENDPOINT, every=1)

    with pytest.raises(RecordRefusedError, match=text):
        create(client)

    assert methods(sandbox) == ["POST"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_text_that_names_the_company_is_about_the_company(client: ExactClient, sandbox: Sandbox, method: str) -> None:
    account_id = id_of(sandbox)
    sandbox.fault("error", text="Ongeldig: Divisie", division=NORTH, method=method, every=1)
    calls = {
        "GET": lambda: listed(client),
        "POST": lambda: create(client),
        "PUT": lambda: change(client, sandbox, City="Delft"),
        "DELETE": lambda: client.run(client.delete(ACCOUNTS, NORTH, account_id, label="1")),
    }

    with pytest.raises(ExactError, match=r"Exact refuses division 201 .*Ongeldig: Divisie") as told:
        calls[method]()

    assert (told.value.kind, told.value.scope) == ("no_access", "company")


@pytest.mark.parametrize("text", ["Bestaat reeds: Btw-nummer", "Already exists: Mailbox"])
def test_that_another_field_exists_already_is_exact_s_verdict_on_the_record(
    client: ExactClient, sandbox: Sandbox, text: str
) -> None:
    sandbox.fault("error", text=text, method="POST", endpoint=ENDPOINT, every=1)

    with pytest.raises(RecordRefusedError, match=text) as told:
        create(client)

    assert not isinstance(told.value, AlreadyExistsError)
    assert (told.value.kind, methods(sandbox)) == ("rejected", ["POST"])


@pytest.mark.parametrize("text", ["Gegeven bestaat reeds.", "Bestaat reeds: Code", "Bestaat reeds: 7"])
def test_that_the_code_exists_already_is_told_apart(client: ExactClient, sandbox: Sandbox, text: str) -> None:
    sandbox.fault("error", text=text, method="POST", endpoint=ENDPOINT, every=1)

    with pytest.raises(AlreadyExistsError) as told:
        create(client)

    assert (told.value.kind, methods(sandbox)) == ("collision", ["POST"])


def test_an_update_of_a_row_that_is_gone_costs_one_look(client: ExactClient, sandbox: Sandbox) -> None:
    account_id = id_of(sandbox)
    sandbox.remove(NORTH, "1")

    with pytest.raises(NotFoundError):
        client.run(client.update(ACCOUNTS, NORTH, account_id, {"City": "Delft"}, label="1"))

    assert methods(sandbox) == ["PUT", "GET"]
